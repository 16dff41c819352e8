"""`python -m benchmarks.payouts`: a month divided to its payees, ours in integers, peers in floats.

Synthetic months (`benchmarks.months`) of 10^6, 10^7 and 10^8 rows of usage lie in Parquet files;
every method divides every month by every rule in a process of its own with two threads. Ours is
what `tantieme payouts` runs: rule, settling, shares, rights, terms, one largest remainder a pool,
intervals, and the sums of payees and recordings. Scratch files take about 2 GB at 10^8 rows, and
what DuckDB spills beside them; where `--scratch` names a folder they stay there,
and what was measured in it is not measured again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from benchmarks.curves import Curve, curves
from benchmarks.divided import ENGINE_MEMORY, OURS, THREADS, home_of, measure_apart
from benchmarks.floats import PEERS, POOL
from benchmarks.months import Month, Size, write_month
from benchmarks.report import table
from benchmarks.workspaces import write_workspace

RESULTS = Path(__file__).parent / "results"
SIZES = (1_000_000, 10_000_000, 100_000_000)
RULES = ("pro_rata", "user_centric")
TIMES_MAX, PEAK_MB_MAX, DIFFERENCE_MAX = 1.5, 6000, 1e-6
COLOURS = {OURS: "#1b6ca8", "polars": "#b5542a", "pandas": "#7a7a7a"}
Document = dict[str, Any]


def methods() -> list[str]:
    """Name ours, and the peers that are installed."""
    return [OURS, *(name for name in PEERS if find_spec(name) is not None)]


def compare(sizes: Sequence[Size], scratch: Path, names: Sequence[str]) -> Document:
    """Divide months of all sizes by all rules with all methods, one after the other.

    What `scratch` holds of an earlier run is not measured again.
    """
    found, differences = [], []
    for size in sizes:
        month = write_month(scratch, size)
        write_workspace(home_of(month), month)
        for rule in RULES:
            outs = {name: scratch / f"{name}-{rule}-{size.rows}.parquet" for name in names}
            found += [_measured(name, rule, month, out) for name, out in outs.items()]
            differences += _differences(rule, month, outs)
    return {
        "machine": machine(names),
        "months": [asdict(size) | _bytes(Month(scratch, size.rows)) for size in sizes],
        "divisions": found,
        "differences": differences,
    }


def _measured(method: str, rule: str, month: Month, out: Path) -> Document:
    kept = out.with_suffix(".json")
    if not kept.exists():
        found = asdict(measure_apart(method, rule, month, out))
        kept.write_text(json.dumps(found))
        print(found, flush=True)  # noqa: T201
    measured: Document = json.loads(kept.read_text())
    return measured


def _differences(rule: str, month: Month, outs: dict[str, Path]) -> list[Document]:
    """Compare ours with every peer that came to an end."""
    peers = [name for name, out in outs.items() if name != OURS and out.exists()]
    return [
        {"rule": rule, "rows": month.rows, "peer": name} | difference(outs[OURS], outs[name])
        for name in peers
        if outs[OURS].exists()
    ]


def machine(names: Sequence[str]) -> Document:
    """Describe what the figures were measured on, and with which versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = ["duckdb", *(name for name in names if name != OURS)]
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "threads": THREADS,
        "engine_memory": ENGINE_MEMORY,
        **{name: version(name) for name in packages},
    }


def difference(ours: Path, theirs: Path) -> dict[str, float]:
    """Compare payees' totals in a pool: of all money, and the worst of whoever gets over 1 EUR."""
    mine, yours = (pq.read_table(path).to_pandas() for path in (ours, theirs))
    both = mine.merge(yours, on=[*POOL, "payee"], how="outer", suffixes=("", "_float")).fillna(0)
    off = (both["micros"] - both["micros_float"]).abs()
    worth = both["micros"] >= 10**6
    worst = (off / both["micros"])[worth].max() if worth.any() else 0.0
    return {"of_all_money": float(off.sum() / both["micros"].sum()), "of_a_payee": float(worst)}


def _bytes(month: Month) -> dict[str, int]:
    return {f"{name}_bytes": month.file(name).stat().st_size for name in ("usage", "shares")}


def ratios(found: Document) -> list[Document]:
    """Hold ours against the faster peer of the same rule and size, by the clock and in CPU time."""
    rows = []
    for mine in _done(found, OURS):
        peers = [
            each
            for each in found["divisions"]
            if each["method"] != OURS and not each["fault"] and _same(each, mine)
        ]
        if peers:
            by = {
                key: mine[key] / min(each[key] for each in peers)
                for key in ("wall_seconds", "cpu_seconds")
            }
            rows.append({"rule": mine["rule"], "rows": mine["rows"], **by})
    return rows


def exponents(found: Document, method: str, rule: str, key: str = "cpu_seconds") -> list[float]:
    """Return the slopes of log seconds over log rows, between each size and the one before."""
    points = [each for each in _done(found, method) if each["rule"] == rule]
    return [
        math.log(b[key] / a[key]) / math.log(b["rows"] / a["rows"]) for a, b in pairwise(points)
    ]


def misses(found: Document) -> list[str]:
    """Say in a sentence each what is not as it should be."""
    said = [
        f"{each['rule']} at {each['rows']:,} rows: {each['cpu_seconds']:.1f} times the faster "
        f"peer's CPU time, more than {TIMES_MAX}"
        for each in ratios(found)
        if each["cpu_seconds"] > TIMES_MAX
    ]
    for each in (each for each in found["divisions"] if each["method"] == OURS):
        where = f"{each['rule']} at {each['rows']:,} rows"
        if each["fault"]:
            said.append(f"{where}: ours failed, {each['fault']}")
        if each["peak_mb"] > PEAK_MB_MAX:
            said.append(f"{where}: a peak of {each['peak_mb']:.0f} MB, more than {PEAK_MB_MAX}")
        if each["lost_micros"]:
            said.append(f"{where}: {each['lost_micros']} micros of the pools are not accounted for")
    return said + [
        f"{each['rule']} at {each['rows']:,} rows: ours and {each['peer']} differ by "
        f"{each['of_all_money']:.1e} of all money, more than {DIFFERENCE_MAX:.0e}"
        for each in found["differences"]
        if each["of_all_money"] > DIFFERENCE_MAX
    ]


def markdown(found: Document) -> str:
    """Write what was measured as tables, and what misses its mark."""
    parts = [
        _heading(found["machine"]),
        table(_HEADS, [_row(each) for each in found["divisions"]]),
        table(_RATIO_HEADS, [_ratio_row(each, found) for each in ratios(found)]),
    ]
    missed = misses(found)
    parts.append(
        "Missed:\n\n" + "\n".join(f"- {each}" for each in missed) if missed else "All met."
    )
    return "\n\n".join(parts) + "\n"


def _heading(at: Document) -> str:
    packages = ", ".join(f"{name} {at[name]}" for name in ("duckdb", *PEERS) if name in at)
    return (
        f"Payouts: {at['cores']} cores, {at['memory_gb']} GB, {at['threads']} threads; {packages}; "
        f"ours in DuckDB with {at['engine_memory']} of memory, spilling beyond."
    )


_HEADS = ["rule", "rows", "method", "seconds", "CPU seconds", "rows/s", "peak MB"]
_HEADS += ["spilled MB", "lost micros"]
_RATIO_HEADS = ["rule", "rows", "ours / faster peer, seconds", "CPU seconds"]
_RATIO_HEADS += ["differs, of all money", "of a payee", "growth since the size before"]


def _row(each: Document) -> list[str]:
    named = [each["rule"], f"{each['rows']:,}", each["method"]]
    if each["fault"]:
        return [*named, f"failed: {each['fault'][:60]}", "", "", "", "", ""]
    spilled, lost = each["spilled_mb"], each["lost_micros"]
    return [
        *named, f"{each['wall_seconds']:.1f}", f"{each['cpu_seconds']:.1f}",
        f"{each['rows'] / each['wall_seconds']:,.0f}", f"{each['peak_mb']:.0f}",
        "" if spilled is None else f"{spilled:.0f}", "" if lost is None else f"{lost}",
    ]  # fmt: skip


def _ratio_row(each: Document, found: Document) -> list[str]:
    off = [other for other in found["differences"] if _same(other, each)]
    sizes = sorted({other["rows"] for other in found["divisions"]})
    grown = exponents(found, OURS, each["rule"])
    place = sizes.index(each["rows"])
    return [
        each["rule"], f"{each['rows']:,}", f"{each['wall_seconds']:.2f}",
        f"{each['cpu_seconds']:.2f}", f"{max(o['of_all_money'] for o in off):.1e}",
        f"{max(o['of_a_payee'] for o in off):.1e}",
        f"rows^{grown[place - 1]:.2f}" if place and len(grown) >= place else "",
    ]  # fmt: skip


def picture(found: Document) -> str:
    """Draw CPU seconds and memory over rows, a panel a rule; SVG."""
    return curves(
        [
            (f"{rule}: {title}", [_curve(found, name, rule, key) for name in COLOURS])
            for key, title in (("cpu_seconds", "CPU seconds"), ("peak_mb", "peak MB"))
            for rule in RULES
        ]
    )


def _curve(found: Document, method: str, rule: str, key: str) -> Curve:
    points = [
        (float(each["rows"]), float(each[key]))
        for each in _done(found, method)
        if each["rule"] == rule
    ]
    return Curve(name=method, colour=COLOURS[method], points=points)


def _done(found: Document, method: str) -> list[Document]:
    return [each for each in found["divisions"] if each["method"] == method and not each["fault"]]


def _same(one: Document, other: Document) -> bool:
    return bool(one["rule"] == other["rule"] and one["rows"] == other["rows"])


def write(found: Document, directory: Path) -> None:
    """Write the document, its tables and its picture."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "payouts.json").write_text(json.dumps(found, indent=1) + "\n")
    (directory / "payouts.md").write_text(markdown(found))
    (directory / "payouts.svg").write_text(picture(found))


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    with TemporaryDirectory() as name:
        yield Path(name)


def main() -> None:
    """Measure every size and save table, document and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rows, such as 1e6,1e7")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--scratch", type=Path, help="a folder for the months, which stay there")
    arguments = parser.parse_args()
    sizes = [Size(rows=int(float(rows))) for rows in arguments.sizes.split(",")]
    with _folder(arguments.scratch) as scratch:
        found = compare(sizes, scratch, methods())
    write(found, arguments.out)
    print(markdown(found))  # noqa: T201


if __name__ == "__main__":
    main()
