"""Months made up, in whole euros."""

from db.queries import Earnings, PayeeAmount
from royalty.money import Money
from royalty.period import Period


def euros(amount: int) -> Money:
    return Money(amount * 10**6, "EUR")


def payee(id_: str, amount: int, attributed: int) -> PayeeAmount:
    return PayeeAmount(
        id=id_,
        name=id_.capitalize(),
        amount=euros(amount),
        low=euros(0),
        high=euros(2 * amount),
        attributed=euros(attributed),
    )


def earnings(payees: tuple[PayeeAmount, ...] = (), **amounts: int) -> Earnings:
    """Make the head of October's payout; amounts that are not given are nothing."""
    names = ["gross", "pool", "unattributed", "suspense", "idle", "platform", "paid", "attributed"]
    return Earnings(
        id="2026-10/pro_rata",
        period=Period(2026, 10),
        rule="pro_rata",
        provider="ours",
        snapshot="0" * 64,
        suspense_kinds={},
        payees=payees,
        payee_count=len(payees),
        recordings=(),
        recording_count=0,
        **{name: euros(amounts.get(name, 0)) for name in names},
    )
