"""What another rule changes for those who earn little, and for those who earn much."""

from collections.abc import Iterable

import pytest
from sqlalchemy import insert

from db import queries, schema
from db.books.payouts import record_payout
from db.engine import Books, now, writing
from db.queries import EVERYONE, Band, Viewer
from royalty.money import Money, total
from tests.db import world

UNIT = 10**6
TWO = ("2026-10/pro_rata", "2026-10/user_centric")
LOWS = [0, 1, *(UNIT * 10**tens for tens in range(13))]
PAID = {  # by the first rule and by the second, in micros
    "a": (0, 0),
    "b": (None, 40 * UNIT),  # whom the first does not pay
    "c": (1, 3),
    "d": (UNIT - 1, 0),
    "e": (UNIT, UNIT),
    "f": (10 * UNIT - 1, None),
    "g": (10 * UNIT, 12 * UNIT),
    "h": (75 * UNIT + 5, 71 * UNIT),
    "i": (123_456_789_012, 123_456_789_011),
    "j": (10**18 + 7, 10**18),
}
SOME = Viewer("some", frozenset({"b", "c", "d", "h"}))


@pytest.fixture
def divided(month: Books) -> Books:
    """October divided twice, among payees of every kind."""
    with writing(month) as connection:
        same = {"kind": "artist", "recorded_at": now()}
        parties = [{"id": name, "name": name, "payee": name, **same} for name in PAID]
        connection.execute(insert(schema.party), parties)
    for place, rule in enumerate(("pro_rata", "user_centric")):
        rows = [
            (name, micros, micros, micros, 0)
            for name, both in PAID.items()
            if (micros := both[place]) is not None
        ]
        record_payout(month, world.payout_facts(month, rule=rule, payees=rows))
    return month


def slow(names: Iterable[str], paid: dict[str, tuple[int | None, int | None]]) -> list[Band]:
    """Put payees into bands one by one."""
    members: dict[int, list[tuple[int, int]]] = {}
    for name in names:
        first, second = (micros or 0 for micros in paid[name])
        members.setdefault(max(low for low in LOWS if low <= first), []).append((first, second))
    return [
        Band(
            low=Money(low, "EUR"),
            below=next((Money(each, "EUR") for each in LOWS if each > low), None),
            payees=len(both),
            gaining=sum(second > first for first, second in both),
            losing=sum(second < first for first, second in both),
            first=Money(sum(first for first, _ in both), "EUR"),
            second=Money(sum(second for _, second in both), "EUR"),
            gained=Money(sum(max(second - first, 0) for first, second in both), "EUR"),
        )
        for low, both in sorted(members.items())
    ]


@pytest.mark.parametrize("viewer", [EVERYONE, SOME, Viewer("nobody", frozenset())])
@pytest.mark.parametrize("backwards", [False, True])
def test_payees_stand_in_bands_as_one_by_one(
    divided: Books, viewer: Viewer, backwards: bool
) -> None:
    step = -1 if backwards else 1
    paid = {name: both[::step] for name, both in PAID.items()}

    found = queries.bands(viewer, divided, TWO[::step], "EUR")

    assert list(found) == slow(filter(viewer.sees, PAID), paid)


@pytest.mark.parametrize("viewer", [EVERYONE, SOME])
def test_bands_sum_to_the_gains_and_to_what_is_paid(divided: Books, viewer: Viewer) -> None:
    found = queries.bands(viewer, divided, TWO, "EUR")
    gains, losses = (queries.gains(viewer, divided, two, "EUR") for two in (TWO, TWO[::-1]))

    assert sum(each.gaining for each in found) == gains.gaining
    assert sum(each.losing for each in found) == losses.gaining
    assert sum(each.payees for each in found) == gains.payees
    assert total((each.gained for each in found), "EUR") == gains.amount
    assert total((each.lost for each in found), "EUR") == losses.amount
    for name, rule in (("first", "pro_rata"), ("second", "user_centric")):
        paid = queries.earnings(viewer, divided, world.OCTOBER, rule).paid
        assert total((getattr(each, name) for each in found), "EUR") == paid


def test_a_change_is_a_part_of_what_the_first_pays(divided: Books) -> None:
    nothing, _, few, tens, *_ = queries.bands(EVERYONE, divided, TWO, "EUR")

    assert (nothing.low.micros, nothing.below, nothing.change) == (0, Money(1, "EUR"), None)
    assert few.change == pytest.approx(1 / 11 - 1)
    assert (tens.low, tens.below) == (Money(10 * UNIT, "EUR"), Money(100 * UNIT, "EUR"))
    assert (tens.payees, tens.gaining, tens.losing) == (2, 1, 1)
