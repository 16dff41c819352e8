"""Who is looking."""

from __future__ import annotations

from db.queries import EVERYONE, Viewer


def viewer() -> Viewer:
    """Return who is looking: whoever opens the pages on this machine sees the whole workspace.

    Every read takes the viewer first, so that a narrower one sees less everywhere at once.
    """
    return EVERYONE
