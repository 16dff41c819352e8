"""A synthetic month as a workspace of the product, as if every file of it had been imported.

Rows are entered as the importers enter them; only their parsing is left out. Snapshots are the
month's own files, their rows in the order in which they were written.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Table

from benchmarks.months import CURRENCY, PERIOD, PROVIDER, PUBLISHING_PPM, ROYALTY_RATE_PPM, Month
from cli.setup import set_up
from cli.workspace import Settings, Workspace
from db import schema, snapshots
from db.engine import Books, now, writing
from royalty.catalogue import PPM

Rows = Iterator[dict[str, Any]]
LAPSED = date(2020, 1, 1)
_BATCH = 50_000


def write_workspace(home: Path, month: Month) -> Workspace:
    """Make a workspace in which a month waits to be divided; one that is there already stays."""
    workspace = Workspace(home=home)
    if workspace.settings_file.exists():
        return workspace
    rate = {"default": ROYALTY_RATE_PPM}
    set_up(workspace, Settings(publishing_ppm=PUBLISHING_PPM, royalty_rate_ppm=rate))
    books = workspace.books()
    _insert(books, schema.party, _parties(month))
    _insert(books, schema.terms, _terms(month))
    _insert(books, schema.work, _works(month))
    _insert(books, schema.recording, _recordings(month))
    _insert(books, schema.interest, _interests(month))
    _insert(books, schema.period, iter([{"id": PERIOD, "status": "open"}]))
    hashes = {name: _register(books, month, name) for name in ("usage", "revenue", "shares")}
    _insert(books, schema.period_input, _inputs(hashes))
    _insert(books, schema.period_revenue, _revenue(month, hashes["revenue"]))
    _insert(books, schema.track_share, _stated(month, hashes["shares"]))
    return workspace


def _insert(books: Books, table: Table, rows: Rows) -> None:
    stamp = {"recorded_at": now()} if "recorded_at" in table.columns else {}
    with writing(books) as connection:
        while batch := [row | stamp for row in islice(rows, _BATCH)]:
            connection.execute(table.insert(), batch)


def _parties(month: Month) -> Rows:
    """List parties, payees before those who are paid through them."""
    rows = pq.read_table(month.file("parties")).to_pylist()
    for row in sorted(rows, key=lambda row: row["party"] != row["payee"]):
        name = row["party"]
        yield {"id": name, "name": name, "kind": "artist", "payee": row["payee"]}


def _terms(month: Month) -> Rows:
    nothing = dict.fromkeys(
        ("advance_micros", "reserve_ppm", "minimum_payment_micros", "withholding_ppm"), 0
    )
    for row in pq.read_table(month.file("parties")).to_pylist():
        if row["rate_ppm"] < PPM:
            agreed = {"party": row["party"], "royalty_rate_ppm": row["rate_ppm"]}
            yield {**agreed, **nothing, "currency": CURRENCY}


def _works(month: Month) -> Rows:
    works = pq.read_table(month.file("recordings"), columns=["work"])["work"]
    for work in pc.unique(works).to_pylist():
        yield {"id": work}


def _recordings(month: Month) -> Rows:
    """List recordings; the licence of those that are not licensed ran out."""
    for row in pq.read_table(month.file("recordings")).to_pylist():
        named = {"id": row["recording"], "title": row["recording"]}
        ended = None if row["licensed"] else LAPSED
        of = {"artist": row["artist"], "work": row["work"]}
        yield {**named, **of, "placebo": False, "licensed_to": ended}


def _interests(month: Month) -> Rows:
    yield from pq.read_table(month.file("interests")).to_pylist()


def _register(books: Books, month: Month, kind: str) -> str:
    """Put a file among the snapshots, without copying it where that can be, and register it."""
    path = month.file(kind)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    place = books.home / "snapshots" / f"{sha256}.parquet"
    place.parent.mkdir(exist_ok=True)
    os.link(path, place)
    rows = pq.read_metadata(path).num_rows
    with writing(books) as connection:
        snapshots.register(connection, snapshots.Snapshot(sha256, kind, rows))
    return sha256


def _inputs(hashes: dict[str, str]) -> Rows:
    for kind in ("usage", "revenue"):
        yield {"period": PERIOD, "snapshot": hashes[kind], "kind": kind, "source": kind}


def _revenue(month: Month, sha256: str) -> Rows:
    net = pq.read_table(month.file("revenue"), columns=["net_micros"])["net_micros"]
    micros = pc.sum(net).as_py()
    yield {"period": PERIOD, "snapshot": sha256, "currency": CURRENCY, "micros": micros}


def _stated(month: Month, sha256: str) -> Rows:
    tracks = pq.read_table(month.file("shares"), columns=["track"])["track"]
    for track in pc.unique(tracks).to_pylist():
        stated = {"provider": PROVIDER, "track": track, "snapshot": sha256}
        yield {**stated, "content_sha256": "0" * 64, "unattributed_ppb": 0}
