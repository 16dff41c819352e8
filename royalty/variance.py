"""A month against another: what an accountant looks at before approving it.

Amounts are compared as they are computed, to the micro; changes in parts of what was before are
integers, parts per million, and there is none where nothing was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from royalty.catalogue import PPM
from royalty.errors import CurrencyMismatch
from royalty.money import Money
from royalty.payout import PayeeAmount, Payout
from royalty.period import Period

Came = Mapping[tuple[str, str], tuple[Money, ...]]  # source, territory → net revenue, by currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An amount of a month beside that of the month that it is held against."""

    name: str
    before: Money
    now: Money

    @property
    def change(self) -> Money:
        """What there is more, or less."""
        return self.now - self.before

    @property
    def change_ppm(self) -> int | None:
        """The change as a part of what was before; None where nothing was."""
        return _ppm(self.change.micros, self.before.micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A count of a month beside that of the month that it is held against."""

    name: str
    before: int
    now: int

    @property
    def change(self) -> int:
        """How many there are more, or fewer."""
        return self.now - self.before

    @property
    def change_ppm(self) -> int | None:
        """The change as a part of what was before; None where nothing was."""
        return _ppm(self.change, self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeCompared(Compared):
    """A payee's amounts; one who is new, or gone, has none in one of the months."""

    id: str
    new: bool
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source in a territory, with the revenue that it had in the one month that it had any."""

    source: str
    territory: str
    revenue: tuple[Money, ...]  # by currency

    def __str__(self) -> str:
        """Name it with its revenue: `app in DE (€12.50)`."""
        came = " and ".join(each.rounded for each in self.revenue)
        return f"{self.source} in {self.territory} ({came})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """A month's payout against another month's. Payees whose amounts changed most come first."""

    period: Period
    rule: str
    against: Period
    against_rule: str
    amounts: tuple[Compared, ...]  # revenue, pool, unattributed, suspense
    counts: tuple[Counted, ...]  # payees, plays, tracks
    payees: tuple[PayeeCompared, ...]
    missing: tuple[Source, ...]  # had revenue then and have none now
    came: tuple[Source, ...]  # have revenue now and had none then

    @property
    def totals(self) -> tuple[Compared | Counted, ...]:
        """The amounts, then the counts."""
        return (*self.amounts, *self.counts)

    @property
    def new(self) -> tuple[PayeeCompared, ...]:
        """Who is paid now and was not then."""
        return tuple(each for each in self.payees if each.new)

    @property
    def gone(self) -> tuple[PayeeCompared, ...]:
        """Who was paid then and is not now."""
        return tuple(each for each in self.payees if each.gone)

    @property
    def summary(self) -> str:
        """Say in one sentence what moved most: of a payee, or into suspense or out of it."""
        pool, suspense = (self._amount(name) for name in ("pool", "suspense"))
        most = max((*self.payees, suspense), key=lambda each: abs(each.change.micros))
        to_divide = f"{self.period} has {pool.now.rounded} to divide, {_moved(pool, self.against)}"
        if most.change.micros:
            return f"{to_divide}; {most.name} moved most, {_from_to(most)}."
        if pool.change.micros:
            return f"{to_divide}; no payee's amount changed."
        return f"Nothing moved: {self.period} pays everybody what {self.against} did."

    def _amount(self, name: str) -> Compared:
        return next(each for each in self.amounts if each.name == name)


def vary(now: Payout, before: Payout, *, came: Came, came_before: Came) -> Variance:
    """Hold a month's payout against another month's, with the revenue by source of each.

    Raises `CurrencyMismatch` where the two are not paid in one currency.
    """
    if now.pool.currency != before.pool.currency:
        raise CurrencyMismatch(
            f"{now.period} is paid in {now.pool.currency} and {before.period} in"
            f" {before.pool.currency}; name a month in {now.pool.currency} with --against"
        )
    return Variance(
        period=now.period,
        rule=now.rule,
        against=before.period,
        against_rule=before.rule,
        amounts=(
            Compared(name="revenue", before=before.gross, now=now.gross),
            Compared(name="pool", before=before.pool, now=now.pool),
            Compared(name="unattributed", before=before.unattributed, now=now.unattributed),
            Compared(name="suspense", before=before.suspense, now=now.suspense),
        ),
        counts=(
            Counted(name="payees", before=len(before.payees), now=len(now.payees)),
            Counted(name="plays", before=_plays(before), now=_plays(now)),
            Counted(name="tracks", before=len(before.tracks), now=len(now.tracks)),
        ),
        payees=_payees(now, before),
        missing=_without(came_before, came),
        came=_without(came, came_before),
    )


def _payees(now: Payout, before: Payout) -> tuple[PayeeCompared, ...]:
    """Compare everybody whom either month pays: by the size of the change, then by id."""
    new = {each.id: each for each in now.payees}
    old = {each.id: each for each in before.payees}
    nothing = Money(0, now.pool.currency)
    found = [
        PayeeCompared(
            id=id_,
            name=each.name,
            before=_amount(old.get(id_), nothing),
            now=_amount(new.get(id_), nothing),
            new=id_ not in old,
            gone=id_ not in new,
        )
        for id_, each in (old | new).items()
    ]
    return tuple(sorted(found, key=lambda each: (-abs(each.change.micros), each.id)))


def _amount(payee: PayeeAmount | None, nothing: Money) -> Money:
    return nothing if payee is None else payee.amount


def _plays(payout: Payout) -> int:
    return sum(track.plays for track in payout.tracks)


def _without(some: Came, others: Came) -> tuple[Source, ...]:
    """List sources in territories that the others have not, in order."""
    return tuple(
        Source(source=source, territory=territory, revenue=revenue)
        for (source, territory), revenue in sorted(some.items())
        if (source, territory) not in others
    )


def _ppm(change: int, before: int) -> int | None:
    return round(Fraction(change * PPM, abs(before))) if before else None


def percent(change_ppm: int) -> str:
    """Write a change as people read it, to a tenth: `+12.3 %`."""
    tenths = round(Fraction(change_ppm, 1000))
    sign = "-" if tenths < 0 else "+"
    return f"{sign}{abs(tenths) // 10:,}.{abs(tenths) % 10} %"


def _moved(pool: Compared, against: Period) -> str:
    if not pool.change.micros:
        return f"as {against} had"
    much = Money(abs(pool.change.micros), pool.change.currency).rounded
    part = "" if pool.change_ppm is None else f" ({percent(pool.change_ppm)})"
    return f"{much} {'more' if pool.change.micros > 0 else 'less'} than {against}{part}"


def _from_to(most: Compared) -> str:
    """Write how an amount moved."""
    if isinstance(most, PayeeCompared) and most.new:
        return f"who is new, with {most.now.rounded}"
    if isinstance(most, PayeeCompared) and most.gone:
        return f"who is gone, and had {most.before.rounded}"
    part = "" if most.change_ppm is None else f" ({percent(most.change_ppm)})"
    return f"from {most.before.rounded} to {most.now.rounded}{part}"
