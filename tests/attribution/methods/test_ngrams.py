import pytest

from attribution.methods import ngrams

TUNES = {
    "scale": [60, 62, 64, 65, 67, 69, 71, 72],
    "arpeggio": [60, 64, 67, 72, 67, 64, 60, 64],
    "trill": [60, 62, 60, 62, 60, 62, 60, 62],
}


@pytest.fixture
def catalogue():
    return ngrams.fit(TUNES)


def test_a_copy_is_found_first_and_overlaps_wholly(catalogue):
    found = ngrams.overlaps(catalogue, TUNES["arpeggio"])

    assert found[0].recording == "arpeggio"
    assert found[0].overlap == pytest.approx(1.0)
    assert all(0 <= overlap.overlap < 1 for overlap in found[1:])


def test_music_with_nothing_in_common_overlaps_with_nothing(catalogue):
    found = ngrams.overlaps(catalogue, [30, 31, 33, 36])

    assert {overlap.overlap for overlap in found} == {0.0}


def test_a_rare_run_in_common_counts_for_more_than_a_common_one():
    catalogue = ngrams.fit(
        {"rare": [1, 2, 90, 91], "common": [1, 2, 50, 51], "other": [1, 2, 60, 61]}
    )

    found = {o.recording: o.overlap for o in ngrams.overlaps(catalogue, [1, 2, 3, 90, 91])}

    assert found["rare"] > 1.5 * found["common"]
    assert found["common"] == pytest.approx(found["other"])


def test_only_what_is_struck_counts(catalogue):
    with_shifts = [x for pitch in TUNES["scale"] for x in (pitch, 300, 128 + pitch, 370)]

    assert ngrams.overlaps(catalogue, with_shifts) == ngrams.overlaps(catalogue, TUNES["scale"])


def test_every_recording_is_answered_for_even_an_empty_one():
    found = ngrams.overlaps(ngrams.fit({"b": [], "a": [60]}), [60, 61])

    assert [overlap.recording for overlap in found] == ["a", "b"]


def test_it_is_labelled_as_similarity_and_not_as_influence():
    assert ngrams.LABEL == "similarity, not influence"
