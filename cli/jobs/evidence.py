"""The evidence files: one for each track, from which the books got its shares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.workspace import Workspace
from db.intake import shares as shares_intake
from db.intake.receipt import Receipt
from royalty.errors import BadInput, Problem, RoyaltyError

PAYING = "default"  # the method whose shares are frozen; others are for comparison


def evidence_path(workspace: Workspace, track: str, method: str = PAYING) -> Path:
    """Place a track's evidence: what is paid by above, what other methods found in folders."""
    folder = workspace.folder("evidence")
    if method != PAYING:
        folder = folder / method
        folder.mkdir(exist_ok=True)
    return folder / f"{track}.json"


def keep_evidence(workspace: Workspace, document: Mapping[str, Any], method: str = PAYING) -> None:
    """Write down what a method found for a track, whole or not at all."""
    path = evidence_path(workspace, document["track"], method)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def read_evidence(path: Path) -> dict[str, Any]:
    """Read a track's evidence. Raises `BadInput` where the file is not what was written."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as fault:
        message = f"is damaged ({fault}); delete it and run 'tantieme attribute {path.stem}'"
        raise BadInput([Problem(str(path), None, None, message)]) from None
    return document


def provider_of(document: Mapping[str, Any]) -> str:
    """Name who gave these shares: us, by which index, method and mapping."""
    return ":".join(
        ("tantieme", *(document[key] for key in ("index", "method", "gate", "mapping")))
    )


def record_shares(
    workspace: Workspace, documents: Sequence[Mapping[str, Any]], *, dry_run: bool = False
) -> Receipt:
    """Hand frozen shares to the books; what is there already is left.

    Raises `Conflict` where the books have other shares of a track from the same provider.
    """
    rows = [
        {"track": document["track"], "recording": share.pop("id"), **share}
        | {"provider": provider_of(document)}
        for document in documents
        for share in _frozen(document)
    ]
    return shares_intake.record(workspace.books(), pa.Table.from_pylist(rows), dry_run=dry_run)


def _frozen(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = ("id", "share_ppb", "low_ppb", "high_ppb")
    paid = [{key: each[key] for key in keys} for each in document["recordings"]]
    return [*paid, {"id": None, **document["unattributed"]}]


def verify_evidence(workspace: Workspace) -> Iterator[str]:
    """Hold every evidence file against the shares in the books; say what does not agree."""
    for path in sorted((workspace.home / "evidence").glob("*.json")):
        try:
            known = record_shares(workspace, [read_evidence(path)], dry_run=True).already
        except (BadInput, RoyaltyError, KeyError, TypeError) as fault:
            yield f"{path} does not agree with the books: {fault}"
        else:
            if not known:
                yield f"{path} states shares that the books do not have; run 'tantieme attribute'"
