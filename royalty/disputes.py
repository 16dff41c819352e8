"""Two answers about one track, side by side: what was paid by, and the exact re-score.

Pure. A finding is written down as canonical JSON, with every share, so that what was said of a
disputed track is in the books whatever becomes of the evidence files.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from royalty.money import Money
from royalty.shares import Share
from royalty.statement import Line

LARGEST = 5  # of a track's recordings, how many stand beside the disputed one


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a method says of a track: all its shares, the unattributed part last."""

    method: str
    mapping: str
    index: str
    shares: tuple[Share, ...]

    @property
    def unattributed(self) -> Share:
        """The part that nobody could be named for."""
        return self.shares[-1]

    def of(self, recording: str) -> Share:
        """Return a recording's share: nothing, certainly, where it has none."""
        nothing = Share(recording=recording, ppb=0, low_ppb=0, high_ppb=0)
        return next((each for each in self.shares if each.recording == recording), nothing)

    @property
    def summary(self) -> str:
        """Write it down as the books keep it."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_summary(text: str) -> Found:
    """Read what `Found.summary` wrote."""
    document = json.loads(text)
    shares = tuple(Share(**each) for each in document.pop("shares"))
    return Found(**document, shares=shares)


def found_in(document: Mapping[str, Any]) -> Found:
    """Read the shares of an evidence file (`docs/files.md`)."""
    rows = [*document["recordings"], {"id": None, **document["unattributed"]}]
    return Found(
        **{key: document[key] for key in ("method", "mapping", "index")},
        shares=tuple(
            Share(
                recording=row["id"],
                ppb=row["share_ppb"],
                low_ppb=row["low_ppb"],
                high_ppb=row["high_ppb"],
            )
            for row in rows
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A recording's share of a track by what was paid by, and by the exact re-score."""

    recording: str
    disputed: bool
    paid: Share
    exact: Share


def side_by_side(paid: Found, exact: Found, disputed: Collection[str]) -> list[Beside]:
    """Put both answers side by side for what is disputed, and for the track's largest recordings.

    What is disputed comes first, the largest paid share before the others.
    """
    shown = {*disputed, *_largest(paid), *_largest(exact)}
    rows = [
        Beside(
            recording=each,
            disputed=each in disputed,
            paid=paid.of(each),
            exact=exact.of(each),
        )
        for each in shown
    ]
    return sorted(
        rows, key=lambda row: (not row.disputed, -row.paid.ppb, -row.exact.ppb, row.recording)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ByExact:
    """What a line is, and what it would come to by the exact share, between two ends."""

    line: str
    net: Money
    exact: Money
    low: Money
    high: Money


def by_exact(lines: Iterable[Line], exact: Found) -> list[ByExact]:
    """Say what lines of a track would come to by the exact shares.

    In proportion, rounded down: the same money of the track, the same interest and terms, with
    another share. What `tantieme adjust` posts is divided anew, and may differ by a micro.
    """
    return [
        _of_line(line, exact.of(line.recording))
        for line in lines
        if line.recording and line.share_ppb
    ]


def _of_line(line: Line, share: Share) -> ByExact:
    micros, currency = line.net.micros, line.net.currency
    exact, low, high = (
        Money(micros * ppb // line.share_ppb, currency)
        for ppb in (share.ppb, share.low_ppb, share.high_ppb)
    )
    return ByExact(line=line.id, net=line.net, exact=exact, low=low, high=high)


def _largest(found: Found) -> list[str]:
    named = [each for each in found.shares if each.recording is not None and each.ppb]
    ordered = sorted(named, key=lambda each: (-each.ppb, str(each.recording)))
    return [str(each.recording) for each in ordered[:LARGEST]]
