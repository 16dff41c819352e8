"""Our own methods through our public functions, by the names that `--out` writes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from attribution import indexing
from attribution.ensemble.dropout import DropoutOptions, dropout
from attribution.index import Index, IndexOptions
from attribution.methods import bilinear
from attribution.methods.recipes import RECIPES, Recipe
from attribution.task import Checkpoint, Execution, Rows
from benchmarks.bank import Bank
from benchmarks.ideas.baselines import overlap, token_bytes
from benchmarks.measured import Matrix, Scores, Stopwatch, repeated

ITEMS = 32  # at a time


@dataclass(frozen=True, slots=True)
class _Work:
    """An index to build and to score by, under a stopwatch."""

    bank: Bank
    recipe: Recipe
    checkpoints: Sequence[Checkpoint]
    stopwatch: Stopwatch

    def build(self, directory: Path) -> Index:
        """Build the index; `fit` is what a build takes that finds no rows but all curvature."""
        options = replace(self.recipe.index, execution=Execution(batch=ITEMS))
        with self.stopwatch("fit"):
            self._build(directory, options)
        for member in directory.glob("member-*"):
            shutil.rmtree(member)
        with self.stopwatch("features"):
            index = self._build(directory, options)
        self.stopwatch.seconds["fit"] -= self.stopwatch.seconds["features"]
        return index

    def _build(self, directory: Path, options: IndexOptions) -> Index:
        parts = {"train": self.bank.train}
        return indexing.build(self.bank.task, self.checkpoints, parts, directory, options)

    def score(self, fitted: bilinear.Fitted, query: Rows) -> Matrix:
        """Average over runs and seeds: (query, train)."""
        return np.asarray(bilinear.scores(fitted, query).train.mean(0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Members:
    """Which checkpoints a method takes of a training, and of how many trainings."""

    of_run: Callable[[Bank, str], Sequence[Checkpoint]]
    runs: int = 1


def by_recipe(recipe: Recipe, members: Members, bank: Bank) -> Scores:
    """Run a recipe over these members; scores are averaged over the trainings."""
    checkpoints = [c for run in bank.runs[: members.runs] for c in members.of_run(bank, run)]
    work = _Work(bank, recipe, checkpoints, Stopwatch())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "index"
        index = work.build(directory)
        stored = sum(path.stat().st_size for path in directory.glob("member-*/**/*.npy"))
        with work.stopwatch("fit"):
            fitted = bilinear.fit(index, bank.task, checkpoints, recipe.scoring)
        with work.stopwatch("first"):
            found = work.score(fitted, bank.query)
        with work.stopwatch("further"):
            work.score(fitted, repeated(bank.query))
    return Scores(
        train=found,
        seconds=work.stopwatch.seconds,
        stored=stored,
        checkpoints=len(checkpoints),
        note=recipe.says,
    )


def by_overlap(bank: Bank) -> Scores:
    """Score by rare runs of tokens in common, whatever the model made of them."""
    stopwatch = Stopwatch()
    train, query = (rows.tensors["tokens"].tolist() for rows in (bank.train, bank.query))
    for stage in ("first", "further"):
        with stopwatch(stage):
            found = overlap(query, train)
    return Scores(
        train=found.astype(np.float32),
        seconds=stopwatch.seconds,
        stored=len(train) * token_bytes(bank.train),
        checkpoints=1,
        note="similarity, not influence: the row to beat",
    )


def _window(bank: Bank, run: str) -> list[Checkpoint]:
    """Take the checkpoints at 30, 40 and 50 % of training."""
    return bank.window(RECIPES["default"].window, run)


def _with_masks(bank: Bank, run: str) -> list[Checkpoint]:
    """Add one dropout mask of every checkpoint of the window."""
    window = _window(bank, run)
    return [*window, *(m for c in window for m in dropout(c, DropoutOptions(masks=1)))]


OURS: Mapping[str, Callable[[Bank], Scores]] = {
    "compressed": partial(by_recipe, RECIPES["default"], Members(_window)),
    "exact": partial(by_recipe, RECIPES["ekfac"], Members(_with_masks)),
    "best": partial(by_recipe, RECIPES["ekfac"], Members(_with_masks, runs=3)),
    "n-gram": by_overlap,
}
