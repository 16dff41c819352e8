"""The takedown list: `index/removed.json` names what no index shows, those built later neither."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from attribution.amending import take_down
from attribution.files import json_bytes, write_whole
from attribution.index import Index
from cli.workspace import Workspace


def without(index: Index, removed: Iterable[str]) -> Index:
    """Take down those of the removed recordings that the index still shows."""
    shown = set(removed) & {owner for owners in index.owners.values() for owner in owners}
    return take_down(index.directory, shown) if shown else index


def removed_recordings(workspace: Workspace) -> frozenset[str]:
    """Name the recordings that no index of the workspace shows."""
    path = _removed_file(workspace)
    return frozenset(json.loads(path.read_bytes())["removed"]) if path.exists() else frozenset()


def keep_removed(workspace: Workspace, removed: Iterable[str]) -> None:
    """Write down which recordings no index shows, those built later neither."""
    document = {"schema": 1, "removed": sorted(removed)}
    write_whole(_removed_file(workspace), json_bytes(document))


def _removed_file(workspace: Workspace) -> Path:
    return workspace.folder("index") / "removed.json"
