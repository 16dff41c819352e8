"""A month without what was trained on: held to the month divided so in a workspace of its own."""

import json
from pathlib import Path

import pytest

from cli.counterfactual import print_without, without_json
from cli.jobs.counterfactual import without
from cli.jobs.evidence import keep_evidence, record_shares
from cli.workspace import Workspace
from royalty.counterfactual import shares_without
from royalty.disputes import found_in
from royalty.period import Period
from tests.cli.conftest import EXAMPLE, Tantieme
from tests.cli.evaluation_world import content
from tests.cli.test_mappings import document, evidence
from tests.dashboard.evaluation_documents import lds_document

RUN, OCTOBER = "r01", Period(2026, 10)


def asked(tantieme: Tantieme, what: str, *more: str) -> dict:
    ran = tantieme("audit", "2026-10", "without", what, "--json", *more)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def amounts(rows: list[dict], which: str) -> dict[str, int]:
    return {row["id"]: row[which]["micros"] for row in rows if row[which]["micros"]}


def without_r1(tantieme: Tantieme, folder: Path, shares: str) -> dict[str, int]:
    """What payees get in a new workspace, where r1 was never licensed, by these shares."""
    folder.mkdir()
    for name in ("recordings", "parties", "interests", "terms"):
        text = (EXAMPLE / f"{name}.csv").read_text()
        (folder / f"{name}.csv").write_text(text.replace("ann,w1,,,,", "ann,w1,,,,2026-01-01"))
    (folder / "shares.csv").write_text(
        f"track,recording,share_ppb,low_ppb,high_ppb,provider\n{shares}"
    )
    for arguments in (
        ("init",),
        ("catalogue", "import", folder),
        ("shares", "import", folder / "shares.csv"),
        ("usage", "import", EXAMPLE / "usage.csv"),
        ("revenue", "import", EXAMPLE / "revenue.csv"),
    ):
        assert tantieme("--home", folder / "home", *arguments).code == 0
    ran = tantieme("--home", folder / "home", "payouts", "2026-10", "--json")
    [rule] = json.loads(ran.out)["rules"].values()
    return {row["id"]: row["amount"]["micros"] for row in rule["payees"]}


def test_what_was_stated_elsewhere_becomes_unattributed(example: Tantieme, tmp_path: Path) -> None:
    before = content(tmp_path / "home")

    found = asked(example, "ann")

    assert content(tmp_path / "home") == before
    slow = without_r1(
        example,
        tmp_path / "again",
        "g1,r2,250000000,,,x\ng1,,750000000,,,x\n"
        "g2,r2,500000000,,,x\ng2,r3,300000000,,,x\ng2,,200000000,,,x\n"
        "g3,r3,700000000,,,x\ng3,,300000000,,,x\n",
    )
    assert amounts(found["payees"], "without") == slow
    assert (found["closed"], found["without"]["recordings"]) == (False, ["r1"])
    assert (found["tracks_by_evidence"], found["tracks_stated"]) == (0, 3)
    assert "came from elsewhere" in found["error"][0]


def test_who_has_no_share_only_leaves_the_equal_division(
    tantieme: Tantieme, tmp_path: Path
) -> None:
    usage = "period,listener,track,source,territory,plays\n2026-10,u1,g1,app,DE,4\n"
    revenue = "period,listener,source,territory,currency,net\n2026-10,u1,app,DE,EUR,30\n"
    (tmp_path / "usage.csv").write_text(usage)
    (tmp_path / "revenue.csv").write_text(revenue)
    for arguments in (
        ("init",),
        ("catalogue", "import", EXAMPLE),
        ("shares", "import", EXAMPLE / "shares.csv"),
        ("usage", "import", tmp_path / "usage.csv"),
        ("revenue", "import", tmp_path / "revenue.csv"),
    ):
        assert tantieme(*arguments).code == 0

    found = asked(tantieme, "r3")

    # Of thirty euros 4.50 are unattributed: 1.50 each, and 2.25 each without the third.
    changed = {row["id"]: row["difference"]["micros"] for row in found["payees"]}
    assert changed == {"cy": -1_500_000, "ann": 750_000, "bob": 750_000}
    assert found["unattributed"]["difference"]["micros"] == 0


@pytest.mark.usefixtures("closed")
def test_all_that_is_moved_is_conserved_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = without(Workspace(home=tmp_path / "home"), OCTOBER, "bob")
    capsys.readouterr()

    print_without(result)

    shown, found = capsys.readouterr().out, without_json(result)
    rows = [*found["payees"], *found["others"]]
    assert sum(row["difference"]["micros"] for row in rows) == 0
    assert found["own"]["without"]["micros"] == 0
    assert found["payees"][0]["id"] == "bob"
    assert shown.startswith(
        "2026-10, as it was closed, by pro_rata: had 1 recording by Bob (bob) not been trained on"
    )
    assert f"{result.found.moved} of the month would change hands." in shown
    assert "Of 3 tracks only the shares are known that example states" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("without", "nobody"), 3, "neither a recording of the catalogue nor an artist"),
        (("without",), 2, "name the recording or artist that is left out"),
        (("rules", "ann"), 2, "'ann' belongs to 'tantieme audit PERIOD without'"),
        (("without", "ann", "--without", "bot-*"), 2, "--without belongs to"),
    ],
)
def test_what_cannot_be_left_out_is_refused(
    closed: Tantieme, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = closed("audit", "2026-10", *arguments)

    assert ran.code == code
    assert said in ran.err


def test_leaving_out_all_that_is_licensed_is_refused(example: Tantieme, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    recordings = (EXAMPLE / "recordings.csv").read_text()
    for name in ("parties", "interests", "terms"):
        (folder / f"{name}.csv").write_text((EXAMPLE / f"{name}.csv").read_text())
    for other in ("bob,w2,,,,", "cy,w3,,,,"):
        recordings = recordings.replace(other, f"{other}2026-01-01")
    (folder / "recordings.csv").write_text(recordings)
    assert example("catalogue", "import", folder).code == 0

    ran = example("audit", "2026-10", "without", "ann")

    assert ran.code == 3
    assert "nothing licensed is left" in ran.err


@pytest.fixture
def attributed(tantieme: Tantieme, tmp_path: Path) -> Tantieme:
    """The README's world, of which two tracks were attributed here, by a run."""
    workspace = Workspace(home=tmp_path / "home")
    assert tantieme("init").code == 0
    for what, file in (("catalogue", ""), ("usage", "usage.csv"), ("revenue", "revenue.csv")):
        assert tantieme(what, "import", EXAMPLE / file).code == 0
    documents = [document(track) | {"runs": [RUN]} for track in ("g1", "g2")]
    for each in documents:
        keep_evidence(workspace, each)
    record_shares(workspace, [json.loads(json.dumps(each)) for each in documents])
    return tantieme


def test_evidence_is_mapped_again_without_what_is_left_out(
    attributed: Tantieme, tmp_path: Path
) -> None:
    found = asked(attributed, "ann")

    imagined = ""
    for track in ("g1", "g2"):
        frozen = found_in(document(track)).shares
        for share in shares_without(frozen, evidence(track), {"r1"}):
            ends = f"{share.low_ppb},{share.high_ppb}"
            imagined += f"{track},{share.recording or ''},{share.ppb},{ends},x\n"
    assert amounts(found["payees"], "without") == without_r1(
        attributed, tmp_path / "again", imagined
    )
    assert (found["tracks_by_evidence"], found["tracks_stated"]) == (2, 0)


def test_evidence_that_is_gone_is_not_made_up_and_what_was_evaluated_is_told(
    attributed: Tantieme, tmp_path: Path
) -> None:
    (tmp_path / "home" / "evidence" / "g1.json").unlink()
    evaluations = tmp_path / "home" / "evaluation"
    evaluations.mkdir(exist_ok=True)
    (evaluations / "lds-1.json").write_text(json.dumps(lds_document("artist", 0.71)))

    found = asked(attributed, "ann")

    assert (found["tracks_by_evidence"], found["tracks_stated"]) == (1, 1)
    [correlation, error, truth] = found["error"]
    assert "rank correlation of 0.71 (90 % interval 0.63 to 0.79)" in correlation
    assert "half of the artists (generated queries, 64 subsets, 3 seeds each)" in correlation
    assert "0.88 the most" in correlation
    assert "an error of 0.70 of the spread" in error
    assert truth.startswith("This truth")


def test_a_closed_month_is_taken_as_it_was_closed(attributed: Tantieme, tmp_path: Path) -> None:
    before = asked(attributed, "ann")
    assert attributed("close", "2026-10").code == 0
    settings = tmp_path / "home" / "workspace.toml"
    settings.write_text(settings.read_text().replace("default = 1000000", "default = 500000"))

    after = asked(attributed, "ann")

    assert after == before | {"closed": True}
    [nothing] = after["error"]
    assert nothing.startswith(f"Nothing was evaluated of {RUN}")
    assert "'tantieme evaluate lds --by artist'" in nothing
