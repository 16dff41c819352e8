"""From payable to paid: tax withheld, the minimum, whole minor units, another currency.

Tax falls due at payment, and the minimum tests what is left after it: below it nothing is paid and
nothing withheld. What is paid is whole minor units of the payee's currency; gross and withheld are
those of exactly that, and the rest stays payable. Minimums are in the currency of the books.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from royalty.catalogue import PPM
from royalty.fx import FxRate
from royalty.ledger import Posting, Transaction, TransactionKind, cash, exchange, payable, withheld
from royalty.money import MICROS, Money
from royalty.period import Period
from royalty.terms import Terms

UNSTATED = "unstated"  # the jurisdiction of tax that is withheld for none in particular

State = Literal["sent", "confirmed", "failed", "returned"]
Event = Literal["confirmed", "failed", "returned"]
# What the bank can say of a payment in each state.
EVENTS: dict[State, tuple[Event, ...]] = {
    "sent": ("confirmed", "failed"),
    "confirmed": ("returned",),
    "failed": (),
    "returned": (),
}
UNDONE: tuple[Event, ...] = ("failed", "returned")  # the money is payable again

# Decimal places of minor units by ISO 4217, where they are not two.
_NONE = {
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
}
_THREE = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is payable to a payee in one currency, and the payee's own agreement."""

    payee: str
    balance: Money
    agreement: Terms | None = None  # None: all of it is paid out, as it is

    @property
    def currency(self) -> str:
        """The currency that the payee is paid in."""
        return (self.agreement.currency if self.agreement else "") or self.balance.currency

    @property
    def withholding_ppm(self) -> int:
        """What part of a gross amount is withheld as tax."""
        return self.agreement.withholding_ppm if self.agreement else 0

    @property
    def minimum(self) -> Money:
        """What the net has to come to before anything is paid."""
        micros = self.agreement.minimum_payment_micros if self.agreement else 0
        return Money(micros, self.balance.currency)

    @property
    def jurisdiction(self) -> str:
        """Whom tax is withheld for."""
        return (self.agreement.jurisdiction if self.agreement else None) or UNSTATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What goes off a payable account, and what arrives of it."""

    gross: Money
    withheld: Money
    paid: Money  # whole minor units, in the payee's currency
    rate: FxRate | None = None  # at which the net was converted, where the currencies differ

    @property
    def net(self) -> Money:
        """What is left after tax, in the currency of the account."""
        return self.gross - self.withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A payee who is not paid, and why, in plain words."""

    payee: str
    balance: Money
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment: whom, on which day, in which month's books, how much."""

    id: str  # 2026-11/ann/1
    period: Period  # posted in
    day: date
    account: Account  # as it stood
    amounts: Amounts


def decide(account: Account, rate: FxRate | None = None) -> Amounts | Carried:
    """Work out what is paid of an account, or why nothing is.

    `rate` is from the account's currency to the payee's, where these differ; None: there is none.
    """
    net = account.balance - _tax(account.balance, account.withholding_ppm)
    if why := _why_not(account, net, rate):
        return Carried(payee=account.payee, balance=account.balance, why=why)
    paid = in_minor_units(net if rate is None else rate.convert(net))
    if not paid.micros:
        unit = Money(minor_unit(paid.currency), paid.currency)
        why = f"{net} is less than {unit}, the least that can be paid"
        return Carried(payee=account.payee, balance=account.balance, why=why)
    return _exactly(account, paid, rate)


def transactions(payment: Payment) -> list[Transaction]:
    """Write down a payment: the tax that is withheld, if any, and the money that leaves."""
    amounts, account = payment.amounts, payment.account
    tax = [
        Posting(account=payable(account.payee), amount=amounts.withheld),
        Posting(account=withheld(account.jurisdiction), amount=-amounts.withheld),
    ]
    taxed = _posted(payment, "withholding", tax, _tax_memo(payment))
    sent = _posted(payment, "payment", _sides(payment), _memo(payment))
    return [taxed, sent] if amounts.withheld.micros else [sent]


def keys(payment: str) -> tuple[str, str]:
    """Name a payment's transactions, that of the withheld tax first; not every payment has one."""
    return f"payment/{payment}/withholding", f"payment/{payment}"


def minor_unit(currency: str) -> int:
    """Return the micros of the smallest amount of a currency that can be paid (ISO 4217)."""
    return MICROS // int(10 ** minor_places(currency))


def minor_places(currency: str) -> int:
    """Say how many decimal places a currency's payments have."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def in_minor_units(amount: Money) -> Money:
    """Floor an amount to what can be paid."""
    return Money(amount.micros - amount.micros % minor_unit(amount.currency), amount.currency)


def _tax(gross: Money, ppm: int) -> Money:
    """Withhold a part, floored to the micro."""
    return Money(gross.micros * ppm // PPM, gross.currency)


def _why_not(account: Account, net: Money, rate: FxRate | None) -> str:
    """Say why an account is not paid; nothing where it may be."""
    if not account.balance.micros:
        return "nothing is payable"
    if account.balance.micros < 0:
        return f"the account is overdrawn by {-account.balance}"
    if net.micros < account.minimum.micros:
        after = " after tax" if account.withholding_ppm else ""
        return f"{net}{after} is under the minimum payment of {account.minimum}"
    if rate is None and account.currency != account.balance.currency:
        pair = f"{account.balance.currency} to {account.currency}"
        return f"there is no rate from {pair} on or before the day; run 'tantieme fx import FILE'"
    return ""


def _exactly(account: Account, paid: Money, rate: FxRate | None) -> Amounts:
    """Find the gross amount of which exactly this is left after tax: the most that there is.

    Tax is floor(gross * ppm / 10⁶), so net rises by 0 or 1 with each micro of gross, and there is
    such an amount: gross <= net * 10⁶ / (10⁶ - ppm).
    """
    net = paid if rate is None else rate.cost(paid)
    most = net.micros * PPM // (PPM - account.withholding_ppm)
    gross = Money(min(account.balance.micros, most), net.currency)
    return Amounts(gross=gross, withheld=gross - net, paid=paid, rate=rate)


def _sides(payment: Payment) -> list[Posting]:
    net, paid, rate = payment.amounts.net, payment.amounts.paid, payment.amounts.rate
    due = payable(payment.account.payee)
    if rate is None:
        return [Posting(account=due, amount=net), Posting(account=cash(), amount=-paid)]
    sides = [(due, net), (exchange(), -net), (exchange(), paid), (cash(), -paid)]
    return [Posting(account=account, amount=each, fx_rate=rate.id) for account, each in sides]


def _tax_memo(payment: Payment) -> str:
    """Say what part was withheld, of what and for whom, as statements repeat it."""
    account = payment.account
    said = f"{account.withholding_ppm / 10_000:g} % of {payment.amounts.gross}"
    return said if account.jurisdiction == UNSTATED else f"{said}, for {account.jurisdiction}"


def _memo(payment: Payment) -> str:
    """Say what was paid, and at which rate, as statements repeat it."""
    paid, rate = payment.amounts.paid, payment.amounts.rate
    said = f"payment {payment.id}"
    return said if rate is None else f"{said}: {paid}, at {rate.decimal} for one {rate.base}"


def _posted(
    payment: Payment, kind: TransactionKind, postings: list[Posting], memo: str
) -> Transaction:
    tax_key, key = keys(payment.id)
    return Transaction(
        kind=kind,
        key=tax_key if kind == "withholding" else key,
        period=payment.period,
        effective_on=payment.day,
        postings=tuple(postings),
        memo=memo,
    )
