"""Training runs: which recordings a model learnt from, and which were held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from db import schema
from db.engine import Books, writing
from royalty.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the books keep of a run; the whole is in its card."""

    id: str
    card_sha256: str
    created_at_iso: str
    parameters: int
    recordings: Sequence[str]
    placebos: Sequence[str]
    summary: str


def record_run(books: Books, facts: RunFacts) -> bool:
    """Record a run; say whether it is new. Raises `Conflict` where its card is another."""
    with writing(books) as connection:
        known = select(schema.run.c.card_sha256).where(schema.run.c.id == facts.id)
        card = connection.scalar(known)
        if card not in (None, facts.card_sha256):
            raise Conflict(f"run {facts.id} is in the books with another card; name this one anew")
        if card is None:
            connection.execute(schema.run.insert(), _row(facts))
            connection.execute(schema.run_recording.insert(), _recordings(facts))
    return card is None


def _row(facts: RunFacts) -> dict[str, object]:
    return {
        "id": facts.id,
        "card_sha256": facts.card_sha256,
        "created_at": facts.created_at_iso,
        "parameters": facts.parameters,
        "summary": facts.summary,
    }


def _recordings(facts: RunFacts) -> list[dict[str, object]]:
    return [
        {"run": facts.id, "recording": recording, "placebo": placebo}
        for placebo, recordings in ((False, facts.recordings), (True, facts.placebos))
        for recording in recordings
    ]
