"""The engine: tensors in, evidence out. Imports nothing of ours."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attribution.methods.attribute import attribute as attribute
    from attribution.task import Checkpoint as Checkpoint
    from attribution.task import Rows as Rows
    from attribution.task import Task as Task

_HOMES = {
    "Checkpoint": "attribution.task",
    "Rows": "attribution.task",
    "Task": "attribution.task",
    "attribute": "attribution.methods.attribute",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: a command that needs no model starts without torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'attribution' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
