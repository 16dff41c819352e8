"""What was trained on, and who holds what part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from royalty.period import covers

PPM = 1_000_000

Right = Literal["master", "publishing"]
RIGHTS: tuple[Right, ...] = ("master", "publishing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording that may be trained on. `work` groups recordings of one composition."""

    id: str
    title: str
    artist: str  # the credited artist, a party's id
    work: str  # the work's id; a recording without one is its own work
    isrc: str | None = None
    iswc: str | None = None
    file: str | None = None  # relative to the imported folder
    licensed_from: date | None = None  # None: no bound
    licensed_to: date | None = None  # half-open; None: no bound

    def licensed_on(self, day: date) -> bool:
        """Whether the licence covers that day."""
        return covers(self.licensed_from, self.licensed_to, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Anyone with an interest. `payee` is the party that is paid, itself where nobody else is."""

    id: str
    name: str
    kind: str  # artist, composer, label, publisher, payee, …
    payee: str
    ipi: str | None = None
    isni: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """A party's part of one recording's master right or one work's publishing right."""

    subject: Literal["recording", "work"]
    subject_id: str
    right: Right  # master belongs to recordings, publishing to works
    party: str
    ppm: int  # of 1 000 000; what is missing goes to suspense
    territory: str = "WW"
    valid_from: date | None = None
    valid_to: date | None = None  # half-open

    def holds_on(self, day: date) -> bool:
        """Whether the interest is valid on that day."""
        return covers(self.valid_from, self.valid_to, day)
