"""Reading a bank: a small model, what it was trained on, and what retraining it showed.

    public.npz        train_tokens, train_artist, train_piece, artist_names, query_tokens,
                      query_is_generated; where the truth is there, val_item_masks and
                      val_art_masks (packed bits) and val_item_query_loss, val_art_query_loss
                      (subset, seed, query); train_mask and query_mask where rows are shorter
    checkpoints.npz   every parameter as `run.epN.name`, and `run.epN.lr`
    model.py          LM() makes the model; inp(tokens) its input, whose targets are the tokens

`model.py` is executed: read only banks you trust.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  as everybody calls it

from attribution.evaluation.bank import Bank as Retrainings
from attribution.evaluation.estimate import Array, Estimate, Mask, Resampling
from attribution.evaluation.lds import lds
from attribution.evaluation.plan import BankPlan
from attribution.index import in_window
from attribution.task import Batch, Checkpoint, Rows, Task

LEVELS = {"artist": "art", "item": "item"}  # how a truth is called in `public.npz`
HALVES = ("all", "chosen", "reported")  # what settings are chosen on is never reported
CELLS = tuple(f"{level}, {kind}" for level in LEVELS for kind in ("generated", "held-out"))


class UnreadableBank(Exception):
    """The directory is no bank, or lacks something that a bank must have."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """A model's training, what is asked of it, and the truth where that is given."""

    directory: Path
    train: Rows  # owners are the pieces
    query: Rows
    artists: tuple[str, ...]  # of each train row
    generated: Mask  # (query,): sampled from the model; the others are music it never saw
    checkpoints: Mapping[tuple[str, int], Checkpoint]  # by run and epoch
    truth: Mapping[str, Retrainings]  # by level; empty where the bank holds none
    task: Task
    new_model: Callable[[], nn.Module]  # untrained
    inputs: Callable[[Tensor], Tensor]  # tokens (row, place) → what the model is given

    @property
    def runs(self) -> tuple[str, ...]:
        """Name the independent trainings, the generator's first."""
        return tuple(dict.fromkeys(run for run, _ in self.checkpoints))

    def epochs(self, run: str) -> tuple[int, ...]:
        """List the epochs after which a run was kept."""
        return tuple(sorted(epoch for name, epoch in self.checkpoints if name == run))

    def window(self, fractions: Sequence[float], run: str | None = None) -> list[Checkpoint]:
        """Choose the checkpoints of one run that are nearest to these fractions of training."""
        run = run or self.runs[0]
        epochs = self.epochs(run)
        done = [epoch / epochs[-1] for epoch in epochs]
        return [self.checkpoints[run, epochs[i]] for i in in_window(done, fractions)]


def read_bank(directory: Path) -> Bank:
    """Read a bank; weights are loaded when they are needed.

    Raises `UnreadableBank` when a file or an array is missing.
    """
    for name in ("public.npz", "checkpoints.npz", "model.py"):
        if not (directory / name).exists():
            raise UnreadableBank(f"{directory} has no {name}; pass the directory of a bank")
    public = np.load(directory / "public.npz")
    architecture = _module(directory / "model.py")
    pieces = [str(piece) for piece in _array(public, "train_piece")]
    names = _array(public, "artist_names")
    train = _rows("train", public)
    return Bank(
        directory=directory,
        train=replace(train, owners=tuple(pieces)),
        query=_rows("query", public),
        artists=tuple(str(names[place]) for place in _array(public, "train_artist")),
        generated=_array(public, "query_is_generated").astype(bool),
        checkpoints=_checkpoints(directory / "checkpoints.npz", architecture.LM),
        truth=_truth(public, len(train)),
        task=token_task(architecture.inp),
        new_model=architecture.LM,
        inputs=architecture.inp,
    )


def token_task(inputs: Callable[[Tensor], Tensor]) -> Task:
    """Explain a model of tokens: the loss of an example is summed over its tokens."""
    loss = partial(_loss, inputs)
    return Task(
        loss=loss,
        measurement=lambda model, batch: -loss(model, batch),
        sampled=partial(_sampled, inputs),
        probability=lambda model, batch: (-loss(model, batch) / batch["mask"].sum(1)).exp(),
    )


def cells(scores: Array, bank: Bank, half: str = "all") -> dict[str, Estimate]:
    """Judge scores (query, train) by every truth of the bank, for each kind of query.

    `half` takes every other subset: those settings may be chosen on, or those kept for reporting.
    The interval is the evaluation's, over queries and subsets; NaN where subsets are too few.
    """
    found = {}
    for level, truth in bank.truth.items():
        for kind, chosen in (("generated", bank.generated), ("held-out", ~bank.generated)):
            judged = replace(_half(truth, half), outcomes=_half(truth, half).outcomes[..., chosen])
            if chosen.any():
                found[f"{level}, {kind}"] = lds(scores[chosen], judged, Resampling()).estimate
    return found


def ceilings(bank: Bank) -> dict[str, float]:
    """Say what perfect scores would reach on the whole truth, from its seeds split in half."""
    found = {}
    scores = np.random.default_rng(0).normal(size=(len(bank.query), len(bank.train)))
    for level, truth in bank.truth.items():
        for kind, chosen in (("generated", bank.generated), ("held-out", ~bank.generated)):
            judged = replace(truth, outcomes=truth.outcomes[..., chosen])
            if chosen.any():
                few = Resampling(replicates=2)
                found[f"{level}, {kind}"] = lds(scores[chosen], judged, few).ceiling.value
    return found


def _half(truth: Retrainings, half: str) -> Retrainings:
    if half == "all":
        return truth
    kept = slice(HALVES.index(half) - 1, None, 2)
    plan = replace(
        truth.plan,
        names=truth.plan.names[kept],
        masks=truth.plan.masks[kept],
        seeds=truth.plan.seeds[kept],
    )
    return replace(truth, plan=plan, outcomes=truth.outcomes[kept])


def _truth(public: NpzFile, items: int) -> dict[str, Retrainings]:
    found = {}
    for level, short in LEVELS.items():
        if f"val_{short}_masks" not in public.files:
            continue
        masks = np.unpackbits(public[f"val_{short}_masks"], axis=1)[:, :items].astype(bool)
        outcomes = -public[f"val_{short}_query_loss"].astype(np.float64)
        subsets, seeds = outcomes.shape[:2]
        plan = BankPlan(
            kind="groups" if level == "artist" else "items",
            names=tuple(f"{level} {i}" for i in range(subsets)),
            masks=masks,
            seeds=np.arange(subsets * seeds).reshape(subsets, seeds),
        )
        found[level] = Retrainings(plan=plan, outcomes=outcomes, subject="bank", sha256="")
    return found


def _checkpoints(
    path: Path, new_model: Callable[[], nn.Module]
) -> dict[tuple[str, int], Checkpoint]:
    with np.load(path) as kept:
        keys: dict[str, list[str]] = {}
        for key in kept.files:
            keys.setdefault(".".join(key.split(".")[:2]), []).append(key)
        found = {}
        for name, its in sorted(keys.items(), key=lambda item: _run_and_epoch(item[0])):
            found[_run_and_epoch(name)] = Checkpoint(
                name=name,
                sha256=_sha256(kept, its),
                load=partial(_load, path, name, new_model),
                run=name.split(".")[0],
                learning_rate=float(kept[f"{name}.lr"]) if f"{name}.lr" in its else 1.0,
            )
    if not found:
        raise UnreadableBank(f"{path} holds no checkpoint; name arrays run.epN.parameter")
    return found


def _run_and_epoch(name: str) -> tuple[str, int]:
    run, epoch = name.split(".")
    return run, int(epoch.removeprefix("ep"))


def _load(path: Path, name: str, new_model: Callable[[], nn.Module]) -> nn.Module:
    model, start = new_model(), f"{name}."
    with np.load(path) as kept:
        keys = [k for k in kept.files if k.startswith(start) and k != f"{name}.lr"]
        state = {k.removeprefix(start): torch.from_numpy(kept[k]).float() for k in keys}
    model.load_state_dict(state)
    return model.eval()


def _sha256(kept: NpzFile, keys: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for key in sorted(keys):
        array = np.ascontiguousarray(kept[key])
        digest.update(f"{key} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _rows(kind: str, public: NpzFile) -> Rows:
    tokens = torch.from_numpy(_array(public, f"{kind}_tokens").astype(np.int64))
    mask = torch.ones_like(tokens, dtype=torch.bool)
    if f"{kind}_mask" in public.files:
        mask = torch.from_numpy(public[f"{kind}_mask"].astype(bool))
    names = tuple(f"{kind}-{i}" for i in range(len(tokens)))
    return Rows(tensors={"tokens": tokens, "mask": mask}, ids=names, owners=names)


def _array(arrays: NpzFile, name: str) -> Array:
    if name not in arrays.files:
        raise UnreadableBank(f"public.npz has no {name}; it has {', '.join(arrays.files)}")
    found: Array = arrays[name]
    return found


def _module(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location("bank_model", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _surprise(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (each.view_as(targets) * mask).sum(1)  # (example,)


def _loss(inputs: Callable[[Tensor], Tensor], model: nn.Module, batch: Batch) -> Tensor:
    return _surprise(model(inputs(batch["tokens"])), batch["tokens"], batch["mask"])


def _sampled(
    inputs: Callable[[Tensor], Tensor], model: nn.Module, batch: Batch, random: torch.Generator
) -> Tensor:
    logits = model(inputs(batch["tokens"]))
    chances = logits.detach().softmax(-1).flatten(0, 1)
    drawn = torch.multinomial(chances, 1, generator=random)
    return _surprise(logits, drawn.view_as(batch["tokens"]), batch["mask"])
