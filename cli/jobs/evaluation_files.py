"""What an evaluation found, kept in the workspace: `evaluation/<id>.json`, a picture beside it.

    {"schema": 1, "id", "kind", "made_at", "run", "about": {…}, "sentences": […],
     "rows": [{method, section, of, figure, value, low, high, confidence, note}, …],
     "verdicts": [{method, check, passed, sentence}, …], "details": {method: {…}}, …}

Rows, verdicts and details are those of `attribution.evaluation.report`, by method. The id is the
hash of what was asked; found again, a document keeps the day on which it was first found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attribution.evaluation.report import SCHEMA, Evaluation, as_document, plain
from attribution.files import json_bytes, write_whole
from cli.jobs.evaluation_picture import Bar, Picture, draw
from cli.workspace import Workspace
from db.engine import now

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one command found."""

    kind: str  # of evaluation, as the command is called
    run: str  # empty where no run of the workspace was judged
    about: Mapping[str, str]  # what was asked: with the same run and answer, the same document
    evaluations: Mapping[str, Evaluation]  # by method
    sentences: tuple[str, ...]  # what it means
    picture: Picture
    extra: Mapping[str, Any] = field(default_factory=dict)


def document_of(judged: Judged) -> Document:
    """Put what was found into one document."""
    found = {method: as_document(each) for method, each in judged.evaluations.items()}
    asked = json.dumps([judged.kind, judged.run, dict(judged.about)], sort_keys=True)
    return {
        "schema": SCHEMA,
        "id": f"{judged.kind}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}",
        "kind": judged.kind,
        "made_at": now(),
        "run": judged.run,
        "about": dict(judged.about),
        "sentences": list(judged.sentences),
        "rows": _by_method(found, "rows"),
        "verdicts": _by_method(found, "verdicts"),
        "details": {method: each["details"] for method, each in found.items()},
        **plain(judged.extra),
    }


def keep(workspace: Workspace, judged: Judged) -> tuple[Document, Path]:
    """Write the document and its picture; return what is there now, and where."""
    document = document_of(judged)
    path = workspace.folder("evaluation") / f"{document['id']}.json"
    before = _read(path)
    if before is not None and {**before, "made_at": document["made_at"]} == document:
        return {**document, "made_at": before["made_at"]}, path  # keys in the order of the first
    write_whole(path, json_bytes(document))
    write_whole(path.with_suffix(".svg"), draw(judged.picture, _bars(judged, document)).encode())
    return document, path


def _by_method(found: Mapping[str, Document], key: str) -> list[Document]:
    return [{"method": method, **each} for method, one in found.items() for each in one[key]]


def _bars(judged: Judged, document: Document) -> list[Bar]:
    """Take the rows that the picture shows."""
    figures = judged.picture.figures
    return [
        Bar(
            label=_label(row, document.get("names", {}), several=len(figures) > 1),
            value=row["value"],
            low=row["low"],
            high=row["high"],
        )
        for row in document["rows"]
        if row["figure"] in figures and row["value"] is not None
    ]


def _label(row: Mapping[str, Any], names: Mapping[str, str], *, several: bool) -> str:
    figure = row["figure"] if several else ""
    parts = (row["method"], names.get(row["of"], row["of"]), figure)
    return ", ".join(part for part in parts if part)


def _read(path: Path) -> Document | None:
    try:
        document: Document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return document
