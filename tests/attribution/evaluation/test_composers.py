import numpy as np

from attribution.evaluation.composers import Composing, compose
from attribution.music.midi import decode

SMALL = Composing(composers=3, recordings=2, placebos=2, tracks=8, span=128)


def pitches(rows, place):
    tokens = rows.tensors["tokens"][place][rows.tensors["mask"][place]]
    return {note.pitch for note in decode(tokens.tolist())}


def test_the_same_seed_writes_the_same_music():
    one, two, other = compose(SMALL), compose(SMALL), compose(Composing(seed=1))

    assert one.train.tensors["tokens"].equal(two.train.tensors["tokens"])
    assert one.query.ids == two.query.ids
    assert (one.mixtures == two.mixtures).all()
    assert other.train.tensors["tokens"].shape != one.train.tensors["tokens"].shape


def test_tracks_use_the_pitches_of_the_composers_in_their_mixture():
    music = compose(SMALL)
    of = {name: set() for name in music.names}
    for place, composer in enumerate(music.composers):
        of[composer] |= pitches(music.train, place)

    for place, mixture in enumerate(music.mixtures):
        authors = [name for name, part in zip(music.names, mixture, strict=True) if part > 0]
        own = set().union(*(of[name] for name in authors))
        # A passage may visit a pitch that two recordings happened not to.
        assert len(pitches(music.query, place) & own) > 0.7 * len(pitches(music.query, place))


def test_mixtures_are_parts_of_a_whole_with_one_author_and_with_several():
    mixtures = compose(SMALL).mixtures

    np.testing.assert_allclose(mixtures.sum(1), 1.0)
    assert set((mixtures > 0).sum(1)) == {1, 2, 3}


def test_placebos_are_by_composers_of_their_own():
    music = compose(SMALL)

    assert set(music.composers) == set(music.names)
    assert music.placebo is not None
    assert not {owner.partition("/")[0] for owner in music.placebo.owners} & set(music.names)
    assert compose(Composing(composers=1, tracks=1)).placebo is None
