import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.jobs.catalogue import import_folder
from cli.jobs.training import Choice, plan
from cli.jobs.withdrawing import Wish, withdraw
from cli.setup import set_up
from cli.workspace import Workspace
from db.engine import now
from royalty.catalogue import USES_OF
from royalty.errors import NotReady
from royalty.period import Period
from tests.cli.evaluation_world import silent, write_folder

WHY = ("--reason", "the owner's wish")


def listed(tantieme, *options: str) -> dict[str, dict]:
    rows = json.loads(tantieme("catalogue", "show", "--json", *options).out)["recordings"]
    return {row["id"]: row for row in rows}


def test_a_takedown_is_recorded_shown_and_repeated_without_effect(example) -> None:
    asked = ("catalogue", "takedown", "r1", "--from", "2026-10-01", *WHY, "--as", "ada")

    assert "would be kept back; nothing was written" in example(*asked, "--dry-run").err
    assert listed(example)["r1"]["withdrawals"] == []
    assert "1 recording kept back" in example(*asked).err
    assert "nothing changed" in example(*asked).err

    facts = {"kind": "takedown", "reason": "the owner's wish", "from": "2026-10-01", "to": None}
    assert listed(example)["r1"]["withdrawals"] == [
        {"use": "training", **facts},
        {"use": "output", **facts},
    ]
    shown = example("catalogue", "show").out
    assert shown.count("taken down from 2026-10-01: the owner's wish") == 1


def test_what_is_taken_down_before_a_month_begins_earns_nothing_in_it(example) -> None:
    def payees() -> dict[str, int]:
        document = json.loads(example("payouts", "2026-10", "--json").out)
        rows = document["rules"]["pro_rata"]["payees"]
        return {row["id"]: row["amount"]["micros"] for row in rows}

    before = payees()
    example("catalogue", "takedown", "--artist", "bob", "--from", "2026-10-01", *WHY)
    after = payees()

    assert before["bob"] > 0
    assert after.get("bob", 0) == 0
    assert sum(after.values()) == sum(before.values())  # it goes to the works that are licensed


def test_an_opt_out_names_its_use_and_an_end(example) -> None:
    asked = ("catalogue", "opt-out", "r1", "r2", "--use", "training", "--from", "2026-10-01", *WHY)
    example(*asked, "--until", "2027-01-01")

    rows = listed(example)
    assert [(each["use"], each["to"]) for each in rows["r2"]["withdrawals"]] == [
        ("training", "2027-01-01")
    ]
    assert rows["r3"]["withdrawals"] == []
    example(*asked, "--until", "2026-10-01")
    assert listed(example)["r1"]["withdrawals"] == []


def test_a_file_brings_many_and_its_faults_are_listed(example, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("recording,use,kind,from,to,reason\nr9,,takedown,2026-10-01,,x\nr1\n")

    ran = example("catalogue", "takedown", "--file", path)

    assert ran.code == 4
    assert f"{path}, row 2, recording: there is no recording 'r9'" in ran.err
    assert f"{path}, row 3: has 1 cells, the header 6" in ran.err
    path.write_text("recording,use,kind,from,to,reason\nr1,output,opt_out,2026-10-01,,x\n")
    assert example("catalogue", "takedown", "--file", path).code == 0
    assert len(listed(example)["r1"]["withdrawals"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("takedown", "--from", "2026-10-01", *WHY), 2, "name recordings, or --artist ID"),
        (("takedown", "r1", *WHY), 2, "--from DAY --reason TEXT"),
        (("takedown", "r1", "--from", "2026-10-01"), 2, "--from DAY --reason TEXT"),
        (("takedown", "r1", "--from", "soon", *WHY), 2, "'soon' does not match"),
        (("takedown", "r1", "--from", "2026-10-01", "--reason", "a\nb"), 2, "one line"),
        (
            ("takedown", "r1", "--from", "2026-10-02", "--until", "2026-10-01", *WHY),
            2,
            "--until 2026-10-01 is before --from 2026-10-02",
        ),
        (("opt-out", "r1", "--from", "2026-10-01", *WHY), 2, "--use training, output or both"),
        (("takedown", "r9", "--from", "2026-10-01", *WHY), 3, "there is no recording r9"),
        (
            ("takedown", "--artist", "eve", "--from", "2026-10-01", *WHY),
            3,
            "there is no recording of an artist 'eve'",
        ),
    ],
)
def test_what_is_not_said_is_asked_for(example, arguments, code: int, message: str) -> None:
    ran = example("catalogue", *arguments)

    assert ran.code == code
    assert message in ran.err


def test_agreements_are_shown_by_party(example, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    head = "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n"
    (folder / "recordings.csv").write_text(head)
    (folder / "parties.csv").write_text("id,name,kind,ipi,isni,payee\n")
    (folder / "terms.csv").write_text(
        "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
        "valid_from,valid_to,territory,recoupment,jurisdiction,most_favoured\n"
        "ann,600000,120,100000,50,300000,EUR,2026-01-01,,,deal,US,true\n"
        "ann,700000,,,,,,2026-01-01,2027-01-01,DE,,,\n"
    )
    assert example("catalogue", "import", folder).code == 0

    shown = example("catalogue", "show", "--party", "ann").out
    document = json.loads(example("catalogue", "show", "--terms", "--party", "ann", "--json").out)

    assert "2 agreements" in shown
    assert "60.0 % or the best" in shown
    assert "from 2026-01-01 until 2027-01-01" in shown
    said = " ".join(shown.split())
    assert "advance 120.00" in said
    assert [(t["territory"], t["royalty_rate_ppm"]) for t in document["terms"]] == [
        ("WW", 600_000),
        ("DE", 700_000),
    ]
    assert document["terms"][0]["advance_micros"] == 120_000_000


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_an_import_says_which_agreements_it_ends_changes_and_adds(
    example, tmp_path: Path, dry: tuple[str, ...]
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "terms.csv").write_text(
        "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
        "valid_from,valid_to\nann,600000,,,,,,2027-01-01,\nbob,500000,,,,,EUR,,\n"
    )

    document = json.loads(example("catalogue", "import", folder, "--dry-run", "--json").out)
    ran = example("catalogue", "import", folder, *dry)

    assert ran.code == 0
    assert [line for line in ran.err.splitlines() if "agreement" in line] == [
        "agreement with ann for WW, always: ended, since the file leaves it out.",
        "agreement with ann for WW, from 2027-01-01: new.",
        "agreement with bob for WW, always: changed, royalty_rate_ppm 1000000 → 500000.",
    ]
    said = [(each["act"], each["party"], each["valid_from"]) for each in document["amended"]]
    assert said == [
        ("ended", "ann", None),
        ("added", "ann", "2027-01-01"),
        ("changed", "bob", None),
    ]
    changed = {"before": 1_000_000, "after": 500_000}
    assert document["amended"][2]["changed"] == {"royalty_rate_ppm": changed}
    assert document["dry_run"]


def test_a_territory_is_left_out_by_a_rate_of_nothing_there(example, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "terms.csv").write_text(
        "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
        "valid_from,valid_to,territory\nann,800000,,,,,,,,WW\nann,0,,,,,,,,DE\n"
    )
    assert example("catalogue", "import", folder).code == 0

    paid = json.loads(example("payouts", "2026-10", "--json").out)["rules"]["pro_rata"]["payees"]

    earned = {each["id"]: each["amount"]["micros"] for each in paid}
    assert earned.get("ann", 0) == 0  # all of October came in DE; the platform has it
    assert earned["bob"] > 0


def test_what_is_agreed_first_is_not_listed(example) -> None:
    from tests.cli.conftest import EXAMPLE

    assert "agreement" not in example("catalogue", "import", EXAMPLE).err


# What a model is trained on.


@pytest.fixture
def trainable(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(home=tmp_path / "home")
    set_up(workspace)
    with patch("cli.jobs.catalogue.render_all", return_value={}):
        import_folder(workspace, write_folder(tmp_path / "in", "rec", 3), report=silent)
    yield workspace
    workspace.books().engine.dispose()


def opted_out(workspace: Workspace, recordings: tuple[str, ...], **changed: object) -> None:
    wish = {
        "recordings": recordings,
        "artists": (),
        "kind": "opt_out",
        "uses": USES_OF["training"],
        "reason": "by choice",
        "valid_from": Period.parse("2026-01").start,
        "valid_to": None,
    }
    withdraw(workspace, Wish(**wish | changed), name="ada")


def test_what_may_not_be_trained_on_today_is_left_out_and_the_reason_is_said(trainable) -> None:
    whole = plan(trainable, Choice())
    opted_out(trainable, ("rec-01",))
    opted_out(trainable, ("rec-00",), uses=USES_OF["output"])
    opted_out(trainable, ("rec-02",), valid_to=Period.parse(now()[:7]).start)

    planned = plan(trainable, Choice())

    assert (set(whole.rows.owners), whole.omission) == ({"rec-00", "rec-01", "rec-02"}, "")
    assert set(planned.rows.owners) == {"rec-00", "rec-02"}
    assert planned.id != whole.id
    assert planned.omission == (
        "1 recording left out, not to be trained on today: "
        "rec-01 (opted out of training from 2026-01-01: by choice)."
    )


def test_with_everything_kept_back_there_is_nothing_to_train_on(trainable) -> None:
    opted_out(trainable, ("rec-00", "rec-01", "rec-02"))

    with pytest.raises(NotReady, match="every recording with music is kept back from training"):
        plan(trainable, Choice())
