"""Notes of a statement: plain sentences on what no sum can say.

What they rest on does not change once a month is closed: the snapshots that its payout names, and
agreements as they were known when it was closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select

from db import rights, schema, snapshots
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.payouts import decided
from db.queries.viewer import EVERYONE
from royalty.money import Money
from royalty.paying import Account, Carried, decide
from royalty.payout import Payout
from royalty.period import Period
from royalty.rights import Rights
from royalty.settlement import agreements_on
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
    return (
        _divided(paid, made_by),
        *_unlicensed(books, balance.payee, paid),
        *_carried(balance, _agreement(books, balance, paid.period)),
    )


def runs_of(books: Books, paid: Payout) -> tuple[str, ...]:
    """Name the runs whose models made a month's tracks: the versions that its shares explain."""
    played, track = schema.payout_track.c, schema.track.c
    joined = select(track.run).join(schema.payout_track, played.track == track.id)
    mine = joined.where(played.payout == paid.id, track.run.is_not(None)).distinct()
    with reading(books) as connection:
        return tuple(connection.scalars(mine.order_by(track.run)))


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
    with reading(books) as connection:
        named = select(schema.recording.c.id, schema.recording.c.title)
        titles = dict(connection.execute(named.where(schema.recording.c.id.in_(owed))).all())
    for recording, tracks in sorted(owed.items()):
        yield (
            f"'{titles[recording]}' ({recording}) earned nothing, though "
            f"{_counted(tracks, 'track')} owed it a share: {kept_back[recording]}."
        )


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
    wanted, played = sorted(recordings), {track.id for track in paid.tracks}
    if not wanted:
        return Counter()
    parts = [
        pq.read_table(
            snapshots.checked(books, each),
            columns=["track", "recording"],
            filters=(pc.field("recording").isin(wanted)) & (pc.field("share_ppb") > 0),
        )
        for each in shares
    ]
    stated = pa.concat_tables(parts).to_pylist() if parts else []
    pairs = {(row["track"], row["recording"]) for row in stated if row["track"] in played}
    return Counter(recording for _, recording in pairs)


def _agreement(books: Books, balance: Balance, period: Period) -> Terms | None:
    """Find a payee's own agreement, as it was known when the month was closed."""
    agreed, at = schema.terms.c, balance.closed_at
    known = (agreed.recorded_at <= at) & (agreed.recorded_to.is_(None) | (agreed.recorded_to > at))
    mine = select(schema.terms).where(agreed.party == balance.payee, known).order_by(agreed.id)
    with reading(books) as connection:
        found = [noun(Terms, row) for row in connection.execute(mine)]
    own = agreements_on(found, period.start).get(balance.payee)
    # A rate of exchange is looked up when money is paid, and decides nothing before that.
    return None if own is None else replace(own, currency=balance.closing.currency)


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
