"""How fast a month's usage comes in from CSV, beside DuckDB reading the same file.

Each measurement has a process of its own and two threads, and they take turns; the best of the
rounds counts, in wall time and in processor time. `python -m benchmarks.imports` writes the file,
measures, and keeps the figures.

- DuckDB: `create table … as from read_csv(…)` into memory, told the types; it looks for no fault
  but a number that is none.
- read and judged: what an import does before anything is written. Every cell read as text and held
  to its column's rule, every key to being the only one.
- with faults: the same where one row in a thousand is faulty, up to the list of all faults.
- import: the whole of `tantieme usage import`: also the canonical order, Parquet, its hash, the
  file in its place and the books.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cli.main import main as tantieme
from db.intake.judging import judged, sound
from db.intake.sheets import Sheet, read_sheet
from db.intake.usage import USAGE

THREADS = 2
FAULTY = 1000  # one row in so many
WAYS = ("duckdb", "judged", "faults", "import")
RATE_MIN = 0.5  # of DuckDB's own, read and judged, with faults and without
COLUMNS = dict.fromkeys(("period", "listener", "track", "source", "territory"), "varchar")


def main() -> None:
    """Measure, print and keep the figures; or, given one way and a file, measure just that."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--one", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.one:
        way, file = asked.one
        print(json.dumps(_measured(way, Path(file))))  # noqa: T201
        return
    document = measure(asked.rows, asked.rounds)
    text = markdown(document)
    (asked.out / "imports.json").write_text(json.dumps(document, indent=1) + "\n")
    (asked.out / "imports.md").write_text(text)
    print(text)  # noqa: T201


def measure(rows: int, rounds: int) -> dict[str, Any]:
    """Write the files and let the ways take turns at them."""
    with tempfile.TemporaryDirectory() as folder:
        sound_file, faulty_file = Path(folder) / "usage.csv", Path(folder) / "faulty.csv"
        write_usage(sound_file, rows)
        write_usage(faulty_file, rows, faulty=FAULTY)
        turns: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, found in turns.items():
                found.append(_apart(way, faulty_file if way == "faults" else sound_file))
        size = sound_file.stat().st_size
    best = {way: {key: min(turn[key] for turn in found) for key in found[0]}
            for way, found in turns.items()}  # fmt: skip
    return {
        "rows": rows,
        "bytes": size,
        "rounds": rounds,
        "threads": THREADS,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[1],
        "duckdb": duckdb.__version__,
        "pyarrow": pa.__version__,
        "ways": best,
    }


def write_usage(path: Path, rows: int, *, faulty: int = 0) -> None:
    """Write usage of a tenth as many listeners, in no order; the same bytes every time."""
    plays = "1 + hash(i * 7) % 40"
    if faulty:
        plays = f"case when hash(i * 11) % {faulty} = 0 then '-1' else ({plays})::varchar end"
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(f"""
            copy (
                select '2026-10' as period,
                    'u' || lpad((i // 10)::varchar, 7, '0') as listener,
                    'g' || lpad(((i % 10) * 100003 + hash(i) % 100000)::varchar, 7, '0') as track,
                    case when i % 3 = 0 then 'app' else 'web' end as source,
                    ['DE', 'FR', 'WW', 'GB'][1 + i % 4] as territory,
                    {plays} as plays
                from range({rows}) as numbers(i) order by hash(i * 31), i
            ) to '{path}' (header)
        """)  # noqa: S608  our own numbers


def rate(found: dict[str, Any], way: str, clock: str) -> float:
    """Return how fast a way is by DuckDB's own reading of as many rows."""
    ways = found["ways"]
    return float(ways["duckdb"][clock] / ways[way][clock])


def misses(found: dict[str, Any]) -> list[str]:
    """Say what is slower than it should be, by either clock."""
    return [
        f"{_WORDS[way]}: {rate(found, way, clock):.2f} of DuckDB's rate in {clock} time, "
        f"less than {RATE_MIN}"
        for way in ("judged", "faults")
        for clock in ("wall", "processor")
        if rate(found, way, clock) < RATE_MIN
    ]


def markdown(found: dict[str, Any]) -> str:
    """Write what was measured as a table, and what misses its mark."""
    # Torch, which reports of methods need, would count as memory of the processes measured here.
    from benchmarks.report import table  # noqa: PLC0415

    missed = "\n".join(f"- {each}" for each in misses(found))
    parts = [
        _HEADING.format(**found, megabytes=found["bytes"] / 1e6),
        table(_HEADS, [_row(found, way) for way in WAYS]),
        f"Missed:\n\n{missed}" if missed else "All met.",
    ]
    return "\n\n".join(parts) + "\n"


def _row(found: dict[str, Any], way: str) -> list[str]:
    each = found["ways"][way]
    return [
        _WORDS[way],
        f"{each['wall']:.1f}",
        f"{each['processor']:.1f}",
        f"{rate(found, way, 'wall'):.2f}",
        f"{rate(found, way, 'processor'):.2f}",
        f"{each['peak'] / 1e9:.2f}",
        f"{each['faults']:,}",
    ]


_HEADING = (
    "Usage from CSV: {rows:,} rows of six columns, {megabytes:,.0f} MB, {threads} threads; best of"
    " {rounds}, each in a process of its own. DuckDB {duckdb}, pyarrow {pyarrow}; {cores} cores,"
    " load {load:.1f}: `python -m benchmarks.imports`."
)
_HEADS = (
    "", "wall s", "processor s", "rate by DuckDB's: wall", "processor", "peak GB", "faults"
)  # fmt: skip
_WORDS = {
    "duckdb": "DuckDB reads, typed",
    "judged": "read and judged",
    "faults": f"read and judged, one row in {FAULTY:,} faulty",
    "import": "`tantieme usage import`, whole",
}


def _apart(way: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.imports", "--one", way, str(file)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _measured(way: str, file: Path) -> dict[str, Any]:
    pa.set_cpu_count(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        home = ["--home", str(Path(folder) / "home")]
        if way == "import":
            tantieme([*home, "init"])
        ways: dict[str, Callable[[], int]] = {
            "duckdb": lambda: _duckdb(file),
            "judged": lambda: len(_judged(file).problems),
            "faults": lambda: len(_judged(file).problems),
            "import": lambda: tantieme([*home, "usage", "import", str(file)]),
        }
        wall, processor = time.perf_counter(), time.process_time()
        faults = ways[way]()
        return {
            "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "faults": faults,
        }


def _duckdb(file: Path) -> int:
    with duckdb.connect(config={"threads": THREADS}) as connection:
        columns = COLUMNS | {"plays": "bigint"}
        connection.execute(
            f"create table usage as from read_csv('{file}', header = true, columns = {columns})"
        )
    return 0


def _judged(file: Path) -> Sheet:
    sheet = judged(read_sheet(file, USAGE.columns), USAGE.columns, USAGE.keys)
    assert not USAGE.amiss(sound(sheet, USAGE.columns))
    return sheet


if __name__ == "__main__":
    main()
