"""The tables that `tantieme evaluate` prints, from an evaluation's document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cli.output import print_table

Row = Mapping[str, Any]
_SIDEWAYS = {"lds", "informativeness", "planted", "coverage", "tune"}  # a column for each figure
_LEFT_OUT = {"K", "works with an effect that clear"}  # in the document
_BARE = {"ceiling", "LDS / ceiling", "SNR"}  # their intervals too
_SHORT = {
    "LDS of a subset's size alone": "size alone",
    "difference": "more than ngram",
    "reliability of the truth": "truth repeats",
}
_TUNED = {"difference": "more than before"}
_TITLES = {
    "lds": "Do summed scores foretell retraining? LDS, 90 % intervals",
    "informativeness": "Does what is said of an artist move with what the artist did? 95 %",
    "removal": "What was lost by leaving out what ranks highest",
    "planted": "Do copies find their originals? 90 % intervals",
    "sanity": "Are scores about the model, and about the query?",
    "coverage": "How often do stated intervals hold the truth? 95 % intervals",
    "tune": "The chosen setting, on what it was not tuned on",
}


def print_judged(document: Mapping[str, Any]) -> None:
    """Print a table, and what it means."""
    names: Mapping[str, str] = document.get("names", {})
    rows = [{**row, "of": names.get(row["of"], row["of"])} for row in document["rows"]]
    if "trials" in document:
        _print_trials(document["trials"])
    if document["kind"] == "tune":
        rows = [{**row, "figure": _TUNED.get(row["figure"], row["figure"])} for row in rows]
    sideways = document["kind"] in _SIDEWAYS
    columns, cells = _sideways(rows) if sideways else _listed(rows)
    print_table(_TITLES[document["kind"]], columns, cells)
    click.echo()
    for sentence in document["sentences"]:
        click.echo(sentence)


def _sideways(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    wanted = [row for row in rows if row["figure"] not in _LEFT_OUT and row["value"] is not None]
    figures = list(dict.fromkeys(row["figure"] for row in wanted))
    found = {(row["method"], row["of"], row["figure"]): row for row in rows}
    things = list(dict.fromkeys((row["method"], row["of"]) for row in rows))
    methods = any(method for method, _ in things)
    cells = [
        [*([method] if methods else []), of, *(_cell(found.get((method, of, f))) for f in figures)]
        for method, of in things
    ]
    return [
        *(["method"] if methods else []),
        "of",
        *(f">{_SHORT.get(f, f)}" for f in figures),
    ], cells


def _listed(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    cells = [[row["of"], row["figure"], _cell(row), row["note"]] for row in rows]
    return ["of", "figure", ">value", "note"], cells


def _cell(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return ""
    if row["low"] is None or row["figure"] in _BARE:
        return f"{row['value']:.2f}"
    return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _print_trials(trials: Sequence[Mapping[str, Any]]) -> None:
    ordered = sorted(trials, key=lambda trial: -(trial["mean"] or -1))
    levels = list(ordered[0]["lds"])
    print_table(
        "Every setting on the tuning half, the best first (LDS)",
        [">damping", ">kept", ">ridge", *(f">{level}" for level in levels), ">mean"],
        [
            [
                *(f"{trial['setting'][key]:g}" for key in ("damping", "kept", "ridge")),
                *(_number(trial["lds"][level]) for level in levels),
                _number(trial["mean"]),
            ]
            for trial in ordered
        ],
    )
    click.echo()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
