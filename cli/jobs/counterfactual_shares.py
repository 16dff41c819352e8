"""Shares of a month's tracks without some recordings: from evidence where it is here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
from ibis import Table

from cli.jobs.evidence import is_ours, read_paying
from cli.jobs.mappings import works_in
from cli.jobs.month import Month
from cli.workspace import Workspace
from db import snapshots
from royalty.counterfactual import shares_without, stated_without
from royalty.disputes import found_in
from royalty.errors import NotFound, NotReady
from royalty.shares import GATED_VERSION, Share

_SHARES = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("provider", "track", "recording")),
        *(pa.field(name, pa.int64()) for name in ("share_ppb", "low_ppb", "high_ppb")),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshared:
    """The shares of tracks without some recordings, and what they rest on."""

    table: Table  # provider, track, recording, share_ppb, low_ppb, high_ppb
    by_evidence: int  # tracks whose evidence was mapped again
    stated: int  # tracks of which only shares are known
    runs: frozenset[str]  # whose evidence it is


def reshared(
    workspace: Workspace, month: Month, tracks: Collection[str], removed: Collection[str]
) -> Reshared:
    """Share tracks of a month without some recordings.

    Where our evidence is what a track was paid by, it is mapped again; where other shares were
    stated, or that evidence is gone, what is removed is unattributed.
    """
    provider = month.provider
    rows: list[dict[str, Any]] = []
    runs: set[str] = set()
    counts = {True: 0, False: 0}
    for track, frozen in _frozen(month, tracks).items():
        document = _evidence(workspace, track, provider, frozen)
        counts[document is not None] += 1
        if document is None:
            found = stated_without(frozen, removed)
        else:
            runs |= {*document["runs"]}
            found = shares_without(frozen, works_in(document), removed)
        rows += [_row(provider, track, share) for share in found]
    return Reshared(
        table=ibis.memtable(pa.Table.from_pylist(rows, schema=_SHARES)),
        by_evidence=counts[True],
        stated=counts[False],
        runs=frozenset(runs),
    )


def _frozen(month: Month, tracks: Collection[str]) -> dict[str, list[Share]]:
    """Read the shares that the month is divided by, unattributed part last."""
    wanted = ibis.memtable(pa.table({"track": pa.array(sorted(tracks), pa.string())}))
    rows = snapshots.run(month.shares.semi_join(wanted, "track")).to_pylist()
    found: defaultdict[str, list[Share]] = defaultdict(list)
    for row in sorted(rows, key=_order):
        found[row["track"]].append(
            Share(
                recording=row["recording"],
                ppb=row["share_ppb"],
                low_ppb=row["low_ppb"],
                high_ppb=row["high_ppb"],
            )
        )
    return {track: _with_rest(shares) for track, shares in found.items()}


def _order(row: Mapping[str, Any]) -> tuple[str, bool, str]:
    return row["track"], row["recording"] is None, row["recording"] or ""


def _with_rest(shares: list[Share]) -> list[Share]:
    """Have an unattributed part last, where a provider who left nothing over stated none."""
    if shares[-1].recording is None:
        return shares
    return [*shares, Share(recording=None, ppb=0, low_ppb=0, high_ppb=0)]


def _evidence(
    workspace: Workspace, track: str, provider: str, frozen: Sequence[Share]
) -> Mapping[str, Any] | None:
    """Read the evidence that these very shares rest on; none where there is none."""
    if not is_ours(provider):
        return None
    try:
        _, document = read_paying(workspace, track, provider)
    except NotFound:
        return None
    if document["mapping"] != GATED_VERSION:
        raise NotReady(
            f"{track} was paid by the mapping {document['mapping']}, which cannot be worked out "
            f"again; this is {GATED_VERSION}"
        )
    same = _ppb(found_in(document).shares) == _ppb(frozen)
    return document if same else None


def _ppb(shares: Sequence[Share]) -> dict[str | None, int]:
    return {share.recording: share.ppb for share in shares if share.ppb}


def _row(provider: str, track: str, share: Share) -> dict[str, Any]:
    return {
        "provider": provider,
        "track": track,
        "recording": share.recording,
        "share_ppb": share.ppb,
        "low_ppb": share.low_ppb,
        "high_ppb": share.high_ppb,
    }
