from pathlib import Path
from unittest.mock import patch

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from db import schema, snapshots
from db.engine import Books, reading
from db.snapshots import _sha256
from royalty.errors import NotFound

ROWS = pa.table(
    {
        "plays": pa.array([3, 1, 2], pa.int32()),
        "period": ["2026-10"] * 3,
        "listener": ["u2", "u1", "u1"],
        "track": ["t1", "t2", "t1"],
        "source": ["app"] * 3,
        "territory": ["DE"] * 3,
    }
)


def file_of(books: Books, sha256: str) -> Path:
    return books.home / "snapshots" / f"{sha256}.parquet"


def test_the_same_rows_in_any_order_and_shape_give_the_same_bytes() -> None:
    shuffled = pa.concat_tables([ROWS.slice(2), ROWS.slice(0, 2)])
    described = shuffled.replace_schema_metadata({"made": "today"})

    assert snapshots.encode("usage", described) == snapshots.encode("usage", ROWS)


def test_other_rows_give_another_hash() -> None:
    assert (
        snapshots.encode("usage", ROWS.slice(1)).snapshot
        != snapshots.encode("usage", ROWS).snapshot
    )


def test_a_snapshot_is_named_by_the_hash_of_its_bytes_and_read_back_in_order(books: Books) -> None:
    sha256 = snapshots.write(books, "usage", ROWS)

    content = snapshots.read(books, sha256)

    assert file_of(books, sha256).exists()
    assert content["track"].to_pylist() == ["t1", "t2", "t1"]
    assert content["plays"].to_pylist() == [2, 1, 3]


def test_writing_again_registers_once_and_leaves_no_other_file(books: Books) -> None:
    first, second = (snapshots.write(books, "usage", ROWS) for _ in range(2))

    with reading(books) as connection:
        [row] = connection.execute(select(schema.snapshot))
    assert (row.sha256, row.kind, row.rows) == (first, "usage", 3)
    assert first == second
    assert [path.name for path in (books.home / "snapshots").iterdir()] == [f"{first}.parquet"]


def test_a_corrupt_file_is_refused_by_name(books: Books) -> None:
    sha256 = snapshots.write(books, "usage", ROWS)
    pq.write_table(ROWS, file_of(books, sha256))  # readable, and not what was registered

    with pytest.raises(snapshots.CorruptSnapshot, match=f"{sha256}.parquet is corrupt"):
        snapshots.read(books, sha256)
    with pytest.raises(snapshots.CorruptSnapshot):
        snapshots.table(books, "usage", [sha256])


def test_a_file_that_is_gone_is_refused_and_mended_by_writing_again(books: Books) -> None:
    sha256 = snapshots.write(books, "usage", ROWS)
    file_of(books, sha256).unlink()

    with pytest.raises(snapshots.CorruptSnapshot, match="is gone"):
        snapshots.read(books, sha256)

    snapshots.write(books, "usage", ROWS)

    assert len(snapshots.read(books, sha256)) == 3


def test_rows_that_match_come_with_their_places_in_the_file(books: Books) -> None:
    sha256 = snapshots.write(books, "usage", ROWS)
    whole = snapshots.read(books, sha256).to_pylist()

    found = snapshots.matching(books, sha256, track=["t1"], source=["app", "none"])
    none = snapshots.matching(books, sha256, track=[])

    numbered = [{**row, "number": n} for n, row in enumerate(whole, 1)]
    assert found.to_pylist() == [
        row for row in numbered if row["track"] == "t1" and row["source"] == "app"
    ]
    assert len(none) == 0
    assert snapshots.matching(books, sha256, ("plays",), track=["t2"]).to_pylist() == [
        {"plays": 1, "number": 2}
    ]


def test_a_file_that_was_read_before_is_refused_once_it_changed(books: Books) -> None:
    sha256 = snapshots.write(books, "usage", ROWS)
    snapshots.matching(books, sha256, track=["t1"])
    pq.write_table(ROWS, file_of(books, sha256))

    with pytest.raises(snapshots.CorruptSnapshot):
        snapshots.matching(books, sha256, track=["t1"])


def test_a_file_is_hashed_once_to_read_it_and_always_to_check_it(books: Books) -> None:
    sha256 = snapshots.write(books, "usage", ROWS)
    with patch("db.snapshots._sha256", wraps=_sha256) as hashed:
        for _ in range(3):
            snapshots.matching(books, sha256, track=["t1"])
        assert hashed.call_count == 1
        for _ in range(2):
            snapshots.checked(books, sha256)
        assert hashed.call_count == 3


def test_an_unregistered_snapshot_is_not_read(books: Books) -> None:
    with pytest.raises(NotFound, match="no snapshot abc"):
        snapshots.read(books, "abc")


def test_a_file_appears_whole_or_not_at_all(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_handle: int) -> None:
        raise OSError

    monkeypatch.setattr(snapshots.os, "fsync", fail)
    with pytest.raises(OSError):  # noqa: PT011  the disk says no more
        snapshots.write(books, "usage", ROWS)

    assert list((books.home / "snapshots").iterdir()) == []
    with reading(books) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.snapshot)) == 0


def test_expressions_run_over_several_snapshots_and_tables_in_memory(books: Books) -> None:
    more = ROWS.set_column(1, "period", pa.array(["2026-11"] * 3))
    table = snapshots.table(
        books, "usage", [snapshots.write(books, "usage", rows) for rows in (ROWS, more)]
    )
    wanted = ibis.memtable(pa.table({"track": ["t1"]}))

    result = snapshots.run(
        table.join(wanted, "track").group_by("period").agg(n=table.plays.sum()).order_by("period")
    )

    assert result.to_pylist() == [{"period": "2026-10", "n": 5}, {"period": "2026-11", "n": 5}]
