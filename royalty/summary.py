"""What a division comes to: sums of payees, recordings and suspense, and what closing posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from ibis import Table

from royalty.ledger import Total
from royalty.money import Money
from royalty.rules.arithmetic import exact_sum

Run = Callable[[Table], pa.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A sum with its interval: low ends and high ends add up, so it is cautious."""

    micros: int = 0
    low_micros: int = 0
    high_micros: int = 0
    attributed_micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a period's postings come to; payees + suspense + platform = the pools."""

    payees: Mapping[str, Amount]
    recordings: Mapping[str, Amount]  # by use of tracks, whoever it went to; no unattributed money
    suspense: Mapping[str, int]  # unmatched, unclaimed
    platform_micros: int
    unattributed: Mapping[int, int]  # by pool: of which, in the sums above, was divided equally

    @property
    def micros(self) -> int:
        """All that was divided."""
        paid = sum(each.micros for each in self.payees.values())
        return paid + sum(self.suspense.values()) + self.platform_micros


def summarise(posted: Table, recordings: Table, run: Run) -> Summary:
    """Sum postings, and what each recording brought; in order of ids. `run` runs a table."""
    paid = posted.filter(posted.payee != "", (posted.micros > 0) | (posted.high_micros > 0))
    by_kind = posted.group_by("pool", "kind").agg(micros=exact_sum(posted.micros))
    kinds = run(by_kind).to_pylist()

    def micros(kind: str) -> int:
        return sum(row["micros"] for row in kinds if row["kind"] == kind)

    return Summary(
        payees=_amounts(run(_sums(paid, "payee")), "payee"),
        recordings=_amounts(
            run(recordings.mutate(attributed_micros=recordings.micros)), "recording"
        ),
        suspense={kind: micros(f"suspense_{kind}") for kind in ("unclaimed", "unmatched")},
        platform_micros=micros("platform"),
        unattributed={row["pool"]: row["micros"] for row in kinds if row["kind"] == "unattributed"},
    )


def totals(posted: Table, pools: Sequence[str], currency: str, run: Run) -> list[Total]:
    """List what closing posts, in canonical order; `pools` are the ids of the pools' numbers."""
    rows = run(posted.filter(posted.micros > 0)).to_pylist()
    rows.sort(key=lambda row: tuple(row[name] for name in ("pool", "payee", "right", "kind")))
    return [
        Total(
            pool=pools[row["pool"]],
            payee=row["payee"] or None,
            right=row["right"] or None,
            kind=row["kind"],
            amount=Money(row["micros"], currency),
        )
        for row in rows
    ]


def _sums(rows: Table, *by: str) -> Table:
    rows = rows.mutate(attributed_micros=rows.micros * (rows.kind == "attributed").cast("int64"))
    return rows.group_by(by).agg(
        **{name: exact_sum(rows[name]) for name in Amount.__dataclass_fields__}
    )


def _amounts(sums: pa.Table, key: str) -> dict[str, Amount]:
    sums = sums.sort_by(key)
    names = tuple(Amount.__dataclass_fields__)
    rows = zip(*(sums[name].to_pylist() for name in (key, *names)), strict=True)
    return {id_: Amount(**dict(zip(names, ends, strict=True))) for id_, *ends in rows}
