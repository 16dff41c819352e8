import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from cli.jobs import payout
from cli.main import main
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.period import Period
from royalty.rules import RULES
from tests.cli.conftest import EXAMPLE, Ran

TWO = ("--rule", "pro-rata", "--rule", "user-centric")
IMPORTS = (
    ("init",),
    ("catalogue", "import", EXAMPLE),
    ("shares", "import", EXAMPLE / "shares.csv"),
    ("usage", "import", EXAMPLE / "usage.csv"),
    ("revenue", "import", EXAMPLE / "revenue.csv"),
)
BLEND = "pro_rata:0.6+user_centric:0.4"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The README's world computed once by two rules and their blend: as text, and as JSON."""
    home = tmp_path_factory.mktemp("compared") / "home"
    for arguments in IMPORTS:
        assert run(home, *arguments).code == 0
    rules = ("payouts", "2026-10", *TWO, "--rule", "user-centric:0.40+pro-rata:.6")
    return {"text": run(home, *rules), "json": run(home, *rules, "--json")}


def run(home: Path, *arguments: object) -> Ran:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["--home", str(home), *map(str, arguments)])
    return Ran(code, *(stream.buffer.getvalue().decode() for stream in map(flushed, (out, err))))


def flushed(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    stream.flush()
    return stream


def micros(document: dict, rule: str) -> dict[str, int]:
    return {p["id"]: p["amount"]["micros"] for p in document["rules"][rule]["payees"]}


def test_all_rules_that_can_divide_the_pool_to_the_micro(example) -> None:
    ran = example("payouts", "2026-10", "--compare", "--json")
    document = json.loads(ran.out)
    unbooked = {"per_generation", "streamed_track"}

    assert document["schema"] == 1
    assert document["pool"] == {"micros": 20_000_000, "currency": "EUR"}
    assert list(document["rules"]) == [rule for rule in RULES if rule not in unbooked]
    for rule in document["rules"]:
        assert sum(micros(document, rule).values()) == 20_000_000
    for rule in unbooked:
        assert f"{rule} is left out: it divides revenue" in ran.err


def test_amounts_are_the_ones_computed_by_hand(compared) -> None:
    document = json.loads(compared["json"].out)

    # pro rata: g1 4.00, g2 11.00, g3 5.00; user centric: g1 8.00, g2 2.00 + 20/3, g3 10/3.
    # Unattributed (15 %, 20 %, 30 %) is divided equally among the three works.
    assert micros(document, "pro_rata") == {
        "ann": 2_400_000 + 1_433_334,
        "bob": 1_000_000 + 5_500_000 + 1_433_333,
        "cy": 3_300_000 + 3_500_000 + 1_433_333,
    }
    user_centric = micros(document, "user_centric")
    assert user_centric["ann"] == pytest.approx(
        4_800_000 + (1_200_000 + 1_733_333 + 1_000_000) / 3, abs=1
    )


def test_the_interval_holds_the_amount(example) -> None:
    document = json.loads(example("payouts", "2026-10", "--json").out)

    for payee in document["rules"]["pro_rata"]["payees"]:
        low, amount, high = (payee[key]["micros"] for key in ("low", "amount", "high"))
        assert low < amount < high


def test_the_document_has_the_keys_that_others_read(example) -> None:
    document = json.loads(example("payouts", "2026-10", "--rule", "user-centric", "--json").out)
    rule = document["rules"]["user_centric"]

    assert set(document) == {"schema", "period", "pool", "rules"}  # one rule differs from none
    assert set(rule) == {"payees", "unattributed", "suspense", "idle"}
    assert set(rule["payees"][0]) == {"id", "name", "amount", "low", "high"}


def test_compared_rules_have_the_differences_from_the_first(compared) -> None:
    document = json.loads(compared["json"].out)
    first = micros(document, "pro_rata")

    assert list(document) == ["schema", "period", "pool", "rules", "differences"]
    assert list(document["differences"]) == ["user_centric", BLEND]
    for rule, found in document["differences"].items():
        assert [each["id"] for each in found] == ["ann", "bob", "cy"]
        for each in found:
            assert list(each) == ["id", "difference", "low", "high"]
            low, amount, high = (each[key]["micros"] for key in ("low", "difference", "high"))
            assert amount == micros(document, rule)[each["id"]] - first[each["id"]]
            assert low < amount < high


def test_a_blend_is_the_weighed_mean_of_its_rules(compared) -> None:
    document = json.loads(compared["json"].out)

    assert sum(micros(document, BLEND).values()) == 20_000_000
    for payee, amount in micros(document, BLEND).items():
        parts = [micros(document, rule)[payee] for rule in ("pro_rata", "user_centric")]
        assert abs(amount - (6 * parts[0] + 4 * parts[1]) / 10) <= 1


def test_a_month_can_be_closed_and_stated_by_a_blend(example) -> None:
    closed = example("close", "2026-10", "--rule", BLEND)
    document = json.loads(example("payouts", "2026-10", "--rule", BLEND, "--json").out)
    owed = json.loads(example("statement", "bob", "2026-10", "--json").out)

    assert closed.code == 0, closed.err
    assert owed["rule"] == BLEND
    assert owed["earned"]["micros"] == micros(document, BLEND)["bob"]
    assert sum(line["net"]["micros"] for line in owed["lines"]) == owed["earned"]["micros"]
    assert example("audit", "2026-10", "conservation").code == 0


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("pro_rata:0.6+user_centric:0.5", "sum to 1.1 and not to 1"),
        ("pro_rata:0.6+winner:0.4", "'winner' is not a rule"),
    ],
)
def test_a_blend_that_is_none_says_why(example, rule: str, says: str) -> None:
    ran = example("payouts", "2026-10", "--rule", rule)

    assert ran.code == 2
    assert says in ran.err


def test_a_rule_that_cannot_divide_the_month_is_refused_on_its_own(example) -> None:
    ran = example("payouts", "2026-10", "--rule", "per-generation")
    blend = "per-generation:0.5+pro-rata:0.5"
    beside = example("payouts", "2026-10", "--rule", blend, "--rule", "pro-rata")

    assert (ran.code, beside.code) == (3, 0)
    assert "per_generation cannot divide 2026-10: it divides revenue that was booked" in ran.err
    assert "none of 2026-10 was; import revenue with a column 'track'" in ran.err
    assert "is left out: per_generation cannot, since it divides revenue" in beside.err


def test_more_than_two_rules_stand_in_blocks_that_fit_a_page(compared) -> None:
    lines = compared["text"].out.splitlines()
    headings = [line.split() for line in lines if line.startswith("payee")]

    assert headings == [
        ["payee", "pro_rata", "user_centric", "+user_centric:0.4"],
        ["payee", *["90", "%", "interval"] * 2],
    ]
    assert "More or less than by pro_rata, to the cent:" in lines
    assert max(map(len, lines)) <= 100


def test_a_preview_that_still_holds_is_shown_again_and_one_that_was_lost_is_divided_again(
    example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided = []
    divide_by = payout.divide_by
    monkeypatch.setattr(
        payout, "divide_by", lambda *asked: (divided.append(asked[1]), divide_by(*asked))[1]
    )
    asked = ("payouts", "2026-10", "--rule", BLEND, "--json")

    first, again = example(*asked), example(*asked)
    books = Workspace(home=tmp_path / "home").books()
    snapshot = queries.payout(EVERYONE, books, Period(2026, 10), BLEND).snapshot
    (tmp_path / "home" / "snapshots" / f"{snapshot}.parquet").unlink()
    anew = example(*asked)

    assert (first.code, anew.code) == (0, 0), anew.err
    assert first.out == again.out == anew.out
    assert divided == [BLEND, BLEND]


def test_an_unknown_rule_names_those_there_are(example) -> None:
    ran = example("payouts", "2026-10", "--rule", "winner-takes-all")

    assert ran.code == 2
    assert all(rule in ran.err for rule in RULES)


def test_a_month_without_revenue_says_which_command_to_run(example) -> None:
    ran = example("payouts", "2026-09")

    assert ran.code == 3
    assert "tantieme revenue import" in ran.err


def test_a_closed_month_compares_even_what_was_never_previewed(example) -> None:
    before = json.loads(example("payouts", "2026-10", "--json").out)
    example("close", "2026-10")

    ran = example("payouts", "2026-10", "--compare", "--rule", BLEND, *TWO, "--json")
    document = json.loads(ran.out)

    assert list(document["rules"]) == ["pro_rata", "user_centric"]
    assert document["rules"]["pro_rata"] == before["rules"]["pro_rata"]
    assert sum(micros(document, "user_centric").values()) == 20_000_000
    assert "is closed and was not computed by" in ran.err


def test_a_payee_paid_under_one_rule_only_is_shown_under_both(tantieme, tmp_path) -> None:
    files = {
        "shares": "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
        "g1,r1,1000000000,,,p\ng3,r3,1000000000,,,p\n",
        "usage": "period,listener,track,source,territory,plays\n"
        "2026-10,paying,g3,app,DE,1\n2026-10,free,g1,app,DE,3\n",
        "revenue": "period,listener,source,territory,currency,net\n"
        "2026-10,paying,app,DE,EUR,8.00\n",
    }
    tantieme("init")
    tantieme("catalogue", "import", EXAMPLE)
    for kind, content in files.items():
        (tmp_path / f"{kind}.csv").write_text(content)
        tantieme(kind, "import", tmp_path / f"{kind}.csv")

    rows = {
        line.split()[0]: line.split()
        for line in tantieme("payouts", "2026-10", *TWO).out.splitlines()
        if line
    }

    assert rows["Ann"][1:4] == ["€6.00", "€0.00", "-€6.00"]
    assert rows["Cy"][1:4] == ["€2.00", "€8.00", "€6.00"]


def test_plays_where_nothing_came_in_are_pointed_out(example, tmp_path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("period,listener,track,source,territory,plays\n2026-10,u8,g1,app,FR,40\n")
    example("usage", "import", more)

    ran = example("payouts", "2026-10")

    assert "40 plays from app in FR have no revenue there to divide" in ran.err


def test_a_closed_month_is_shown_by_the_rule_that_closed_it(example) -> None:
    example("close", "2026-10", "--rule", "user-centric")

    alone, compared = (
        example("payouts", "2026-10", *more, "--json") for more in ((), ("--compare",))
    )

    assert list(json.loads(alone.out)["rules"]) == ["user_centric"]
    assert list(json.loads(compared.out)["rules"]) == ["user_centric", "pro_rata"]
    assert "2026-10 is closed by user_centric." in alone.err


def test_one_rule_is_compared_with_nothing(example) -> None:
    ran = example("payouts", "2026-10", "--compare", "--rule", "pro-rata")

    assert ran.code == 2
    assert "--compare takes two rules or more" in ran.err


def test_whom_a_share_of_nothing_pays_nothing_is_not_among_the_payees(tantieme, tmp_path) -> None:
    files = {
        "recordings": "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n"
        "r1,,One,ann,w1,,,,\nr2,,Two,bob,w2,,,,\nr3,,Three,cy,w3,,,,\n",
        "parties": "id,name,kind,ipi,isni,payee\n"
        "ann,Ann,artist,,,ann\nbob,Bob,artist,,,bob\ncy,Cy,artist,,,cy\n",
    }
    shares = tmp_path / "shares.csv"
    shares.write_text(
        "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
        "g1,r1,1000000000,,,p\ng2,r2,1000000000,,,p\ng3,r1,1000000000,,,p\ng3,r3,0,,,p\n"
    )
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_text(content)
    (tmp_path / "interests.csv").write_text((EXAMPLE / "interests.csv").read_text())
    tantieme("init")
    for command in (("catalogue", tmp_path), ("shares", shares)):
        ran = tantieme(command[0], "import", command[1])
        assert ran.code == 0, ran.err
    for kind in ("usage", "revenue"):
        tantieme(kind, "import", EXAMPLE / f"{kind}.csv")

    ran = tantieme("payouts", "2026-10", *TWO)
    document = json.loads(tantieme("payouts", "2026-10", *TWO, "--json").out)

    assert ran.code == 0, ran.err
    assert set(micros(document, "pro_rata")) == {"ann", "bob"}
    assert "Cy" not in ran.out


def test_what_terms_leave_and_what_rules_fix_has_columns_of_its_own(tantieme, tmp_path) -> None:
    for name in ("recordings", "parties", "interests", "terms"):
        text = (EXAMPLE / f"{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(text.replace("ann,1000000,0", "ann,500000,0"))
    tantieme("init")
    tantieme("catalogue", "import", tmp_path)
    for kind in ("shares", "usage", "revenue"):
        tantieme(kind, "import", EXAMPLE / f"{kind}.csv")
    rules = ("--rule", "pro-rata", "--rule", "hybrid")

    out = tantieme("payouts", "2026-10", *rules).out
    document = json.loads(tantieme("payouts", "2026-10", *rules, "--json").out)

    kept = document["rules"]["hybrid"]["platform"]["micros"]
    paid = sum(micros(document, "hybrid").values())
    assert paid + kept + document["rules"]["hybrid"]["suspense"]["micros"] == 20_000_000
    [heading] = [line for line in out.splitlines() if "waits in suspense" in line]
    assert heading.split("  ")[-1] == "platform, by terms"
    rows = [line.split() for line in out[out.index(heading) :].splitlines()]
    of = {row[0]: [float(cell.removeprefix("€")) for cell in row[1:]] for row in rows[1:3]}
    # Half of ten euros to three works alike, of which half of a third stays with the platform.
    assert of["hybrid"][1] == pytest.approx(10 - 10 / 6, abs=0.01)
    assert of["pro_rata"][1] == 0
    assert of["hybrid"][-1] == pytest.approx(kept / 10**6, abs=0.01)
    assert "What terms leave with the platform is no payee's" in out


OWN = """period,listener,source,territory,currency,net,track
2026-10,,licence,DE,EUR,6.00,
2026-10,u1,shop,DE,EUR,3.00,g1
"""


@pytest.fixture
def own(example, tmp_path):
    """The README's world with a source that has a rule of its own."""
    settings = tmp_path / "home" / "workspace.toml"
    rules = '[rule_of_source]\nlicence = "training-fee"\nshop = "per_generation"\nstall = "hybrid"'
    settings.write_text(settings.read_text().replace("[rule_of_source]", rules))
    (tmp_path / "own.csv").write_text(OWN)
    ran = example("revenue", "import", tmp_path / "own.csv")
    assert ran.code == 0, ran.err
    return example


def test_sources_with_a_rule_of_their_own_are_named(own) -> None:
    ran = own("payouts", "2026-10", "--compare", *TWO)
    refused = own("payouts", "2026-10", "--rule", "streamed-track")

    assert ran.code == 0, ran.err
    assert (
        "whatever the rule asked for: licence by training_fee, shop by per_generation." in ran.err
    )
    assert "names a rule of 'stall', which has no revenue of 2026-10" in ran.err
    assert refused.code == 3
    assert "none in the sources that streamed_track would divide was" in refused.err


def test_a_line_carries_the_rule_that_divided_its_pool(own) -> None:
    assert own("close", "2026-10").code == 0

    document = json.loads(own("statement", "ann", "2026-10", "--json").out)
    rules = {line["source"]: line["rule"] for line in document["lines"]}
    shop = next(line["id"] for line in document["lines"] if line["source"] == "shop")

    assert rules == {"app": "pro_rata", "licence": "training_fee", "shop": "per_generation"}
    assert "licence by training_fee" in document["rule_version"]
    assert "rule pro_rata (pro_rata-2; " in own("statement", "ann", "2026-10").out
    assert own("trail", shop).code == 0


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("pro_rata:0.5+hybrid:0.5", "is a blend; a source is divided by one rule"),
        ("winner", "'winner' is not a rule"),
        (7, "'7' is not a rule"),
    ],
)
def test_what_is_no_rule_of_a_source_is_a_fault(example, tmp_path, rule: object, says: str) -> None:
    settings = tmp_path / "home" / "workspace.toml"
    written = f"[rule_of_source]\nlicence = {json.dumps(rule)}"
    settings.write_text(settings.read_text().replace("[rule_of_source]", written))

    ran = example("payouts", "2026-10")

    assert ran.code == 4
    assert f"rule_of_source.licence: '{rule}'" in ran.err
    assert says in ran.err


def test_the_help_names_every_rule_and_the_one_taken(tantieme) -> None:
    for command in ("payouts", "close"):
        shown = " ".join(tantieme(command, "--help").out.split())

        assert "[default: `rule` in workspace.toml]" in shown
        assert all(rule in shown for rule in RULES)


def test_an_engine_without_memory_says_which_setting_gives_it_more(example) -> None:
    ran = example("payouts", "2026-10", "--engine", "duckdb?memory_limit=1kB&threads=1")

    assert ran.code == 3, ran.err
    assert "memory_limit=" in ran.err
    assert "temp_directory=" in ran.err
