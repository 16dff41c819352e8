"""Likeness of what a model makes of two pieces: cosines of mean hidden states, never influence.

A piece's embedding is what the model's last linear layer is given, its final hidden state, averaged
over the piece. It says what the model takes for alike; it does not say what training on the one did
for the other, and nothing is ever paid by it. It is there to be beaten, beside n-gram overlap.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attribution.errors import AttributionError
from attribution.task import Batch, Checkpoint, Execution, Rows, Task

LABEL = "similarity of the model's hidden states, not influence"
_MASKS = ("mask", "attention_mask")


def embed(task: Task, checkpoint: Checkpoint, rows: Rows, execution: Execution) -> Tensor:
    """Return the mean final hidden state of every row: float32 (row, width), on the CPU.

    Padding counts for nothing, where a row's tensors say in "mask" or "attention_mask" what it is.
    Raises `AttributionError` for a model that calls no linear layer.
    """
    model = checkpoint.load().to(execution.device).eval()
    found, done = [], 0
    for batch in rows.batches(execution.batch):
        moved = {name: tensor.to(execution.device) for name, tensor in batch.items()}
        found.append(_embedded(task, model, moved))
        done += len(found[-1])
        execution.progress(done, len(rows))
    return torch.cat(found).float().cpu()


def cosines(train: Tensor, query: Tensor) -> Tensor:
    """Return the cosines of embeddings (query, train), each less the train rows' mean.

    Hidden states share a large common part; with it every cosine would be near 1.
    """
    shared = train.mean(0)
    train, query = (nn.functional.normalize(each - shared, dim=1) for each in (train, query))
    return query @ train.T


def _embedded(task: Task, model: nn.Module, batch: Batch) -> Tensor:
    given: list[Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0]))
        for module in model.modules()
        if isinstance(module, nn.Linear)
    ]
    try:
        with torch.no_grad():
            task.measurement(model, batch)
    finally:
        for hook in hooks:
            hook.remove()
    if not given:
        raise AttributionError(
            "the model calls no linear layer, whose input would be its hidden state"
        )
    return _averaged(given[-1], batch)


def _averaged(hidden: Tensor, batch: Batch) -> Tensor:
    """Average over positions, if there are any: (example, position, width) → (example, width)."""
    if hidden.ndim == 2:  # noqa: PLR2004 - (example, width) already
        return hidden
    masks = [batch[name] for name in _MASKS if name in batch]
    weights = (masks[0] if masks else torch.ones_like(hidden[..., 0])).to(hidden.dtype)
    return (hidden * weights[..., None]).sum(1) / weights.sum(1, keepdim=True).clamp_min(1)
