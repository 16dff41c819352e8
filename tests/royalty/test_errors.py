import inspect

import pytest

from royalty import errors
from royalty.errors import BadInput, Problem, RoyaltyError


def test_the_tree_at_the_top_names_every_refusal() -> None:
    refusals = {
        name
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, Exception)
    }

    assert {name for name in refusals if name in errors.__doc__} == refusals
    assert all(each.__doc__ for each in RoyaltyError.__subclasses__())


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.csv", 3, "ppm", "is too large"), "a.csv, row 3, ppm: is too large"),
        (Problem("a.csv", 3, None, "is cut off"), "a.csv, row 3: is cut off"),
        (Problem("a.csv", None, None, "is missing"), "a.csv: is missing"),
    ],
)
def test_a_problem_says_where_it_is(problem, text) -> None:
    assert str(problem) == text


def test_bad_input_lists_every_fault_in_reading_order() -> None:
    faults = [
        Problem("b.csv", None, None, "is missing"),
        Problem("a.csv", 10, "x", "late"),
        Problem("a.csv", 2, "x", "early"),
    ]

    refusal = BadInput(faults)

    assert str(refusal).split("\n") == [
        "a.csv, row 2, x: early",
        "a.csv, row 10, x: late",
        "b.csv: is missing",
    ]
