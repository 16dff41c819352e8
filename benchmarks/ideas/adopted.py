"""What became of the ideas: the default as it is now, and what each of its settings is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from attribution.encoding import Dtype, row_bytes
from attribution.methods.attribute import attribute
from attribution.methods.recipes import RECIPES
from attribution.whitening import WhiteningOptions, width_within
from benchmarks.ideas.idea import Idea, Result, window
from benchmarks.ideas.rows import parameters
from benchmarks.ideas.workshop import Workshop

_RECIPE = RECIPES["default"]


def _with(dtype: Dtype = _RECIPE.index.dtype, **settings: int) -> Callable[[Workshop], Result]:
    """Run the default with other settings of its whitening, or its rows kept as something else."""
    assert _RECIPE.index.whitening is not None
    whitening: WhiteningOptions = replace(_RECIPE.index.whitening, **settings)
    recipe = replace(_RECIPE, index=replace(_RECIPE.index, whitening=whitening, dtype=dtype))

    def make(shop: Workshop) -> Result:
        bank, chosen = shop.bank, window(shop)
        found = attribute(bank.task, chosen, bank.train, bank.query, recipe)
        width = width_within(parameters(shop), whitening)
        assert width is not None
        return Result(scores=found.train[0], stored=len(chosen) * row_bytes(width, dtype))

    return make


IDEAS = (
    Idea(
        name="adopted",
        says="the default now: loudest-group-max among 80 leading directions a side",
        make=_with(),
    ),
    Idea(
        name="adopted-192-rows",
        says="its curvature from 192 of the 384 rows, for half the time",
        make=_with(rows_max=192),
        against="adopted",
    ),
    Idea(
        name="adopted-96-rows",
        says="its curvature from 96 rows",
        make=_with(rows_max=96),
        against="adopted",
    ),
    Idea(
        name="adopted-half",
        says="half as many coordinates",
        make=_with(kept=21_760),
        against="adopted",
    ),
    Idea(
        name="adopted-float16",
        says="the same coordinates, two bytes each: what the code costs",
        make=_with("float16"),
        against="adopted",
    ),
    Idea(
        name="adopted-int8",
        says="the same coordinates, one byte each",
        make=_with("int8"),
        against="adopted",
    ),
    Idea(
        name="adopted-bit",
        says="the same coordinates, one bit each: twice the bytes of peaks",
        make=_with("bit"),
        against="adopted",
    ),
)
