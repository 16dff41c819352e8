"""Several processes at one build: `torchrun` starts them, each takes its part of the work.

With a single process, which is the rule, everything here says so and does nothing.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from typing import TypeVar

from torch import distributed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Which process this is, of how many."""

    rank: int
    count: int

    @property
    def first(self) -> bool:
        """Tell whether this is the process that writes what all share."""
        return self.rank == 0


def join() -> Place:
    """Join the processes that `torchrun` started, and say which of them this is."""
    if not distributed.is_available():
        return Place(0, 1)
    if "TORCHELASTIC_RUN_ID" in os.environ and not distributed.is_initialized():
        distributed.init_process_group("gloo")
        atexit.register(distributed.destroy_process_group)  # its threads could abort the end
    if not distributed.is_initialized():
        return Place(0, 1)
    return Place(distributed.get_rank(), distributed.get_world_size())


def told(value: T) -> T:
    """Return what the first process holds, to all of them; they wait for it."""
    if join().count == 1:
        return value
    box = [value]
    distributed.broadcast_object_list(box)
    return box[0]


def gathered(values: list[T]) -> list[T]:
    """Return the values of all processes, in their order, to all of them."""
    place = join()
    if place.count == 1:
        return values
    found: list[list[T] | None] = [None] * place.count
    distributed.all_gather_object(found, values)
    return [value for each in found for value in each or ()]
