"""`tantieme evaluate`, on a workspace that trains in a second."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from attribution.evaluation.composers import Composing
from attribution.evaluation.plan import Drawing
from attribution.evaluation.tune import setting_of
from attribution.methods import ngrams
from attribution.methods.recipes import RECIPES
from attribution.models.event_transformer import EventTransformerConfig
from cli.jobs.amending import remove_recordings
from cli.jobs.evaluation import foreseen_minutes, ngram_scores, recipe_of, score_owners, subject_of
from cli.jobs.evaluation_composers import composition
from cli.jobs.evaluation_retrained import lds_plan
from cli.main import main
from cli.workspace import Workspace
from tests.cli.conftest import Ran
from tests.cli.evaluation_world import (
    ARTISTS,
    CHOICE,
    HELD_OUT,
    TRACKS,
    content,
    copied,
    make,
    silent,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

LDS = ("lds", "--subsets", 6, "--seeds", 2)
Evaluate = Callable[..., Ran]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """What commands may add to: its evaluations, its indexes."""
    return make(tmp_path_factory.mktemp("evaluation"))


@pytest.fixture
def evaluate(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    def run(*arguments: object, home: Path = workspace.home) -> Ran:
        capsys.readouterr()
        code = main(["--home", str(home), "evaluate", *map(str, arguments)])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


def figures(document: dict, figure: str) -> dict[tuple[str, str], float]:
    rows = [row for row in document["rows"] if row["figure"] == figure]
    return {(row["method"], row["of"]): row["value"] for row in rows}


def test_lds_judges_methods_on_tracks_and_on_what_was_held_out(evaluate: Evaluate) -> None:
    ran = evaluate(*LDS, "--json")
    document = json.loads(ran.out)

    assert ran.code == 0, ran.err
    assert document["schema"] == 1
    assert set(figures(document, "LDS")) == {
        (method, level)
        for method in ("default", "ngram")
        for level in ("artist, generated", "artist, held-out")
    }
    assert all(-1 <= value <= 1 for value in figures(document, "LDS").values())
    assert re.search(r"Retraining 12 times \(groups\), about .* minute", ran.err)


def test_a_table_says_what_it_means_and_a_picture_is_kept(
    evaluate: Evaluate, workspace: Workspace
) -> None:
    ran = evaluate(*LDS)
    id_ = json.loads(evaluate(*LDS, "--json").out)["id"]
    picture = ET.parse(workspace.home / "evaluation" / f"{id_}.svg")

    assert "foretells retraining with an LDS of" in ran.out
    assert "n-gram overlap" in ran.out
    assert picture.getroot().tag.endswith("svg")


def test_asked_again_it_trains_nothing_and_changes_nothing(
    evaluate: Evaluate, workspace: Workspace
) -> None:
    first = evaluate(*LDS, "--json")
    before = content(workspace.home)

    with patch("attribution.models.training.train", side_effect=AssertionError):
        again = evaluate(*LDS, "--json")

    assert again.code == 0, again.err
    assert again.out == first.out
    assert content(workspace.home) == before


def test_what_was_interrupted_goes_on_to_the_same_figures(
    evaluate: Evaluate, workspace: Workspace, tmp_path: Path
) -> None:
    wanted = json.loads(evaluate(*LDS, "--json").out)
    other = copied(workspace, tmp_path)
    kept = sorted((other.home / "evaluation").glob("bank-*/retrained/*.json"))
    for path in kept[1::2]:
        path.unlink()
    for path in (other.home / "evaluation").glob("lds-*"):
        path.unlink()

    found = json.loads(evaluate(*LDS, "--json", home=other.home).out)

    assert {**found, "made_at": ""} == {**wanted, "made_at": ""}


@pytest.mark.parametrize(
    "command", ["lds --subsets 6", "informativeness", "removal", "planted", "sanity", "coverage"]
)
def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    evaluate: Evaluate, workspace: Workspace, command: str
) -> None:
    before = content(workspace.home)

    ran = evaluate(*command.split(), "--dry-run")

    assert ran.code == 0, ran.err
    assert "nothing was written" in ran.err
    assert content(workspace.home) == before


def test_an_unknown_method_is_refused_with_those_there_are(evaluate: Evaluate) -> None:
    ran = evaluate(*LDS, "--methods", "default,oracle")

    assert ran.code == 3
    assert "'oracle'" in ran.err
    assert "ngram" in ran.err


def test_more_halves_than_there_are_is_refused(evaluate: Evaluate) -> None:
    ran = evaluate("lds", "--small")

    assert ran.code == 3
    assert "there are not 12 different ways" in ran.err


def test_artists_are_held_against_leaving_them_out(evaluate: Evaluate) -> None:
    document = json.loads(evaluate("informativeness", "--small", "--json").out)

    assert {of for _, of in figures(document, "I")} == {"artist-0", "artist-1", "artist-2"}
    assert document["names"]["artist-1"] == "Artist 1"
    assert "Artist 1" in evaluate("informativeness", "--small").out


def test_removal_has_an_arm_for_each_method_and_one_at_random(evaluate: Evaluate) -> None:
    document = json.loads(evaluate("removal", "--small", "--removed", 1, "--json").out)

    assert {row["figure"].partition(":")[0] for row in document["rows"]} == {
        "default",
        "ngram",
        "random",
    }
    assert evaluate("removal", "--seeds", 2).code == 3


def test_exact_copies_find_their_originals(evaluate: Evaluate) -> None:
    document = json.loads(evaluate("planted", "--copies", 6, "--json").out)
    found = figures(document, "recall@1")

    assert found["default", "exact"] == 1.0
    assert found["ngram", "exact"] == 1.0
    assert ("default", "a fourth up") in found


def test_sanity_ends_in_two_verdicts(evaluate: Evaluate) -> None:
    document = json.loads(evaluate("sanity", "--count", 6, "--json").out)

    assert [each["check"] for each in document["verdicts"]] == [
        "randomised model",
        "column collapse",
    ]
    assert document["sentences"] == [each["sentence"] for each in document["verdicts"]]


def test_coverage_goes_from_music_to_shares(evaluate: Evaluate) -> None:
    little = replace(
        composition(small=True),
        composing=Composing(composers=3, recordings=2, placebos=40, tracks=4, notes=24),
        model=EventTransformerConfig(width=16, layers=1, heads=2, span=96),
        epochs=2,
        seeds=1,
    )
    with patch("cli.jobs.evaluation_composers.composition", return_value=little):
        ran = evaluate("coverage", "--worlds", 1, "--json")
    document = json.loads(ran.out)
    worlds = [of for _, of in figures(document, "shares covered")]

    assert ran.code == 0, ran.err
    assert worlds[0] == "as assumed"
    assert worlds[-2:] == ["composers, against leaving out", "composers, against what was written"]
    assert 0 <= figures(document, "unattributed")["", worlds[-1]] <= 1


def test_tuning_prints_every_setting_and_changes_nothing_in_use(
    evaluate: Evaluate, workspace: Workspace
) -> None:
    evaluate(*LDS)
    before = content(workspace.home / "index")
    asked = (
        "tune",
        "--subsets",
        6,
        "--seeds",
        1,
        "--kept",
        64,
        "--ridge",
        "1,2",
        "--damping",
        0.01,
    )

    ran = evaluate(*asked)
    document = json.loads(evaluate(*asked, "--json").out)

    assert ran.code == 0, ran.err
    assert len(document["trials"]) == 3  # two, and the one in use
    assert document["before"] == asdict(setting_of(RECIPES["default"]))
    assert "--damping" in ran.out
    assert content(workspace.home / "index") == before


def test_queries_are_the_runs_tracks_and_the_placebos(workspace: Workspace) -> None:
    subject = subject_of(workspace, None)

    assert len(subject.places("generated")) == TRACKS
    assert len(subject.places("held-out")) == HELD_OUT
    assert set(subject.artists) == {f"artist-{number}" for number in range(ARTISTS)}
    assert subject.with_queries(subject.places("generated")).owners.names == tuple(
        sorted(subject.tracks)
    )


def test_what_retraining_costs_is_foreseen_from_what_training_took(workspace: Workspace) -> None:
    subject = replace(subject_of(workspace, None), seconds=120.0)
    halves = lds_plan(subject, "item", Drawing(subsets=4, seeds=3))

    assert foreseen_minutes(subject, halves) == pytest.approx(4 * 3 * 0.5 * 2.0)


def test_retraining_is_by_the_runs_own_recipe(workspace: Workspace) -> None:
    options = recipe_of(subject_of(workspace, None).trained)

    assert (options.epochs, options.batch, options.seed) == (2, CHOICE.batch, CHOICE.seed)
    assert options.model.width == CHOICE.width


def test_a_tracks_scores_are_its_spans_added_up(workspace: Workspace) -> None:
    subject = subject_of(workspace, None)
    spans = ngram_scores(subject.train, subject.query)

    owners = score_owners(workspace, subject, "ngram", silent)

    for place, owner in enumerate(subject.owners.names):
        own = [i for i, name in enumerate(subject.query.owners) if name == owner]
        np.testing.assert_allclose(owners[place], spans[own].sum(0))


def test_similarity_of_hidden_states_is_judged_by_the_same_protocol(evaluate: Evaluate) -> None:
    ran = evaluate("planted", "--copies", 6, "--methods", "similarity", "--json")

    found = figures(json.loads(ran.out), "recall@1")
    assert ran.code == 0, ran.err
    assert found["similarity", "exact"] == 1.0
    assert evaluate("sanity", "--method", "similarity").code == 2


def test_what_was_removed_from_an_index_counts_as_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    home = copied(workspace, tmp_path)
    subject = subject_of(home, None)
    before = score_owners(home, subject, "trak", silent)

    remove_recordings(home, ["rec-03"])
    after = score_owners(home, subject, "trak", silent)

    removed = np.array([owner == "rec-03" for owner in subject.train.owners])
    assert after.shape == before.shape
    assert (after[:, removed] == 0).all()
    assert (after[:, ~removed] != 0).all()
    assert np.corrcoef(after[:, ~removed].ravel(), before[:, ~removed].ravel())[0, 1] > 0.9


def test_ngram_overlap_of_rows_is_that_of_recordings_cut_so(workspace: Workspace) -> None:
    subject = subject_of(workspace, None)
    events = [
        row[mask].tolist()
        for row, mask in zip(
            subject.train.tensors["tokens"], subject.train.tensors["mask"], strict=True
        )
    ]
    known = ngrams.fit(dict(zip(subject.train.ids, events, strict=True)))
    slow = {each.recording: each.overlap for each in ngrams.overlaps(known, events[3])}

    fast = ngram_scores(subject.train, subject.train.take([3]))[0]

    np.testing.assert_allclose(fast, [slow[name] for name in subject.train.ids])


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("lds", ["subsets", "seeds", "workers"]),
        ("informativeness", ["artists", "seeds"]),
        ("removal", ["removed", "tracks", "seeds"]),
        ("planted", ["copies"]),
        ("sanity", ["count"]),
        ("coverage", ["worlds", "runs"]),
        ("tune", ["subsets", "seeds", "kept"]),
    ],
)
def test_counts_are_of_at_least_one(evaluate: Evaluate, command: str, options: list[str]) -> None:
    for option in options:
        ran = evaluate(command, f"--{option}", 0, "--dry-run")

        assert ran.code == 2
        assert f"Invalid value for '--{option}'" in ran.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("kept", "500,0"),
        ("kept", "500.5"),
        ("kept", "x"),
        ("ridge", "1,nan"),
        ("ridge", "-1,2"),
        ("damping", "inf"),
        ("damping", ""),
    ],
)
def test_settings_to_try_are_numbers_to_reckon_with(
    evaluate: Evaluate, option: str, value: str
) -> None:
    ran = evaluate("tune", f"--{option}", value, "--dry-run")

    assert ran.code == 2
    assert f"Invalid value for '--{option}'" in ran.err
