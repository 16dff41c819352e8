"""What explains an amount: lines of allocations, one party's part of one recording in one track."""

from __future__ import annotations

import ibis
import pyarrow as pa
from ibis import Table

TEXTS = ("pool", "track", "recording", "work", "right", "party", "payee", "kind")
AMOUNTS = ("micros", "low_micros", "high_micros")
SHARE = ("share_ppb", "low_ppb", "high_ppb")
# Money owed to one party, or where else it went. `track` is empty for money of the whole pool:
# unattributed, or fixed by the rule. `payee` is null for suspense and for the platform; `party`
# then says whose terms kept the money back, and is null for suspense. `right` is null where money
# went to suspense before rights came into it.
SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in TEXTS),
        *(pa.field(name, pa.int64()) for name in ("plays", *SHARE, "interest_ppm", *AMOUNTS)),
    ]
)
POSTING = ("pool", "payee", "right", "kind")  # what lines add up to
BLANK = ("recording", "work", "right", "party", "payee")  # null in lines where there is none
_UNCERTAIN = ("attributed", "unattributed")  # kinds whose amounts carry intervals


def bounded(rows: Table) -> Table:
    """Make intervals wide enough to hold their amounts; what is certain has none."""
    certain = rows.kind.notin(_UNCERTAIN)
    low = ibis.least(rows.low_micros, rows.micros)
    high = ibis.greatest(rows.high_micros, rows.micros)
    return rows.mutate(
        low_micros=certain.ifelse(rows.micros, low), high_micros=certain.ifelse(rows.micros, high)
    )


def stated(rows: Table) -> Table:
    """Bring lines into `SCHEMA`; those that say nothing are left out."""
    rows = rows.filter((rows.micros > 0) | (rows.high_micros > 0))
    return rows.mutate(**{name: rows[name].nullif("") for name in BLANK}).select(*SCHEMA.names)
