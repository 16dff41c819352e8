import json

import pytest

from cli.jobs.counterfactual_error import evaluations, foretold, measured
from cli.workspace import Workspace
from tests.dashboard.evaluation_documents import informativeness_document, lds_document

RUNS = {"r01"}


def test_shares_of_elsewhere_are_foretold_by_nothing() -> None:
    [said] = foretold([lds_document("artist", 0.7)], (), "ann")

    assert "came from elsewhere" in said


def test_only_evaluations_of_the_runs_count() -> None:
    of_others = lds_document("artist", 0.7, run="r02")

    [said] = foretold([of_others], RUNS, "ann")

    assert said.startswith("Nothing was evaluated of r01")


@pytest.mark.parametrize(("artist", "by"), [("ann", "artist"), (None, "item")])
def test_the_level_is_that_of_what_is_left_out(artist: str | None, by: str) -> None:
    documents = [lds_document("item", 0.3), lds_document("artist", 0.6)]

    first, *_ = foretold(documents, RUNS, artist)

    assert f"half of the {by}s" in first
    assert f"{0.3 if by == 'item' else 0.6:.2f} (90 % interval" in first


def test_a_correlation_below_nothing_foretells_nothing() -> None:
    _, error, *_ = foretold([lds_document("item", -0.2)], RUNS, None)

    assert "an error of 1.00 of the spread" in error


def test_who_was_left_out_alone_is_told_of_alone() -> None:
    found = foretold([informativeness_document()], RUNS, "ann")

    assert "ann was left out alone" in found[0]
    assert "rank correlation of 0.71; that truth repeats from seed to seed by 0.83" in found[0]
    assert foretold([informativeness_document()], RUNS, "zoe")[0].startswith("Nothing was")


def test_the_latest_evaluation_is_read_first_and_harmed_ones_not_at_all(tmp_path) -> None:
    folder = tmp_path / "evaluation"
    folder.mkdir()
    for name, day in (("a", "2026-11-01"), ("b", "2026-11-03")):
        document = lds_document("artist", 0.5) | {"made_at": f"{day}T00:00:00Z"}
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "harmed.json").write_text("{")

    days = [each["made_at"][:10] for each in evaluations(Workspace(home=tmp_path))]

    assert days == ["2026-11-03", "2026-11-01"]


def test_the_error_is_told_in_numbers_too() -> None:
    found = measured([lds_document("artist", 0.6)], RUNS, "ann")

    assert found is not None
    assert (found.level, found.value, found.ceiling) == ("artist", 0.6, 0.88)
    assert found.relative_error == pytest.approx(0.8)
    assert measured([lds_document("artist", 0.6)], (), "ann") is None
