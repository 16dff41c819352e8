"""An idea: a name, a sentence, what it is compared with, and how its scores are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attribution.ensemble.checkpoints import average
from attribution.task import Checkpoint
from benchmarks.ideas.rows import (
    DEFAULT,
    EXACT_RIDGE,
    Array,
    Look,
    bit_kernels,
    exact_kernels,
    item_bytes,
    summed,
    whole_bytes,
)
from benchmarks.ideas.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Scores (query, train), positive = helped, and the bytes kept of a train item."""

    scores: Array
    stored: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """Something tried. `against` names the idea whose LDS it should beat."""

    name: str
    says: str
    make: Callable[[Workshop], Result]
    against: str | None = "compressed"


Choose = Callable[[Workshop], Sequence[Checkpoint]]


def window(shop: Workshop) -> list[Checkpoint]:
    """Choose the checkpoints of the default: of the first run, at 30, 40 and 50 % of training."""
    return shop.bank.window(DEFAULT.window)


def at(*fractions: float) -> Choose:
    """Choose checkpoints of the first run at these fractions of training."""
    return lambda shop: shop.bank.window(fractions)


def over_runs(count: int, fractions: Sequence[float] = DEFAULT.window) -> Choose:
    """Choose the same fractions of so many independent trainings."""
    return lambda shop: [
        c for run in shop.bank.runs[:count] for c in shop.bank.window(fractions, run)
    ]


def means(*windows: Sequence[float]) -> Choose:
    """Choose the mean weights over windows of the first run; a window of one is a checkpoint."""

    def choose(shop: Workshop) -> list[Checkpoint]:
        found = [shop.bank.window(each) for each in windows]
        return [average(several) if len(several) > 1 else several[0] for several in found]

    return choose


def compressed(choose: Choose, how: Look | None = None) -> Callable[[Workshop], Result]:
    """Make the default's scores, one sketch and one bit a number, from other checkpoints."""
    how = how or Look()

    def make(shop: Workshop) -> Result:
        chosen = choose(shop)
        scores = summed(bit_kernels(shop, checkpoint, how) for checkpoint in chosen)
        return Result(scores=scores, stored=item_bytes(shop, len(chosen), side=how.side))

    return make


def exact(choose: Choose) -> Callable[[Workshop], Result]:
    """Make EK-FAC's scores in every direction from other checkpoints."""

    def make(shop: Workshop) -> Result:
        chosen = choose(shop)
        scores = summed((exact_kernels(shop, each) for each in chosen), EXACT_RIDGE)
        return Result(scores=scores, stored=whole_bytes(shop, len(chosen)))

    return make
