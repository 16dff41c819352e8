"""`python -m benchmarks.ensembles`: what an ensemble gains, against training, serving and bytes.

I independent runs, I x D dropout masks, masks that only run forward, adapters, and beside them the
checkpoints that one run keeps anyway, for TRAK and for our default. Every member is measured once,
alone, through the public functions, and an ensemble is what its members cost together. Runs that
the bank lacks are trained here, which also says what a run costs. `--keep` holds what was measured
of members, so that an interrupted comparison goes on; empty it when the code changes.

All subsets of the bank judge: nothing is chosen here. Seconds are CPU seconds of one thread.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import torch

from attribution import indexing
from attribution.ensemble.dropout import DropoutOptions
from attribution.ensemble.lora import LoraOptions, TrainedOn, adapter_task
from attribution.ensemble.plan import EnsemblePlan, Runs, members, output_members
from attribution.files import write_whole
from attribution.index import IndexOptions, in_window
from attribution.methods import bilinear
from attribution.methods.recipes import RECIPES, Recipe
from attribution.sketch import SketchOptions
from attribution.task import Checkpoint, Execution, Task
from benchmarks.bank import Bank, cells, read_bank
from benchmarks.further import Run, all_runs, margin_task
from benchmarks.measured import Matrix, Stopwatch
from benchmarks.own_bank import own_bank
from benchmarks.report import machine
from benchmarks.scatter import Point, Words, scatter

RESULTS = Path(__file__).parent / "results"
KINDS = ("independent runs", "dropout", "forward-only", "LoRA", "checkpoints", "mean weights")
_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_RUNS = 5
_ALL = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)  # every checkpoint that is kept
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One configuration: a plan over the checkpoints at these fractions of each run's training."""

    kind: str  # of KINDS
    says: str
    plan: EnsemblePlan
    window: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one member gives, and what it takes."""

    scores: Matrix  # (query, train)
    seconds: float  # of indexing and preparing
    asking: float  # seconds of scoring the bank's queries
    stored: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """A method, what it is measured on, and what is known of its members so far."""

    bank: Bank
    runs: dict[str, Run]
    recipe: Recipe
    task: Task
    kept: Path

    def window(self, variant: Variant) -> Runs:
        """Choose the checkpoints that a variant starts from."""
        epochs = self.bank.epochs(self.bank.runs[0])
        done = [epoch / epochs[-1] for epoch in epochs]
        chosen = [epochs[place] for place in in_window(done, variant.window)]
        return {run: [its[epoch] for epoch in chosen] for run, its in self.runs.items()}

    def part(self, checkpoint: Checkpoint, task: Task) -> Part:
        """Measure one member, unless that is done."""
        path = self.kept / f"{self.recipe.name}-{checkpoint.sha256}.npz"
        if not path.exists():
            _save(path, asdict(self._measure(checkpoint, task)))
        with np.load(path) as found:
            return Part(**{name: found[name][()] for name in found.files})

    def term(self, checkpoint: Checkpoint) -> tuple[Matrix, float]:
        """Return TRAK's output term of one member, (train,), and the seconds that took."""
        path = self.kept / f"term-{checkpoint.sha256}.npz"
        if not path.exists():
            stopwatch = Stopwatch()
            with stopwatch("fit"):
                found = bilinear.output_term(self.task, [checkpoint], self.bank.train, Execution())
            _save(path, {"term": found.numpy(), "seconds": stopwatch.seconds["fit"]})
        with np.load(path) as kept:
            return kept["term"], float(kept["seconds"])

    def _measure(self, checkpoint: Checkpoint, task: Task) -> Part:
        stopwatch = Stopwatch()
        with TemporaryDirectory() as name:
            directory, parts = Path(name) / "index", {"train": self.bank.train}
            with stopwatch("features"):
                index = indexing.build(task, [checkpoint], parts, directory, self.recipe.index)
                fitted = bilinear.fit(index, task, [checkpoint], self.recipe.scoring)
            with stopwatch("first"):
                scores = bilinear.scores(fitted, self.bank.query).train.mean(0)
            stored = sum(path.stat().st_size for path in directory.glob("member-*/**/*.npy"))
        seconds = stopwatch.seconds
        return Part(
            scores=scores, seconds=seconds["features"], asking=seconds["first"], stored=stored
        )


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())


def recipes() -> dict[str, tuple[Recipe, bool]]:
    """Return the methods by name, and whether each looks at margins."""
    sketch = SketchOptions(kind="sjlt", width=2048)
    trak = replace(RECIPES["trak"], index=IndexOptions(sketch=sketch, seeds=(0,)))
    trak = replace(trak, scoring=replace(trak.scoring, ridge=1.0))
    return {"TRAK": (trak, True), "our default": (RECIPES["default"], False)}


def variants(recipe: Recipe) -> list[Variant]:
    """List what is compared, for one method."""
    return [*_runs(recipe), *_masks(recipe), *_adapters(recipe), *_checkpoints(recipe)]


def _runs(recipe: Recipe) -> Iterator[Variant]:
    for runs in (1, 3, 5):
        says = f"{runs} runs" if runs > 1 else "1 run"
        yield _variant(KINDS[0], says, recipe.window, runs=runs)


def _masks(recipe: Recipe) -> Iterator[Variant]:
    many = [(1, 10), (3, 1), (3, 3), (3, 10)]
    few = [(1, 5), (3, 1)]  # of three checkpoints each
    for runs, masks in [(1, 1), (1, 3), *(many if recipe.output_term else few)]:
        says, options = f"{runs} x {masks} masks", DropoutOptions(masks=masks)
        dropped = _variant(KINDS[1], says, recipe.window, runs=runs, dropout=options)
        yield dropped
        if recipe.output_term:
            plan = replace(dropped.plan, forward_only=True)
            yield replace(dropped, kind=KINDS[2], says=f"{says}, forward-only", plan=plan)
    by_row = DropoutOptions(masks=1, per="row")
    yield _variant(KINDS[1], "1 x 1 masks by row", recipe.window, runs=1, dropout=by_row)


def _adapters(recipe: Recipe) -> Iterator[Variant]:
    for adapters in (1, 3, 5) if recipe.output_term else (1,):
        options = LoraOptions(adapters=adapters)
        yield _variant(KINDS[3], f"1 x {adapters} adapters", recipe.window, runs=1, lora=options)


def _checkpoints(recipe: Recipe) -> Iterator[Variant]:
    window, one, three = RECIPES["default"].window, DropoutOptions(masks=1), DropoutOptions()
    if recipe.window != window:
        yield _variant(KINDS[4], "3 checkpoints of 1, at 30-50 %", window, runs=1)
    for runs in (1, 3):
        yield _variant(KINDS[4], f"all 6 checkpoints of {runs}", _ALL, runs=runs)
    yield _variant(KINDS[1], "all 6 checkpoints of 1 x 1 masks", _ALL, runs=1, dropout=one)
    mean = _variant(KINDS[5], "mean of 30-50 % of 1", window, runs=1, average=True)
    masked = replace(mean.plan, dropout=three)
    yield from (mean, replace(mean, says=f"{mean.says} x 3 masks", plan=masked))


def _variant(kind: str, says: str, window: tuple[float, ...], **plan: Any) -> Variant:  # noqa: ANN401
    return Variant(kind=kind, says=says, plan=EnsemblePlan(**plan), window=window)


def measure(bench: Bench, variant: Variant, seconds_of_a_run: float) -> Document:
    """Put an ensemble together from its members, and add up what it takes."""
    runs, stopwatch, adapted = bench.window(variant), Stopwatch(), variant.plan.lora is not None
    with TemporaryDirectory() as name:
        lesson = TrainedOn(task=bench.bank.task, rows=bench.bank.train, directory=Path(name))
        with stopwatch("fit"):  # adapters are trained here
            chosen = members(variant.plan, runs, lesson)
        task = adapter_task(bench.task) if adapted else bench.task
        parts = [bench.part(checkpoint, task) for checkpoint in chosen]
        forward = output_members(variant.plan, runs, lesson) if bench.recipe.output_term else ()
        terms = [bench.term(checkpoint) for checkpoint in forward]
    scores = _over_runs(chosen, parts)
    if terms:
        scores = scores * np.mean([term for term, _ in terms], axis=0)
    extra = stopwatch.seconds["fit"] if adapted else 0.0
    found = cells(scores.astype(np.float64), bench.bank)
    return {
        "kind": variant.kind,
        "says": variant.says,
        "members": len(chosen),
        "lds": {cell: asdict(estimate) for cell, estimate in found.items()},
        "training": len({c.run.split("/")[0] for c in chosen}) * seconds_of_a_run + extra,
        "indexing": sum(part.seconds for part in parts) + sum(each for _, each in terms),
        "asking": sum(part.asking for part in parts),
        "megabytes_per_1000": sum(p.stored for p in parts) / len(bench.bank.train) / 1e3,
    }


def _over_runs(chosen: Sequence[Checkpoint], parts: Sequence[Part]) -> Matrix:
    """Add up the members of a run and average over runs, as `bilinear` does."""
    sums: dict[str, Matrix] = {}
    for checkpoint, part in zip(chosen, parts, strict=True):
        sums[checkpoint.run] = sums.get(checkpoint.run, np.float32(0)) + part.scores
    return np.asarray(np.mean(list(sums.values()), axis=0))


def compare(bank: Bank, kept: Path) -> Document:
    """Measure every variant of every method."""
    importlib.import_module("peft")  # now, since seconds of importing are not those of training
    kept.mkdir(parents=True, exist_ok=True)
    runs, seconds_of_a_run = all_runs(bank, _RUNS, kept)
    document: Document = {"machine": machine(), "training_a_run": seconds_of_a_run, "methods": {}}
    for name, (recipe, margins) in recipes().items():
        task = margin_task(bank) if margins else bank.task
        bench = Bench(bank=bank, runs=runs, recipe=recipe, task=task, kept=kept)
        rows = []
        for variant in variants(recipe):
            rows.append(measure(bench, variant, seconds_of_a_run))
            click.echo(_row(name, rows[-1]), err=True)
        document["methods"][name] = rows
    return document


def markdown(document: Document) -> str:
    """Return the comparison as a table."""
    cell_names = next(iter(document["methods"].values()))[0]["lds"]
    costs = "training s | indexing s | asking s | MB per 1000 items"
    lines = [f"| method | ensemble | members | {' | '.join(cell_names)} | mean | {costs} |"]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    for name, rows in document["methods"].items():
        lines += [_row(name, row) for row in rows]
    return "\n".join(lines) + "\n"


def _row(name: str, row: Document) -> str:
    values = [estimate["value"] for estimate in row["lds"].values()]
    figures = " | ".join(f"{value:.3f}" for value in [*values, float(np.mean(values))])
    costs = " | ".join(f"{row[cost]:.0f}" for cost in ("training", "indexing", "asking"))
    return (
        f"| {name} | {row['says']} | {row['members']} | {figures} | {costs} | "
        f"{row['megabytes_per_1000']:.1f} |"
    )


def picture(document: Document) -> str:
    """Draw the mean of the cells against the three costs."""
    points = [
        Point(
            says=f"{name}, {row['says']}",
            kind=KINDS.index(row["kind"]),
            square=name != "TRAK",
            height=float(np.mean([estimate["value"] for estimate in row["lds"].values()])),
            costs=(row["training"], row["indexing"] + row["asking"], row["megabytes_per_1000"]),
        )
        for name, rows in document["methods"].items()
        for row in rows
    ]
    axes = ("training, CPU s", "serving (index and 108 queries), CPU s", "MB per 1000 items")
    words = Words(kinds=KINDS, shapes=("TRAK", "our default"), axes=axes, height="LDS, mean of 4")
    return scatter(points, words)


@click.command(help=__doc__)
@click.option("--bank", type=_DIRECTORY, help="A bank's directory; else one is made of demo-home.")
@click.option("--keep", type=_DIRECTORY, help="Where to keep what is measured of members.")
@click.option("--results", type=_DIRECTORY, default=RESULTS, show_default="benchmarks/results")
def main(bank: Path | None, keep: Path | None, results: Path) -> None:
    """Compare, print and write."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as scratch:
        found = compare(read_bank(bank or own_bank()), keep or Path(scratch))
    results.mkdir(parents=True, exist_ok=True)
    (results / "ensembles.json").write_text(json.dumps(found, indent=1) + "\n")
    (results / "ensembles.md").write_text(markdown(found))
    (results / "ensembles.svg").write_text(picture(found))
    click.echo(markdown(found))


if __name__ == "__main__":
    sys.exit(main())
