"""Keep recordings back: those that are named, an artist's, or those that a file names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cli.workspace import Workspace
from db import queries
from db.books import withdrawals
from db.engine import Books
from db.intake import withdrawals as intake
from db.intake.receipt import Receipt
from db.queries import EVERYONE
from royalty.catalogue import Kind, Use, Withdrawal
from royalty.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which recordings are kept back from what, since when and why."""

    recordings: tuple[str, ...]
    artists: tuple[str, ...]  # all of whose recordings are meant
    kind: Kind
    uses: tuple[Use, ...]
    reason: str
    valid_from: date
    valid_to: date | None


def withdraw(workspace: Workspace, wish: Wish, *, name: str, dry_run: bool = False) -> Receipt:
    """Record a wish, done by `name`. Raises `NotFound` of a recording or an artist."""
    books = workspace.books()
    meant = {*wish.recordings, *(r for artist in wish.artists for r in _of(books, artist))}
    said = [
        Withdrawal(
            recording=recording,
            use=use,
            kind=wish.kind,
            reason=wish.reason,
            valid_from=wish.valid_from,
            valid_to=wish.valid_to,
        )
        for recording in sorted(meant)
        for use in wish.uses
    ]
    return withdrawals.withdraw(books, said, name=name, dry_run=dry_run)


def withdraw_file(workspace: Workspace, path: Path, *, name: str, dry_run: bool = False) -> Receipt:
    """Record what a file says. Raises `BadInput` with every fault of it."""
    return intake.record(workspace.books(), path, name=name, dry_run=dry_run)


def _of(books: Books, artist: str) -> list[str]:
    rows = queries.recordings(EVERYONE, books)
    found = [row.recording.id for row in rows if row.recording.artist == artist]
    if not found:
        raise NotFound(f"there is no recording of an artist '{artist}'; names are ids of parties")
    return found
