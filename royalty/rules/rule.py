"""What a rule is: how it divides, which fairness it lacks, and which options it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

from ibis import Table

from royalty.rules.facts import Facts

# In the order of arXiv 2511.04465, table 1; docs/rules.md says what each means.
PROPERTIES = (
    "conservation",
    "anonymity",
    "neutrality",
    "null_payee",
    "fraud_proof",
    "bribery_proof",
    "click_fraud_proof",
    "sybil_proof",
    "strong_sybil_proof",
    "engagement_monotone",
    "pigou_dalton",
    "scale_invariant",
    "listener_scale_invariant",
    "listener_additive",
)


class Within(NamedTuple):
    """The bounds of an option that is a number: `Annotated[int, Within(1, 3)]`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named, versioned way to divide pools, and which properties it lacks without options.

    `divide` takes facts and options, and returns pool, track, micros, remainder. A rule that sees
    artists also says how much more a share of theirs weighs inside a track: artist, boost.
    """

    name: str
    version: str
    divides: Literal["plays", "bookings", "equally"]  # by what; only plays leave money idle
    options: type
    divide: Callable[[Facts, Any], Table]
    lacks: frozenset[str]  # of PROPERTIES
    boosts: Callable[[Facts, Any], Table] | None = None

    @property
    def has(self) -> frozenset[str]:
        """The properties that tests hold it to."""
        return frozenset(PROPERTIES) - self.lacks

    @property
    def sees(self) -> Literal["tracks", "artists"]:
        """Whether it is one rule to divide by tracks and then by shares, or by artists."""
        return "tracks" if self.boosts is None else "artists"

    def choose(self, settings: dict[str, Any]) -> Any:  # noqa: ANN401 - each rule has its own
        """Read options from settings. Raises `ValueError` naming what is no option, or wrong."""
        kinds = get_type_hints(self.options, include_extras=True)
        for key, value in settings.items():
            if key not in kinds:
                raise ValueError(f"{self.name} has no option '{key}'; {_known(self.options)}")
            _require(key, value, kinds[key])
        return self.options(**settings)


def _known(options: type) -> str:
    names = ", ".join(field.name for field in fields(options))
    return f"it has {names}" if names else "it has none"


def _require(key: str, value: object, kind: Any) -> None:  # noqa: ANN401 - a type
    """Refuse what is no such text, or no such number: `kind` is a `Literal` or has `Within`."""
    if bounds := getattr(kind, "__metadata__", ()):
        (within,) = bounds
        if type(value) is not int or not within.least <= value <= within.most:
            raise ValueError(
                f"{key} must be a whole number from {within.least} to {within.most}, not {value}"
            )
    elif value not in get_args(kind):
        raise ValueError(f"{key} must be one of {', '.join(get_args(kind))}, not {value}")
