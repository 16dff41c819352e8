"""What attribution found about a track, without the recordings that a viewer may not see.

Evidence and passages are files of the workspace, and no query filters them: the pages read them
here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dashboard import passages, reads
from dashboard.passages import Passages
from dashboard.reads import Place
from db.queries import Viewer


def evidence(viewer: Viewer, where: Place, track: str) -> dict[str, Any] | None:
    """Read the evidence of a track: the works and likenesses of recordings that the viewer sees."""
    found = reads.evidence(where, track)
    if found is None or viewer.sees_all:
        return found
    works, alike = found.get("works", []), found.get("similarity", [])
    named = {each["recording"] for each in alike}.union(*(work["recordings"] for work in works))
    seen = _seen(viewer, where, named)
    return found | {
        "works": [work for work in works if seen & set(work["recordings"])],
        "similarity": [each for each in alike if each["recording"] in seen],
    }


def passages_of(viewer: Viewer, where: Place, track: str) -> Passages | None:
    """Read the passages of a track beside those of recordings that the viewer sees.

    None where there are none. Raises `NotReady` where the file is damaged.
    """
    found = passages.read(where, track)
    if found is None or viewer.sees_all:
        return found
    seen = _seen(viewer, where, found.sources)
    if not seen:
        return None
    return replace(
        found,
        sources={id_: source for id_, source in found.sources.items() if id_ in seen},
        strongest=tuple(each for each in found.strongest if each.source.id in seen),
    )


def _seen(viewer: Viewer, where: Place, recordings: Iterable[str]) -> set[str]:
    return set(reads.titles(viewer, where, tuple(sorted(recordings))))
