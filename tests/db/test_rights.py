"""Rights as snapshots: the same rights are the same bytes, and come back as they were."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from db import queries, rights, snapshots
from db.engine import Books
from db.queries import EVERYONE
from royalty.rights import RIGHTS_SCHEMAS, Rights
from tests.db import world


@pytest.fixture
def held(books: Books, tmp_path: Path) -> Rights:
    return queries.rights(EVERYONE, world.with_catalogue(books, tmp_path), world.OCTOBER.start)


def rows(table: pa.Table) -> list[dict]:
    return sorted(table.to_pylist(), key=str)


def test_rights_that_were_kept_are_read_back_as_they_were(books: Books, held: Rights) -> None:
    kept = rights.keep(books, held)

    found = rights.read(books, kept)

    assert set(kept) == {f"rights.{name}" for name in RIGHTS_SCHEMAS}
    for name, fields in RIGHTS_SCHEMAS.items():
        assert getattr(found, name).schema == fields
        assert rows(getattr(found, name)) == rows(getattr(held, name))
    assert len(found.interests) == 2


def test_the_same_rights_are_the_same_snapshots_in_whichever_order_they_stand(
    books: Books, held: Rights
) -> None:
    turned = {
        name: pa.Table.from_pylist(getattr(held, name).to_pylist()[::-1], schema=fields)
        for name, fields in RIGHTS_SCHEMAS.items()
    }

    assert rights.hashes(Rights(**turned)) == rights.hashes(held) == rights.keep(books, held)


def test_other_rights_are_another_snapshot_of_that_table_only(held: Rights) -> None:
    less = replace(held, interests=held.interests.slice(1))

    before, after = rights.hashes(held), rights.hashes(less)

    assert {kind for kind in before if before[kind] != after[kind]} == {"rights.interests"}


def test_hashing_rights_or_rows_keeps_nothing(books: Books, held: Rights) -> None:
    folder = books.home / "snapshots"
    whole = snapshots.table(
        books, "allocations", [snapshots.write(books, "allocations", world.allocations())]
    )
    rows = whole.filter(whole.track == "t1")
    before = {path.stem for path in folder.glob("*")}

    rights.hashes(held)
    hashed = snapshots.hash_rows(books, "allocations", rows)

    assert {path.stem for path in folder.glob("*")} == before
    assert hashed == snapshots.write_rows(books, "allocations", rows)
    assert {path.stem for path in folder.glob("*")} - before == {hashed}
