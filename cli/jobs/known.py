"""What is known now of a month that was closed: what came late, was corrected or was restated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from ibis import Table

from cli.jobs.given import Given, given_then, rates_now
from db import queries, rights, snapshots
from db.books.restatements import rates_used
from db.engine import Books
from db.queries import EVERYONE, Payout
from royalty.fx import FxRate
from royalty.period import Period
from royalty.restatement import changes, share_changes
from royalty.rights import Rights

Kept = dict[str, Sequence[str]]  # kind → snapshots
_NAMED = 3  # recordings


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNow:
    """All that would decide a closed month now, and what of it decides otherwise than it did."""

    given: Given
    changes: tuple[str, ...]  # in plain words, since the month was closed or last restated
    kept_back: tuple[str, ...] = ()  # which recordings earn nothing any more, and why

    @property
    def inputs(self) -> Kept:
        """Name the snapshots that would decide, by kind; those of rights may not be kept yet."""
        return {**self.given.inputs, **rights.hashes(self.given.rights)}


def known_now(books: Books, paid: Payout) -> KnownNow:
    """Gather what would decide a closed month now, under the settings that it was closed with.

    Usage and revenue are its own with what came late; the shares of its tracks are as corrected;
    rights are as recorded now for its first day, but who is paid for whom as it was then: a payee
    who was paid stays paid. What the catalogue did not have when it closed takes part only where
    such shares name it. A currency stays at the rate that it was converted at, when the month was
    closed or adjusted; only one that the month did not have takes the latest. Earlier months count
    towards thresholds as they did.
    Raises `NotReady` where nothing tells what the month was closed with.
    """
    then = given_then(books, paid)
    currency = then.settings.currency or paid.pools[0].amount.currency
    then = replace(then, settings=replace(then.settings, currency=currency))
    inputs = _with_late(books, then, paid.period)
    played = _played(books, inputs)
    stated = _stated_since(books, then, paid.period, played)
    inputs["shares"] = [*then.inputs["shares"], *stated]
    now = Given(
        settings=then.settings,
        provider=then.provider,
        inputs=inputs,
        rights=_rights_now(books, then, paid.period, inputs["shares"], played),
        rates=_rates(books, then, paid.period),
    )
    before = queries.restated_by(EVERYONE, books, paid.period)
    if not before:
        used = queries.decided(EVERYONE, books, paid)
        before = used.inputs | used.rights
    since = stated.keys() - {*before["shares"]}
    anew = [each for sha256 in since for each in stated[sha256]]
    known = KnownNow(given=now, changes=())
    kept_back = _kept_back(rights.read(books, before), known.given.rights)
    said = (*changes(before, known.inputs), *share_changes(anew))
    return replace(known, changes=said, kept_back=tuple(kept_back))


def _rates(books: Books, then: Given, period: Period) -> dict[str, FxRate]:
    """Find each currency's rate: the one that the month was converted at, else the latest known."""
    used = rates_used(books, period)
    posted = {each.base: each for each in queries.rates(EVERYONE, books) if each.id in used}
    return {**rates_now(books, then.settings, period), **posted, **then.rates}


def _with_late(books: Books, then: Given, period: Period) -> Kept:
    late = queries.late(EVERYONE, books, period)
    inputs = dict(then.inputs)
    return inputs | {kind: [*inputs.get(kind, ()), *hashes] for kind, hashes in late.items()}


def _played(books: Books, inputs: Kept) -> Table:
    """List the tracks that were played in a month, or that money was booked against."""
    tracks = [
        snapshots.table(books, kind, inputs.get(kind, [])).select("track")
        for kind in ("usage", "revenue")
    ]
    named = snapshots.run(ibis.union(*tracks, distinct=True))
    return ibis.memtable(named)


def _stated_since(
    books: Books, then: Given, period: Period, played: Table
) -> dict[str, list[tuple[str, int]]]:
    """Find shares of the month's tracks that were stated since: track and version, by snapshot."""
    given = queries.inputs(EVERYONE, books, period).shares.get(then.provider, [])
    found = {}
    for sha256 in sorted(set(given) - set(then.inputs["shares"])):
        rows = snapshots.table(books, "shares", [sha256])
        mine = rows.filter(rows.provider == then.provider).semi_join(played, "track")
        versions = snapshots.run(mine.select("track", "version").distinct()).to_pylist()
        if versions:
            found[sha256] = [(row["track"], row["version"]) for row in versions]
    return found


def _rights_now(
    books: Books, then: Given, period: Period, shares: Sequence[str], played: Table
) -> Rights:
    """Read rights as recorded now, of what the catalogue had then or shares of the month name."""
    now = queries.rights(EVERYONE, books, period.start)
    now = replace(now, payees=_payees_then(then.rights.payees, now.payees))
    known = then.rights.recordings["recording"]
    if not _besides(now.recordings["recording"], known):
        return now
    rows = queries.shares_in(EVERYONE, books, then.provider, shares).semi_join(played, "track")
    named = snapshots.run(rows.filter(rows.recording.notnull()).select("recording").distinct())
    return _narrowed(then.rights, now, _together(known, named["recording"]))


def _kept_back(before: Rights, now: Rights) -> list[str]:
    """Say which recordings are not licensed any more for the month, and why; some of many."""
    licensed = before.recordings.filter(before.recordings["licensed"])["recording"]
    gone = now.recordings.filter(pc.invert(now.recordings["licensed"]))
    gone = _among(gone, "recording", licensed.combine_chunks()).sort_by("recording")
    rows = gone.slice(0, _NAMED).to_pylist()
    more = [f"and {len(gone) - _NAMED} more recordings"] if len(gone) > _NAMED else []
    return [f"{row['recording']} earns nothing: {row['why']}" for row in rows] + more


def _payees_then(then: pa.Table, now: pa.Table) -> pa.Table:
    """Leave who is paid for whom as it was; parties that came since are paid as recorded now."""
    since = now.filter(pc.invert(pc.is_in(now["party"], value_set=then["party"].combine_chunks())))
    return pa.concat_tables([then, since]).sort_by("party")


def _besides(names: pa.ChunkedArray, known: pa.ChunkedArray) -> bool:
    return not pc.all(pc.is_in(names, value_set=known.combine_chunks())).as_py()


def _narrowed(then: Rights, now: Rights, known: pa.Array) -> Rights:
    """Leave only rights in known recordings and their works, and those who hold them."""
    recordings = _among(now.recordings, "recording", known)
    subjects = (then.interests["subject"], recordings["recording"], recordings["work"])
    interests = _among(now.interests, "subject", _together(*subjects))
    parties = _together(then.payees["party"], interests["party"])
    return Rights(
        recordings=recordings,
        interests=interests,
        payees=_among(now.payees, "party", parties),
        rates=_among(now.rates, "party", _together(parties, then.rates["party"])),
    )


def _among(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table[name], value_set=values))


def _together(*columns: pa.ChunkedArray | pa.Array) -> pa.Array:
    return pa.array(sorted({name for each in columns for name in each.to_pylist()}), pa.string())
