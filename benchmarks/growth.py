"""How an index grows: `python -m benchmarks.growth [--most N] [--out DIR]`.

Building from 10^3 to 10^5 rows of the default at one checkpoint, scanning 10^4 to 10^6 synthetic
rows of peaks for one query: CPU seconds and peak memory of a process of its own for each size.
Exponents are the slopes of log seconds over log rows between the last two sizes: 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from attribution.indexing import build
from attribution.methods.recipes import RECIPES
from attribution.models.event_transformer import (
    EventTransformer,
    EventTransformerConfig,
    event_task,
)
from attribution.scan import ready, scan, top_k
from attribution.task import Checkpoint, Rows
from benchmarks.scan import RESULTS, TABLE, WIDTHS, apart, blocks, peak_mb, written

CONFIG = EventTransformerConfig(width=32, layers=1, heads=2, span=24, dropout=0.0)
OPTIONS = RECIPES["default"].index  # of so small a model it keeps every coordinate
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
SCANS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
COLOURS = ("#1b6ca8", "#b5542a")
PANEL, TOP, HEIGHT = 340, 56, 220  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one size took."""

    rows: int
    cpu_seconds: float
    peak_mb: float  # above what the process held with its rows, or its query, ready


def building(rows: int) -> Point:
    """Build an index of random spans and measure it."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, 300, (rows, CONFIG.span), generator=generator)
    names = tuple(map(str, range(rows)))
    spans = Rows(
        tensors={"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)},
        ids=names,
        owners=names,
    )
    torch.manual_seed(0)
    model = EventTransformer(CONFIG).eval()
    checkpoint = Checkpoint(name="random", sha256="0" * 64, load=lambda: model)
    with tempfile.TemporaryDirectory() as directory:
        return _measured(
            rows,
            lambda: build(event_task(), [checkpoint], {"train": spans}, Path(directory), OPTIONS),
        )


def scanning(rows: int) -> Point:
    """Scan synthetic rows of peaks for the ten best of one query, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        apart(written, Path(name), "peak", rows)
        found: Point = apart(_scanned, Path(name), rows)
        return found


def _scanned(directory: Path, rows: int) -> Point:
    torch.set_num_threads(1)
    query = ready(torch.randn(1, WIDTHS["peak"], generator=torch.Generator().manual_seed(0)))
    shards = json.loads((directory / TABLE).read_bytes())
    for _ in blocks(directory, shards):  # hashed once, before the clock runs
        pass
    return _measured(rows, lambda: top_k(scan(query, blocks(directory, shards)), 10))


def _measured(rows: int, run: Callable[[], object]) -> Point:
    held, start = peak_mb(), time.process_time()
    run()
    seconds = time.process_time() - start
    return Point(rows=rows, cpu_seconds=seconds, peak_mb=peak_mb() - held)


def exponent(points: Sequence[Point]) -> float:
    """Return the slope of log seconds over log rows between the last two sizes; nan for one."""
    if len(points) == 1:
        return math.nan
    before, last = points[-2:]
    return math.log(last.cpu_seconds / before.cpu_seconds) / math.log(last.rows / before.rows)


def picture(building_points: Sequence[Point], scanning_points: Sequence[Point]) -> str:
    """Draw seconds and memory over rows, both axes logarithmic, as SVG."""
    series = (("building, one checkpoint", building_points), ("scan, one query", scanning_points))
    panels = [("CPU seconds", "cpu_seconds"), ("peak MB", "peak_mb")]
    body = [
        _panel(60 + i * (PANEL + 90), title, key, series) for i, (title, key) in enumerate(panels)
    ]
    legend = [
        f'<circle cx="{60 + i * 220}" cy="16" r="4" fill="{COLOURS[i]}"/>'
        f'<text x="{70 + i * 220}" y="20">{name}</text>'
        for i, (name, _) in enumerate(series)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * PANEL + 190} {HEIGHT + 110}" '
        'font-family="sans-serif" font-size="12" fill="#222222" role="img">\n'
        "<title>Seconds and memory over rows</title>\n"
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join([*legend, *body])
        + "\n</svg>\n"
    )


def _panel(left: int, title: str, key: str, series: Sequence[tuple[str, Sequence[Point]]]) -> str:
    values = [max(float(getattr(p, key)), 1e-3) for _, points in series for p in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def place(point: Point) -> tuple[float, float]:
        value = math.log10(max(float(getattr(point, key)), 1e-3))
        across = (math.log10(point.rows) - 3) / 3
        return left + PANEL * across, TOP + HEIGHT * (high - value) / max(high - low, 1)

    parts = [f'<text x="{left}" y="{TOP - 6}">{title}</text>']
    parts += [
        f'<line x1="{left}" x2="{left + PANEL}" y1="{y:.0f}" y2="{y:.0f}" stroke="#dddddd"/>'
        f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{10.0**tick:g}</text>'
        for tick in range(low, high + 1)
        for y in [TOP + HEIGHT * (high - tick) / max(high - low, 1)]
    ]
    parts += [
        f'<text x="{left + PANEL * i / 3:.0f}" y="{TOP + HEIGHT + 20}" text-anchor="middle">'
        f"{10 ** (3 + i):,}</text>"
        for i in range(4)
    ]
    parts.append(
        f'<text x="{left + PANEL / 2:.0f}" y="{TOP + HEIGHT + 40}" text-anchor="middle">rows</text>'
    )
    for colour, (_, points) in zip(COLOURS, series, strict=True):
        dots = [place(point) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in dots]
    return "\n".join(parts)


def table(title: str, points: Sequence[Point]) -> str:
    """Write points as a Markdown table under the exponent they show."""
    rows = [f"| {p.rows:,} | {p.cpu_seconds:.2f} | {p.peak_mb:.0f} |" for p in points]
    head = ["| rows | CPU seconds | peak MB |", "|---|---|---|"]
    return "\n".join([f"{title}: seconds grow as rows^{exponent(points):.2f}", "", *head, *rows])


def main() -> None:
    """Measure every size in a process of its own and save table, document and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SCANS[-1], help="no size above this")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    built = [apart(building, size) for size in SIZES if size <= arguments.most]
    scanned = [scanning(size) for size in SCANS if size <= arguments.most]
    text = f"{table('Building', built)}\n\n{table('Scanning', scanned)}\n"
    print(text)  # noqa: T201
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = {"building": [asdict(p) for p in built], "scanning": [asdict(p) for p in scanned]}
    (arguments.out / "growth.json").write_text(json.dumps(found, indent=1))
    (arguments.out / "growth.md").write_text(text)
    (arguments.out / "growth.svg").write_text(picture(built, scanned))


if __name__ == "__main__":
    main()
