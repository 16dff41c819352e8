"""Which index and which scoring a command asks for: a named method, or one at other settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from attribution.methods.recipes import RECIPES, Recipe, at, settings_of
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

    @property
    def settings(self) -> dict[str, float]:
        """The settings that are given, by name."""
        given = {name: getattr(self, name) for name in _WHY_NOT}
        return {name: value for name, value in given.items() if value is not None}


def recipe_of(wanted: Wanted) -> Recipe:
    """Return the method asked for; at settings that are not its own, under a name of its own.

    So nothing found by other settings is taken for the method that pays. Raises `RoyaltyError`
    for a setting that the method does not have.
    """
    recipe = RECIPES[wanted.method]
    own = settings_of(recipe)
    for name in wanted.settings:
        if own[name] is None:
            raise RoyaltyError(f"method '{recipe.name}' {_WHY_NOT[name]}; leave --{name} out")
    others = {name: value for name, value in wanted.settings.items() if value != own[name]}
    if not others:
        return recipe
    said = "-".join(f"{name}-{_said(value)}" for name, value in others.items())
    return replace(at(recipe, others), name=f"{CUSTOM}-{recipe.name}-{said}")


def _said(value: float) -> str:
    """Write a setting so that no two are written alike: 8.0 is 8, 8.000001 stays what it is."""
    return repr(value).removesuffix(".0")
