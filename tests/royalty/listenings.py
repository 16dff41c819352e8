"""A month's listening from oracle worlds: one pool each, and every track a payee of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from royalty.listening import Listening, Month, listen
from tests.oracle import World

Parts = Mapping[str, Mapping[str, float]]  # by track: the part of its money that payees have


def listening_of(*worlds: World, parts: Parts | None = None) -> Listening:
    """Bring worlds into arrays."""
    usage = [
        (pool, who, track, count)
        for pool, world in enumerate(worlds)
        for (who, track), count in world.plays.items()
    ]
    fees = [
        (pool, who, net) for pool, world in enumerate(worlds) for who, net in world.spent.items()
    ]
    owned = [
        (pool, track, payee, part)
        for pool, track in sorted({(pool, track) for pool, _, track, _ in usage})
        for payee, part in ({track: 1.0} if parts is None else parts[track]).items()
    ]
    return listen(
        Month(
            usage=_table({"listener": str, "track": str, "plays": int}, usage),
            revenue=_table({"listener": str, "net_micros": int}, fees),
            parts=_table({"track": str, "payee": str, "part": float}, owned),
            rates_ppm={pool: world.rate_ppm for pool, world in enumerate(worlds)},
        ),
        "EUR",
    )


def _table(columns: Mapping[str, type], rows: Sequence[tuple]) -> pa.Table:
    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema({name: types[kind] for name, kind in {"pool": int, **columns}.items()})
    return pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
    )
