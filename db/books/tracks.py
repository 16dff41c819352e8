"""Generated tracks, our own and those that came from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from db import schema
from db.engine import Books, writing
from royalty.errors import Conflict

# Rendering may come later, and may come out another way.
_MAY_CHANGE = ("audio_sha256", "duration_ms", "created_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFacts:
    """What the books keep of a track."""

    id: str
    title: str
    run: str | None  # None: it came from elsewhere
    seed: int | None
    duration_ms: int | None
    midi: str | None  # relative to the workspace
    audio_sha256: str | None
    created_at: str


def record_tracks(books: Books, tracks: Sequence[TrackFacts]) -> int:
    """Record tracks; say how many are new. Raises `Conflict` where one is there as another."""
    with writing(books) as connection:
        return sum(_record(connection, track) for track in tracks)


def _record(connection: Connection, facts: TrackFacts) -> bool:
    row, this = asdict(facts), schema.track.c.id == facts.id
    there = connection.execute(select(schema.track).where(this)).mappings().one_or_none()
    if there is None:
        connection.execute(schema.track.insert(), row)
        return True
    different = [name for name in row if row[name] != there[name] and name not in _MAY_CHANGE]
    if different:
        raise Conflict(
            f"track {facts.id} is in the books with another {', '.join(different)};"
            " give this one an id of its own"
        )
    if facts.audio_sha256 not in (None, there["audio_sha256"]):
        heard = {"audio_sha256": facts.audio_sha256, "duration_ms": facts.duration_ms}
        connection.execute(schema.track.update().where(this).values(heard))
    return False
