import csv
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from cli.fairness import print_fairness
from cli.fairness_document import fairness_json
from cli.jobs.fairness import Fairness, judge_rules
from cli.jobs.listeners import left_out
from cli.jobs.month import open_month
from cli.main import main
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.errors import BadInput
from royalty.money import Money
from royalty.period import Period
from royalty.rules import PROPERTIES, RULES

RULES_PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
OCTOBER = Period(2026, 10)
MONTH = ("audit", "2026-10", "rules")

_TERMS = ("advance", "reserve_ppm", "minimum_payment", "withholding_ppm", "currency")
Row = tuple[str, str, int, str]  # listener, track, plays, fee

# Nine honest listeners of H with 10 plays, a bot with 910 of X; fee 1, and the rate will be 0.7.
T3: list[Row] = [*((f"u{n}", "H", 10, "1") for n in range(9)), ("farm-bot", "X", 910, "1")]


def tantieme(home: Path, *arguments: object) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["--home", str(home), *map(str, arguments)])
    return code, out.getvalue(), err.getvalue()


def simulated(folder: Path, rows: list[Row], *, kept_of: str = "") -> Workspace:
    """A month of a simulated source, in which each track is one recording's and one artist's.

    Of one artist's money, half stays with the platform by terms.
    """
    tracks = sorted({track for _, track, _, _ in rows})
    where = ("app-simulated", "DE")
    files = {
        "recordings.csv": [
            [
                "id",
                "isrc",
                "title",
                "artist",
                "work",
                "iswc",
                "file",
                "licensed_from",
                "licensed_to",
            ],
            *([track.lower(), "", track, track.lower(), *[""] * 5] for track in tracks),
        ],
        "parties.csv": [
            ["id", "name", "kind", "ipi", "isni", "payee"],
            *([track.lower(), f"Artist {track}", "artist", "", "", ""] for track in tracks),
        ],
        "interests.csv": [
            [
                "subject",
                "subject_id",
                "right",
                "party",
                "ppm",
                "territory",
                "valid_from",
                "valid_to",
            ],
            *(["recording", t.lower(), "master", t.lower(), 10**6, "WW", "", ""] for t in tracks),
        ],
        "terms.csv": [
            ["party", "royalty_rate_ppm", *_TERMS, "valid_from", "valid_to"],
            *([[kept_of, 500_000, 0, 0, 0, 0, "EUR", "", ""]] if kept_of else []),
        ],
        "shares.csv": [
            ["track", "recording", "share_ppb", "low_ppb", "high_ppb", "provider"],
            *([track, track.lower(), 10**9, 10**9, 10**9, "p"] for track in tracks),
        ],
        "usage.csv": [
            ["period", "listener", "track", "source", "territory", "plays"],
            *(["2026-10", who, track, *where, plays] for who, track, plays, _ in rows),
        ],
        "revenue.csv": [
            ["period", "listener", "source", "territory", "currency", "net"],
            *(["2026-10", who, *where, "EUR", fee] for who, _, _, fee in rows if fee),
        ],
    }
    folder.mkdir()
    for name, lines in files.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(lines)
    home = folder.with_name("home")
    assert tantieme(home, "init")[0] == 0
    settings = home / "workspace.toml"
    text = settings.read_text(encoding="utf-8").replace("default = 1000000", "default = 700000")
    settings.write_text(text, encoding="utf-8")
    for noun, file in (
        ("catalogue", ""),
        *((n, f"{n}.csv") for n in ("shares", "usage", "revenue")),
    ):
        code, _, err = tantieme(home, noun, "import", folder / file)
        assert code == 0, err
    return Workspace(home=home)


@pytest.fixture(scope="module")
def fraud(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return simulated(tmp_path_factory.mktemp("t3") / "files", T3)


def files(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob("*.parquet")}


@pytest.fixture(scope="module")
def found(fraud: Workspace) -> Fairness:
    before = files(fraud.home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.jobs.fairness.REDIVIDED", 2)
        found = judge_rules(fraud, OCTOBER, None, lambda _done, _total: None)
    assert files(fraud.home) == before, "figures were written down"
    return found


@pytest.fixture(scope="module")
def document(found: Fairness) -> dict:
    return fairness_json(found)


@pytest.fixture
def report(found: Fairness, capsys: pytest.CaptureFixture[str]) -> str:
    print_fairness(found)
    return capsys.readouterr().out


def test_t3_by_every_rule(document) -> None:
    def of(rule: str) -> tuple[float, ...]:
        moved, farm = document["rules"][rule]["moved"], document["rules"][rule]["without"]
        amounts = (moved["change"], farm["gained"], farm["profit"], farm["taken"])
        return tuple(each["micros"] / 10**6 for each in amounts)

    assert of("pro_rata") == (6.37, 6.37, 5.37, 5.67)
    assert of("user_centric") == of("user_equal") == (0.7, 0.7, -0.3, 0.0)
    assert of("scaled_user_centric") == (1.0, 1.0, 0.0, 0.3)
    assert of("artist_centric") == (6.37, 6.37, 5.37, 5.67)
    assert of("training_fee") == (0.0, 0.7, -0.3, 0.0)
    assert of("hybrid") == (3.185, 3.36, 2.36, 2.66)


def test_envy_and_concentration_of_t3(document) -> None:
    pooled, own = (document["rules"][rule] for rule in ("pro_rata", "user_centric"))

    assert pooled["envy"]["ratio"] == pytest.approx(1)
    assert own["envy"]["ratio"] == pytest.approx(91)
    assert (own["envy"]["most"], own["envy"]["least"]) == ("h", "x")
    assert pooled["concentration"] == pytest.approx(
        {"gini": 0.41, "top_1_percent": 0.91, "top_10_percent": 0.91, "largest": 0.91}
    )


def test_the_bot_moves_most_and_its_payee_is_worth_a_look(document) -> None:
    moved, (suspicion,) = document["rules"]["pro_rata"]["moved"], document["suspicious"]

    assert (moved["listener"], moved["payee"], moved["fees"]) == ("farm-bot", "x", 6.37)
    assert (moved["tried"], moved["of"]) == (10, 10)
    assert (suspicion["payee"], suspicion["of_few"]) == ("x", 1.0)
    assert suspicion["beyond"] == {"micros": 5_670_000, "currency": "EUR"}


def test_a_rule_without_a_formula_is_divided_again_and_says_for_how_many(document, report) -> None:
    moved = document["rules"]["artist_centric"]["moved"]

    assert (moved["tried"], moved["of"]) == (2, 10)
    assert "artist_centric: of the 2 heaviest of 10 listeners tried" in report


def test_the_document_has_the_keys_that_others_read(
    found: Fairness, document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cli.jobs.fairness.judge_rules", lambda *_: found)
    code, out, err = tantieme(tmp_path, *MONTH, "--json")
    rule = document["rules"]["pro_rata"]

    assert (code, json.loads(out)) == (0, document), err
    assert " ".join(document) == (
        "schema period provider inputs payees listeners idle closed rule_of_source without rules "
        "suspicious"
    )
    assert (document["schema"], document["period"], document["provider"]) == (1, "2026-10", "p")
    assert list(document["rules"]) == list(RULES)
    assert " ".join(rule) == "version options has lacks refused envy concentration moved without"
    assert " ".join(rule["envy"]) == "ratio most least"
    assert " ".join(rule["concentration"]) == "gini top_1_percent top_10_percent largest"
    assert " ".join(rule["moved"]) == ("listener payee payee_name change fee fees tried of")
    assert " ".join(rule["without"]) == ("paid_in gained profit taken suspense platform changes")
    assert " ".join(document["suspicious"][0]) == "payee pro_rata user_centric beyond of_few"
    assert document["without"] == {
        "named": "farm-*",
        "listeners": 1,
        "fees": {"micros": 1_000_000, "currency": "EUR"},
    }
    assert all(
        {*each["has"], *each["lacks"]} == {*PROPERTIES} for each in document["rules"].values()
    )


def test_what_is_found_is_kept_for_the_audit_page(
    found: Fairness, fraud: Workspace, document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cli.jobs.fairness.judge_rules", lambda *_: found)
    kept = tmp_path / "reports" / "2026-10" / "audit_rules.json"

    written = []
    for options in ((), ("--json",)):
        code, _, err = tantieme(tmp_path, *MONTH, *options)
        assert code == 0, err
        written.append(kept.read_bytes())

    there = queries.inputs(EVERYONE, fraud.books(), OCTOBER)
    assert written[0] == written[1]
    assert json.loads(written[0]) == document
    assert document["inputs"] == {
        "usage": there.usage,
        "revenue": there.revenue,
        "shares": there.shares["p"],
    }
    assert document["rules"]["pro_rata"]["moved"]["payee_name"] == "Artist X"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_rule_that_cannot_divide_the_month_says_why_and_has_no_figures(document, report) -> None:
    refused = document["rules"]["per_generation"]

    assert "booked against tracks" in refused["refused"]
    assert [refused[name] for name in ("envy", "concentration", "moved", "without")] == [None] * 4
    assert "per_generation is left out: it divides revenue that was booked" in report


def test_the_report_is_readable_on_a_narrow_screen(report) -> None:
    assert "With and without 1 listener (farm-*), who paid €1.00, of which €0.70" in report
    assert re.search(r"pro_rata +€6.37 +€5.37 +€5.67 +Artist H +-€5.67", report)
    assert all(name.replace("_", " ") in report for name in PROPERTIES)
    assert all(len(line.rstrip()) <= 100 for line in report.splitlines())


def test_an_ordinary_month_leaves_nobody_out_unless_told(
    example, found: Fairness, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example("init")
    workspace = Workspace(home=tmp_path / "home")
    rules = [
        replace(each, figures=each.figures and replace(each.figures, farm=None))
        for each in found.rules
    ]
    print_fairness(replace(found, left_out=None, rules=rules))

    assert left_out(open_month(workspace.books(), workspace.settings(), OCTOBER), None) is None
    assert "Name listeners with --without" in capsys.readouterr().out


def test_a_rule_with_thresholds_and_idle_money(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = {name: RULES[name] for name in ("pro_rata", "user_centric")}
    monkeypatch.setattr("cli.jobs.fairness.RULES", two)
    monkeypatch.setattr("cli.jobs.fairness.REDIVIDED", 1)
    workspace = simulated(tmp_path / "files", [*T3, ("quiet", "H", 0, "2")])
    with workspace.settings_file.open("a", encoding="utf-8") as file:
        file.write("[rules.pro_rata]\nminimum_listeners = 2\n")

    found = judge_rules(workspace, OCTOBER, "u8*", lambda _done, _total: None)
    figures = {each.rule.name: each.figures for each in found.rules}

    # X has one listener, so H has all, with the bot's plays or without.
    assert figures["pro_rata"].concentration.largest == 1
    assert (figures["pro_rata"].moved.change.micros, figures["pro_rata"].moved.tried) == (0, 1)
    assert figures["pro_rata"].farm.cost.gained == Money(700_000, "EUR")
    # The bot has 910 of 1000 plays of the idle 1.40 beside its own 0.70.
    assert figures["user_centric"].moved.change == Money(700_000 + 1_274_000, "EUR")
    assert found.idle == Money(1_400_000, "EUR")


def test_what_a_farm_pays_in_is_the_same_by_every_rule_and_terms_keep_their_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    by_plays = {name: rule for name, rule in RULES.items() if rule.divides == "plays"}
    monkeypatch.setattr("cli.jobs.fairness.RULES", by_plays)
    monkeypatch.setattr("cli.jobs.fairness.REDIVIDED", 0)
    workspace = simulated(tmp_path / "files", T3, kept_of="x")

    found = judge_rules(workspace, OCTOBER, None, lambda _done, _total: None)
    print_fairness(found)
    costs = {each.rule.name: each.figures.farm.cost for each in found.rules}

    assert {cost.paid_in for cost in costs.values()} == {Money(700_000, "EUR")}
    # X brings 6.37 of 7.00 under pro rata, of which half is the artist's.
    assert costs["pro_rata"].gained == costs["pro_rata"].platform == Money(3_185_000, "EUR")
    assert costs["pro_rata"].taken == Money(5_670_000, "EUR")
    assert costs["pro_rata"].suspense == Money(0, "EUR")
    assert "pro_rata: €3.19 more stays with the platform by terms." in capsys.readouterr().out


def test_a_closed_month_says_by_what_and_where_the_settings_are_others_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two = {name: RULES[name] for name in ("pro_rata", "user_centric")}
    monkeypatch.setattr("cli.jobs.fairness.RULES", two)
    workspace = simulated(tmp_path / "files", T3)
    blend = "pro_rata:0.5+user_centric:0.5"
    assert tantieme(workspace.home, "close", "2026-10", "--rule", blend)[0] == 0

    text = workspace.settings_file.read_text(encoding="utf-8")
    for old, new in (
        ("pool_by_territory = true", "pool_by_territory = false"),
        ("[rule_of_source]\n", '[rule_of_source]\nelsewhere = "training_fee"\n'),
    ):
        assert old in text
        text = text.replace(old, new)
    workspace.settings_file.write_text(text, encoding="utf-8")

    found = judge_rules(workspace, OCTOBER, None, lambda _done, _total: None)
    print_fairness(found)
    today = " ".join(capsys.readouterr().out.split())
    assert found.closed is not None
    print_fairness(replace(found, closed=replace(found.closed, today=found.closed.version)))
    then = capsys.readouterr().out

    assert f"closed by {blend}. These figures are by today's settings, which are others:" in today
    assert "one pool a source" in today
    assert "workspace.toml has sources" not in today
    assert then.startswith(f"2026-10 was closed by {blend}.\n\n")


def test_a_source_with_a_rule_of_its_own_is_told_of_above_the_table(
    found: Fairness, capsys: pytest.CaptureFixture[str]
) -> None:
    print_fairness(replace(found, rule_of_source={"lic": "pro_rata"}))

    first = capsys.readouterr().out.split("\n\n")[0]
    assert (
        first == "In every row, workspace.toml has sources divided by other rules: lic by pro_rata."
    )


def test_a_rule_with_options_is_marked_in_the_matrix(
    found: Fairness, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = found.rules
    print_fairness(replace(found, rules=[replace(first, options={"minimum_plays": 3}), *others]))

    matrix = capsys.readouterr().out.partition("of rules without options, where who pays")[2]
    assert re.search(r"pro_ +user_ ", matrix)
    assert re.search(r"rata\* +centric ", matrix)
    assert "* pro_rata has options in workspace.toml: minimum_plays = 3." in matrix


@pytest.mark.parametrize(
    "option",
    [
        "artist_centric]\nartist_plays = 100_000_000_000",
        "artist_centric]\nartist_listeners = 100_000_000_000_000_000_000",
        "pro_rata]\nminimum_plays = 100_000_000_000_000_000_000",
    ],
)
def test_an_option_beyond_its_bounds_is_bad_input(
    fraud: Workspace, tmp_path: Path, option: str
) -> None:
    settings = fraud.settings_file.read_text(encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    (home / fraud.settings_file.name).write_text(f"{settings}[rules.{option}\n", encoding="utf-8")

    with pytest.raises(BadInput, match="whole number from 0 to 3000000000, not 100000000000"):
        Workspace(home=home).settings()


def test_listeners_to_leave_out_are_named_by_a_prefix_or_in_a_file(
    fraud: Workspace, tmp_path: Path
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("u0\n\nu1\n", encoding="utf-8")
    month = open_month(fraud.books(), fraud.settings(), OCTOBER)

    by_file, by_prefix, farm = (left_out(month, each) for each in (str(ids), "u*", None))

    assert (by_file.listeners, by_file.fees) == ({"u0", "u1"}, Money(2_000_000, "EUR"))
    assert (by_prefix.named, len(by_prefix.listeners)) == ("u*", 9)
    assert (farm.named, farm.listeners) == ("farm-*", {"farm-bot"})


@pytest.mark.parametrize(
    ("named", "code", "says"),
    [
        ("bot-*", 4, "no listener of 2026-10 has an id that begins with 'bot-'"),
        ("bots", 4, "bots: is not a file; name one with a listener's id a line"),
        ("*", 3, "leaves out everybody who paid in 2026-10"),
    ],
)
def test_whoever_is_not_there_cannot_be_left_out(example, named, code, says) -> None:
    ran = example(*MONTH, "--without", named)

    assert ran.code == code
    assert says in ran.err
    assert not ran.out


def test_a_file_of_listeners_lists_every_one_that_is_not_there(
    fraud: Workspace, tmp_path: Path
) -> None:
    month = open_month(fraud.books(), fraud.settings(), OCTOBER)

    def refused(content: bytes) -> list[str]:
        ids = tmp_path / "ids.txt"
        ids.write_bytes(content)
        with pytest.raises(BadInput) as refusal:
            left_out(month, str(ids))
        return [str(problem).removeprefix(f"{ids}") for problem in refusal.value.problems]

    assert refused(b"u0\nx1\n\nx2\n") == [
        ", row 2: there is no listener 'x1' in the month",
        ", row 4: there is no listener 'x2' in the month",
    ]
    assert refused(b"\n") == [": names nobody; write one listener's id on a line"]
    assert refused(b"\xff\xfe")[0].startswith(": cannot be read: ")


def test_without_belongs_to_the_rules(example) -> None:
    assert example("audit", "2026-10", "--without", "u*").code == 2


def test_a_month_without_revenue_says_what_to_run(tmp_path: Path) -> None:
    tantieme(tmp_path, "init")

    code, _, err = tantieme(tmp_path, *MONTH)

    assert (code, "tantieme revenue import" in err) == (3, True)


def property_table() -> str:
    rows = [["property", *RULES], ["---"] * (len(RULES) + 1)]
    for name in PROPERTIES:
        marks = ["Y" if name in rule.has else "-" for rule in RULES.values()]
        rows.append([name.replace("_", " "), *marks])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_document_has_the_table_of_properties(update_golden: bool) -> None:
    text = RULES_PAGE.read_text(encoding="utf-8")
    if update_golden:
        before, _, after = text.partition("<!-- properties -->\n")
        rest = after[after.index("\n\n") :]
        RULES_PAGE.write_text(
            f"{before}<!-- properties -->\n{property_table()}{rest}", encoding="utf-8"
        )
        return

    assert f"<!-- properties -->\n{property_table()}\n\n" in text


def test_the_document_has_every_rule_and_every_option() -> None:
    text = RULES_PAGE.read_text(encoding="utf-8")

    for rule in RULES.values():
        options = rule.options.__dataclass_fields__
        assert f"**`{rule.name}`**" in text
        assert all(f"`{name}`" in text or f"{name} =" in text for name in options)
