# ruff: noqa: E501  one case a line reads best
"""The smallest month: two recordings, two artists (one paid through a label), two tracks, 20 euros.

Of 20.00 that came in, 10.00 are divided. The allocations are written out by hand, so that every
expectation in these tests can be checked by looking.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from db import queries, rights, snapshots
from db.books.closing import Closing, close
from db.books.payouts import PayoutFacts, PoolFacts, record_payout
from db.books.runs import RunFacts, record_run
from db.books.tracks import TrackFacts, record_tracks
from db.engine import Books
from db.intake import catalogue, revenue, shares, usage
from royalty.ledger import PoolMoney, Total, Transaction, closing_transactions
from royalty.money import Money
from royalty.period import Period

OCTOBER = Period(2026, 10)
NOVEMBER = Period(2026, 11)
POOL = "2026-10/app/DE/EUR"
RULE = "pro_rata"

RECORDINGS = (
    "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n"
    "r1,DEA122600001,Harbour Lights,ann,w1,T-034.524.680-1,,,\n"
    "r2,,Paper Boats,bob,,,,2026-01-01,\n"
)
PARTIES = "id,name,kind,ipi,isni,payee\nann,Ann,artist,00052210040,,lab\nbob,Bob,artist,,,\nlab,Lab,label,,,\n"
INTERESTS = (
    "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n"
    "recording,r1,master,ann,1000000,,,\n"
    "recording,r2,master,bob,800000,WW,,\n"
)
TERMS = (
    "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
    "valid_from,valid_to\nann,900000,,,,,,,\n"
)
USAGE = (
    "period,listener,track,source,territory,plays\n2026-10,u1,t1,app,DE,8\n2026-10,u2,t2,app,DE,2\n"
)
REVENUE = (
    "period,listener,source,territory,currency,net\n"
    "2026-10,u1,app,DE,EUR,12.50\n2026-10,u2,app,DE,EUR,7.5\n"
)
SHARES = (
    "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
    "t1,r1,600000000,500000000,700000000,ours\n"
    "t1,r2,300000000,200000000,400000000,ours\n"
    "t1,,100000000,,,ours\n"
)

_COLUMNS = tuple(snapshots.SCHEMAS["allocations"].names)
_ROWS = (
    ("t1", "r1", "w1", "master", "ann", "lab", "attributed", 8, 6, 5, 7, 10, 45, 37, 53),
    ("t1", "r1", "w1", "master", "ann", None, "platform", 8, 6, 5, 7, 10, 5, 5, 5),
    ("t1", "r2", "r2", "master", "bob", "bob", "attributed", 8, 3, 2, 4, 8, 20, 10, 30),
    ("t1", "r2", "r2", "master", None, None, "suspense_unclaimed", 8, 3, 2, 4, 2, 5, 5, 5),
    ("", "r1", "w1", "master", "ann", "lab", "unattributed", 0, 0, 0, 0, 10, 9, 9, 9),
    ("", "r1", "w1", "master", "ann", None, "platform", 0, 0, 0, 0, 10, 1, 1, 1),
    ("", "r2", "r2", "master", "bob", "bob", "unattributed", 0, 0, 0, 0, 8, 10, 10, 10),
    ("t2", None, None, None, None, None, "suspense_unmatched", 2, 0, 0, 0, 0, 5, 5, 5),
)
_UNITS = (1, 10**8, 10**8, 10**8, 10**5, 10**5, 10**5, 10**5)  # plays, shares, interest, money


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def with_catalogue(books: Books, folder: Path) -> Books:
    """Import the catalogue."""
    files = {
        "recordings.csv": RECORDINGS,
        "parties.csv": PARTIES,
        "interests.csv": INTERESTS,
        "terms.csv": TERMS,
    }
    catalogue.record(books, catalogue.read_catalogue(write(folder / "catalogue", files)), {})
    return books


def with_month(books: Books, folder: Path) -> Books:
    """Import the catalogue and October, made by a recorded run."""
    with_catalogue(books, folder)
    write(folder, {"usage.csv": USAGE, "revenue.csv": REVENUE, "shares.csv": SHARES})
    record_run(books, run())
    record_tracks(books, [track("t1")])
    shares.record(books, folder / "shares.csv")
    usage.record(books, folder / "usage.csv")
    revenue.record(books, folder / "revenue.csv")
    return books


def with_payout(books: Books, folder: Path) -> Books:
    """Import and compute October."""
    record_payout(with_month(books, folder), payout_facts(books))
    return books


def with_closed(books: Books, folder: Path) -> Books:
    """Import, compute and close October."""
    close_october(with_payout(books, folder))
    return books


def close_october(books: Books) -> Closing:
    """Close October with what it pays."""
    return close(books, OCTOBER, RULE, transactions(), f"{OCTOBER}/{RULE}")


def run() -> RunFacts:
    """One training run on both recordings."""
    return RunFacts(
        id="run-1",
        card_sha256="c" * 64,
        created_at_iso="2026-10-01T00:00:00Z",
        parameters=400_000,
        recordings=("r1", "r2"),
        placebos=(),
        summary="200 spans",
    )


def track(id_: str, **facts: object) -> TrackFacts:
    """One track of that run."""
    plain = {
        "title": f"Track {id_}",
        "run": "run-1",
        "seed": 7,
        "duration_ms": 30_000,
        "midi": f"tracks/{id_}.mid",
        "audio_sha256": None,
        "created_at": "2026-10-02T00:00:00Z",
    }
    return TrackFacts(id=id_, **plain | facts)  # type: ignore[arg-type]


def allocations() -> pa.Table:
    """Make October's allocations; money in tenths of a euro above, in micros here."""
    rows = [
        (POOL, *row[:7], *(n * u for n, u in zip(row[7:], _UNITS, strict=True))) for row in _ROWS
    ]
    return pa.Table.from_pylist(
        [dict(zip(_COLUMNS, row, strict=True)) for row in rows],
        schema=snapshots.SCHEMAS["allocations"],
    )


def payout_facts(books: Books, **changed: object) -> PayoutFacts:
    """Sum October's allocations as a payout."""
    period = changed.get("period", OCTOBER)
    assert isinstance(period, Period)
    given = queries.inputs(queries.EVERYONE, books, period)
    facts = {
        "period": OCTOBER,
        "rule": RULE,
        "rule_version": "pro_rata-1",
        "provider": "ours",
        "publishing_ppm": 0,
        "snapshot": snapshots.write(books, "allocations", allocations()),
        "inputs": {
            "usage": given.usage,
            "revenue": given.revenue,
            "shares": given.shares.get("ours", []),
            **rights.keep(books, queries.rights(queries.EVERYONE, books, period.start)),
        },
        "pools": [
            PoolFacts(
                id=POOL,
                source="app",
                territory="DE",
                currency="EUR",
                gross_micros=20_000_000,
                pool_micros=10_000_000,
                idle_micros=0,
                unattributed_micros=1_900_000,
            )
        ],
        "payees": [
            ("bob", 3_000_000, 2_000_000, 4_000_000, 2_000_000),
            ("lab", 5_400_000, 4_600_000, 6_200_000, 4_500_000),
        ],
        "tracks": [("t1", 8, 9_500_000), ("t2", 2, 500_000)],
        "recordings": [
            ("r1", 4_500_000, 3_700_000, 5_300_000),
            ("r2", 2_000_000, 1_000_000, 3_000_000),
        ],
        "suspense": {"unclaimed": 500_000, "unmatched": 500_000},
        "platform_micros": 600_000,
    }
    return PayoutFacts(**facts | changed)  # type: ignore[arg-type]


def transactions() -> list[Transaction]:
    """Make what closing October posts."""
    rows = allocations().to_pylist()
    totals = [
        Total(
            pool=row["pool"],
            payee=row["payee"],
            right=row["right"],
            kind=row["kind"],
            amount=Money(row["micros"], "EUR"),
        )
        for row in rows
    ]
    pool = PoolMoney(id=POOL, gross=Money(20_000_000, "EUR"), amount=Money(10_000_000, "EUR"))
    return closing_transactions(OCTOBER, [pool], totals)


def table(rows: list[dict[str, str]]) -> pa.Table:
    """Make a table of texts, as a file would give it."""
    return pa.Table.from_pylist(rows)
