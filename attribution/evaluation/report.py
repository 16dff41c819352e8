"""An evaluation as a document: figures for a table, sentences, and everything in detail.

    {"schema": 1, "about": {…}, "verdicts": [{check, passed, sentence}, …], "details": {…},
     "rows": [{section, of, figure, value, low, high, confidence, note}, …]}

What is undefined is null. `rows` is all that a table or a page needs: `of` says of what (items,
artists, one artist, one kind of copy), `confidence` the level of the interval from `low` to `high`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from attribution.evaluation.coverage import Coverage
from attribution.evaluation.estimate import Estimate
from attribution.evaluation.informativeness import Informativeness
from attribution.evaluation.lds import Difference, Lds
from attribution.evaluation.planted import Retrieval
from attribution.evaluation.removal import Removal
from attribution.evaluation.sanity import (
    Collapse,
    Randomised,
    Verdict,
    collapse_verdict,
    randomised_verdict,
)

SCHEMA = 1
_BARE = Estimate(value=math.nan, low=math.nan, high=math.nan, level=math.nan)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All that was found out about one method's scores; what was not measured stays empty."""

    about: Mapping[str, str]  # method, run, index, bank: names and hashes, as the caller has them
    lds: Mapping[str, Lds] = field(default_factory=dict)  # by level: "item", "artist"
    differences: Mapping[str, Difference] = field(default_factory=dict)  # by what is compared
    informativeness: Informativeness | None = None
    removal: Mapping[str, Removal] = field(default_factory=dict)  # by level
    planted: Mapping[str, Retrieval] = field(default_factory=dict)  # by kind of copy
    randomised: Randomised | None = None
    collapse: Collapse | None = None
    coverage: tuple[Coverage, ...] = ()


def as_document(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON can hold it; equal evaluations give equal documents."""
    details = {f.name: plain(getattr(evaluation, f.name)) for f in fields(evaluation)}
    return {
        "schema": SCHEMA,
        "about": details.pop("about"),
        "rows": plain(as_table(evaluation)),
        "verdicts": plain(verdicts(evaluation)),
        "details": details,
    }


def as_table(evaluation: Evaluation) -> list[Row]:
    """Return one row a figure, with the keys named above."""
    return [
        *_each(_lds, evaluation.lds),
        *_each(_difference, evaluation.differences),
        *_informativeness(evaluation.informativeness),
        *_each(_removal, evaluation.removal),
        *_each(_planted, evaluation.planted),
        *_sanity(evaluation.randomised, evaluation.collapse),
        *(row for found in evaluation.coverage for row in _coverage(found)),
    ]


def verdicts(evaluation: Evaluation) -> tuple[Verdict, ...]:
    """Return the sentences of the sanity checks that were made."""
    found = []
    if evaluation.randomised:
        found.append(randomised_verdict(evaluation.randomised))
    if evaluation.collapse:
        found.append(collapse_verdict(evaluation.collapse))
    return tuple(found)


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is what it is
    """Turn dataclasses and arrays into what JSON can hold; NaN and infinity become None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _each(rows: Callable[[str, Any], Iterable[Row]], found: Mapping[str, Any]) -> Iterator[Row]:
    for level, each in found.items():
        yield from rows(level, each)


def _row(section: str, of: str, figure: str, value: Estimate | float, *notes: str) -> Row:
    known = value if isinstance(value, Estimate) else _BARE
    return {
        "section": section,
        "of": of,
        "figure": figure,
        "value": value.value if isinstance(value, Estimate) else value,
        "low": known.low,
        "high": known.high,
        "confidence": known.level,
        "note": "; ".join(note for note in notes if note),
    }


def _lds(level: str, found: Lds) -> Iterable[Row]:
    truth = f"{found.subsets} subsets, {found.seeds} seeds each"
    yield _row("LDS", level, "LDS", found.estimate, truth, _left_out(found.undefined))
    yield _row("LDS", level, "ceiling", found.ceiling, "from split seeds")
    yield _row("LDS", level, "LDS / ceiling", found.relative)
    yield _row("LDS", level, "LDS of a subset's size alone", found.size_alone)


def _difference(level: str, found: Difference) -> Iterable[Row]:
    yield _row("LDS", level, "difference", found.estimate, _left_out(found.undefined))


def _informativeness(found: Informativeness | None) -> Iterator[Row]:
    if found is None:
        return
    unit = "unit fitted on these queries" if found.fitted else "unit as given"
    for group in found.groups:
        section, left = "informativeness", _left_out(group.undefined)
        yield _row(section, group.group, "I", group.informativeness, unit, left)
        yield _row(section, group.group, "K", group.gain, unit)
        yield _row(section, group.group, "SNR", group.snr)
        yield _row(section, group.group, "Spearman", group.spearman)
        yield _row(section, group.group, "reliability of the truth", group.reliability)


def _removal(level: str, found: Removal) -> Iterable[Row]:
    for arm in found.arms:
        note = f"± {arm.change_error:.3g} over {found.seeds} seeds, {found.queries} queries"
        beyond = f"beyond random {arm.beyond_random:.3g} ± {arm.beyond_random_error:.3g}"
        yield _row("removal", level, f"{arm.name}: nats lost", arm.change, note, beyond)


def _planted(kind: str, found: Retrieval) -> Iterable[Row]:
    left = _left_out(found.undefined)
    for k, recall in found.recall.items():
        yield _row("planted copies", kind, f"recall@{k}", recall, left)
    yield _row("planted copies", kind, "mean reciprocal rank", found.reciprocal_rank, left)
    yield _row("planted copies", kind, "AUC", found.auc, left)


def _sanity(randomised: Randomised | None, collapse: Collapse | None) -> Iterable[Row]:
    if randomised:
        left = _left_out(randomised.undefined)
        yield _row(
            "sanity", "item", "correlation with random weights", randomised.correlation, left
        )
    if collapse:
        left, chance = _left_out(collapse.undefined), f"by chance {collapse.overlap_by_chance:.2f}"
        yield _row("sanity", "item", "variance in one direction", collapse.first_direction, left)
        yield _row("sanity", "item", f"overlap of {collapse.k} best", collapse.overlap, chance)
        yield _row("sanity", "item", "most frequent row", collapse.most_frequent, chance)


def _coverage(found: Coverage) -> Iterable[Row]:
    stated = f"stated {found.stated:.0%}"
    worlds = f"{found.worlds} worlds"
    yield _row("coverage", found.world, "shares covered", found.shares, stated, worlds)
    yield _row("coverage", found.world, "effects covered", found.effects, stated, worlds)
    yield _row("coverage", found.world, "works with an effect that clear", found.found, worlds)
    yield _row("coverage", found.world, "paid to noise", found.noise_paid, worlds)
    yield _row("coverage", found.world, "unattributed", found.unattributed, worlds)


def _left_out(undefined: int) -> str:
    return f"{undefined} queries undefined" if undefined else ""
