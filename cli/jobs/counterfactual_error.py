"""How near a counterfactual is: what the workspace's evaluations say of such an estimate.

A bank of real retrainings (`tantieme evaluate lds`) tells how well summed evidence foretold what
leaving out did; `informativeness` tells it of artists who were left out one by one, and `removal`
of what ranks highest. Figures are read, never made up.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli.jobs.evidence import PAYING
from cli.workspace import Workspace

Document = Mapping[str, Any]
Row = Mapping[str, Any]
Level = Literal["artist", "item"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How well the latest bank of retrainings at a level agrees with what evidence foretold."""

    level: Level  # what was left out half of
    value: float  # the mean rank correlation
    low: float | None  # its interval, at `confidence`
    high: float | None
    confidence: float | None
    ceiling: float | None  # the most that so noisy a truth allows

    @property
    def relative_error(self) -> float:
        """The typical error, in the spread of real effects: the root of 1 - r²."""
        return math.sqrt(1 - min(1.0, max(0.0, self.value)) ** 2)


def evaluations(workspace: Workspace) -> list[Document]:
    """Read the workspace's evaluations, the latest first; what cannot be read is left out."""
    found = []
    for path in (workspace.home / "evaluation").glob("*.json"):
        try:
            found.append(json.loads(path.read_bytes()))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda each: (each["made_at"], each["id"]), reverse=True)


def foretold(
    documents: Sequence[Document], runs: Collection[str], artist: str | None
) -> tuple[str, ...]:
    """Say how near the estimate is, in sentences; `artist` is who was left out, if one was.

    `runs` are those whose evidence was used. Where nothing was evaluated of them, the sentence
    names the command that does it.
    """
    if not runs:
        return ("The shares came from elsewhere, so nothing here can say how near this is.",)
    mine, by = _of_runs(documents, runs), _level(artist)
    said = [*_lds(mine, by), *_of_artist(mine, artist), *_removal(mine, by)]
    if said:
        return (*said, "This truth is how likely tracks become, not what they earn.")
    named = ", ".join(sorted(runs))
    nothing = (
        f"Nothing was evaluated of {named}, so how near this is cannot be said; "
        f"'tantieme evaluate lds --by {by}' trains again to find out."
    )
    return (nothing,)


def measured(
    documents: Sequence[Document], runs: Collection[str], artist: str | None
) -> Measured | None:
    """Say the same in numbers, of the latest bank at this level; None where there is none."""
    by = _level(artist)
    found = _bank(_of_runs(documents, runs), by)
    return None if found is None else _measured(*found, by)


def _measured(document: Document, row: Row, by: Level) -> Measured:
    said = {name: row[name] for name in ("value", "low", "high", "confidence")}
    return Measured(level=by, ceiling=_figure(document, row, "ceiling"), **said)


def _of_runs(documents: Sequence[Document], runs: Collection[str]) -> list[Document]:
    return [each for each in documents if each["run"] in runs]


def _level(artist: str | None) -> Level:
    return "artist" if artist else "item"


def _lds(documents: Sequence[Document], by: Level) -> Iterator[str]:
    """Say what the latest bank at this level found."""
    found = _bank(documents, by)
    if found is not None:
        yield from _correlation(found[1], _measured(*found, by))


def _bank(documents: Sequence[Document], by: Level) -> tuple[Document, Row] | None:
    """Find the latest bank at this level, and its row: of the run's own tracks, if it has any."""
    for document in documents:
        rows = [
            row
            for row in document["rows"]
            if row["figure"] == "LDS" and row["method"] == PAYING and row["of"].startswith(by)
        ]
        if document["kind"] == "lds" and rows:
            row = next((each for each in rows if each["of"].endswith("generated")), rows[0])
            return None if row["value"] is None else (document, row)
    return None


def _correlation(row: Row, found: Measured) -> Iterator[str]:
    by, most = found.level, ""
    if found.ceiling is not None:
        most = f", {found.ceiling:.2f} the most that so noisy a truth allows"
    of = f"half of the {by}s ({row['of'].partition(', ')[2]} queries, {row['note']})"
    yield (
        f"What evidence foretold of leaving out {of} and what training again did agree by a rank "
        f"correlation of {_interval(row)}: 1 is perfect, 0 is chance{most}."
    )
    yield (
        f"Approximately, such an effect is foretold with an error of {found.relative_error:.2f} of "
        f"the spread of real effects (the root of 1 - r²); that of one {by} alone less surely."
    )


def _of_artist(documents: Sequence[Document], artist: str | None) -> Iterator[str]:
    """Say what leaving out this very artist found, where the latest evaluation did that."""
    for document in documents:
        rows = [row for row in document["rows"] if row["method"] == PAYING and row["of"] == artist]
        if document["kind"] != "informativeness" or not rows:
            continue
        found = {row["figure"]: row for row in rows}
        correlation, repeats = (
            found[name]["value"] for name in ("Spearman", "reliability of the truth")
        )
        if correlation is not None and repeats is not None:
            yield (
                f"{artist} was left out alone and trained again: over queries, what was foretold "
                f"and what came agree by a rank correlation of {correlation:.2f}; that truth "
                f"repeats from seed to seed by {repeats:.2f}."
            )
        return


def _removal(documents: Sequence[Document], by: str) -> Iterator[str]:
    for document in documents:
        if document["kind"] == "removal" and document["about"].get("by") == by:
            yield from document["sentences"]
            return


def _figure(document: Document, row: Row, figure: str) -> float | None:
    same = ("method", "section", "of")
    return next(
        (
            each["value"]
            for each in document["rows"]
            if each["figure"] == figure and all(each[key] == row[key] for key in same)
        ),
        None,
    )


def _interval(row: Row) -> str:
    if row["low"] is None or row["high"] is None:
        return f"{row['value']:.2f}"
    level = f"{row['confidence']:.0%}".replace("%", " %")
    return f"{row['value']:.2f} ({level} interval {row['low']:.2f} to {row['high']:.2f})"
