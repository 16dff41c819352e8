from datetime import date

import pytest

from royalty.catalogue import Withdrawal
from royalty.terms import Terms
from tests.royalty.worlds import interest, recording

BEFORE, FIRST, INSIDE, LAST = (date(2026, 10, day) for day in (1, 2, 5, 9))


@pytest.mark.parametrize(
    "holds",
    [
        recording("r1", licensed_from=FIRST, licensed_to=LAST).licensed_on,
        interest("r1", "ann", valid_from=FIRST, valid_to=LAST).holds_on,
        Terms(party="ann", valid_from=FIRST, valid_to=LAST).holds_on,
    ],
    ids=["licence", "interest", "terms"],
)
def test_dates_are_half_open(holds) -> None:
    assert [holds(day) for day in (BEFORE, FIRST, INSIDE, LAST)] == [False, True, True, False]


@pytest.mark.parametrize(
    "holds",
    [recording("r1").licensed_on, interest("r1", "ann").holds_on, Terms(party="ann").holds_on],
    ids=["licence", "interest", "terms"],
)
def test_without_dates_it_always_holds(holds) -> None:
    assert holds(date.min)
    assert holds(date.max)


def withdrawal(use: str = "output", kind: str = "opt_out", **dates: date) -> Withdrawal:
    dates = {"valid_from": FIRST} | dates
    return Withdrawal(recording="r1", use=use, kind=kind, reason="by choice", **dates)


@pytest.mark.parametrize(
    ("licence", "withdrawn", "why"),
    [
        ({}, [], None),
        ({"licensed_to": INSIDE}, [], "its licence ended on 2026-10-04"),
        ({"licensed_from": LAST}, [], "its licence begins on 2026-10-09"),
        ({}, [withdrawal()], "opted out of output from 2026-10-02: by choice"),
        ({}, [withdrawal(kind="takedown")], "taken down from 2026-10-02: by choice"),
        (
            {"licensed_to": INSIDE},
            [withdrawal(valid_to=LAST)],
            (
                "its licence ended on 2026-10-04; "
                "opted out of output from 2026-10-02 until 2026-10-09: by choice"
            ),
        ),
        ({}, [withdrawal("training")], None),
        ({}, [withdrawal(valid_from=LAST)], None),
        ({}, [withdrawal(valid_to=INSIDE)], None),
        ({}, [withdrawal(valid_to=FIRST)], None),
    ],
)
def test_why_a_recording_is_not_paid_is_said_in_plain_words(licence, withdrawn, why) -> None:
    assert recording("r1", **licence).why_not("output", INSIDE, withdrawn) == why
