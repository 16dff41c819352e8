"""A bank of retrainings: what a model does when some rows were never trained on.

    plan.json               which rows each retraining keeps, its seeds, what is retrained
    retrained/0003-1.json   outcomes of subset 3 at its second seed, one number a query

Every file holds its own checksum and is written whole, so an interrupted bank goes on where it
stopped and holds the same bytes in the end.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from attribution.errors import AttributionError
from attribution.evaluation.estimate import Array, Mask, Whole
from attribution.evaluation.plan import BankPlan, PlanRefused, plan_from
from attribution.files import json_bytes, write_whole
from attribution.task import Progress, silent

SCHEMA = 1
Job = tuple[int, int]  # subset, place among its seeds


class ForeignBank(AttributionError):
    """The directory holds retrainings of another plan, corpus or recipe."""


class CorruptBank(AttributionError):
    """A file of the bank is not what was written."""


class IncompleteBank(AttributionError):
    """The bank is not there, or retrainings are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """How to train on some of the rows, and what to measure of the model.

    PyTorch is seeded, and held to `threads`, before `train` is called. With several workers both
    functions are pickled, so they must stand in a module (a `partial` of such a function will do).
    """

    train: Callable[[Whole, int], nn.Module]  # places of the rows kept, seed
    measure: Callable[[nn.Module], Array]  # (query,): log-likelihood; higher is better
    subject: str  # names rows, recipe and queries; another name is another bank
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """Retrainings and what they came to."""

    plan: BankPlan
    outcomes: Array  # (subset, seed, query)
    subject: str
    sha256: str  # of plan and subject

    @property
    def names(self) -> tuple[str, ...]:
        """Name the subsets."""
        return self.plan.names

    @property
    def masks(self) -> Mask:
        """Say which rows each subset kept: (subset, train)."""
        return self.plan.masks


def build(
    plan: BankPlan,
    retraining: Retraining,
    directory: Path,
    *,
    progress: Progress = silent,
    workers: int = 1,
) -> Bank:
    """Carry out what is missing of a plan, in so many processes, and open the bank.

    The result does not depend on `workers`. What an earlier build wrote is kept unless it is
    harmed. Raises `ForeignBank` when the directory holds another bank.
    """
    folder = _adopt(directory, _document(plan, retraining.subject))
    missing = [job for job in folder.jobs if folder.fault(job)]
    total, done = len(folder.jobs), len(folder.jobs) - len(missing)
    progress(done, total)
    for count, _ in enumerate(_carried_out(retraining, folder, missing, workers), done + 1):
        progress(count, total)
    return open_bank(directory)


def open_bank(directory: Path) -> Bank:
    """Open a finished bank.

    Raises `IncompleteBank` when retrainings are missing, and `CorruptBank`, with its name, when a
    file is not what was written.
    """
    folder = _opened(directory)
    missing = sum(not folder.path(job).exists() for job in folder.jobs)
    if missing:
        raise IncompleteBank(
            f"{directory} lacks {missing} of {len(folder.jobs)} retrainings; "
            "build it again with the same plan and it goes on"
        )
    outcomes = [folder.outcome(job) for job in folder.jobs]
    if len({len(outcome) for outcome in outcomes}) > 1:
        raise CorruptBank(f"the retrainings in {directory} measured different numbers of queries")
    return Bank(
        plan=folder.plan,
        outcomes=np.array(outcomes, dtype=np.float64).reshape(*folder.plan.seeds.shape, -1),
        subject=folder.document["subject"],
        sha256=folder.document["sha256"],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Folder:
    """A bank's directory, its plan read."""

    directory: Path
    document: dict[str, Any]
    plan: BankPlan

    @property
    def jobs(self) -> list[Job]:
        subsets, seeds = self.plan.seeds.shape
        return [(subset, seed) for subset in range(subsets) for seed in range(seeds)]

    def path(self, job: Job) -> Path:
        return self.directory / "retrained" / f"{job[0]:04d}-{job[1]}.json"

    def heading(self, job: Job) -> dict[str, Any]:
        seed = int(self.plan.seeds[job])
        return {"bank": self.document["sha256"], "subset": self.plan.names[job[0]], "seed": seed}

    def outcome(self, job: Job) -> list[float]:
        document, heading = _read(self.path(job)), self.heading(job)
        if any(document.get(key) != value for key, value in heading.items()):
            raise CorruptBank(
                f"{self.path(job)} is a retraining of something else; delete it and build again"
            )
        found: list[float] = document["outcome"]
        return found

    def fault(self, job: Job) -> bool:
        """Say whether a retraining has to be done, because it is missing or harmed."""
        try:
            return not self.path(job).exists() or not self.outcome(job)
        except CorruptBank:
            return True


def _carried_out(
    retraining: Retraining, folder: _Folder, jobs: Sequence[Job], workers: int
) -> Iterator[Job]:
    """Retrain and write, one step a job."""
    if workers <= 1 or len(jobs) <= 1:
        yield from (_retrain(retraining, folder, job) for job in jobs)
        return
    packed = pickle.dumps((retraining, folder))  # by torch's own way they would share memory
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawned) as pool:
        futures = [pool.submit(_retrain_packed, packed, job) for job in jobs]
        try:
            yield from (future.result() for future in as_completed(futures))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _retrain_packed(packed: bytes, job: Job) -> Job:
    retraining, folder = pickle.loads(packed)  # noqa: S301 - our own, a moment ago
    return _retrain(retraining, folder, job)


def _retrain(retraining: Retraining, folder: _Folder, job: Job) -> Job:
    seed = int(folder.plan.seeds[job])
    with _seeded(seed, retraining.threads):
        model = retraining.train(np.flatnonzero(folder.plan.masks[job[0]]), seed)
        outcome = np.asarray(retraining.measure(model), dtype=np.float64)
    if outcome.ndim != 1 or not len(outcome):
        raise PlanRefused(
            f"measure gave numbers of shape {outcome.shape}; return one a query, (query,)"
        )
    content = _signed({**folder.heading(job), "outcome": outcome.tolist()})
    write_whole(folder.path(job), json_bytes(content))
    return job


@contextmanager
def _seeded(seed: int, threads: int) -> Iterator[None]:
    """Fix the seed and the number of threads, and leave both afterwards as they were."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)


def _document(plan: BankPlan, subject: str) -> dict[str, Any]:
    return _signed({"schema": SCHEMA, "subject": subject, **plan.as_document()})


def _adopt(directory: Path, wanted: dict[str, Any]) -> _Folder:
    """Begin a bank, or take over what an earlier build of the same bank left."""
    if not (directory / "plan.json").exists():
        (directory / "retrained").mkdir(parents=True, exist_ok=True)
        write_whole(directory / "plan.json", json_bytes(wanted))
    folder = _opened(directory)
    differs = [key for key in wanted if key != "sha256" and wanted[key] != folder.document.get(key)]
    if differs:
        raise ForeignBank(
            f"{directory} holds a bank of something else ({', '.join(differs)} differ); "
            "choose another directory, or delete this one"
        )
    return folder


def _opened(directory: Path) -> _Folder:
    path = directory / "plan.json"
    if not path.exists():
        raise IncompleteBank(f"{directory} holds no bank of retrainings; build one")
    document = _read(path)
    if document["schema"] != SCHEMA:
        raise ForeignBank(f"{path} has schema {document['schema']}, this reads {SCHEMA}")
    return _Folder(directory=directory, document=document, plan=plan_from(document))


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        signed = document["sha256"] == _signed(document)["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError):
        signed = False
    if not signed:
        raise CorruptBank(f"{path} is not what was written; delete it and build the bank again")
    return document


def _signed(document: dict[str, Any]) -> dict[str, Any]:
    """Add the checksum of everything else."""
    rest = {key: value for key, value in document.items() if key != "sha256"}
    return {**rest, "sha256": hashlib.sha256(json_bytes(rest)).hexdigest()}
