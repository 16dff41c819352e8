import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from db import engine as engine_room
from db.engine import Books, migrations, open_books, reading, revision, upgrade
from db.queries import verify_books
from db.refusals import REFUSALS
from db.roots import POSTINGS_ONLY
from db.schema import HEAD
from db.triggers import present


def test_up_down_and_up_again(books: Books) -> None:
    command.downgrade(migrations(books.engine), "base")

    assert revision(books) is None
    assert inspect(books.engine).get_table_names() == ["alembic_version"]

    upgrade(books)

    assert revision(books) == HEAD


def test_the_schema_is_what_the_migrations_make(books: Books) -> None:
    command.check(migrations(books.engine))


def test_the_triggers_are_there_after_going_down_and_up(books: Books) -> None:
    command.downgrade(migrations(books.engine), "base")
    upgrade(books)

    with reading(books) as connection:
        assert set(present(connection)) == {refusal.trigger for refusal in REFUSALS}


def test_there_is_one_last_migration_and_the_code_knows_it(books: Books) -> None:
    scripts = ScriptDirectory.from_config(migrations(books.engine))

    assert scripts.get_heads() == [HEAD]


def test_upgrading_twice_changes_nothing(closed: Books) -> None:
    upgrade(closed)

    assert revision(closed) == HEAD


def test_installed_books_migrate_without_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = Path(engine_room.__file__).parents[1]
    installed = tmp_path / "site 100%" / "db"
    shutil.copytree(checkout / "migrations", installed / "_migrations")
    monkeypatch.setattr(engine_room, "_PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(engine_room, "files", lambda _package: installed)
    books = open_books(None, tmp_path / "home")

    upgrade(books)

    assert revision(books) == HEAD
    books.engine.dispose()


def test_every_constraint_has_a_name(books: Books) -> None:
    inspector = inspect(books.engine)
    for table in inspector.get_table_names():
        named = [
            inspector.get_pk_constraint(table),
            *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table),
            *inspector.get_check_constraints(table),
        ]
        if table != "alembic_version":
            assert all(constraint["name"] for constraint in named), table


def test_books_of_the_first_revision_are_upgraded_with_all_that_is_in_them(tmp_path: Path) -> None:
    dump = (Path(__file__).parent / "books_0001.sql").read_text(encoding="utf-8")
    old = sqlite3.connect(tmp_path / "ledger.db")
    old.executescript(dump)
    before = posted_in(old)
    old.close()
    books = open_books(None, tmp_path)

    upgrade(books)

    with reading(books) as connection:
        assert set(present(connection)) == {refusal.trigger for refusal in REFUSALS}
    faults = verify_books(books)
    assert all("snapshots" in fault for fault in faults), faults  # the files were not kept
    new = sqlite3.connect(tmp_path / "ledger.db")
    assert posted_in(new) == before
    added = "select territory, recoupment, reserve_months, jurisdiction, most_favoured from terms"
    assert new.execute(added).fetchall() == [("WW", None, 12, None, 0)]
    assert set(new.execute("select root_version from period")) == {(POSTINGS_ONLY,)}
    new.close()
    books.engine.dispose()


def posted_in(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """What stands on each account."""
    sums = "select account, sum(amount_micros) from posting group by account order by account"
    return connection.execute(sums).fetchall()
