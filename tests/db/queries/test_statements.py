import pytest

from db.engine import Books
from db.queries import EVERYONE, Viewer, postings, statement
from royalty.errors import NotFound, PeriodNotClosed
from royalty.money import Money
from tests.db.world import NOVEMBER, OCTOBER


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def test_lines_explain_what_was_posted_to_the_micro(closed: Books) -> None:
    owed = statement(EVERYONE, closed, "lab", OCTOBER)

    posted = [row for row in postings(EVERYONE, closed, OCTOBER) if row.payee == "lab"]
    assert owed.earned == euros(54) == -posted[0].amount
    assert [(line.kind, line.gross, line.deductions, line.net) for line in owed.lines] == [
        ("attributed", euros(50), euros(-5), euros(45)),
        ("unattributed", euros(10), euros(-1), euros(9)),
    ]
    assert {line.posting for line in owed.lines} == {posted[0].id}
    assert (owed.opening, owed.closing) == (euros(0), euros(54))


def test_a_line_carries_all_that_it_walks_back_to(closed: Books) -> None:
    line = statement(EVERYONE, closed, "lab", OCTOBER).lines[0]

    assert line.id == "2026-10/lab/1"
    assert (line.track, line.recording, line.work, line.party) == ("t1", "r1", "w1", "ann")
    assert (line.title, line.artist, line.isrc, line.iswc, line.party_ipi) == (
        "Harbour Lights",
        "Ann",
        "DEA122600001",
        "T0345246801",
        "00052210040",
    )
    assert (line.share_ppb, line.low_ppb, line.high_ppb) == (6 * 10**8, 5 * 10**8, 7 * 10**8)
    assert (line.low, line.high) == (euros(37), euros(53))
    assert (line.plays, line.interest_ppm, line.pool_amount) == (8, 10**6, euros(100))
    assert line.rule == "pro_rata"


def test_every_payee_and_the_rest_add_up_to_the_pool(closed: Books) -> None:
    owed = [statement(EVERYONE, closed, payee, OCTOBER).earned.micros for payee in ("lab", "bob")]

    assert sum(owed) + 500_000 + 500_000 + 600_000 == 10_000_000


def test_the_same_statement_twice_is_the_same(closed: Books) -> None:
    assert statement(EVERYONE, closed, "bob", OCTOBER) == statement(
        EVERYONE, closed, "bob", OCTOBER
    )


def test_an_open_period_has_no_statement(computed: Books) -> None:
    with pytest.raises(PeriodNotClosed, match="run 'tantieme close 2026-10'"):
        statement(EVERYONE, computed, "lab", OCTOBER)
    with pytest.raises(PeriodNotClosed):
        statement(EVERYONE, computed, "lab", NOVEMBER)


def test_a_party_that_is_paid_through_another_has_an_empty_statement(closed: Books) -> None:
    owed = statement(EVERYONE, closed, "ann", OCTOBER)

    assert (owed.lines, owed.closing) == ((), euros(0))


def test_an_unknown_payee_and_another_rule_are_not_found(closed: Books) -> None:
    with pytest.raises(NotFound, match="no payee 'nobody'"):
        statement(EVERYONE, closed, "nobody", OCTOBER)
    with pytest.raises(NotFound, match="closed with pro_rata; there is no statement by user_cen"):
        statement(EVERYONE, closed, "lab", OCTOBER, rule="user_centric")


def test_one_payee_cannot_see_another(closed: Books) -> None:
    bob = Viewer("bob", frozenset({"bob"}))

    assert statement(bob, closed, "bob", OCTOBER).earned == euros(30)
    with pytest.raises(NotFound, match="no payee 'lab' that bob may see"):
        statement(bob, closed, "lab", OCTOBER)
