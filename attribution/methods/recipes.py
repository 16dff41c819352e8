"""The named methods: what each puts into its index, and how it scores.

`default` is what pays. The figures behind each choice are in `docs/method.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from attribution.index import IndexOptions
from attribution.methods.bilinear import ScoringOptions
from attribution.sketch import SketchOptions
from attribution.whitening import WhiteningOptions

VERSION = 1  # of all recipes together; shares name it


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A method by name. `window` says which fractions of training its checkpoints are from."""

    name: str
    says: str  # one line for people
    window: tuple[float, ...] = (0.3, 0.4, 0.5)
    index: IndexOptions = field(default_factory=IndexOptions)
    scoring: ScoringOptions = field(default_factory=ScoringOptions)
    output_term: bool = False  # TRAK's Q

    @property
    def version(self) -> str:
        """Name the recipe as shares are to remember it."""
        return f"{self.name}-{VERSION}"


_TRAINING = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_FINAL = (1.0,)
_PLAIN = SketchOptions(kind="sjlt", width=4096)
_EVERYTHING = SketchOptions(kind="identity")

# At three checkpoints 8.2 MB for 1000 rows.
_COMPRESSED = IndexOptions(
    sketch=_EVERYTHING,
    whitening=WhiteningOptions(kind="ekfac", rows_max=512, directions=80, kept=43_520),
    seeds=(0,),
    dtype="peak",
)

_ALL = (
    Recipe(
        name="default",
        says="the loudest of EK-FAC's directions at three checkpoints, under a damped Gram",
        index=_COMPRESSED,
    ),
    Recipe(
        name="quick",
        says="the default at one checkpoint: for a first look",
        window=(0.4,),
        index=_COMPRESSED,
    ),
    Recipe(
        name="thorough",
        says="the default over every checkpoint kept: no window to choose, twice the cost",
        window=_TRAINING,
        index=_COMPRESSED,
    ),
    Recipe(
        name="ekfac",
        says="EK-FAC influence in every direction: exact, slow, for what is disputed",
        index=IndexOptions(
            sketch=_EVERYTHING, whitening=WhiteningOptions(kind="ekfac"), seeds=(0,)
        ),
    ),
    Recipe(
        name="trak",
        says="TRAK as published: final checkpoint, plain sketches, one Gram, output term",
        window=_FINAL,
        index=IndexOptions(sketch=_PLAIN),
        scoring=ScoringOptions(ridge=1e-3, normalise=False),
        output_term=True,
    ),
    Recipe(
        name="logra",
        says="plain Kronecker sketches, one Gram a parameter, three checkpoints",
        index=IndexOptions(sketch=SketchOptions(side=16)),
        scoring=ScoringOptions(gram="parameter"),
    ),
    Recipe(
        name="tracin",
        says="inner products of gradients, summed over checkpoints by learning rate",
        window=_TRAINING,
        index=IndexOptions(sketch=_PLAIN),
        scoring=ScoringOptions(gram=None, normalise=False, by_learning_rate=True),
    ),
    Recipe(
        name="graddot",
        says="inner products of gradients at the final checkpoint",
        window=_FINAL,
        index=IndexOptions(sketch=_PLAIN),
        scoring=ScoringOptions(gram=None, normalise=False),
    ),
    Recipe(
        name="gradcos",
        says="cosines of gradients at the final checkpoint",
        window=_FINAL,
        index=IndexOptions(sketch=_PLAIN),
        scoring=ScoringOptions(gram=None, normalise=False, cosine=True),
    ),
)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}
