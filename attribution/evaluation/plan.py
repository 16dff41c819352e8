"""What to train again without: subsets drawn at random, one group left out, or a set removed.

Subsets that are drawn have training seeds of their own, so that chance never repeats. What is left
out is compared with the full set at the same seeds, so that chance cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from attribution.errors import AttributionError
from attribution.evaluation.estimate import Mask, Whole
from attribution.evaluation.groups import Groups, grouped

FULL = "full"


class PlanRefused(AttributionError):
    """A plan of retrainings that cannot be carried out, or would show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankPlan:
    """Which rows each retraining keeps, and what it is seeded with."""

    kind: str  # "items", "groups", "without" or "removal"
    names: tuple[str, ...]  # of the subsets
    masks: Mask  # (subset, train): True where a row is trained on
    seeds: Whole  # (subset, seed)

    def __post_init__(self) -> None:
        """Refuse subsets that are empty or not all named."""
        if not len(self.names) == len(self.masks) == len(self.seeds) > 0:
            raise PlanRefused(
                f"{len(self.names)} names, {len(self.masks)} masks and {len(self.seeds)} rows of "
                "seeds do not go together; give one of each a subset, and at least one"
            )
        if len(set(self.names)) != len(self.names):
            raise PlanRefused("two subsets have the same name; give each a name of its own")
        for name, mask in zip(self.names, self.masks, strict=True):
            if not mask.any():
                raise PlanRefused(f"subset '{name}' keeps no row; keep at least one to train on")

    def as_document(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it, masks as hexadecimal bits."""
        return {
            "kind": self.kind,
            "names": list(self.names),
            "rows": int(self.masks.shape[1]),
            "masks": [np.packbits(mask).tobytes().hex() for mask in self.masks],
            "seeds": self.seeds.tolist(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How subsets are drawn."""

    subsets: int = 64
    fraction: float = 0.5  # of items or groups, kept
    seeds: int = 3  # trainings of each subset
    seed: int = 0  # of the draw, and the first of the training seeds


def plan_from(document: Mapping[str, Any]) -> BankPlan:
    """Read a plan as `as_document` wrote it."""
    packed = [np.frombuffer(bytes.fromhex(mask), np.uint8) for mask in document["masks"]]
    masks = [np.unpackbits(bits, count=document["rows"]).astype(bool) for bits in packed]
    return BankPlan(
        kind=document["kind"],
        names=tuple(document["names"]),
        masks=np.stack(masks),
        seeds=np.array(document["seeds"], dtype=np.int64),
    )


def by_item(items: int, drawing: Drawing | None = None) -> BankPlan:
    """Keep rows drawn one by one, the same number in every subset."""
    groups = Groups(names=tuple(map(str, range(items))), place=np.arange(items))
    return _drawn("items", groups, drawing or Drawing())


def by_group(labels: Sequence[str], drawing: Drawing | None = None) -> BankPlan:
    """Keep whole groups, as `labels` name one for each row: the catalogues of artists.

    Where catalogues differ in size so do the subsets, and more data alone then predicts outcomes;
    `lds` says how well (`size_alone`).
    """
    return _drawn("groups", grouped(labels), drawing or Drawing())


def without_each_group(labels: Sequence[str], seeds: int = 5, seed: int = 0) -> BankPlan:
    """Leave out one group after another; the first subset is everything."""
    groups = grouped(labels)
    removed = {name: np.flatnonzero(groups.place == g) for g, name in enumerate(groups.names)}
    return without(removed, rows=len(labels), seeds=np.arange(seeds) + seed)


def without(
    removed: Mapping[str, Sequence[int] | Whole], *, rows: int, seeds: Whole, kind: str = "without"
) -> BankPlan:
    """Leave out each named set of rows, all at the same seeds; the first subset is everything."""
    masks = np.ones((1 + len(removed), rows), dtype=bool)
    for mask, places in zip(masks[1:], removed.values(), strict=True):
        mask[np.asarray(places, dtype=np.int64)] = False
    return BankPlan(
        kind=kind,
        names=(FULL, *removed),
        masks=masks,
        seeds=np.tile(np.asarray(seeds, dtype=np.int64), (len(masks), 1)),
    )


def _drawn(kind: str, groups: Groups, drawing: Drawing) -> BankPlan:
    kept = round(drawing.fraction * len(groups))
    if not 0 < kept < len(groups) or comb(len(groups), kept) < drawing.subsets:
        raise PlanRefused(
            f"there are not {drawing.subsets} different ways to keep {kept} of {len(groups)} "
            f"{kind}; ask for fewer subsets, or another fraction than {drawing.fraction}"
        )
    random = np.random.default_rng(drawing.seed)
    found: dict[tuple[int, ...], None] = {}  # different ones, in the order drawn
    while len(found) < drawing.subsets:
        found[tuple(sorted(random.choice(len(groups), kept, replace=False).tolist()))] = None
    trainings = drawing.subsets * drawing.seeds
    return BankPlan(
        kind=kind,
        names=tuple(f"{i:04d}" for i in range(drawing.subsets)),
        masks=np.stack([groups.rows(chosen) for chosen in found]),
        seeds=(drawing.seed + np.arange(trainings)).reshape(drawing.subsets, drawing.seeds),
    )
