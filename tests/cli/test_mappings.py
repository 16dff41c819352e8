import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.comparison import print_compared
from cli.jobs.evidence import keep_evidence
from cli.jobs.mappings import compare_tracks
from cli.workspace import Workspace
from royalty.errors import NotReady
from royalty.shares import MAPPINGS, WorkEvidence, gated

EXCESS = {  # track → work → replicates above the placebos'; r1 belongs to ann, r2 to bob, r3 to cy
    "g1": {"w1": [2.0, 3.0, 4.0], "w2": [1.0, -1.0, 0.9], "w3": [-2.0, -2.0, -2.0]},
    "g2": {"w1": [1.0, 1.0, 1.0], "w2": [5.0, 7.0, 9.0], "w3": [1.0, 1.0, 1.0]},
}


def evidence(track: str) -> list[WorkEvidence]:
    return [
        WorkEvidence(
            work=work,
            cleared=min(replicates) > 1.5,
            replicates=replicates,
            scores={work.replace("w", "r"): sum(replicates)},
        )
        for work, replicates in EXCESS[track].items()
    ]


def document(track: str) -> dict:
    """Of what an evidence file holds, the part that mappings need."""
    *paid, rest = [
        {"share_ppb": each.ppb, "low_ppb": each.low_ppb, "high_ppb": each.high_ppb}
        | ({"id": each.recording} if each.recording else {})
        for each in gated(evidence(track))
    ]
    works = [
        {"work": e.work, "recordings": e.scores, "mean": e.estimate, "cleared": e.cleared}
        for e in evidence(track)
    ]
    made_by = {"index": "i1", "method": "default-1", "gate": "placebo-bh-1", "mapping": "gated-1"}
    return made_by | {
        "track": track, "recordings": paid, "unattributed": rest, "works": works
    }  # fmt: skip


@pytest.fixture
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """The README's world, with evidence of two of its tracks."""
    request.getfixturevalue("example")
    found = Workspace(home=tmp_path / "home")
    for track in EXCESS:
        keep_evidence(found, document(track))
    return found


def test_every_mapping_pays_as_it_would_have_paid_the_replicates_themselves(workspace) -> None:
    compared = compare_tracks(workspace, ["g1"])

    for paid in compared.paid:
        if not paid.refused:
            of_evidence = {
                each.recording: each.ppb for each in MAPPINGS[paid.mapping](evidence("g1"))
            }
            rest = of_evidence.pop(None)
            assert round(paid.unattributed * 10**9) == rest
            for recording, part in paid.recordings.items():
                equally = paid.unattributed / 3
                assert part - equally == pytest.approx(of_evidence.get(recording, 0) / 10**9)
    assert (
        "1 of 3 works" in {paid.mapping: paid.refused for paid in compared.paid}["raw_proportional"]
    )


def test_tracks_weigh_alike_until_a_payout_knows_their_plays(workspace, example) -> None:
    before = compare_tracks(workspace, ["g1", "g2"])
    example("payouts", "2026-10")
    after = compare_tracks(workspace, ["g1", "g2"])

    assert (before.by_plays, after.by_plays) == (False, True)
    assert (before.weights, after.weights) == ({"g1": 1, "g2": 1}, {"g1": 8, "g2": 22})
    assert after.artists["gated"].parts["bob"] > before.artists["gated"].parts["bob"]


def test_the_tables_say_what_moves_and_between_which_bounds(workspace, capsys) -> None:
    print_compared(compare_tracks(workspace, ["g1", "g2"]), json_=False)
    printed = capsys.readouterr().out

    assert printed.startswith("What each mapping would pay for 2 tracks, weighed alike:")
    rows = [line.split() for line in printed.splitlines()]
    shown = {row[0] for row in rows if row}
    assert set(MAPPINGS) <= shown
    assert ["Bob", "Example"][0] in printed
    assert "Moved: of all there is to pay" in printed
    assert "raw_proportional pays nothing here: 1 of 3 works" in printed


def test_the_document_has_the_keys_that_others_read(workspace, capsys) -> None:
    print_compared(compare_tracks(workspace, ["g1", "g2"]), json_=True)
    found = json.loads(capsys.readouterr().out)

    assert set(found) == {"schema", "weights", "tracks", "mappings", "artists"}
    assert found["tracks"] == [{"id": "g1", "weight": 1}, {"id": "g2", "weight": 1}]
    assert [each["mapping"] for each in found["mappings"]] == list(MAPPINGS)
    first, last = found["mappings"][0], found["mappings"][-1]
    assert set(first) == {
        "mapping", "version", "refused", "unattributed_ppb", "recordings", "artists",
    }  # fmt: skip
    assert set(first["artists"]) == set(first["recordings"]) == {
        "count", "gini", "top_1_percent", "top_10_percent", "largest", "atkinson", "hhi", "moved",
    }  # fmt: skip
    assert (first["version"], first["refused"], first["recordings"]["moved"]) == ("gated-1", "", 0)
    assert (last["mapping"], last["recordings"]) == ("raw_proportional", None)
    shares = [each["share_ppb"] for each in found["artists"]]
    assert sum(each["gated"] for each in shares) == pytest.approx(10**9, abs=3)
    assert shares == sorted(shares, key=lambda each: -each["gated"])


def test_evidence_that_does_not_say_what_recordings_scored_is_refused(workspace) -> None:
    old = document("g1")
    old["works"][0]["recordings"] = ["r1"]
    keep_evidence(workspace, old)

    with pytest.raises(NotReady, match=r"evidence of g1 .* delete evidence/g1\.json"):
        compare_tracks(workspace, ["g1"])


@pytest.mark.usefixtures("workspace")
def test_the_flag_prints_the_comparison_instead_of_each_track(
    example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.jobs.index.build_index", lambda *_, **__: None)
    found = [SimpleNamespace(track=track) for track in ("g1", "g2")]
    monkeypatch.setattr("cli.jobs.attribution.attribute_tracks", lambda *_, **__: found)

    ran = example("attribute", "g1", "g2", "--compare-mappings", "--json")

    assert ran.code == 0, ran.err
    assert len(json.loads(ran.out)["mappings"]) == len(MAPPINGS)
