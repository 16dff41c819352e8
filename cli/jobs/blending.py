"""Divide a month by a blend of rules, out of what each of them divides. Plain rules pass through.

A blend comes out as any division does, so that it is previewed, compared, closed and stated alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pyarrow as pa
from ibis import Table

from cli.jobs.dividing import Division, divide, stated
from cli.jobs.month import Month
from db import snapshots
from royalty.allocation import Pool
from royalty.blend import (
    Blend,
    Ends,
    blended,
    blended_tracks,
    is_blend,
    mixed,
    postings_of,
    weights,
)
from royalty.errors import NotReady
from royalty.lines import AMOUNTS
from royalty.rules import RULES
from royalty.summary import summarise

RECORDINGS = pa.schema([("recording", pa.string()), *((name, pa.int64()) for name in AMOUNTS)])


def refusal(month: Month, rule: str) -> str:
    """Say why a rule, or a rule of a blend, cannot divide a month; nothing where all can."""
    for name in weights(rule):
        if why := month.refusal(name):
            return f"{name} cannot, since {why}" if is_blend(rule) else why
    return ""


def version(month: Month, rule: str) -> str:
    """Say what decides where a rule or blend divides a month."""
    return "; ".join(stated(month, name) for name in weights(rule))


def divide_by(month: Month, rule: str) -> Division:
    """Divide a month by a rule or blend. Raises `NotReady` where a rule of it cannot divide it."""
    if why := refusal(month, rule):
        raise NotReady(f"{rule} cannot divide {month.period}: {why}")
    if not is_blend(rule):
        return divide(month, rule)
    blend = Blend.parse(rule)
    parts = {name: divide(month, name) for name in blend.weights_ppm}
    lines = snapshots.hold(blended(blend, {name: each.rows for name, each in parts.items()}))
    posted = snapshots.hold(_numbered(postings_of(lines), month))
    summary = summarise(posted, _recordings(blend, parts), snapshots.run)
    assert summary.micros == sum(pool.amount.micros for pool in month.pools), "micros were lost"
    return Division(
        month=month,
        rule=rule,
        version=version(month, rule),
        by_track=blended_tracks(blend, {name: each.by_track for name, each in parts.items()}),
        rows=lines,
        posted=posted,
        summary=summary,
    )


def played_ppm(month: Month, pool: Pool, rule: str) -> int:
    """Say what part of a pool is divided by plays: only of that can money be idle."""
    return sum(
        ppm
        for name, ppm in weights(rule).items()
        if RULES[month.rule_of(pool, name)].divides == "plays"
    )


def _numbered(postings: Table, month: Month) -> Table:
    """Give pools the numbers that a division gives them, in place of their ids."""
    places = [{"id": pool.id, "place": place} for place, pool in enumerate(month.pools)]
    named = postings.join(ibis.memtable(pa.Table.from_pylist(places)), [("pool", "id")])
    return named.drop("pool", "id").rename(pool="place")


def _recordings(blend: Blend, parts: Mapping[str, Division]) -> Table:
    """Blend what tracks brought each recording, whoever got it."""
    found = mixed(blend, {name: _ends(each) for name, each in parts.items()})
    rows = [(recording, *ends) for recording, ends in found.items()]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * len(RECORDINGS)
    return ibis.memtable(pa.table(columns, schema=RECORDINGS))


def _ends(division: Division) -> dict[str, Ends]:
    return {
        recording: (each.micros, each.low_micros, each.high_micros)
        for recording, each in division.summary.recordings.items()
    }
