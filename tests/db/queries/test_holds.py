from datetime import date

import pytest

from db.books.holds import Release, make_hold, release_hold
from db.engine import Books
from db.queries import (
    EVERYONE,
    Viewer,
    disputes,
    holds,
    owed_by_line,
    owed_by_posting,
    owed_for_track,
    owed_to_payee,
    postings,
)
from royalty.errors import NotFound, RoyaltyError
from royalty.holds import Hold, LineId, PostingId
from royalty.money import Money
from tests.db.world import NOVEMBER, OCTOBER

BOB = Viewer("bob", frozenset({"bob"}))


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def held(books: Books, payee: str, kind: str = "held") -> str:
    wanted = Hold(kind=kind, subject=payee, payee=payee, amount=euros(10), reason="because")
    return make_hold(books, wanted, name="Ann").id


def line(payee: str, number: int) -> LineId:
    return LineId(period=OCTOBER, payee=payee, number=number)


def test_holds_are_listed_with_what_waits_and_since_when(closed: Books) -> None:
    first, second = held(closed, "lab"), held(closed, "bob", "disputed")
    release_hold(closed, first, Release(name="Carl", why="settled"))

    rows = {row.id: row for row in holds(EVERYONE, closed)}

    assert list(rows) == [first, second]
    done, waits = rows.values()
    assert (done.state, done.ending, done.amount) == ("released", "released", euros(10))
    assert (waits.state, waits.ending, waits.period) == ("held", None, NOVEMBER)
    assert (waits.payee_name, waits.opened_by, waits.reason) == ("Bob", "Ann", "because")
    began = date.fromisoformat(waits.recorded_at[:10])
    later = date.fromordinal(began.toordinal() + 40)
    assert (waits.age_days(later), done.age_days(later)) == (40, 0)
    assert [row.id for row in disputes(EVERYONE, closed)] == [second]


def test_a_payee_sees_own_holds_only(closed: Books) -> None:
    held(closed, "lab")
    own = held(closed, "bob", "disputed")

    assert [row.id for row in holds(BOB, closed)] == [own]
    assert [row.id for row in disputes(BOB, closed)] == [own]
    assert disputes(Viewer("lab", frozenset({"lab"})), closed) == []


def test_a_line_is_owed_what_it_says(closed: Books) -> None:
    owed = owed_by_line(EVERYONE, closed, line("lab", 1))

    assert (owed.amount, owed.track, owed.recordings) == (euros(45), "t1", ("r1",))
    assert owed_by_line(EVERYONE, closed, line("lab", 2)).track is None
    with pytest.raises(NotFound, match="has 2 lines, and no line 3"):
        owed_by_line(EVERYONE, closed, line("lab", 3))
    with pytest.raises(NotFound):
        owed_by_line(BOB, closed, line("lab", 1))


def test_a_posting_is_owed_what_it_credits(closed: Books) -> None:
    rows = {row.account: row for row in postings(EVERYONE, closed, OCTOBER) if row.payee}
    of_lab = rows["payable.lab"]
    transaction, place = map(int, of_lab.id.split("."))
    posting = PostingId(transaction=transaction, line=place)

    owed = owed_by_posting(EVERYONE, closed, posting)

    assert (owed.subject, owed.payee, owed.amount) == (of_lab.id, "lab", euros(54))
    with pytest.raises(NotFound, match="no posting"):
        owed_by_posting(BOB, closed, posting)
    with pytest.raises(RoyaltyError, match="gives no payee anything"):
        owed_by_posting(EVERYONE, closed, PostingId(transaction=1, line=1))


def test_a_payee_is_owed_what_is_payable(closed: Books) -> None:
    held(closed, "lab")

    assert owed_to_payee(EVERYONE, closed, "lab").amount == euros(44)
    with pytest.raises(NotFound, match="'nobody' is no payee"):
        owed_to_payee(EVERYONE, closed, "nobody")
    with pytest.raises(NotFound):
        owed_to_payee(BOB, closed, "lab")


def test_a_part_of_a_track_is_all_its_lines_or_nothing(closed: Books) -> None:
    owed = owed_for_track(EVERYONE, closed, "lab", "t1")
    nothing = owed_for_track(EVERYONE, closed, "lab", "t2")

    assert (owed.subject, owed.amount) == ("2026-10/lab/track/t1", euros(45))
    assert [each.id for each in owed.lines] == ["2026-10/lab/1"]
    assert (nothing.amount, nothing.lines, nothing.period) == (euros(0), (), OCTOBER)
