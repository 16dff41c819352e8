import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Books, open_books, upgrade
from tests.db import world


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books that were migrated once; every test gets a copy."""
    home = tmp_path_factory.mktemp("migrated")
    books = open_books(None, home)
    upgrade(books)
    books.engine.dispose()
    return home / "ledger.db"


@pytest.fixture
def books(migrated: Path, tmp_path: Path) -> Iterator[Books]:
    """Empty books."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated, home / "ledger.db")
    books = open_books(None, home)
    yield books
    books.engine.dispose()


@pytest.fixture
def catalogued(books: Books, tmp_path: Path) -> Books:
    """Books with the catalogue."""
    return world.with_catalogue(books, tmp_path)


@pytest.fixture
def month(books: Books, tmp_path: Path) -> Books:
    """Books with October imported."""
    return world.with_month(books, tmp_path)


@pytest.fixture
def computed(books: Books, tmp_path: Path) -> Books:
    """Books with October imported and computed."""
    return world.with_payout(books, tmp_path)


@pytest.fixture
def closed(books: Books, tmp_path: Path) -> Books:
    """Books with October closed."""
    return world.with_closed(books, tmp_path)


@pytest.fixture(scope="session")
def closed_template(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with October closed, made once; nothing commits to it."""
    home = tmp_path_factory.mktemp("closed")
    shutil.copy(migrated, home / "ledger.db")
    books = open_books(None, home)
    world.with_closed(books, home)
    books.engine.dispose()
    return home / "ledger.db"


@pytest.fixture
def closed_file(closed_template: Path) -> Path:
    """The file of a ledger with October closed, for strangers who never commit."""
    return closed_template
