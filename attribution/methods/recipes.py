"""The named methods: what each puts into its index, and how it scores.

`default` is what pays. The figures behind each choice are in `docs/method.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from attribution.index import IndexOptions
from attribution.methods.bilinear import ScoringOptions, output_term
from attribution.sketch import SketchOptions
from attribution.task import Checkpoint, Execution, Rows, Task
from attribution.whitening import WhiteningOptions

VERSION = 2  # of all recipes together; shares name it


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


def settings_of(recipe: Recipe) -> dict[str, float | None]:
    """Read what of a recipe may be set otherwise, by name; None for what it does not have."""
    whitening, sketch, scoring = recipe.index.whitening, recipe.index.sketch, recipe.scoring
    return {
        "damping": None if whitening is None else whitening.damping,
        "kept": None if whitening is None else whitening.kept,
        "side": sketch.side if sketch.kind == "kronecker" else None,
        "ridge": None if scoring.gram is None else scoring.ridge,
    }


def at(recipe: Recipe, settings: Mapping[str, float]) -> Recipe:
    """Return the recipe at other settings of `settings_of`; what is not named stays.

    Raises `ValueError` for a setting that the recipe does not have.
    """
    own = settings_of(recipe)
    for name in settings:
        if own.get(name) is None:
            raise ValueError(f"method '{recipe.name}' has no setting '{name}'; leave it out")
    index, whitening = recipe.index, recipe.index.whitening
    if "damping" in settings and whitening is not None:
        whitening = replace(whitening, damping=settings["damping"])
    if "kept" in settings and whitening is not None:
        whitening = replace(whitening, kept=int(settings["kept"]))
    side = int(settings.get("side", index.sketch.side))
    ridge = settings.get("ridge", recipe.scoring.ridge)
    return replace(
        recipe,
        index=replace(index, whitening=whitening, sketch=replace(index.sketch, side=side)),
        scoring=replace(recipe.scoring, ridge=ridge),
    )


def output_terms(
    recipe: Recipe,
    task: Task,
    checkpoints: Sequence[Checkpoint],
    parts: Mapping[str, Rows],
    execution: Execution,
) -> dict[str, Tensor]:
    """Return TRAK's Q of every row by part, float32 (row,), or nothing where the recipe has none.

    Raises `ValueError` where the task does not say what the probability of an example is.
    """
    if not recipe.output_term:
        return {}
    return {part: output_term(task, checkpoints, rows, execution) for part, rows in parts.items()}


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
