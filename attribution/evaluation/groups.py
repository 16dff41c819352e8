"""Rows that belong together: the works or recordings of one artist, the spans of one track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.evaluation.estimate import Array, Mask, Whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Which group each row is in."""

    names: tuple[str, ...]  # in order; each has a row at least
    place: Whole  # (row,): the place of its group among the names

    def __len__(self) -> int:
        """Count the groups."""
        return len(self.names)

    def rows(self, chosen: Sequence[int] | Whole) -> Mask:
        """Say which rows are in one of these groups: (row,)."""
        return np.isin(self.place, chosen)

    def sums(self, values: Array) -> Array:
        """Add up over the rows of each group: (…, row) → (…, group).

        A number that is not finite spoils its own group only.
        """
        order = np.argsort(self.place, kind="stable")
        starts = np.searchsorted(self.place[order], np.arange(len(self)))
        together = np.asarray(values, np.float64)[..., order]
        return np.asarray(np.add.reduceat(together, starts, axis=-1))


def grouped(labels: Sequence[str]) -> Groups:
    """Group rows by their labels, groups in the order of their names."""
    names, place = np.unique(np.array(labels, dtype=np.str_), return_inverse=True)
    return Groups(names=tuple(map(str, names)), place=place.astype(np.int64))
