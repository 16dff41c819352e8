"""Read what the books and the workspace hold of an amount: trails, and the runs behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli.jobs.evidence import is_ours, read_paying
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.errors import BadInput, NotFound
from royalty.statement import Statement


def runs_behind(workspace: Workspace, statement: Statement) -> tuple[str, ...]:
    """Name the runs whose evidence a statement's shares rest on: those of its provider's index.

    None where the shares came from elsewhere, or no evidence of them is here any more.
    """
    if not is_ours(statement.provider):
        return ()
    for track in sorted({line.track for line in statement.lines} - {""}):
        with suppress(NotFound, BadInput):  # a damaged file is told of by verify
            return tuple(read_paying(workspace, track, statement.provider)[1]["runs"])
    return ()


def walk_back(workspace: Workspace, id_: str) -> list[dict[str, Any]]:
    """Walk an amount back, and read what the workspace's own files say of the last steps.

    The books know which run generated a track; its evidence says by which run it was explained,
    and that one is walked to as well where it is another.
    """
    found = queries.trail(EVERYONE, workspace.books(), id_)
    steps = [_step(workspace, step.step, step.id, step.facts) for step in found.steps]
    known = {step["id"] for step in steps if step["step"] == "run"}
    for place, step in enumerate(steps):
        run = step["facts"].get("run")
        if step["step"] == "evidence" and run not in {None, *known}:
            steps.insert(place + 1, _step(workspace, "run", run, {}))
            break
    return steps


def _step(workspace: Workspace, step: str, id_: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Add to what the books know what a track's evidence and a run's card say."""
    said: dict[str, Any] = {}
    if step == "evidence":
        said = _evidence_facts(workspace, id_, str(facts["provider"]))
    elif step == "run":
        said = _card_facts(workspace.home / "runs" / id_ / "card.json")
    return {"step": step, "id": id_, "facts": {**facts, **said}}


def _evidence_facts(workspace: Workspace, track: str, provider: str) -> dict[str, Any]:
    """Read the evidence of the provider that the books say was paid by."""
    if not is_ours(provider):
        return {"file": f"none here: these shares were imported from '{provider}'"}
    try:
        path, document = read_paying(workspace, track, provider)
    except (BadInput, NotFound) as fault:
        return {"file": str(fault)}
    return {"file": str(path), **{key: document[key] for key in _EVIDENCE if key in document}}


def _card_facts(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"file": f"{path} is not there"}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        return {"file": f"{path} is damaged: {fault}"}
    checkpoints = [
        f"{each['fraction']:.0%} {each['file']} {each['sha256']}"
        for each in document["checkpoints"]
    ]
    facts = {key: document[key] for key in _CARD if key in document}
    return {"file": str(path), **facts, "checkpoints": checkpoints}


_EVIDENCE = ("method", "mapping", "gate", "interval", "run", "runs", "index")
_CARD = ("corpus_sha256", "batch_order_sha256", "code_version", "torch")
