from dataclasses import replace

import pytest

from royalty.money import Money
from royalty.period import Period
from royalty.statement import make_statement
from tests.royalty.statements import OPENING, heading, lines, movement, movements, rows, statement
from tests.royalty.worlds import OCTOBER

SEPTEMBER = Period(2026, 9)


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def test_opening_and_every_term_as_it_stands_make_closing() -> None:
    drawn = statement()

    assert drawn.closing.micros == 5_000_000 + drawn.earned.micros - 11 - 7 - 5 + 2 - 3 - 13
    assert list(drawn.balance) == [
        "earned", "adjustments", "recouped", "reserved", "withheld", "paid",
    ]  # fmt: skip
    assert sum(amount.micros for amount in drawn.balance.values()) == (
        drawn.closing.micros - drawn.opening.micros
    )


def test_each_movement_counts_under_its_own_term() -> None:
    drawn = statement()

    assert (drawn.adjustments, drawn.recouped) == (eur(-11), eur(-7))
    assert (drawn.reserved, drawn.released) == (eur(-3), eur(2))
    assert (drawn.withheld, drawn.paid) == (eur(-3), eur(-13))


def test_earnings_are_what_was_allocated_to_the_payee() -> None:
    mine = [row for row in rows().values() if row.payee == "agency"]

    drawn = statement()

    assert drawn.earned.micros == sum(row.micros for row in mine)
    assert drawn.low.micros == sum(row.low_micros for row in mine)
    assert drawn.high.micros == sum(row.high_micros for row in mine)
    assert len(drawn.lines) == len(mine)


def test_what_was_earned_is_gross_less_the_platforms_part_and_the_sum_of_its_rights() -> None:
    drawn = statement()

    assert drawn.deductions.micros < 0
    assert drawn.gross + drawn.deductions == drawn.earned
    assert list(drawn.net_by_right) == ["master", "publishing"]
    assert sum(net.micros for net in drawn.net_by_right.values()) == drawn.earned.micros


def test_lines_are_numbered_in_canonical_order_and_movements_after_them() -> None:
    drawn = statement()
    last = len(drawn.lines)

    assert [line.number for line in drawn.lines] == list(range(1, last + 1))
    assert drawn.lines[0].id == "2026-10/agency/1"
    order = [(line.kind, line.track, line.recording, line.right) for line in drawn.lines]
    assert order == sorted(order)
    assert [each.posting for each in drawn.movements] == [each.posting for each in movements()]
    assert drawn.movements[0].id == f"2026-10/agency/{last + 1}"


def test_the_order_in_which_lines_come_changes_nothing() -> None:
    drawn = statement(moved=[])
    said = heading(drawn.earned.micros)

    forward = make_statement(said, drawn.lines)

    assert make_statement(said, drawn.lines[::-1]) == forward


def test_shares_of_a_model_are_told_from_what_terms_divide() -> None:
    drawn = statement()

    assert {line.basis for line in drawn.lines if line.track} == {"modelled"}
    assert {line.basis for line in drawn.lines if not line.track} == {"terms"}


def test_the_months_that_amounts_are_for_are_told_from_the_month_of_booking() -> None:
    assert statement().period == OCTOBER
    assert statement().usage_periods == (SEPTEMBER, OCTOBER)
    assert statement(moved=[]).usage_periods == (OCTOBER,)


def test_a_root_comes_with_what_to_do_with_it() -> None:
    drawn = statement()

    assert "'tantieme verify --root ROOT' proves later" in str(drawn.to_keep)
    assert replace(drawn, root=None).to_keep is None


def test_a_payee_without_lines_keeps_the_opening_balance() -> None:
    drawn = make_statement(heading(), [])

    assert (drawn.lines, drawn.closing) == ((), OPENING)


def test_a_statement_that_does_not_add_up_is_our_own_mistake() -> None:
    drawn = statement()

    with pytest.raises(AssertionError):
        replace(drawn, closing=drawn.closing + Money(1, "EUR"))
    with pytest.raises(AssertionError):
        replace(drawn, lines=drawn.lines[1:])
    with pytest.raises(AssertionError):
        make_statement(heading(1), lines("nobody"), [movement("paid", 2)])
    with pytest.raises(AssertionError, match="net is off"):
        replace(drawn.lines[0], deductions=Money(-1, "EUR"))
