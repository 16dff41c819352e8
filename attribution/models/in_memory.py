"""Models at hand as checkpoints: for whoever has a model and not a run."""

from __future__ import annotations

import copy
import hashlib

import torch
from torch import nn

from attribution.task import Checkpoint


def checkpoint_of(model: nn.Module, name: str = "model", *, run: str = "") -> Checkpoint:
    """Make a checkpoint of a model as it is now; the model itself stays untouched.

    Every load gives a copy in eval mode on the CPU. A model that is trained on afterwards is
    another checkpoint, and needs another call.
    """
    kept = copy.deepcopy(model).cpu().eval()
    return Checkpoint(
        name=name, sha256=weights_sha256(kept), load=lambda: copy.deepcopy(kept), run=run
    )


def weights_sha256(model: nn.Module) -> str:
    """Hash the weights by name, type, shape and content."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
