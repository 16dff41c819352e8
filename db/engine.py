"""The handle on the books: where they are, how to open them, how to bring them up to date."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

from db.schema import HEAD
from royalty.errors import NotReady

_WAL_INDEX_HEADER = 48  # bytes
_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Books:
    """A workspace's ledger and the folder its files are in. Every function of `db` takes one."""

    engine: Engine
    home: Path


def open_books(url: str | None, home: Path) -> Books:
    """Open the books of a workspace; nothing is written, and nothing needs to be there yet."""
    return Books(make_engine(url or _ledger_in(home)), home)


def make_engine(url: str | None = None) -> Engine:
    """Make an engine for a database URL, else for the one that the environment names."""
    home = os.environ.get("TANTIEME_HOME") or "tantieme-home"
    url = url or os.environ.get("TANTIEME_DATABASE_URL") or _ledger_in(Path(home))
    sqlite = make_url(url).get_backend_name() == "sqlite"
    engine = create_engine(url, connect_args={"timeout": 30} if sqlite else {})
    if sqlite:
        _own_transactions(engine)
    return engine


@contextmanager
def reading(books: Books) -> Iterator[Connection]:
    """Open a transaction that only reads: one consistent view of the books."""
    _require_file(books.engine)
    with books.engine.connect() as connection, connection.begin():
        _require_head(connection)
        yield connection


@contextmanager
def writing(books: Books, *, dry_run: bool = False) -> Iterator[Connection]:
    """Open a transaction that writes: all of it happens, or none of it; none in a dry run."""
    _require_file(books.engine)
    engine = books.engine.execution_options(tantieme_writes=True)
    with engine.connect() as connection, connection.begin() as transaction:
        _require_head(connection)
        yield connection
        if dry_run:
            transaction.rollback()


def upgrade(books: Books) -> None:
    """Run the migrations that the books have not seen yet."""
    if (path := _file(books.engine)) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(migrations(books.engine), "head")


def revision(books: Books) -> str | None:
    """Name the migration that the books stand at; None where they were never migrated."""
    path = _file(books.engine)
    if path is not None and not path.exists():
        return None
    with books.engine.connect() as connection:
        return _revision(connection)


def migrations(engine: Engine) -> Config:
    """Configure Alembic: from `pyproject.toml` in a checkout, else from what was installed."""
    if _PROJECT.exists():
        config = Config(toml_file=_PROJECT)
    else:
        config = Config()
        script_location = str(files("db") / "_migrations").replace("%", "%%")
        config.set_main_option("script_location", script_location)
    config.attributes["engine"] = engine
    return config


def stand(books: Books) -> str:
    """Name how the books stand: another name once anything was written to them.

    SQLite's files tell at once. Of a database server this is told by the quarter of a minute.
    """
    path = _file(books.engine)
    if path is None:
        return str(int(time.time()) // 15)
    if not path.exists():
        return ""
    of = path.stat()
    return f"{of.st_mtime_ns:x}.{of.st_size:x}.{_seen(path.with_name(f'{path.name}-shm'))}"


def _seen(index: Path) -> str:
    """Read up to where readers see the write-ahead log: a commit moves that on in its last step.

    The log's own size and time change before. https://www.sqlite.org/walformat.html, section 2.1
    """
    try:
        with index.open("rb") as file:
            return file.read(_WAL_INDEX_HEADER).hex()
    except FileNotFoundError:
        return ""


def now() -> str:
    """Say what time it is, as the books record it: UTC, ISO 8601, always of one length."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def today() -> date:
    """Say what day it is, by UTC."""
    return datetime.now(UTC).date()


def _ledger_in(home: Path) -> str:
    return f"sqlite:///{home / 'ledger.db'}"


def _own_transactions(engine: Engine) -> None:
    """Let SQLAlchemy begin transactions: sqlite3's own habit breaks savepoints."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own
        connection.isolation_level = None
        connection.execute("pragma foreign_keys = on")
        # Without this, INSERT OR REPLACE deletes the old row past every delete trigger.
        connection.execute("pragma recursive_triggers = on")
        connection.execute("pragma journal_mode = wal")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once; else two that began by reading deadlock on the upgrade.
        writes = connection.get_execution_options().get("tantieme_writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")


def _file(engine: Engine) -> Path | None:
    name = engine.url.database
    if engine.dialect.name != "sqlite" or name in (None, "", ":memory:"):
        return None
    return Path(str(name))


def _require_file(engine: Engine) -> None:
    """Refuse before connecting: SQLite would make an empty file of a misspelled name."""
    path = _file(engine)
    if path is not None and not path.exists():
        raise NotReady(f"there are no books at {path}; run 'tantieme init'")


def _require_head(connection: Connection) -> None:
    found = _revision(connection)
    if found != HEAD:
        stand = f"stand at revision {found}, not {HEAD}" if found else "are not migrated"
        raise NotReady(f"the books {stand}; run 'tantieme init'")


def _revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.scalar(text("select version_num from alembic_version"))
    return None if found is None else str(found)
