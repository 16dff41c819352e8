"""Measuring one division in a process of its own, as `python -m benchmarks.divided …`.

Seconds are counted from the opening of the month to the payees' totals, peak memory is the whole
process's. What is imported, and what was made of the files before, is not counted.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.floats import PEERS, POOL
from benchmarks.months import PERIOD, Month

OURS = "tantieme"
THREADS = 2
MEMORY_MAX = 14 << 30  # bytes of address space, so that a method that does not fit fails alone
SECONDS_MAX = 900  # for one division
ENGINE_MEMORY = "3GB"  # of which DuckDB spills what is beyond
_IMPORTED = {OURS: "cli.jobs.dividing", "polars": "polars", "pandas": "pandas"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """What one division took, or why it did not come to an end."""

    method: str
    rule: str
    rows: int
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0  # of all threads
    peak_mb: float = 0.0
    spilled_mb: float | None = None  # at most, where it is known
    lost_micros: int | None = None  # of the pools; of floats it says nothing
    fault: str = ""


def measure_apart(method: str, rule: str, month: Month, out: Path) -> Divided:
    """Divide in a process of its own, which writes the payees' totals to `out`."""
    command = [sys.executable, "-m", "benchmarks.divided", method, rule]
    command += [str(month.directory), str(month.rows), str(out)]
    threads = {"POLARS_MAX_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
    try:
        done = subprocess.run(  # noqa: S603  our own module
            command,
            env=os.environ | threads,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        fault = f"not done after {SECONDS_MAX} seconds"
        return Divided(method=method, rule=rule, rows=month.rows, fault=fault)
    if done.returncode == 0:
        return Divided(**json.loads(done.stdout.splitlines()[-1]))
    said = (done.stderr.strip().splitlines() or [""])[-1]
    fault = f"ended with {done.returncode}: {said[:300]}"
    return Divided(method=method, rule=rule, rows=month.rows, fault=fault)


def by_tantieme(month: Month, rule: str) -> tuple[pa.Table, int]:
    """Divide as `tantieme payouts` does, up to what it keeps; say what was lost of the pools."""
    from cli.jobs.dividing import divide  # noqa: PLC0415  not in a peer's process
    from cli.jobs.month import open_month  # noqa: PLC0415
    from cli.workspace import Workspace  # noqa: PLC0415
    from db import snapshots  # noqa: PLC0415
    from royalty.period import Period  # noqa: PLC0415

    workspace = Workspace(home=home_of(month))
    settings, books = workspace.settings(), workspace.books()
    opened = open_month(books, settings, Period.parse(PERIOD), engine=_engine(month))
    posted = snapshots.run(divide(opened, rule).posted.select("pool", "payee", "micros"))
    pools = [
        {"pool": place, "source": pool.source, "territory": pool.territory}
        for place, pool in enumerate(opened.pools)
    ]
    paid = posted.filter(pc.not_equal(posted["payee"], ""))
    sums = paid.group_by(["pool", "payee"]).aggregate([("micros", "sum")])
    found = sums.rename_columns({"micros_sum": "micros"}).join(pa.Table.from_pylist(pools), "pool")
    whole = sum(pool.amount.micros for pool in opened.pools)
    return found.drop_columns("pool"), whole - pc.sum(posted["micros"]).as_py()


def home_of(month: Month) -> Path:
    """Return the folder of a month's workspace."""
    return month.directory / f"home-{month.rows}"


def _engine(month: Month) -> str:
    settings = {"memory_limit": ENGINE_MEMORY, "threads": THREADS, "temp_directory": _spill(month)}
    return "duckdb?" + "&".join(f"{name}={value}" for name, value in settings.items())


def _spill(month: Month) -> Path:
    return month.directory / f"spill-{month.rows}"


@contextmanager
def _watched(folder: Path, every_s: float = 0.2) -> Iterator[list[int]]:
    """Look into a folder again and again; the list holds how many bytes lay in it at most."""
    most, done = [0], Event()

    def watch() -> None:
        while not done.wait(every_s):
            sizes = [path.stat().st_size for path in folder.glob("*") if path.exists()]
            most[0] = max(most[0], sum(sizes))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    yield most
    done.set()
    watcher.join()


def _peak_mb() -> float:
    """Return the most memory that this process held, not what its parent did before it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measured(method: str, rule: str, month: Month, out: Path) -> Divided:
    """Divide in this process, and keep the payees' totals."""
    import_module(_IMPORTED[method])
    wall, cpu = time.perf_counter(), time.process_time()
    with _watched(_spill(month)) as spilled:
        if method == OURS:
            paid, lost = by_tantieme(month, rule)
        else:
            paid, lost = PEERS[method](month, rule), None
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = _peak_mb()
    pq.write_table(paid.select([*POOL, "payee", "micros"]), out)
    return Divided(
        method=method,
        rule=rule,
        rows=month.rows,
        wall_seconds=wall,
        cpu_seconds=cpu,
        peak_mb=peak,
        spilled_mb=spilled[0] / 1e6 if method == OURS else None,
        lost_micros=lost,
    )


def main(method: str, rule: str, directory: str, rows: str, out: str) -> None:
    """Measure one division and print what was found as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    found = measured(method, rule, Month(Path(directory), int(rows)), Path(out))
    print(json.dumps(asdict(found)))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
