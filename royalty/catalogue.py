"""What was trained on, and who holds what part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from royalty.period import covers

PPM = 1_000_000
WORLDWIDE = "WW"

Right = Literal["master", "publishing"]
RIGHTS: tuple[Right, ...] = ("master", "publishing")
Use = Literal["training", "output"]
USES_OF: dict[str, tuple[Use, ...]] = {  # as people name them
    "training": ("training",),
    "output": ("output",),
    "both": ("training", "output"),
}
Kind = Literal["opt_out", "takedown"]


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

    def why_not(self, use: Use, day: date, withdrawn: Iterable[Withdrawal] = ()) -> str | None:
        """Say in plain words why it may not be put to a use on a day; None where it may.

        `withdrawn` are its own. The words complete a sentence that begins with its name.
        """
        said = [] if self.licensed_on(day) else [self._licence(day)]
        said += [each.words for each in withdrawn if each.use == use and each.holds_on(day)]
        return "; ".join(said) or None

    def _licence(self, day: date) -> str:
        if self.licensed_to is not None and self.licensed_to <= day:
            return f"its licence ended on {self.licensed_to - timedelta(days=1)}"
        return f"its licence begins on {self.licensed_from}"


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
    territory: str = WORLDWIDE
    valid_from: date | None = None
    valid_to: date | None = None  # half-open

    def holds_on(self, day: date) -> bool:
        """Whether the interest is valid on that day."""
        return covers(self.valid_from, self.valid_to, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A recording that is kept back from one use, by its owner's choice or because it must be."""

    recording: str
    use: Use  # training: the model may not learn from it; output: no track may pay it
    kind: Kind
    reason: str
    valid_from: date
    valid_to: date | None = None  # half-open

    def holds_on(self, day: date) -> bool:
        """Whether it is kept back on that day."""
        return covers(self.valid_from, self.valid_to, day)

    @property
    def words(self) -> str:
        """Say what was done, since when and why, as the end of a sentence."""
        done = "taken down" if self.kind == "takedown" else f"opted out of {self.use}"
        until = f" until {self.valid_to}" if self.valid_to else ""
        return f"{done} from {self.valid_from}{until}: {self.reason}"
