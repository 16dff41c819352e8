"""Retraining the product's own generator, so that a bank can be built for any of its runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from attribution.evaluation.bank import Retraining
from attribution.evaluation.estimate import Array, Whole
from attribution.files import file_sha256, json_bytes
from attribution.models import event_transformer, training
from attribution.models.event_transformer import event_task
from attribution.models.training import TrainingOptions
from attribution.task import Rows, rows_sha256


def event_retraining(train: Rows, query: Rows, options: TrainingOptions) -> Retraining:
    """Train event transformers on parts of `train`, and measure the log-likelihood of `query`.

    Outcomes are one number a row of `query`, summed over its events: a track's is the sum over its
    rows. Every retraining has as many epochs, so a smaller subset takes fewer steps. The seed of
    `options` is replaced; `options.threads` is 1 where it is None.
    """
    options = replace(options, threads=options.threads or 1, fractions=())
    return Retraining(
        train=partial(_train, train, options),
        measure=partial(log_likelihood, rows=query),
        subject=_subject(train, query, options),
        threads=options.threads or 1,
    )


def log_likelihood(model: nn.Module, rows: Rows, batch: int = 64) -> Array:
    """Return the log-likelihood of each row under a model, in nats: float64 (row,)."""
    measurement = event_task().measurement
    device = next(model.parameters()).device
    with torch.no_grad():
        found = [
            measurement(model.eval(), {name: t.to(device) for name, t in each.items()}).cpu()
            for each in rows.batches(batch)
        ]
    return torch.cat(found).double().numpy() if found else np.zeros(0)


def _train(rows: Rows, options: TrainingOptions, kept: Whole, seed: int) -> nn.Module:
    with TemporaryDirectory(prefix="retraining-") as directory:
        chosen = rows.take(kept.tolist())
        return training.train(chosen, replace(options, seed=seed), Path(directory)).model()


def _subject(train: Rows, query: Rows, options: TrainingOptions) -> str:
    """Hash what decides the outcomes, seeds and subsets apart."""
    code = [Path(str(module.__file__)) for module in (event_transformer, training)]
    what: Mapping[str, object] = {
        "train": rows_sha256(train),
        "query": rows_sha256(query),
        "options": asdict(replace(options, seed=0)),
        "code": [file_sha256(path) for path in code],
        "torch": torch.__version__.partition("+")[0],
    }
    return hashlib.sha256(json_bytes(what)).hexdigest()
