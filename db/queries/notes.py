"""Notes of a statement: plain sentences on what no sum can say.

What they rest on does not change once a month is closed: the snapshots that its payout names, and
agreements as they were known when it was closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pyarrow.compute as pc
from sqlalchemy import select

from db import rights, schema, snapshots
from db.engine import Books, reading
from db.queries.ledger import stood
from db.queries.nouns import noun
from db.queries.payouts import decided
from db.queries.restatements import RestatementRow, restatements
from db.queries.viewer import EVERYONE
from db.queries.windows import among
from royalty.catalogue import PPM, WORLDWIDE
from royalty.ledger import advance
from royalty.money import Money
from royalty.paying import Account, Carried, decide
from royalty.payout import Payout
from royalty.period import Period
from royalty.rights import Rights
from royalty.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a payee's account stood over one period."""

    payee: str
    closed_at: str
    opening: Money
    paid: bool  # whether anything was, within the period
    closing: Money


def notes(books: Books, balance: Balance, paid: Payout, made_by: Sequence[str]) -> tuple[str, ...]:
    """Say how a statement's shares came about, what earned nothing, and what is carried forward.

    `made_by` are the runs that `runs_of` names.
    """
    held = _agreements(books, balance, paid.period)
    return (
        _divided(paid, made_by),
        *_agreed(books, balance, paid.period, held),
        *_unlicensed(books, balance.payee, paid),
        *_taken_back(books, balance, paid.period),
        *_carried(balance, held[0] if held else None),
    )


def runs_of(books: Books, paid: Payout) -> tuple[str, ...]:
    """Name the runs whose models made a month's tracks: the versions that its shares explain."""
    played, track = schema.payout_track.c, schema.track.c
    made = (track.run == schema.run.c.id) & (played.payout == paid.id)
    # One played track of a run is enough: a million need not be looked at.
    one = select(track.id).join(schema.payout_track, played.track == track.id).where(made)
    with reading(books) as connection:
        runs = select(schema.run.c.id).where(one.exists()).order_by(schema.run.c.id)
        return tuple(connection.scalars(runs))


def _divided(paid: Payout, made_by: Sequence[str]) -> str:
    version = "" if paid.rule_version == paid.rule else f" ({paid.rule_version})"
    by = f"Divided by {paid.rule}{version}, by the shares that '{paid.provider}' states"
    if not made_by:
        return f"{by}; the tracks came from elsewhere."
    several = "s" if len(made_by) > 1 else ""
    return f"{by}; the tracks were made by the model of run{several} {', '.join(made_by)}."


def _unlicensed(books: Books, payee: str, paid: Payout) -> Iterator[str]:
    """Say which recordings tracks owed a share to and that yet earned nothing, and why."""
    used = decided(EVERYONE, books, paid)
    if not used.rights:
        return  # the month was closed before rights were kept with it
    kept_back = _kept_back(rights.read(books, used.rights), payee)
    owed = _owed(books, used.inputs.get("shares", []), paid, kept_back)
    titles = _titles(books, owed)
    for recording, tracks in sorted(owed.items()):
        yield (
            f"'{titles[recording]}' ({recording}) earned nothing, though "
            f"{_counted(tracks, 'track')} owed it a share: {kept_back[recording]}."
        )


def _taken_back(books: Books, balance: Balance, period: Period) -> Iterator[str]:
    """Say which recordings lost what they had earned, by adjustments posted in a month, and why."""
    for each in restatements(EVERYONE, books, posted_in=period):
        kept_back = _kept_back_since(books, each, balance.payee)
        lost = _earned(books, each.before, balance.payee, kept_back)
        titles = _titles(books, lost)
        for recording, micros in sorted(lost.items()):
            yield (
                f"'{titles[recording]}' ({recording}) earns nothing in {each.period} any more: "
                f"{kept_back[recording]}. The correction of {each.period} takes back what it had "
                f"earned, {Money(micros, balance.closing.currency)}."
            )


def _kept_back_since(books: Books, restated: RestatementRow, payee: str) -> dict[str, str]:
    """Say why recordings of a payee were not licensed when a month was divided again."""
    part = schema.restatement_input.c
    mine = select(part.kind, part.snapshot).where(part.restatement == restated.id)
    with reading(books) as connection:
        rows = connection.execute(mine.where(part.kind.in_(rights.KINDS.values()))).all()
    if not rows:
        return {}
    return _kept_back(rights.read(books, {kind: [sha256] for kind, sha256 in rows}), payee)


def _earned(books: Books, snapshot: str, payee: str, recordings: Iterable[str]) -> Counter[str]:
    """Sum what these recordings brought a payee, by allocations; those that brought nothing not."""
    wanted, sums = list(recordings), Counter[str]()
    if not wanted:
        return sums
    rows = snapshots.matching(books, snapshot, payee=[payee], recording=wanted)
    for row in rows.to_pylist():
        sums[row["recording"]] += row["micros"]
    return +sums


def _titles(books: Books, recordings: Iterable[str]) -> dict[str, str]:
    of = schema.recording.c
    named = select(of.id, of.title).where(of.id.in_(sorted(recordings)))
    with reading(books) as connection:
        return {row.id: row.title for row in connection.execute(named)}


def _kept_back(held: Rights, payee: str) -> dict[str, str]:
    """Say why recordings that parties of a payee hold an interest in were not licensed."""
    parties = held.payees.filter(pc.equal(held.payees["payee"], payee))["party"]
    mine = pc.is_in(held.interests["party"], value_set=parties.combine_chunks())
    subjects = set(held.interests.filter(mine)["subject"].to_pylist())
    out = held.recordings.filter(pc.invert(held.recordings["licensed"])).to_pylist()
    return {
        row["recording"]: row["why"] for row in out if {row["recording"], row["work"]} & subjects
    }


def _owed(
    books: Books, shares: Iterable[str], paid: Payout, recordings: Iterable[str]
) -> Counter[str]:
    """Count, of each of these recordings, the month's tracks that state a share of it."""
    wanted = list(recordings)
    if not wanted:
        return Counter()
    pairs = {
        (row["track"], row["recording"])
        for each in shares
        for row in snapshots.matching(books, each, recording=wanted).to_pylist()
        if row["share_ppb"] > 0
    }
    of = schema.payout_track.c
    mine = select(of.track).where(of.payout == paid.id)
    with reading(books) as connection:
        rows = among(connection, mine, of.track, sorted({track for track, _ in pairs}))
    played = {row.track for row in rows}
    return Counter(recording for track, recording in pairs if track in played)


def _agreements(books: Books, balance: Balance, period: Period) -> list[Terms]:
    """List a payee's own agreements of a month's first day, as known when the month was closed.

    The worldwide one is first; another has a territory of its own.
    """
    agreed, at = schema.terms.c, balance.closed_at
    known = (agreed.recorded_at <= at) & (agreed.recorded_to.is_(None) | (agreed.recorded_to > at))
    mine = select(schema.terms).where(agreed.party == balance.payee, known).order_by(agreed.id)
    with reading(books) as connection:
        found = [noun(Terms, row) for row in connection.execute(mine)]
    held = [each for each in found if each.holds_on(period.start)]
    # A rate of exchange is looked up when money is paid, and decides nothing before that.
    own = [replace(each, currency=balance.closing.currency) for each in held]
    return sorted(own, key=lambda each: (each.territory != WORLDWIDE, each.territory))


def _agreed(books: Books, balance: Balance, period: Period, held: Sequence[Terms]) -> Iterator[str]:
    """Say what was agreed with a payee, where that is more than to be paid all that it earns."""
    if not held:
        return
    said = [*_rates(held), *_unrecouped(books, balance, period, held[0]), *_kept_and_paid(held[0])]
    if said:
        yield f"By the agreement in force on {period.start}, {'; '.join(said)}."


def _rates(held: Sequence[Terms]) -> Iterator[str]:
    if all(each.royalty_rate_ppm == PPM for each in held):
        return
    each_rate = (
        f"{_percent(each.royalty_rate_ppm)}{_where(each)}"
        f"{' or the best rate of another party' if each.most_favoured else ''}"
        for each in held
    )
    yield f"the rate is {', '.join(each_rate)} of what its works and recordings bring"


def _where(terms: Terms) -> str:
    return "" if terms.territory == WORLDWIDE else f" in {terms.territory}"


def _unrecouped(books: Books, balance: Balance, period: Period, agreed: Terms) -> Iterator[str]:
    """Say what of its advances was not recouped when the month ended."""
    account = advance(agreed.recoupment or balance.payee)
    with reading(books) as connection:
        left = stood(connection, account, balance.closing.currency, period)
    if left.micros > 0:
        shared = f", shared under '{agreed.recoupment}'" if agreed.recoupment else ""
        yield f"{left} of advances are left to recoup{shared}"


def _kept_and_paid(agreed: Terms) -> Iterator[str]:
    if agreed.reserve_ppm:
        months = _counted(agreed.reserve_months, "month")
        yield f"{_percent(agreed.reserve_ppm)} is kept in reserve for {months}"
    if agreed.minimum_payment_micros:
        yield f"nothing under {Money(agreed.minimum_payment_micros, agreed.currency)} is paid"
    if agreed.withholding_ppm:
        whom = f" for {agreed.jurisdiction}" if agreed.jurisdiction else ""
        yield f"{_percent(agreed.withholding_ppm)} tax is withheld{whom} when it is paid"


def _percent(ppm: int) -> str:
    """Write a part as people read it, as exactly as it was agreed: `12.5 %`."""
    return f"{Decimal(ppm) / 10_000:f} %"


def _carried(balance: Balance, agreement: Terms | None) -> Iterator[str]:
    """Say why nothing was paid, and why what is owed now would not be."""

    def why_not(stood: Money) -> str:
        found = decide(Account(payee=balance.payee, balance=stood, agreement=agreement))
        return found.why if isinstance(found, Carried) else ""

    if not balance.paid and not balance.opening.micros:
        yield "Nothing was paid in the month: nothing was owed when it began."
    elif not balance.paid and (why := why_not(balance.opening)):
        yield f"Nothing was paid of the opening balance: {why}."
    if balance.closing.micros and (why := why_not(balance.closing)):
        yield f"The closing balance is carried forward: {why}."


def _counted(count: int, things: str) -> str:
    return f"{count:,} {things}{'s' if count > 1 else ''}"
