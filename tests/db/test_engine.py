from pathlib import Path

import pytest
from sqlalchemy import select, text

from db import schema
from db.engine import Books, make_engine, open_books, reading, revision, stand, writing
from royalty.errors import NotReady

PERIOD = schema.period.insert().values(id="2026-10", status="open")


def test_books_that_are_not_there_name_the_command_and_stay_absent(tmp_path: Path) -> None:
    books = open_books(None, tmp_path)

    with pytest.raises(NotReady, match="run 'tantieme init'"), reading(books):
        pass
    assert revision(books) is None
    assert list(tmp_path.iterdir()) == []


def test_books_that_are_not_migrated_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    books = open_books(None, tmp_path)

    with pytest.raises(NotReady, match="are not migrated"), writing(books):
        pass
    books.engine.dispose()


def test_books_of_another_version_are_refused(books: Books) -> None:
    with books.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(NotReady, match="stand at revision 9999"), reading(books):
        pass


def test_a_dry_run_leaves_nothing_behind(books: Books) -> None:
    with writing(books, dry_run=True) as connection:
        connection.execute(PERIOD)

    with reading(books) as connection:
        assert connection.scalar(select(schema.period.c.id)) is None


def test_an_error_undoes_the_whole_transaction(books: Books) -> None:
    with pytest.raises(RuntimeError), writing(books) as connection:  # noqa: PT012
        connection.execute(PERIOD)
        raise RuntimeError

    with reading(books) as connection:
        assert connection.scalar(select(schema.period.c.id)) is None


def test_every_connection_keeps_foreign_keys_and_recursive_triggers(books: Books) -> None:
    with reading(books) as connection:
        pragmas = [
            connection.scalar(text(f"pragma {name}"))
            for name in ("foreign_keys", "recursive_triggers", "journal_mode")
        ]

    assert pragmas == [1, 1, "wal"]


def test_a_reader_sees_one_state_while_another_writes(books: Books) -> None:
    wanted = select(schema.period.c.id)
    with reading(books) as reader:
        before = reader.scalar(wanted)
        with writing(books) as writer:
            writer.execute(PERIOD)

        assert reader.scalar(wanted) == before


def test_the_environment_names_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANTIEME_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.db")

    assert make_engine().url.database == f"{tmp_path}/elsewhere.db"

    monkeypatch.delenv("TANTIEME_DATABASE_URL")
    monkeypatch.setenv("TANTIEME_HOME", str(tmp_path / "home"))

    assert make_engine().url.database == f"{tmp_path}/home/ledger.db"


def test_books_stand_as_they_did_until_something_is_written(books: Books) -> None:
    stands = []
    for _ in range(2):
        with reading(books) as connection:
            connection.scalar(select(schema.period.c.id))
        stands.append(stand(books))
    with writing(books) as connection:
        connection.execute(PERIOD)

    assert stands[0] == stands[1] != stand(books)
