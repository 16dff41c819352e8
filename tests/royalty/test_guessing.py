"""The fast path against a slow twin that compares everything with everything."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.guessing import GUESSED_FROM, Candidate, Guess, nearest
from royalty.matching import likeness

WORDS = ("Paper", "paper", "Boats", "Boat", "B.", "Harbour", "(Live)", "-", "Ann", "feat. Bob", "É")
NAMES = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
CANDIDATES = st.lists(st.lists(NAMES, min_size=1, max_size=2), max_size=6).map(
    lambda names: [
        Candidate(id=f"r{n}", shown=f"no {n}", names=tuple(each)) for n, each in enumerate(names)
    ]
)


def candidate(id_: str, *names: str) -> Candidate:
    return Candidate(id=id_, shown=f"'{names[0]}'", names=names)


def slowly(name: str, candidates: list[Candidate]) -> list[tuple[int, int, str]]:
    """Rank all candidates of a name, those too little alike left out."""
    alike = {each.id: [likeness(name, its) for its in each.names] for each in candidates}
    ranked = [(-max(each), -sum(each), id_) for id_, each in alike.items()]
    return sorted(each for each in ranked if -each[0] >= GUESSED_FROM)


@given(NAMES, CANDIDATES)
def test_the_best_guess_is_the_slow_twins(name: str, candidates: list[Candidate]) -> None:
    found = nearest([name], candidates, few=1)[name]

    assert [(each.id, each.likeness) for each in found] == [
        (id_, -alike) for alike, _, id_ in slowly(name, candidates)[:1]
    ]


@given(NAMES, CANDIDATES)
def test_every_guess_is_one_of_the_slow_twins(name: str, candidates: list[Candidate]) -> None:
    found = nearest([name], candidates, few=6)[name]

    ranked = {id_: -alike for alike, _, id_ in slowly(name, candidates)}
    assert {each.id: each.likeness for each in found}.items() <= ranked.items()
    assert [each.likeness for each in found] == sorted(ranked[each.id] for each in found)[::-1]


@given(st.lists(NAMES, max_size=4), CANDIDATES, st.randoms(use_true_random=False))
def test_the_order_of_candidates_and_of_names_does_not_matter(
    names: list[str], candidates: list[Candidate], random: Random
) -> None:
    found = nearest(names, candidates)
    mixed = random.sample(candidates, len(candidates))

    assert nearest(names[::-1], mixed) == found


@given(NAMES, CANDIDATES)
def test_an_exact_name_always_wins(name: str, candidates: list[Candidate]) -> None:
    exact = {each.id for each in candidates if name in each.names} | {"exact"}

    [best, *_] = nearest([name], [*candidates, candidate("exact", name)])[name]

    assert best.id in exact
    assert best.likeness == 100


def test_a_guess_says_who_is_meant_and_how_sure_that_is() -> None:
    elise = candidate("r12", "Für Elise", "Beethoven Für Elise")
    others = [candidate("r2", "Für Alina", "Pärt Für Alina"), candidate("r3", "Gymnopédie")]

    found = nearest(["fuer elise", "Beethoven - Fur Elise", "Clair de lune"], [*others, elise])

    assert found["fuer elise"] == (Guess(id="r12", shown="'Für Elise'", likeness=94),)
    assert found["Beethoven - Fur Elise"][0] == Guess(id="r12", shown="'Für Elise'", likeness=99)
    assert found["Clair de lune"] == ()


def test_of_two_equally_alike_the_one_alike_in_more_names_comes_first() -> None:
    two = [candidate("r1", "Prelude", "Nobody"), candidate("r2", "Prelude", "Bach Prelude")]

    assert [each.id for each in nearest(["prelude"], two)["prelude"]] == ["r2", "r1"]


@pytest.mark.parametrize("few", [1, 2, 3])
def test_no_more_than_a_few_are_guessed(few: int) -> None:
    many = [candidate(f"r{n}", f"Sonata {n}") for n in range(9)]

    assert [each.id for each in nearest(["Sonata"], many, few=few)["Sonata"]] == ["r0", "r1", "r2"][
        :few
    ]


def test_one_that_many_share_a_word_with_is_still_found() -> None:
    many = [candidate(f"r{n:03}", f"Love Song No {n}") for n in range(200)]

    [best, *_] = nearest(["Love Song, No 177"], many)["Love Song, No 177"]

    assert (best.id, best.likeness) == ("r177", 99)


def test_a_name_without_a_telling_word_is_found_too() -> None:
    assert [each.likeness for each in nearest(["u2"], [candidate("r1", "U2")])["u2"]] == [99]
