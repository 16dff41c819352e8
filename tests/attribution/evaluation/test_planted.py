import numpy as np
import pytest
import torch

from attribution.errors import BadRows
from attribution.evaluation.planted import plant, retrieval
from attribution.music.corpus import rows_of
from attribution.music.midi import BOS, Note, decode, encode
from attribution.task import Rows


def music(*recordings, span=40):
    """Rows of one span each, from pitches."""
    return rows_of(
        {
            f"r{i}": encode([Note(200 * n, 200, pitch, 80) for n, pitch in enumerate(pitches)])
            for i, pitches in enumerate(recordings)
        },
        span=span,
    )


TRAIN = music([60, 62, 64], [70, 71], [62, 64, 66], [60, 62, 64])


def pitches(rows, place):
    tokens = rows.tensors["tokens"][place][rows.tensors["mask"][place]]
    return [note.pitch for note in decode(tokens.tolist())]


def test_an_exact_copy_has_all_equal_rows_as_originals():
    planted = plant(TRAIN, [3, 1])

    assert planted.query.tensors["tokens"].equal(TRAIN.tensors["tokens"][[3, 1]])
    assert planted.truth.tolist() == [[True, False, False, True], [False, True, False, False]]
    assert set(planted.query.ids).isdisjoint(TRAIN.ids)


def test_a_transposed_copy_sounds_higher_and_nothing_else_changes():
    planted = plant(TRAIN, [0], semitones=2)

    assert pitches(planted.query, 0) == [62, 64, 66]
    moved = planted.query.tensors["tokens"][0] != TRAIN.tensors["tokens"][0]
    assert int(moved.sum()) == 6  # three strikes, three releases
    assert planted.query.tensors["tokens"][0, -1] == BOS
    # its source, the equal row, and the row it became
    assert planted.truth.tolist() == [[True, False, True, True]]


@pytest.mark.parametrize(("pitch", "semitones"), [(126, 2), (1, -2)])
def test_a_copy_that_leaves_the_range_of_pitches_is_refused_by_name(pitch, semitones):
    rows = music([60, 61], [60, pitch])

    with pytest.raises(BadRows, match="'r1@0' moved by"):
        plant(rows, [0, 1], semitones=semitones)
    assert len(plant(rows, [0], semitones=semitones).query) == 1


def test_two_rows_that_differ_in_one_tensor_only_are_not_equal():
    tokens = torch.zeros(2, 3, dtype=torch.int64)
    mask = torch.tensor([[True, True, True], [True, True, False]])
    rows = Rows(tensors={"tokens": tokens, "mask": mask}, ids=("a", "b"), owners=("a", "b"))

    assert plant(rows, [0]).truth.tolist() == [[True, False]]


def test_retrieval_by_hand():
    scores = np.array([[0.9, 0.1, 0.5, 0.3], [0.9, 0.1, 0.5, 0.3]])
    truth = np.array([[False, False, True, True], [True, False, False, False]])
    found = retrieval(scores, truth, ranks=(1, 2))

    assert found.recall[1].value == pytest.approx((0 + 1) / 2)
    assert found.recall[2].value == pytest.approx((0.5 + 1) / 2)
    assert found.reciprocal_rank.value == pytest.approx((1 / 2 + 1) / 2)
    # pairs (original, other): .5>.9 no, .5>.1 yes, .3>.9 no, .3>.1 yes; then 3 of 3
    assert found.auc.value == pytest.approx((0.5 + 1) / 2)


def test_ties_count_against_recall_and_half_in_auc():
    found = retrieval(np.zeros((1, 5)), np.eye(5, dtype=bool)[:1], ranks=(1, 4, 5))

    assert [found.recall[k].value for k in (1, 4, 5)] == [0, 0, 1]
    assert found.reciprocal_rank.value == pytest.approx(1 / 5)
    assert found.auc.value == pytest.approx(0.5)


def test_all_found_is_not_beyond_doubt():
    found = retrieval(np.eye(10), np.eye(10, dtype=bool))

    assert found.recall[1].value == found.recall[1].high == 1
    assert found.recall[1].low == pytest.approx(10 / (10 + 1.6449**2), abs=1e-3)


def test_queries_with_scores_that_are_not_finite_are_counted():
    scores = np.eye(3)
    scores[1, 2] = np.nan
    found = retrieval(scores, np.eye(3, dtype=bool))

    assert (found.queries, found.undefined) == (2, 1)
    assert found.recall[1].value == 1


def test_a_query_without_an_original_is_refused():
    with pytest.raises(BadRows, match="query 1 has no original"):
        retrieval(np.eye(2), np.array([[True, False], [False, False]]))
