"""Withdrawals: recordings that are kept back from training, or from being paid for output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, select

from db import schema
from db.books.acts import Act, record_act
from db.books.periods import last_closed
from db.engine import Books, writing
from db.intake.receipt import Receipt
from db.intake.redating import redate
from royalty.catalogue import Withdrawal
from royalty.errors import NotFound
from royalty.period import Period

ABOUT = ("recording", "use", "kind", "valid_from")  # what no two that stand are both about


def withdraw(
    books: Books, withdrawals: Sequence[Withdrawal], *, name: str, dry_run: bool = False
) -> Receipt:
    """Record withdrawals, and that `name` did it. The same again changes nothing.

    What is said of the same recording, use, kind and first day replaces what was said before, in
    recorded time; an end that is the first day takes it back. Raises `NotFound`.
    """
    with writing(books, dry_run=dry_run) as connection:
        missing = unknown(connection, {each.recording for each in withdrawals})
        if missing:
            raise NotFound(
                f"there is no recording {', '.join(missing)}; see 'tantieme catalogue show'"
            )
        changed = redate(connection, schema.withdrawal, [asdict(w) for w in withdrawals], ABOUT)
        if changed:
            _record_acts(connection, withdrawals, name)
    recordings = len({each.recording for each in withdrawals})
    return Receipt(kind="withdrawals", rows={"recordings": recordings}, already=not changed)


def unknown(connection: Connection, recordings: Iterable[str]) -> list[str]:
    """Name those that the books do not have, in order."""
    return sorted(set(recordings) - set(connection.scalars(select(schema.recording.c.id))))


def _record_acts(connection: Connection, withdrawals: Iterable[Withdrawal], name: str) -> None:
    closed = last_closed(connection)
    acts = {
        Act(
            name=name,
            act=each.kind,
            period=closed.next if closed else Period(each.valid_from.year, each.valid_from.month),
            subject=each.recording,
            note=each.words,
        )
        for each in withdrawals
    }
    for act in sorted(acts, key=lambda act: (act.subject, act.note)):
        record_act(connection, act)
