"""From a model and rows to scores in one call, for whoever needs no index that lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from attribution.indexing import build
from attribution.methods import bilinear
from attribution.methods.bilinear import Scores
from attribution.methods.recipes import RECIPES, Recipe, output_terms
from attribution.models.in_memory import checkpoint_of
from attribution.task import Checkpoint, Execution, PerExample, Rows, Task


def attribute(
    task: Task | PerExample,
    checkpoints: Sequence[Checkpoint | nn.Module],
    train: Rows | Mapping[str, Tensor],
    query: Rows | Mapping[str, Tensor],
    method: str | Recipe = "default",
) -> Scores:
    """Score every train row for every query row, by a method of `recipes`; positive = it helped.

    A loss alone, (model, batch) → (example,), makes a task whose measurement is minus the loss.
    All checkpoints are used; models trained apart are given as `Checkpoint`s with a `run` of their
    own. Tensors alone are numbered rows. The index that is made on the way is thrown away:
    `indexing.build` keeps one. Dropout is switched off meanwhile. Raises `ValueError` for a method
    that there is not and for a loss that is not one number a row, and `TypeError` where a list of
    models or a mapping of tensors is wanted.
    """
    if isinstance(checkpoints, nn.Module):
        raise TypeError("checkpoints is a list of models; write [model]")
    task = task if isinstance(task, Task) else _task(task)
    recipe = method if isinstance(method, Recipe) else _recipe(method)
    kept = [_checkpoint(each, number) for number, each in enumerate(checkpoints)]
    rows = _rows(train, "train")
    execution = Execution(device=device())
    with TemporaryDirectory() as directory:
        options = replace(recipe.index, execution=execution)
        index = build(task, kept, {"train": rows}, Path(directory), options)
        terms = output_terms(recipe, task, kept, {"train": rows}, execution)
        scoring = replace(recipe.scoring, execution=execution)
        fitted = bilinear.fit(index, task, kept, scoring, output_terms=terms)
        return bilinear.scores(fitted, _rows(query, "query"))


def device() -> str:
    """Name the device that there is."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise ValueError(f"there is no method '{name}'; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def _task(loss: PerExample) -> Task:
    """Explain minus the loss, once it is seen to be one number a row."""

    def checked(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        values, rows = loss(model, batch), len(next(iter(batch.values())))
        if values.shape != (rows,):
            raise ValueError(
                f"the loss gave shape {tuple(values.shape)} for {rows} rows; "
                f"give one number a row, shape ({rows},)"
            )
        return values

    return Task(loss=checked, measurement=lambda model, batch: -checked(model, batch))


def _checkpoint(given: Checkpoint | nn.Module, number: int) -> Checkpoint:
    return given if isinstance(given, Checkpoint) else checkpoint_of(given, f"model-{number}")


def _rows(given: Rows | Mapping[str, Tensor], what: str) -> Rows:
    if isinstance(given, Rows):
        return given
    if isinstance(given, Tensor):
        raise TypeError(f'{what} is a mapping of names to tensors; write {{"input_ids": {what}}}')
    ids = tuple(f"{what}-{i}" for i in range(len(next(iter(given.values())))))
    return Rows(tensors=given, ids=ids, owners=ids)
