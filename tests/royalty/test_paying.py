from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from royalty.fx import FxRate
from royalty.ledger import Transaction
from royalty.money import Money
from royalty.paying import (
    Account,
    Amounts,
    Carried,
    Payment,
    decide,
    in_minor_units,
    minor_unit,
    transactions,
)
from royalty.period import Period
from royalty.terms import Terms

DAY = date(2026, 11, 20)
R = Terms(party="ann", withholding_ppm=300_000, minimum_payment_micros=40_000_000, currency="EUR")
RATE = FxRate(day=DAY, base="EUR", quote="USD", rate_ppb=920_000_000)


def account(micros: int, agreement: Terms | None = R, currency: str = "EUR") -> Account:
    return Account(payee="ann", balance=Money(micros, currency), agreement=agreement)


def why(of: Account, rate: FxRate | None = None) -> str:
    carried = decide(of, rate)
    assert isinstance(carried, Carried)
    assert carried.balance == of.balance
    return carried.why


def posted(of: Account, amounts: Amounts) -> dict[str, list[tuple[str, int, str, str | None]]]:
    payment = Payment(
        id="2026-11/ann/1", period=Period(2026, 11), day=DAY, account=of, amounts=amounts
    )
    return {
        each.key: [
            (side.account, side.amount.micros, side.amount.currency, side.fx_rate)
            for side in each.postings
        ]
        for each in transactions(payment)
    }


def test_oracle_r_below_the_minimum_nothing_is_paid_and_nothing_withheld() -> None:
    fifty = replace(R, minimum_payment_micros=50_000_000)

    assert why(account(60_000_000, fifty)) == (
        "€42.00 after tax is under the minimum payment of €50.00"
    )


def test_oracle_r_60_payable_18_withheld_42_paid() -> None:
    ann = account(60_000_000)
    amounts = decide(ann)

    assert amounts == Amounts(
        gross=Money(60_000_000, "EUR"),
        withheld=Money(18_000_000, "EUR"),
        paid=Money(42_000_000, "EUR"),
    )
    assert posted(ann, amounts) == {
        "payment/2026-11/ann/1/withholding": [
            ("payable.ann", 18_000_000, "EUR", None),
            ("withheld.unstated", -18_000_000, "EUR", None),
        ],
        "payment/2026-11/ann/1": [
            ("payable.ann", 42_000_000, "EUR", None),
            ("cash", -42_000_000, "EUR", None),
        ],
    }


def test_oracle_r_42_euros_are_38_64_dollars_at_0_92() -> None:
    dollars = account(60_000_000, replace(R, currency="USD", jurisdiction="US"))
    amounts = decide(dollars, RATE)
    rate = "2026-11-20/EUR/USD"

    assert (amounts.gross, amounts.withheld) == (Money(60_000_000, "EUR"), Money(18_000_000, "EUR"))
    assert amounts.paid == Money(38_640_000, "USD")
    assert posted(dollars, amounts) == {
        "payment/2026-11/ann/1/withholding": [
            ("payable.ann", 18_000_000, "EUR", None),
            ("withheld.US", -18_000_000, "EUR", None),
        ],
        "payment/2026-11/ann/1": [
            ("payable.ann", 42_000_000, "EUR", rate),
            ("exchange", -42_000_000, "EUR", rate),
            ("exchange", 38_640_000, "USD", rate),
            ("cash", -38_640_000, "USD", rate),
        ],
    }


def test_a_payment_says_what_was_withheld_and_at_which_rate_it_was_converted() -> None:
    dollars = account(60_000_000, replace(R, currency="USD", jurisdiction="US"))
    taxed, sent = transactions(_payment(dollars, decide(dollars, RATE)))

    assert taxed.memo == "30 % of €60.00, for US"
    assert sent.memo == "payment p: $38.64, at 0.92 for one EUR"


def test_without_an_agreement_all_whole_cents_are_paid_and_no_tax_is_posted() -> None:
    nobody = account(12_352_891, None)
    amounts = decide(nobody)

    assert amounts == Amounts(
        gross=Money(12_350_000, "EUR"), withheld=Money(0, "EUR"), paid=Money(12_350_000, "EUR")
    )
    assert list(posted(nobody, amounts)) == ["payment/2026-11/ann/1"]


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (account(0), "nothing is payable"),
        (account(-5_000_000), "the account is overdrawn by €5.00"),
        (account(9_999, None), "€0.009999 is less than €0.01, the least that can be paid"),
        (
            account(60_000_000, replace(R, currency="USD")),
            "there is no rate from EUR to USD on or before the day; run 'tantieme fx import FILE'",
        ),
        (
            account(5, replace(R, withholding_ppm=10**6, minimum_payment_micros=0)),
            "€0.00 is less than €0.01, the least that can be paid",
        ),
        (
            account(10_000_000, replace(R, withholding_ppm=0)),
            "€10.00 is under the minimum payment of €40.00",
        ),
    ],
)
def test_why_an_account_is_carried(of: Account, reason: str) -> None:
    assert why(of) == reason


@pytest.mark.parametrize(("currency", "micros"), [("JPY", 10**6), ("EUR", 10**4), ("KWD", 10**3)])
def test_minor_units_are_those_of_the_currency(currency: str, micros: int) -> None:
    assert minor_unit(currency) == micros
    assert in_minor_units(Money(3 * micros - 1, currency)) == Money(2 * micros, currency)


BALANCES = st.integers(1, 10**13)
TAXES = st.integers(0, 10**6)
RATES = st.none() | st.builds(
    FxRate,
    day=st.just(DAY),
    base=st.just("EUR"),
    quote=st.sampled_from(["USD", "JPY", "KWD"]),
    rate_ppb=st.integers(10**6, 10**12),
)


@given(BALANCES, TAXES, RATES)
@example(60_000_000, 300_000, RATE)
@example(10_001, 1, None)
@example(42_856, 300_000, None)  # of one micro more as much is left
def test_gross_and_tax_are_those_of_exactly_what_is_paid(
    micros: int, ppm: int, rate: FxRate | None
) -> None:
    agreement = Terms(party="ann", withholding_ppm=ppm, currency=rate.quote if rate else "EUR")
    amounts = decide(account(micros, agreement), rate)
    if isinstance(amounts, Carried):
        return
    net = amounts.net if rate is None else rate.convert(amounts.net)

    assert 0 < amounts.gross.micros <= micros
    assert amounts.withheld.micros == amounts.gross.micros * ppm // 10**6
    assert in_minor_units(net) == amounts.paid
    assert amounts.paid.micros % minor_unit(amounts.paid.currency) == 0


@given(BALANCES, TAXES, RATES)
def test_what_stays_payable_would_not_be_a_payment_of_its_own(
    micros: int, ppm: int, rate: FxRate | None
) -> None:
    """No more stays than floors leave: at most the cost of one minor unit, and a micro each."""
    agreement = Terms(party="ann", withholding_ppm=ppm, currency=rate.quote if rate else "EUR")
    first = decide(account(micros, agreement), rate)
    if isinstance(first, Carried):
        return
    rest = micros - first.gross.micros
    again = decide(account(rest, agreement), rate)

    assert isinstance(again, Carried) or again.paid.micros == minor_unit(again.paid.currency)


@given(st.lists(st.integers(0, 10**8), max_size=12), TAXES, RATES)
def test_over_months_no_micro_is_lost(earned: list[int], ppm: int, rate: FxRate | None) -> None:
    agreement = Terms(
        party="ann",
        withholding_ppm=ppm,
        minimum_payment_micros=20_000_000,
        currency=rate.quote if rate else "EUR",
    )
    payable, off = 0, 0
    for micros in earned:
        payable += micros
        if isinstance(amounts := decide(account(payable, agreement), rate), Amounts):
            sums = _sums(transactions(_payment(account(payable, agreement), amounts)))
            assert sums.pop(("payable.ann", "EUR")) == amounts.gross.micros
            assert sum(sums.get((name, "EUR"), 0) for name in ("exchange", "cash")) == (
                -amounts.net.micros
            )
            payable -= amounts.gross.micros
            off += amounts.withheld.micros + amounts.net.micros

    assert payable >= 0
    assert payable + off == sum(earned)


def test_thirds_of_a_euro_a_month_come_to_whole_cents_in_the_end() -> None:
    """By hand: 1/3, 2/3, 3/3 of a euro, of which 33, 33 and 34 cents are paid."""
    payable, paid = 0, []
    for micros in (333_333, 333_333, 333_334):
        payable += micros
        amounts = decide(account(payable, None))
        paid.append(amounts.paid.micros // 10_000)
        payable -= amounts.gross.micros

    assert (paid, payable) == ([33, 33, 34], 0)


def _payment(of: Account, amounts: Amounts) -> Payment:
    return Payment(id="p", period=Period(2026, 11), day=DAY, account=of, amounts=amounts)


def _sums(of: list[Transaction]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for each in of:
        for side in each.postings:
            key = (side.account, side.amount.currency)
            sums[key] = sums.get(key, 0) + side.amount.micros
    return sums
