"""A run's figures as a document, as tables to read and as a picture.

The document is plain JSON; tables and picture are made from it alone.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Any

import torch

from attribution.evaluation.estimate import Estimate
from benchmarks.bank import CELLS, HALVES, Bank, ceilings, cells
from benchmarks.measured import Scores
from benchmarks.picture import Dot, Lane, dot_plot

Document = dict[str, Any]
Figures = Mapping[str, Any]  # what the document says of one method
YARDSTICK = "compressed"  # whose cost the others' are divided by


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of one method: scores and the training step beside them, or a fault."""

    name: str
    says: str
    measured: tuple[Scores, float] | None
    fault: str | None = None


def machine() -> dict[str, Any]:
    """Name what the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def document(bank: Bank, entries: Sequence[Entry]) -> Document:
    """Put everything that was measured into one JSON document."""
    return {
        "machine": machine(),
        "train": len(bank.train),
        "query": len(bank.query),
        "subsets": {level: len(truth.masks) for level, truth in bank.truth.items()},
        "ceiling": ceilings(bank),
        "methods": [_figures(bank, entry) for entry in entries],
    }


def _figures(bank: Bank, entry: Entry) -> Document:
    if entry.measured is None:
        return {"name": entry.name, "says": entry.says, "fault": entry.fault}
    scores, step = entry.measured
    judged = {half: cells(scores.train.astype(float), bank, half) for half in HALVES}
    return {
        "name": entry.name,
        "says": entry.says,
        "lds": {
            half: {cell: _plain(estimate) for cell, estimate in found.items()}
            for half, found in judged.items()
        },
        "seconds": scores.seconds,
        "up_to_scores": scores.up_to_scores,
        "training_step": step,
        "features_in_steps": scores.seconds["features"]
        / (step * len(bank.train) * scores.checkpoints),
        "checkpoints": scores.checkpoints,
        "megabytes_per_1000": scores.stored / len(bank.train) / 1e3,
        "note": scores.note,
    }


def _plain(estimate: Estimate) -> dict[str, float | None]:
    """Write NaN as null: JSON has no other word for it."""
    return {key: None if isnan(value) else value for key, value in asdict(estimate).items()}


def markdown(found: Document) -> str:
    """Write the tables: how good, how good on the half that nothing was chosen on, at what cost."""
    sections = [_heading(found)]
    if found["ceiling"]:
        sections += [
            f"LDS on all subsets ({_counts(found)}), 90 % interval\n\n{_quality(found, 'all')}",
            "LDS on the half of them that no setting was chosen on\n\n"
            + _quality(found, "reported"),
        ]
    sections.append(f"Cost, CPU seconds of one thread\n\n{_costs(found)}")
    faults = [f"- {m['name']}: {m['fault']}" for m in found["methods"] if m.get("fault")]
    if faults:
        sections.append("Failed\n\n" + "\n".join(faults))
    return "\n\n".join(sections) + "\n"


def picture(found: Document) -> str:
    """Draw a lane a method, best first, with its LDS in every cell; SVG."""
    judged = sorted(_done(found), key=lambda m: -_mean(m["lds"]["all"]))
    ceiling = {cell: {"value": value} for cell, value in found["ceiling"].items()}
    lanes = [Lane(label="ceiling", dots=_dots(ceiling))]
    lanes += [Lane(label=m["says"], dots=_dots(m["lds"]["all"]), beside=_cost(m)) for m in judged]
    return dot_plot(lanes, CELLS, axis="LDS against retraining (90 % interval)")


def _dots(estimates: Figures) -> tuple[Dot, ...]:
    return tuple(
        Dot(kind=CELLS.index(cell), value=e["value"], low=e.get("low"), high=e.get("high"))
        for cell, e in estimates.items()
        if e["value"] is not None
    )


def _mean(estimates: Figures) -> float:
    values = [e["value"] for e in estimates.values() if e["value"] is not None]
    return sum(values) / len(values) if values else 0.0


def _cost(method: Figures) -> str:
    kept = f"{method['megabytes_per_1000']:.1f} MB" if method["megabytes_per_1000"] else "not kept"
    return f"{method['up_to_scores']:.0f} s, {kept}"


def _done(found: Document) -> list[Figures]:
    return [method for method in found["methods"] if not method.get("fault")]


def _heading(found: Document) -> str:
    at = found["machine"]
    return (
        f"{found['train']} items, {found['query']} queries; {at['processor']}, "
        f"{at['cores']} cores, PyTorch {at['torch']}, Python {at['python']}"
    )


def _counts(found: Document) -> str:
    return ", ".join(f"{count} by {level}" for level, count in found["subsets"].items())


def _quality(found: Document, half: str) -> str:
    judged = {m["name"]: m["lds"][half] for m in _done(found)}
    rows = [
        [name, *(_estimate(estimates[cell]) for cell in found["ceiling"])]
        for name, estimates in judged.items()
    ]
    if half == "all":
        rows.append(["ceiling", *(f"{value:.2f}" for value in found["ceiling"].values())])
    return table(["method", *found["ceiling"]], rows)


def _estimate(estimate: Figures) -> str:
    if estimate["value"] is None:
        return "undefined"
    low, high = estimate["low"], estimate["high"]
    return f"{estimate['value']:.3f}" + ("" if low is None else f" [{low:.2f}, {high:.2f}]")


def _costs(found: Document) -> str:
    yardstick = next((m for m in _done(found) if m["name"] == YARDSTICK), None)
    heads = ["method", "checkpoints", "features, in training steps an item", "features", "fit"]
    heads += ["first queries", "further queries", "MB per 1000 items"]
    heads += [] if yardstick is None else [f"features, to first, further: x {YARDSTICK}"]
    return table(heads, [_cost_row(method, yardstick) for method in _done(found)])


def _cost_row(method: Figures, yardstick: Figures | None) -> list[str]:
    seconds = method["seconds"]
    row = [method["name"], str(method["checkpoints"]), f"{method['features_in_steps']:.2f}"]
    row += [f"{seconds[stage]:.2f}" for stage in ("features", "fit", "first", "further")]
    row.append(f"{method['megabytes_per_1000']:.1f}")
    if yardstick is not None:
        row.append(" · ".join(f"{ratio:.1f}" for ratio in ratios(method, yardstick)))
    return row


def ratios(method: Figures, other: Figures) -> tuple[float, float, float]:
    """Divide one method's cost by another's, each first by its own process's training step.

    Features of an item and checkpoint, all up to the first scores, and a further batch of queries.
    """

    def further(m: Figures) -> float:
        return float(m["seconds"]["further"] / m["training_step"])

    def up_to_scores(m: Figures) -> float:
        return float(m["up_to_scores"] / m["training_step"])

    return (
        method["features_in_steps"] / other["features_in_steps"],
        up_to_scores(method) / up_to_scores(other),
        further(method) / further(other),
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table, columns aligned for whoever reads the source."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
