"""Which index and which scoring a command asks for: a named method, or one at other settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from attribution.methods.recipes import RECIPES, Recipe
from royalty.errors import RoyaltyError

CUSTOM = "custom"  # what the names of methods at other settings begin with
_WHY_NOT = MappingProxyType(
    {
        "damping": "whitens nothing",
        "kept": "chooses no coordinates",
        "side": "has no Kronecker sketch",
        "ridge": "has no Gram",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An index and how it is to be scored; what is None is as the method has it."""

    runs: tuple[str, ...] = ()  # ids; none: the only run
    method: str = "default"
    damping: float | None = None  # of the whitening, in mean eigenvalues of a layer
    kept: int | None = None  # numbers of a row, where the whitening chooses them
    side: int | None = None  # of the Kronecker sketch, where there is one
    ridge: float | None = None  # of the Gram, in mean squared lengths of a row


def recipe_of(wanted: Wanted) -> Recipe:
    """Return the method asked for; at settings that are not its own, under a name of its own.

    So nothing found by other settings is taken for the method that pays. Raises `RoyaltyError`
    for a setting that the method does not have.
    """
    recipe = RECIPES[wanted.method]
    settings = _settings(recipe)
    given = {name: getattr(wanted, name) for name in settings}
    for name, value in given.items():
        if value is not None and settings[name] is None:
            raise RoyaltyError(f"method '{recipe.name}' {_WHY_NOT[name]}; leave --{name} out")
    others = {n: v for n, v in given.items() if v is not None and v != settings[n]}
    if not others:
        return recipe
    said = "-".join(f"{name}-{value:g}" for name, value in others.items())
    return replace(_at(recipe, others), name=f"{CUSTOM}-{recipe.name}-{said}")


def _settings(recipe: Recipe) -> dict[str, float | None]:
    whitening, sketch, scoring = recipe.index.whitening, recipe.index.sketch, recipe.scoring
    return {
        "damping": None if whitening is None else whitening.damping,
        "kept": None if whitening is None else whitening.kept,
        "side": sketch.side if sketch.kind == "kronecker" else None,
        "ridge": None if scoring.gram is None else scoring.ridge,
    }


def _at(recipe: Recipe, settings: dict[str, float]) -> Recipe:
    index, scoring = recipe.index, recipe.scoring
    if "damping" in settings and index.whitening is not None:
        whitening = replace(index.whitening, damping=settings["damping"])
        index = replace(index, whitening=whitening)
    if "kept" in settings and index.whitening is not None:
        index = replace(index, whitening=replace(index.whitening, kept=int(settings["kept"])))
    if "side" in settings:
        index = replace(index, sketch=replace(index.sketch, side=int(settings["side"])))
    if "ridge" in settings:
        scoring = replace(scoring, ridge=settings["ridge"])
    return replace(recipe, index=index, scoring=scoring)
