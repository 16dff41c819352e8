"""Score a disputed track again, exactly, and keep both answers in the books.

Exact EK-FAC looks at every direction of the model's curvature, where the method that pays keeps the
loudest; it is slow, so it runs for what is disputed only. Its evidence lies in `evidence/ekfac/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.jobs.attribution import attribute_tracks
from cli.jobs.evidence import evidence_path, read_evidence, read_paying
from cli.jobs.holding import EXACT, Filed, disputed_recordings, is_exact
from cli.jobs.index import build_index
from cli.jobs.recipes import Wanted
from cli.output import Report
from cli.workspace import Workspace
from db import queries
from db.books.holds import Finding, record_findings
from db.queries import EVERYONE
from royalty.disputes import (
    Beside,
    ByExact,
    Found,
    by_exact,
    found_in,
    read_summary,
    side_by_side,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """Both answers about a disputed track, and what they make of the payee's lines."""

    paid: Found
    exact: Found
    rows: tuple[Beside, ...]
    lines: tuple[ByExact, ...]


def rescore(workspace: Workspace, filed: Filed, report: Report) -> Rescored:
    """Score a disputed track by the exact method and keep what both methods say.

    Interrupted work goes on, and what was found already is read back. Raises `NotFound` where the
    evidence that it was paid by is gone, `NotReady` where the runs or their music are.
    """
    found = _kept(workspace, filed) or _scored_again(workspace, filed, report)
    return _compared(filed, *found, disputed_recordings(workspace.books(), filed))


def _kept(workspace: Workspace, filed: Filed) -> tuple[Found, Found] | None:
    """Read back what was found for this dispute, where both answers are in the books."""
    rows = queries.disputes(EVERYONE, workspace.books())
    findings = next(row.findings for row in rows if row.id == filed.made.id)
    exact = [each for each in findings if is_exact(each.method)]
    paid = [each for each in findings if not is_exact(each.method)]
    if not (exact and paid):
        return None
    return read_summary(paid[0].summary), read_summary(exact[0].summary)


def _scored_again(workspace: Workspace, filed: Filed, report: Report) -> tuple[Found, Found]:
    place, document = read_paying(workspace, filed.track, filed.provider)
    runs = tuple(document["runs"])
    indexed = build_index(workspace, Wanted(runs=runs, method=EXACT), report=report)
    attribute_tracks(workspace, indexed, [filed.track], report=report)
    exact_place = evidence_path(workspace, filed.track, EXACT)
    paid, exact = found_in(document), found_in(read_evidence(exact_place))
    findings = [_finding(place, paid), _finding(exact_place, exact)]
    record_findings(workspace.books(), filed.made.id, findings)
    return paid, exact


def _compared(filed: Filed, paid: Found, exact: Found, disputed: Sequence[str]) -> Rescored:
    """Put both answers side by side; of what no line is of, only what may have a part."""
    shown = [
        each
        for each in disputed
        if each in filed.owed.recordings or paid.of(each).high_ppb or exact.of(each).high_ppb
    ]
    return Rescored(
        paid=paid,
        exact=exact,
        rows=tuple(side_by_side(paid, exact, shown)),
        lines=tuple(by_exact(filed.owed.lines, exact)),
    )


def _finding(place: Path, found: Found) -> Finding:
    sha256 = hashlib.sha256(place.read_bytes()).hexdigest()
    return Finding(method=found.method, evidence_sha256=sha256, summary=found.summary)
