"""Keys of large tables: which come twice, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db.intake.sheets import ROW, for_each


def repeated(table: pa.Table, keys: Sequence[str]) -> list[list[int]]:
    """Find the keys that come more than once, and the rows of each.

    Equal keys have equal hashes. So without two equal hashes all is said, and else only the rows
    that share one are compared.
    """
    hashes, rows = _hashes(table, keys)
    ordered = np.sort(hashes)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return []
    suspects = pa.array(rows[np.isin(hashes, twice)])
    same = table.filter(pc.is_in(table[ROW], value_set=suspects)).group_by(list(keys))
    lists = same.aggregate([(ROW, "list")])[f"{ROW}_list"].to_pylist()
    return [sorted(each) for each in lists if len(each) > 1]


def in_order(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Sort a table by columns of text that no two rows share.

    A text's place among those of its column is a number, and a row's places together are one
    number, which is sorted in a fraction of the time that texts take.
    """
    codes, texts = zip(*for_each(_places, [table[name] for name in keys]), strict=True)
    if prod(max(len(each), 1) for each in texts) >= 2**63:
        return table.sort_by([(name, "ascending") for name in keys])
    place = np.zeros(len(table), np.int64)
    for code, column in zip(codes, texts, strict=True):
        place *= len(column)
        place += code
    order = np.argsort(place)
    sorted_keys = {
        name: column.take(pa.array(code[order]))
        for name, code, column in zip(keys, codes, texts, strict=True)
    }
    others = [name for name in table.column_names if name not in keys]
    return pa.table(sorted_keys | {name: table[name].take(pa.array(order)) for name in others})


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """Return the DuckDB that looks at tables in memory; each question has a cursor of its own."""
    return duckdb.connect(config={"threads": pa.cpu_count()})


def _hashes(table: pa.Table, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    with engine().cursor() as connection:
        rows = connection.from_arrow(table.select([*keys, ROW]))
        columns = ", ".join(f'"{name}"' for name in keys)
        found = rows.project(f'hash({columns}) as hash, "{ROW}"').fetchnumpy()
    return found["hash"], found[ROW]


def _places(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """Return each cell's place among the texts of its column, and these in order."""
    encoded = column.dictionary_encode().combine_chunks()
    order = pc.sort_indices(encoded.dictionary)
    places = np.empty(len(order), np.int64)
    places[order.to_numpy()] = np.arange(len(order))
    return places[encoded.indices.to_numpy()], encoded.dictionary.take(order)
