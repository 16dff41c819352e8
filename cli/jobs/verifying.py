"""Check that the books and the workspace's files are as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from attribution.files import file_sha256
from cli.jobs.evidence import verify_evidence
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE, RunRow


def verify_books(workspace: Workspace) -> list[str]:
    """Check books, snapshots, run cards, checkpoints and evidence; say what is not as it was."""
    books = workspace.books()
    return [
        *queries.verify_books(books),
        *(fault for run in queries.runs(EVERYONE, books) for fault in _run_faults(workspace, run)),
        *verify_evidence(workspace),
    ]


def _run_faults(workspace: Workspace, run: RunRow) -> Iterator[str]:
    """Hash a run's card, and the checkpoints that it names."""
    folder = workspace.home / "runs" / run.id
    card = folder / "card.json"
    if _sha256(card) != run.card_sha256:
        yield f"{card} is not the card that the books know"
        return
    for kept in json.loads(card.read_text(encoding="utf-8"))["checkpoints"]:
        if _sha256(folder / kept["file"]) != kept["sha256"]:
            yield f"{folder / kept['file']} is not the checkpoint that its card names"


def _sha256(path: Path) -> str | None:
    return file_sha256(path) if path.exists() else None
