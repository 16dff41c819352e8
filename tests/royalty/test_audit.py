from royalty.audit import conservation
from royalty.ledger import PoolMoney, Total, closing_transactions
from royalty.money import Money
from tests.royalty.worlds import OCTOBER, balances


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def accounts(**micros: int) -> dict[str, Money]:
    return {name.replace("_", "."): eur(each) for name, each in micros.items()}


def test_every_micro_that_came_in_is_somewhere() -> None:
    books = accounts(
        receivable_platform=1000,
        cash=-40,
        payable_ann=-500,
        payable_bob=-100,
        suspense_unmatched=-30,
        suspense_held=-20,
        reserve_ann=-50,
        advance_unrecouped=-60,
        withheld_DE=-10,
        platform=-190,
    )

    report = conservation(OCTOBER, "EUR", books)

    assert report.holds
    assert report.parts == {
        "paid": eur(40),
        "payable": eur(600),
        "suspense.held": eur(20),
        "suspense.unmatched": eur(30),
        "reserve": eur(50),
        "recouped": eur(60),
        "withheld": eur(10),
        "platform": eur(190),
    }


def test_money_that_changed_its_currency_left_one_identity_and_entered_another() -> None:
    dollars = {"receivable.platform": Money(100, "USD"), "exchange": Money(-100, "USD")}
    euros = accounts(exchange=92, payable_ann=-90, cash=-2)

    sold, bought = (
        conservation(OCTOBER, currency, each)
        for currency, each in (("USD", dollars), ("EUR", euros))
    )

    assert (sold.holds, sold.parts["exchanged"]) == (True, Money(100, "USD"))
    assert (bought.holds, bought.parts["exchanged"]) == (True, eur(-92))


def test_a_conversion_that_lost_money_shows_as_a_difference() -> None:
    report = conservation(OCTOBER, "EUR", accounts(exchange=92, payable_ann=-90))

    assert (report.holds, report.difference) == (False, eur(2))


def test_where_nothing_was_exchanged_nothing_is_said_of_it() -> None:
    assert "exchanged" not in conservation(OCTOBER, "EUR", accounts(payable_ann=0)).parts


def test_a_pool_not_wholly_divided_shows_as_a_difference() -> None:
    books = accounts(receivable_platform=10, payable_ann=-7) | {"pool.2026-10/a/DE/EUR": eur(-3)}

    report = conservation(OCTOBER, "EUR", books)

    assert (report.holds, report.difference) == (False, eur(3))


def test_an_unknown_account_shows_as_a_difference() -> None:
    report = conservation(OCTOBER, "EUR", accounts(receivable_platform=10, payables_ann=-10))

    assert report.difference == eur(10)


def test_a_closing_conserves_what_came_in() -> None:
    pools = [PoolMoney(id="p", gross=eur(1000), amount=eur(700))]
    totals = [
        Total(pool="p", payee="ann", right="master", kind="attributed", amount=eur(690)),
        Total(pool="p", payee=None, right=None, kind="suspense_unmatched", amount=eur(10)),
    ]
    posted = balances(closing_transactions(OCTOBER, pools, totals))

    report = conservation(OCTOBER, "EUR", {account: each for (account, _), each in posted.items()})

    assert (report.holds, report.revenue, report.platform) == (True, eur(1000), eur(300))
