from datetime import date

from db.books.ledger import post
from db.engine import Books, writing
from db.queries import EVERYONE, postings, statement
from db.schema import fx_rate
from royalty.ledger import Posting, reverse
from royalty.money import Money
from royalty.period import Period
from tests.db.moving import DIVISION, adjusted, close_without_money, moved, post_and_close
from tests.db.world import NOVEMBER, OCTOBER

DECEMBER = Period(2026, 12)


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def test_every_kind_of_posting_stands_under_its_term(closed: Books) -> None:
    kinds = {
        "hold": (1, "suspense.held", "adjustments"),
        "recoupment": (2, "advance.unrecouped.ann", "recouped"),
        "reserve": (3, "reserve.lab", "reserved"),
        "withholding": (4, "withheld.DE", "withheld"),
        "payment": (20, "cash", "paid"),
    }
    given = [moved(kind, tenths, to) for kind, (tenths, to, _) in kinds.items()]

    owed = statement(EVERYONE, post_and_close(closed, *given), "lab", NOVEMBER)

    found = {each.term: each.amount for each in owed.movements}
    assert found == {term: euros(-tenths) for tenths, _, term in kinds.values()}
    assert {each.why for each in owed.movements} == {f"{kind} of lab" for kind in kinds}
    assert (owed.opening, owed.closing) == (euros(54), euros(54 - 30))


def test_lines_and_movements_are_all_that_the_account_moved_by(closed: Books) -> None:
    books = post_and_close(closed, adjusted(), moved("payment", 20, "cash"))

    for payee, period in (("lab", OCTOBER), ("lab", NOVEMBER), ("bob", NOVEMBER)):
        owed = statement(EVERYONE, books, payee, period)
        explained = sum(line.net.micros for line in owed.lines)
        explained += sum(each.amount.micros for each in owed.movements)
        posted = [row for row in postings(EVERYONE, books, period) if row.payee == payee]
        assert explained == -sum(row.amount.micros for row in posted)
        assert explained == (owed.closing - owed.opening).micros


def test_a_correction_names_the_month_and_the_transaction_that_it_corrects(closed: Books) -> None:
    owed = statement(EVERYONE, post_and_close(closed, adjusted()), "lab", NOVEMBER)

    [found] = owed.movements
    assert (found.adjusts, found.usage_period) == (DIVISION, OCTOBER)
    assert (found.what, found.why) == ("correction, of 2026-10", "late usage")
    assert (found.amount, found.right, found.pool) == (euros(4), "master", "2026-10/app/DE/EUR")
    assert owed.usage_periods == (OCTOBER, NOVEMBER)


def test_what_is_undone_counts_as_what_it_undoes_negated(closed: Books) -> None:
    kept = moved("reserve", 10, "reserve.lab")
    post_and_close(closed, kept)
    post(closed, [reverse(kept, period=DECEMBER, effective_on=date(2026, 12, 31))])
    close_without_money(closed, DECEMBER)

    owed = statement(EVERYONE, closed, "lab", DECEMBER)

    [found] = owed.movements
    assert (owed.reserved, owed.released, owed.closing) == (euros(10), euros(10), euros(54))
    assert (found.what, found.adjusts) == ("released from reserve, of 2026-11", kept.key)
    assert found.why == "undone: reserve of lab"


def test_undoing_what_was_undone_counts_once_more(closed: Books) -> None:
    paid = moved("payment", 10, "cash")
    back = reverse(paid, period=NOVEMBER, effective_on=date(2026, 11, 20))
    again = reverse(back, period=NOVEMBER, effective_on=date(2026, 11, 21))

    owed = statement(EVERYONE, post_and_close(closed, paid, back, again), "lab", NOVEMBER)

    assert [each.term for each in owed.movements] == ["paid", "paid", "paid"]
    assert [each.what for each in owed.movements][1:] == ["payment that did not arrive", "payment"]
    assert owed.paid == euros(-10)


def test_an_earning_that_is_taken_back_is_an_adjustment(closed: Books) -> None:
    taken = moved("reversal", 0, "", key="x/reversal", reverses=DIVISION, postings=_back())

    owed = statement(EVERYONE, post_and_close(closed, taken), "lab", NOVEMBER)

    [found] = owed.movements
    assert (found.term, found.what) == ("adjustments", "earnings taken back, of 2026-10")


def test_a_converted_movement_names_its_rate(closed: Books) -> None:
    row = {"id": "2026-11-15/EUR/USD", "base": "EUR", "quote": "USD", "rate_ppb": 2 * 10**9}
    with writing(closed) as connection:
        day = {"day": date(2026, 11, 15), "source": "ECB", "recorded_at": "2026-11-15T00:00:00Z"}
        connection.execute(fx_rate.insert(), row | day)
    sides = (("payable.lab", euros(10)), ("exchange", euros(-10)))
    sides += (("exchange", Money(2_000_000, "USD")), ("cash", Money(-2_000_000, "USD")))
    paid = moved(
        "payment",
        0,
        "",
        postings=tuple(
            Posting(account=account, amount=amount, fx_rate=row["id"]) for account, amount in sides
        ),
    )

    owed = statement(EVERYONE, post_and_close(closed, paid), "lab", NOVEMBER)

    assert [each.fx_rate for each in owed.movements] == ["2026-11-15/EUR/USD"]


def _back() -> tuple[Posting, Posting]:
    return (
        Posting(account="payable.lab", amount=euros(54), right="master"),
        Posting(account="suspense.held", amount=euros(-54)),
    )
