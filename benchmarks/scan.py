"""How fast encoded rows are scanned: `python -m benchmarks.scan [--rows N] [--threads N]`.

A million synthetic rows in each encoding, in files mapped into memory and already in the page
cache, held against one query and against 64. Bytes a second are quoted against a plain read (a sum)
of the same files by the same threads, and arithmetic against a float32 matrix product of the same
shapes, all in one process an encoding, which also shows its peak memory. Each is at its best of
several rounds in turn. With one thread seconds are CPU seconds, so that ratios hold on a busy
machine too; with more they are the clock's.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attribution.encoding import Dtype, Encoded, encode, row_bytes
from attribution.scan import ready, scan, top_k
from attribution.shards import Shard, read_shard, shard_table, write_shard

WIDTHS: dict[Dtype, int] = {"float16": 1024, "int8": 2048, "bit": 8192, "peak": 8192}
QUERIES = 64
SHARD_ROWS = 31_250
_SAMPLE = 8  # one shard in so many for the product with 64 queries
TABLE = "shards.json"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What was measured of one encoding. Speeds are of one machine; ratios travel better."""

    dtype: Dtype
    rows: int
    width: int
    threads: int
    gigabytes: float
    read_gb_s: float
    one_query_gb_s: float
    one_query_rows_s: float
    read_ratio: float  # one query's bytes a second against the plain read's
    float32_gflop_s: float
    many_queries_gflop_s: float
    matrix_ratio: float  # 64 queries' arithmetic against the float32 product's
    top_k_seconds: float  # one query, all rows, its ten best
    peak_mb: float  # above what the process held before; mapped shards count


def measure(directory: Path, dtype: Dtype, rows: int, threads: int) -> Scanned:
    """Measure rows that `written` left in a directory."""
    torch.set_num_threads(threads)
    shards: list[Shard] = json.loads((directory / TABLE).read_bytes())
    return _measured(directory, shards, dtype, rows)


def written(directory: Path, dtype: Dtype, rows: int) -> list[Shard]:
    """Write synthetic rows into a directory; the table of their shards."""
    shards = shard_table(["member-000"], {"train": rows}, SHARD_ROWS)
    for shard in shards:
        generator = np.random.default_rng(shard["number"])
        count = shard["stop"] - shard["start"]
        write_shard(directory, shard, _synthetic(generator, count, dtype))
        shard.update(width=WIDTHS[dtype], dtype=dtype)
    (directory / TABLE).write_text(json.dumps(shards))
    return shards


def _synthetic(generator: np.random.Generator, rows: int, dtype: Dtype) -> Encoded:
    """Draw codes directly; a few real rows say what theirs look like."""
    few = encode(generator.standard_normal((2, WIDTHS[dtype])).astype(np.float32), dtype)
    shape = (rows, few.codes.shape[1])
    codes = generator.integers(-127, 128, shape, dtype=np.int8)
    if dtype == "float16":
        codes = (codes / np.float32(127)).astype(np.float16)
    scales = generator.random(rows, dtype=np.float32)
    return Encoded(dtype=dtype, width=few.width, codes=codes.view(few.codes.dtype), scales=scales)


def _measured(directory: Path, shards: list[Shard], dtype: Dtype, rows: int) -> Scanned:
    width = WIDTHS[dtype]
    size, held = rows * row_bytes(width, dtype), peak_mb()
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(QUERIES, width, generator=generator)
    one, many = ready(vectors[:1]), ready(vectors)
    read, first = _pair(
        lambda: _read(blocks(directory, shards)),
        lambda: _drain(scan(one, blocks(directory, shards))),
    )
    sample = shards[::_SAMPLE]
    sampled = sum(shard["stop"] - shard["start"] for shard in sample)
    floats = torch.randn(4096, width, generator=generator)
    product, further = _pair(
        lambda: [floats @ vectors.T for _ in range(4)],
        lambda: _drain(scan(many, blocks(directory, sample))),
    )
    best = _timed(lambda: top_k(scan(one, blocks(directory, shards)), 10))
    float32 = 2 * 4 * floats.numel() * QUERIES / product
    arithmetic = 2 * sampled * width * QUERIES / further
    return Scanned(
        dtype=dtype,
        rows=rows,
        width=width,
        threads=torch.get_num_threads(),
        gigabytes=size / 1e9,
        read_gb_s=size / read / 1e9,
        one_query_gb_s=size / first / 1e9,
        one_query_rows_s=rows / first,
        read_ratio=read / first,
        float32_gflop_s=float32 / 1e9,
        many_queries_gflop_s=arithmetic / 1e9,
        matrix_ratio=arithmetic / float32,
        top_k_seconds=best,
        peak_mb=peak_mb() - held,
    )


def blocks(directory: Path, shards: list[Shard]) -> Iterator[Encoded]:
    """Map shards into memory, one after another."""
    for shard in shards:
        yield read_shard(directory, shard, shard["dtype"], shard["width"])


def _read(found: Iterator[Encoded]) -> None:
    for block in found:
        torch.from_numpy(block.codes).view(torch.int64).sum()


def _drain(found: Iterator[torch.Tensor]) -> None:
    for _ in found:
        pass


def _pair(
    left: Callable[[], object], right: Callable[[], object], rounds: int = 3
) -> tuple[float, float]:
    """Time two things in turn, each at its best, after a round that warms up."""
    times = [(_timed(left), _timed(right)) for _ in range(rounds + 1)][1:]
    return min(a for a, _ in times), min(b for _, b in times)


def _timed(run: Callable[[], object]) -> float:
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    run()
    return clock() - start


def peak_mb() -> float:
    """Return the most memory that this process ever held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(run: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401  what `run` returns
    """Run something in a process of its own, so that its peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(run, *arguments).result()


def table(found: list[Scanned]) -> str:
    """Write the results as a Markdown table."""
    head = (
        "rows kept as | width | GB | plain read GB/s | one query GB/s | of the read | "
        "million rows/s | float32 product GFLOP/s | 64 queries GFLOP/s | of the product | peak MB"
    )
    lines = [f"| {head} |", "|" + "---|" * (head.count("|") + 1)]
    lines += [
        f"| {s.dtype} | {s.width} | {s.gigabytes:.2f} | {s.read_gb_s:.1f} | "
        f"{s.one_query_gb_s:.1f} | {s.read_ratio:.0%} | {s.one_query_rows_s / 1e6:.2f} | "
        f"{s.float32_gflop_s:.0f} | {s.many_queries_gflop_s:.0f} | {s.matrix_ratio:.0%} | "
        f"{s.peak_mb:.0f} |"
        for s in found
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure every encoding in a process of its own and save what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    found = []
    for dtype in WIDTHS:
        with tempfile.TemporaryDirectory() as name:
            apart(written, Path(name), dtype, arguments.rows)
            measured = apart(measure, Path(name), dtype, arguments.rows, arguments.threads)
            found.append(measured)
        print(table(found[-1:]).splitlines()[-1], flush=True)  # noqa: T201
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "scan.json").write_text(json.dumps([asdict(s) for s in found], indent=1))
    title = f"Scanning {arguments.rows:,} rows, {found[0].threads} threads"
    (arguments.out / "scan.md").write_text(f"{title}\n\n{table(found)}\n")


if __name__ == "__main__":
    main()
