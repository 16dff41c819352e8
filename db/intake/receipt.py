"""What an import answers with when it is not refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was recorded, or would be in a dry run."""

    kind: str
    rows: Mapping[str, int]  # what was in the file, by what it is
    snapshot: str | None = None  # the file they are kept in; of several periods, the first
    already: bool = False  # all of it was here before; nothing changed
    late: bool = False  # for closed months, to be adjusted
    corrected: int = 0  # tracks whose shares were stated anew
