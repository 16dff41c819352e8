import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from db.books import periods
from db.engine import open_books
from db.intake import revenue, usage
from royalty.period import Period
from tests.db import world
from tests.db.intake.fuzzing import Bench


@pytest.fixture(scope="module")
def bench(closed_template: Path) -> Iterator[Bench]:
    """Books with October closed, some usage of September and some revenue of November."""
    memory, threads = Path("/dev/shm"), pa.cpu_count()
    pa.set_cpu_count(1)  # small files gain nothing from more
    with tempfile.TemporaryDirectory(dir=memory if memory.exists() else None) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "ledger.db").write_bytes(closed_template.read_bytes())
        for path in (closed_template.parent / "snapshots").iterdir():
            (home / "snapshots").mkdir(exist_ok=True)
            (home / "snapshots" / path.name).write_bytes(path.read_bytes())
        books = open_books(None, home)
        world.write(Path(folder), CAME_IN)
        usage.record(books, Path(folder) / "usage.csv")
        revenue.record(books, Path(folder) / "revenue.csv")
        yield Bench.over(books, Path(folder) / "inbox")
        books.engine.dispose()
    pa.set_cpu_count(threads)


CAME_IN = {
    "usage.csv": world.USAGE.replace("2026-10", "2026-09"),
    "revenue.csv": world.REVENUE.replace("2026-10", "2026-11").replace(",u", ",v"),
}


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "current", lambda: Period(2026, 11))
