"""October of the README's world, closed, and then put right from November."""

import json
from pathlib import Path

import pytest

from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.period import Period
from tests.cli.conftest import EXAMPLE, Ran, Tantieme

USAGE = "period,listener,track,source,territory,plays\n"
REVENUE = "period,listener,source,territory,currency,net\n"
TERMS = (
    "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
    "valid_from,valid_to\n"
)
SHARES = "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
ADJUSTMENT = "2026-11/adjustment/2026-10/allocation/2026-10/app/DE/EUR/1"


def done(ran: Ran) -> Ran:
    assert ran.code == 0, ran.err
    return ran


def document(ran: Ran) -> dict:
    return json.loads(done(ran).out)


def bring(tantieme: Tantieme, tmp_path: Path, *words: str, text: str) -> Ran:
    file = tmp_path / f"{words[0]}.csv"
    file.write_text(text)
    return tantieme(words[0], "import", file, *words[1:])


def late_usage(tantieme: Tantieme, tmp_path: Path, *rows: str) -> Ran:
    text = USAGE + "".join(f"2026-10,{row}\n" for row in rows)
    return done(bring(tantieme, tmp_path, "usage", "--late", text=text))


def adjusted(tantieme: Tantieme, *words: str) -> dict:
    return document(tantieme("adjust", "2026-10", "--as", "kim", "--json", *words))


def differences(found: dict) -> dict[str, int]:
    rows = {each["id"]: each["difference"]["micros"] for each in found["payees"]}
    return rows | {each["account"]: each["difference"]["micros"] for each in found["others"]}


def october(tantieme: Tantieme, tmp_path: Path) -> dict[str, bytes]:
    """What a statement of October says, to the byte, as it is exported."""
    folder = tmp_path / "exports"
    folder.mkdir(exist_ok=True)
    for format_ in ("csv", "json"):
        file = folder / f"cy.{format_}"
        options = ("--payee", "cy", "--format", format_, "--output", file)
        done(tantieme("export", "2026-10", *options))
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_late_usage_adjusts_the_open_month_once_and_leaves_the_closed_one(
    closed: Tantieme, tmp_path: Path
) -> None:
    before = october(closed, tmp_path)
    # 40 plays of 20.00 become 50: g3 has 20 of them instead of 10.
    late_usage(closed, tmp_path, "u1,g3,app,DE,10")

    rehearsed = adjusted(closed, "--dry-run")
    found = adjusted(closed, "--reason", "reported late")
    again = done(closed("adjust", "2026-10"))

    assert found["changes"] == ["late usage"]
    assert rehearsed["payees"] == found["payees"]
    assert (rehearsed["restatement"], found["restatement"]) == (None, "2026-10/1")
    assert found["transactions"] == [ADJUSTMENT]
    # Of 20.00, g3 brings cy 70 % of 20/50 instead of 10/40, g2 30 % of 22/50 instead of 22/40; a
    # third of the unattributed part, which grows by .18, is cy's.
    earned = 20e6 * (0.7 * 20 / 50 + 0.3 * 22 / 50) - 20e6 * (0.7 * 10 / 40 + 0.3 * 22 / 40)
    idle = (8 * 0.15 + 22 * 0.2 + 20 * 0.3) / 50 - (8 * 0.15 + 22 * 0.2 + 10 * 0.3) / 40
    assert differences(found)["cy"] == pytest.approx(earned + 20e6 * idle / 3, abs=2)
    assert sum(differences(found).values()) == 0
    assert again.err == "Dividing 2026-10 again changes no amount.\n"
    assert october(closed, tmp_path) == before


def test_late_revenue_of_a_new_source_is_a_pool_of_its_own(
    closed: Tantieme, tmp_path: Path
) -> None:
    late_usage(closed, tmp_path, "u1,g1,web,FR,5")
    text = f"{REVENUE}2026-10,u1,web,FR,EUR,10.00\n"
    said = done(bring(closed, tmp_path, "revenue", "--late", text=text))

    found = adjusted(closed)

    assert "'tantieme adjust 2026-10' posts what that changes" in said.err
    assert found["changes"] == ["late usage", "late revenue"]
    assert found["transactions"] == [
        "2026-11/adjustment/2026-10/revenue/2026-10/web/FR/EUR/1",
        "2026-11/adjustment/2026-10/allocation/2026-10/web/FR/EUR/1",
    ]
    assert differences(found) == {"ann": 6_500_000, "bob": 3_000_000, "cy": 500_000}


def test_corrected_shares_adjust_and_corrected_back_net_to_zero(
    closed: Tantieme, tmp_path: Path
) -> None:
    before = october(closed, tmp_path)
    text = f"{SHARES}g1,r1,1000000000,,,example\n"
    assert "--correct" in bring(closed, tmp_path, "shares", text=text).err
    said = done(bring(closed, tmp_path, "shares", "--correct", text=text))

    found = adjusted(closed)
    first = [line for line in (EXAMPLE / "shares.csv").read_text().splitlines() if "g1," in line]
    done(bring(closed, tmp_path, "shares", "--correct", text=SHARES + "\n".join(first)))
    back = adjusted(closed)

    assert "Of 1 track shares were stated anew" in said.err
    assert found["changes"] == back["changes"] == ["corrected shares of g1"]
    # g1 is 4.00: ann has 40 % more of it, bob 25 % less; the unattributed 15 % fall away.
    assert differences(found) == {"ann": 1_400_000, "bob": -1_200_000, "cy": -200_000}
    assert differences(back) == {payee: -each for payee, each in differences(found).items()}
    assert october(closed, tmp_path) == before


def test_a_restated_interest_moves_the_money_and_says_so(closed: Tantieme, tmp_path: Path) -> None:
    before = october(closed, tmp_path)
    for name in ("recordings", "parties", "interests", "terms"):
        text = (EXAMPLE / f"{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(text.replace("r3,master,cy", "r3,master,bob"))
    done(closed("catalogue", "import", tmp_path))

    found = adjusted(closed, "--reason", "the label wrote")

    assert found["changes"] == ["restated interests"]
    # All of cy's is bob's; a micro that was left over goes elsewhere.
    assert differences(found) == {"ann": -1, "bob": 8_233_334, "cy": -8_233_333}
    assert october(closed, tmp_path) == before
    books = Workspace(home=tmp_path / "home").books()
    memos = {row.memo for row in queries.postings(EVERYONE, books, Period(2026, 11))}
    assert memos == {"restated interests: the label wrote"}


def test_recordings_that_came_into_the_catalogue_since_take_no_part(
    closed: Tantieme, tmp_path: Path
) -> None:
    for name, row in {
        "recordings": "r9,,New,ann,w9,,,,",
        "parties": "dee,Dee,artist,,,dee",
        "interests": "recording,r9,master,dee,1000000,WW,,",
        "terms": "dee,1000000,0,0,0,0,EUR,,",
    }.items():
        text = (EXAMPLE / f"{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(f"{text.rstrip()}\n{row}\n")
    done(closed("catalogue", "import", tmp_path))

    assert adjusted(closed)["changes"] == []

    text = f"{SHARES}g1,r9,1000000000,,,example\n"
    done(bring(closed, tmp_path, "shares", "--correct", text=text))
    assert differences(adjusted(closed))["dee"] > 4_000_000


def test_money_without_an_owner_is_listed_and_finds_one(closed: Tantieme, tmp_path: Path) -> None:
    late_usage(closed, tmp_path, "u2,g4,app,DE,10")
    adjusted(closed)

    listed = document(closed("suspense", "list", "--json", "--on", "2027-01-15"))
    [waiting] = listed["waiting"]
    assert (waiting["kind"], waiting["about"]) == ("unmatched", "2026-10/app/DE/EUR")
    assert (waiting["amount"]["micros"], waiting["band"]) == (4_000_000, "31 to 90")
    assert [each["why"] for each in listed["causes"]] == ["track g4 has no shares"]
    assert "track g4 has no shares" in done(closed("suspense", "list")).out

    stays = done(closed("suspense", "reprocess", "2026-10", "--dry-run"))
    assert "€4.00 of 2026-10 stays in suspense.unmatched" in stays.err
    assert "track g4 has no shares" in stays.out

    text = f"{SHARES}g4,r1,600000000,,,example\ng4,,400000000,,,example\n"
    done(bring(closed, tmp_path, "shares", text=text))
    [month] = document(closed("suspense", "reprocess", "--as", "kim", "--json"))["months"]

    assert month["changes"] == ["shares of g4, which had none"]
    assert month["owners"] == {"ann": {"micros": 2_400_000, "currency": "EUR"}}
    assert document(closed("suspense", "list", "--json"))["waiting"] == []
    assert "Nothing waits" in closed("suspense", "list").err
    assert "No closed month" in closed("suspense", "reprocess").err


def test_what_cannot_be_adjusted_or_reversed_is_refused(closed: Tantieme) -> None:
    assert "2026-11 is not closed" in closed("adjust", "2026-11").err
    assert "there is no transaction 'x'" in closed("reverse", "x", "--reason", "y").err
    assert "there is no transaction '99'" in closed("reverse", "99", "--reason", "y").err
    done(closed("hold", "2026-10/ann/1", "--reason", "asked for", "--as", "kim"))

    ran = closed("reverse", "hold/2026-10/ann/1", "--reason", "y")

    assert ran.code == 3
    assert "'tantieme release hold/2026-10/ann/1'" in ran.err


def test_what_divides_can_be_named_and_only_where_it_divides(closed: Tantieme) -> None:
    assert "'x' is no engine" in closed("adjust", "2026-10", "--engine", "x").err
    assert "'x' is no engine" in closed("audit", "2026-10", "reproduce", "--engine", "x").err
    assert closed("audit", "2026-10", "reproduce", "--engine", "duckdb").code == 0
    ran = closed("audit", "2026-10", "rules", "--engine", "x")

    assert ran.code == 2
    assert "--engine belongs to 'tantieme audit PERIOD reproduce'" in ran.err


def test_what_is_reversed_is_shown_rehearsed_and_posted_once(
    example: Tantieme, tmp_path: Path
) -> None:
    folder = tmp_path / "terms"
    folder.mkdir()
    (folder / "terms.csv").write_text(f"{TERMS}ann,1000000,9.00,0,0,0,EUR,,\n")
    done(example("catalogue", "import", folder))
    done(example("close", "2026-10", "--as", "kim"))
    this = ("reverse", "2026-10/recoupment/ann", "--reason", "agreed", "--as", "kim")

    rehearsed = done(example(*this, "--dry-run"))
    undone = document(example(*this, "--json"))

    assert "would be posted in 2026-11; nothing was written" in rehearsed.err
    posted = {each["account"]: each["amount"]["micros"] for each in undone["postings"]}
    assert posted == {"payable.ann": -3_833_334, "advance.unrecouped.ann": 3_833_334}
    assert example(*this).code == 3


def test_a_payee_that_was_corrected_since_is_not_paid_again_for_a_closed_month(
    closed: Tantieme, tmp_path: Path
) -> None:
    file = tmp_path / "payees.csv"
    file.write_text(
        "noun,id,field,value,reason\nparty,ann,payee,bob,paid through bob from now on\n"
    )
    done(closed("catalogue", "correct", file))
    late_usage(closed, tmp_path, "u1,g3,app,DE,10")

    found = adjusted(closed)

    assert found["changes"] == ["late usage"]
    assert set(differences(found)) >= {"ann", "cy"}
    assert abs(differences(found)["ann"]) < 1_000_000  # less by the late plays, and not by all
