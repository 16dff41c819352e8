"""What an import answers with when it is not refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.intake.amendments import Amendment


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was recorded, or would be in a dry run."""

    kind: str
    rows: Mapping[str, int]  # what was in the file, by what it is
    snapshots: Sequence[str] = ()  # the files they are kept in, one of each period
    already: bool = False  # all of it was here before; nothing changed
    late: bool = False  # for closed months, to be adjusted
    corrected: int = 0  # tracks whose shares were stated anew
    amended: Sequence[Amendment] = ()  # agreements and interests

    @property
    def snapshot(self) -> str | None:
        """The file that they are kept in; of several periods, the first."""
        return next(iter(self.snapshots), None)
