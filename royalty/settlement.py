"""From earned to payable: advances, reserves and their release, recoupment.

All of it is reckoned for each party from what it earned in a month, and posted on the account of
its payee. In this order: an advance is paid out when its agreement begins; reserves that are old
enough are released; a part of what was earned is kept back; what is left recoups advances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from royalty.catalogue import PPM, WORLDWIDE
from royalty.ledger import (
    Posting,
    Transaction,
    TransactionKind,
    advance,
    cash,
    payable,
    payee_of,
    reserve,
    reverse,
)
from royalty.money import Money
from royalty.period import Period, covers
from royalty.terms import Terms

Key = TypeVar("Key")
Earner = tuple[str, str]  # a party, and the payee that what it earned was posted to
Amounts = Mapping[Earner, int]  # micros
Parts = dict[tuple[str, ...], int]  # micros of one party's, by payee and, recouped, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """What parties earned in a month, with what adjustments posted in it added or took away."""

    period: Period
    currency: str
    micros: Amounts  # negative where more was taken away than earned

    def money(self, micros: int) -> Money:
        """Return an amount of the month's currency."""
        return Money(micros, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in the books before a month is settled."""

    advanced: Mapping[str, int]  # micros of advances posted so far, by party
    unrecouped: Mapping[str, int]  # micros of them not recouped yet, by recoupment name
    reserves: Sequence[Transaction]  # those not released yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What settling a month comes to, of one kind of transaction and one currency."""

    kind: TransactionKind  # a reversal releases a reserve
    transactions: int
    amount: Money


def by_kind(due: Iterable[Transaction]) -> list[Settlement]:
    """Sum what settles a month by kind, in the order in which it is settled."""
    found: defaultdict[tuple[TransactionKind, str], list[int]] = defaultdict(list)
    for each in due:
        debits = [side.amount for side in each.postings if side.amount.micros > 0]
        found[each.kind, debits[0].currency].append(sum(debit.micros for debit in debits))
    return [
        Settlement(kind=kind, transactions=len(micros), amount=Money(sum(micros), currency))
        for (kind, currency), micros in found.items()
    ]


def settle(
    earnings: Earnings, agreements: Sequence[Terms], standing: Standing
) -> list[Transaction]:
    """Write down what comes between earned and payable, in canonical order.

    `agreements` are all that the books hold, of any date: their advances count once they have
    begun, all else goes by the one that holds on the month's first day.
    """
    held = agreements_on(agreements, earnings.period.start)
    earnings = replace(earnings, micros=_netted(earnings.micros))
    advances = _advances(earnings.period, agreements, standing.advanced)
    ripe = _ripe(earnings.period, held, standing.reserves)
    reserved = _reserved(earnings, held)
    left = _left(earnings, ripe, reserved)
    paid_out: defaultdict[str, int] = defaultdict(int)
    for (_, name), micros in advances.items():
        paid_out[name] += micros
    recouped = _recouped(left, held, _sum(standing.unrecouped, paid_out))
    return [
        *(_advance(earnings, party, name, micros) for (party, name), micros in advances.items()),
        *(_release(earnings.period, each) for each in ripe),
        *(_reserve(earnings, party, parts) for party, parts in _by_party(reserved)),
        *(_recoupment(earnings, party, parts) for party, parts in _by_party(recouped)),
    ]


def agreements_on(agreements: Iterable[Terms], day: date) -> dict[str, Terms]:
    """Find each party's agreement of a day: the worldwide one, else its first territory's."""
    holding = (each for each in agreements if each.holds_on(day))
    preferred_last = sorted(
        holding, key=lambda each: (each.territory != WORLDWIDE, each.territory), reverse=True
    )
    return {each.party: each for each in preferred_last}


def _netted(micros: Amounts) -> dict[Earner, int]:
    """Reckon a party as one: what was taken away under one payee is less under its others."""
    netted = dict(sorted(micros.items()))
    for _, earners in groupby(list(netted), key=itemgetter(0)):
        keys = list(earners)
        for short in (key for key in keys if netted[key] < 0):
            for key in keys:
                part = min(max(netted[key], 0), -netted[short])
                netted[key] -= part
                netted[short] += part
    return netted


def _name(party: str, held: Mapping[str, Terms]) -> str:
    """Name the advances that a party's earnings recoup: its own, or those that it shares."""
    return held[party].recoupment or party


def _advances(
    period: Period, agreements: Iterable[Terms], advanced: Mapping[str, int]
) -> dict[tuple[str, str], int]:
    """Find what agreements begun by the month's end promise beyond what was posted: party, name.

    It goes to the name of the agreement that began last.
    """
    begun = [each for each in agreements if covers(each.valid_from, None, period.last_day)]
    promised: defaultdict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    for each in sorted(begun, key=lambda each: (each.valid_from or date.min, each.territory)):
        promised[each.party] += each.advance_micros
        if each.advance_micros:
            names[each.party] = each.recoupment or each.party
    due = {party: promised[party] - advanced.get(party, 0) for party in sorted(names)}
    return {(party, names[party]): micros for party, micros in due.items() if micros > 0}


def _ripe(
    period: Period, held: Mapping[str, Terms], reserves: Iterable[Transaction]
) -> list[Transaction]:
    """Find the reserves that are old enough. That of the month itself is not among them yet."""

    def is_ripe(kept: Transaction) -> bool:
        party = _kept_of(kept)
        months = held.get(party, Terms(party=party)).reserve_months
        return kept.period <= period.before(months)

    return sorted(filter(is_ripe, reserves), key=lambda kept: kept.key)


def _reserved(earnings: Earnings, held: Mapping[str, Terms]) -> dict[Earner, int]:
    """Keep back a part of what was earned, floored to the micro."""
    return {
        (party, payee): earned * held[party].reserve_ppm // PPM
        for (party, payee), earned in earnings.micros.items()
        if earned > 0 and party in held
    }


def _left(earnings: Earnings, ripe: Iterable[Transaction], reserved: Amounts) -> dict[Earner, int]:
    """Return earned + released - reserved: what recoupment can take."""
    released: defaultdict[Earner, int] = defaultdict(int)
    for kept in ripe:
        for posting in kept.postings:
            payee = payee_of(posting.account)
            if payee is not None and posting.amount.currency == earnings.currency:
                released[_kept_of(kept), payee] += posting.amount.micros  # it was a debit
    return _sum(earnings.micros, released, {key: -micros for key, micros in reserved.items()})


def _recouped(
    left: Amounts, held: Mapping[str, Terms], unrecouped: Mapping[str, int]
) -> dict[tuple[str, str, str], int]:
    """Recoup what is unrecouped from what is left, parties of one name in order of party.

    By party, payee and name: what was paid out under a party's own name comes back from it too,
    after its agreement has joined others under another. A party without an agreement recoups
    nothing.
    """
    owed, recouped = dict(unrecouped), {}
    for (party, payee), micros in sorted(left.items()):
        rest = micros
        for name in dict.fromkeys((_name(party, held), party)) if party in held else ():
            part = max(0, min(rest, owed.get(name, 0)))
            recouped[party, payee, name] = part
            owed[name] = owed.get(name, 0) - part
            rest -= part
    return recouped


def _advance(earnings: Earnings, party: str, name: str, micros: int) -> Transaction:
    paid = earnings.money(micros)
    sides = [Posting(account=advance(name), amount=paid), Posting(account=cash(), amount=-paid)]
    return _booked(earnings.period, "advance", party, sides, f"advance {name}, paid out")


def _release(period: Period, kept: Transaction) -> Transaction:
    undone = reverse(kept, period=period, effective_on=period.last_day)
    return replace(undone, memo=f"releases what was kept back of {kept.period}")


def _reserve(earnings: Earnings, party: str, parts: Parts) -> Transaction:
    sides = [
        Posting(account=account, amount=earnings.money(micros))
        for (payee,), kept in parts.items()
        for account, micros in ((payable(payee), kept), (reserve(payee), -kept))
    ]
    memo = f"kept back of what {party} earned in {earnings.period}"
    return _booked(earnings.period, "reserve", party, sides, memo)


def _recoupment(earnings: Earnings, party: str, parts: Parts) -> Transaction:
    taken, back = defaultdict[str, int](int), defaultdict[str, int](int)
    for (payee, name), micros in parts.items():
        taken[payable(payee)] += micros
        back[advance(name)] -= micros
    sides = [
        Posting(account=account, amount=earnings.money(micros))
        for account, micros in (*taken.items(), *back.items())
    ]
    names = ", ".join(dict.fromkeys(name for _, name in parts))
    return _booked(earnings.period, "recoupment", party, sides, f"{party} recoups advance {names}")


def _booked(
    period: Period, kind: TransactionKind, about: str, postings: Iterable[Posting], memo: str
) -> Transaction:
    return Transaction(
        kind=kind,
        key=f"{period}/{kind}/{about}",
        period=period,
        effective_on=period.last_day,
        postings=tuple(postings),
        memo=memo,
    )


def _by_party(amounts: Mapping[Any, int]) -> list[tuple[str, Parts]]:
    """Put amounts that are not zero in order: of each party, by the rest of what they are of."""
    parties: defaultdict[str, Parts] = defaultdict(dict)
    for (party, *rest), micros in sorted(amounts.items()):
        if micros:
            parties[party][tuple(rest)] = micros
    return list(parties.items())


def _sum(*amounts: Mapping[Key, int]) -> dict[Key, int]:
    sums: defaultdict[Key, int] = defaultdict(int)
    for each in amounts:
        for key, micros in each.items():
            sums[key] += micros
    return dict(sums)


def _kept_of(kept: Transaction) -> str:
    """Tell whose earnings a reserve was kept of: its key is `<period>/reserve/<party>`."""
    return kept.key.rpartition("/")[2]
