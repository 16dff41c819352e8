from dataclasses import replace

import pytest

from royalty.money import Money
from royalty.statement import Heading, Movements, make_statement
from tests.royalty.statements import rows, statement


def test_opening_and_what_moved_make_closing() -> None:
    drawn = statement()

    assert drawn.closing.micros == 5_000_000 + drawn.earned.micros - 11 - 7 - 5 - 3
    assert drawn.earned.micros == sum(line.net.micros for line in drawn.lines)


def test_earnings_are_what_was_allocated_to_the_payee() -> None:
    mine = [row for row in rows().values() if row.payee == "agency"]

    drawn = statement()

    assert drawn.earned.micros == sum(row.micros for row in mine)
    assert drawn.low.micros == sum(row.low_micros for row in mine)
    assert drawn.high.micros == sum(row.high_micros for row in mine)
    assert len(drawn.lines) == len(mine)


def test_lines_are_numbered_in_canonical_order() -> None:
    drawn = statement()

    assert [line.number for line in drawn.lines] == list(range(1, len(drawn.lines) + 1))
    assert drawn.lines[0].id == "2026-10/agency/1"
    order = [(line.kind, line.track, line.recording, line.right) for line in drawn.lines]
    assert order == sorted(order)


def test_the_order_in_which_lines_come_changes_nothing() -> None:
    drawn = statement()
    movements = Movements.none("EUR", opening=drawn.opening)
    heading = _heading(drawn)

    forward = make_statement(heading, drawn.lines, movements)

    assert make_statement(heading, drawn.lines[::-1], movements) == forward


def test_a_payee_without_lines_keeps_the_opening_balance() -> None:
    drawn = make_statement(_heading(statement()), [], Movements.none("EUR"))

    assert (drawn.lines, drawn.closing) == ((), Money(0, "EUR"))


def test_a_statement_that_does_not_add_up_is_our_own_mistake() -> None:
    drawn = statement()

    with pytest.raises(AssertionError):
        replace(drawn, closing=drawn.closing + Money(1, "EUR"))
    with pytest.raises(AssertionError):
        replace(drawn, lines=drawn.lines[1:])
    with pytest.raises(AssertionError, match="net is off"):
        replace(drawn.lines[0], deductions=Money(-1, "EUR"))


def _heading(drawn):
    return Heading(
        payee=drawn.payee, payee_name=drawn.payee_name, period=drawn.period, rule=drawn.rule
    )
