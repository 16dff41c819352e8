"""What the database itself refuses, whoever asks.

One registry of refusals, each a condition in SQL that every database of ours reads; `db.triggers`
makes triggers of them.
"""

# ruff: noqa: S608  what is put into these statements are our own names of tables and columns
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Table

from db import schema
from db.chain import GENESIS


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event on a table that is refused where the condition holds, with a sentence."""

    table: str
    event: Literal["insert", "update", "delete"]
    name: str
    sentence: str
    condition: str | None = None  # over `new` and `old`; None: always

    @property
    def trigger(self) -> str:
        """The trigger's name."""
        return f"{self.table}_{self.event}_{self.name}"


def _append_only(table: Table) -> list[Refusal]:
    """Refuse change, removal, and the INSERT OR REPLACE that is both."""
    return [
        Refusal(table.name, "update", "never", f"a {table.name} is never changed"),
        Refusal(table.name, "delete", "never", f"a {table.name} is never removed"),
        *_no_replacement(table),
    ]


def _no_replacement(table: Table, *unique: Sequence[str]) -> list[Refusal]:
    """Refuse to insert what is there: REPLACE would remove the old row without a DELETE."""
    keys = ([column.name for column in table.primary_key], *unique)
    same = " or ".join(
        f"({' and '.join(f'{name} = new.{name}' for name in names)})" for names in keys
    )
    there = f"exists (select 1 from {table.name} where {same})"
    return [Refusal(table.name, "insert", "twice", f"that {table.name} is there already", there)]


def _unchanged(table: Table, *but: str) -> str:
    """Write the condition that an update leaves every column as it was, but these."""
    kept = [column.name for column in table.columns if column.name not in but]
    return " and ".join(f"new.{name} is not distinct from old.{name}" for name in kept)


def _dated(table: Table) -> list[Refusal]:
    """Two clocks: a row may only be given its end in recorded time, once."""
    ended = "old.recorded_to is null and new.recorded_to is not null"
    return [
        Refusal(
            table.name,
            "update",
            "ends_once",
            f"a {table.name} row may only be ended, once; record another beside it",
            f"not ({ended} and {_unchanged(table, 'recorded_to')})",
        ),
        Refusal(table.name, "delete", "never", f"a {table.name} row is never removed"),
        *_no_replacement(table),
    ]


def _while_open(table: Table, row: str, event: Literal["insert", "update", "delete"]) -> Refusal:
    """Refuse an event once the period is closed that the row, or its payout, belongs to."""
    period = f"{row}.period"
    if "period" not in table.columns:
        period = f"(select period from payout where id = {row}.payout)"
    return Refusal(
        table.name,
        event,
        f"while_{row}_open",
        "the period is closed; post an adjustment in the open one",
        f"exists (select 1 from period where id = {period} and status = 'closed')",
    )


def _computed(table: Table, *unique: Sequence[str]) -> list[Refusal]:
    """Refuse every change to what a closed period was paid by.

    What is computed anew is removed first and then inserted, never updated nor replaced: either
    could take a closed period's row away by naming an open one.
    """
    return [
        *_no_replacement(table, *unique),
        _while_open(table, "new", "insert"),
        Refusal(table.name, "update", "never", f"a {table.name} is never changed; compute anew"),
        _while_open(table, "old", "delete"),
    ]


def _kept(table: Table, *but: str) -> list[Refusal]:
    """Refuse removal, and every change but of these columns."""
    return [
        Refusal(
            table.name,
            "update",
            "only",
            f"of a {table.name} only these may change: {', '.join(but)}",
            f"not ({_unchanged(table, *but)})",
        ),
        Refusal(table.name, "delete", "never", f"a {table.name} is never removed"),
        *_no_replacement(table),
    ]


_PERIOD = [
    Refusal(
        "period",
        "insert",
        "open",
        "a period begins open; close it when it is posted",
        "new.status <> 'open'",
    ),
    Refusal(
        "period",
        "update",
        "while_open",
        "a closed period is neither changed nor reopened",
        "old.status = 'closed'",
    ),
    Refusal("period", "update", "id", "a period keeps its name", "new.id <> old.id"),
    Refusal(
        "period",
        "update",
        "sealed",
        "a transaction of the period is not sealed; seal it before closing",
        "new.status = 'closed' and exists"
        " (select 1 from transaction_ where period = new.id and not sealed)",
    ),
    Refusal("period", "delete", "never", "a period is never removed"),
    *_no_replacement(schema.period),
]

_TRANSACTION = [
    *_no_replacement(schema.transaction_, ("key",), ("hash",)),
    _while_open(schema.transaction_, "new", "insert"),
    Refusal(
        "transaction_",
        "insert",
        "unsealed",
        "a transaction is sealed after its postings, not before",
        "new.sealed",
    ),
    Refusal(
        "transaction_",
        "insert",
        "one_at_a_time",
        "the transaction before is not sealed",
        "exists (select 1 from transaction_ where not sealed)",
    ),
    Refusal(
        "transaction_",
        "insert",
        "continues",
        "the transaction does not continue the chain",
        "new.id <> (select coalesce(max(id), 0) + 1 from transaction_) or new.prev_hash <>"
        f" coalesce((select hash from transaction_ where id = new.id - 1), '{GENESIS}')",
    ),
    Refusal(
        "transaction_",
        "update",
        "seals_once",
        "a transaction is never changed, only sealed, once; post a reversal",
        f"old.sealed or not new.sealed or not ({_unchanged(schema.transaction_, 'sealed')})",
    ),
    Refusal(
        "transaction_",
        "update",
        "not_empty",
        "the transaction has no postings",
        "new.sealed and not exists (select 1 from posting where transaction_id = new.id)",
    ),
    Refusal(
        "transaction_",
        "update",
        "balances",
        "the transaction does not sum to zero in every currency",
        "new.sealed and exists (select 1 from posting where transaction_id = new.id"
        " group by currency having sum(amount_micros) <> 0)",
    ),
    Refusal("transaction_", "delete", "never", "a transaction is never removed; post a reversal"),
]

_POSTING = [
    *_append_only(schema.posting),
    Refusal(
        "posting",
        "insert",
        "unsealed",
        "a sealed transaction takes no more postings",
        "not exists (select 1 from transaction_ where id = new.transaction_id and not sealed)",
    ),
    Refusal(
        "posting",
        "insert",
        "rate_known",
        "there is no such rate of exchange",
        "new.fx_rate is not null and not exists (select 1 from fx_rate where id = new.fx_rate)",
    ),
]

_OF_INPUT = "where period = new.period and snapshot = new.snapshot"

_INPUT_EVENT = [
    *_append_only(schema.input_event),
    Refusal(
        "input_event",
        "insert",
        "of_an_input",
        "nothing came in that this speaks of",
        f"not exists (select 1 from period_input {_OF_INPUT} and not new.late)"
        f" and not exists (select 1 from late_input {_OF_INPUT} and new.late)",
    ),
    Refusal(
        "input_event",
        "insert",
        "in_turn",
        "what came in is withdrawn first, and then comes in again",
        f"new.number <> (select count(*) + 1 from input_event {_OF_INPUT} and late = new.late)"
        " or new.event <> case when new.number % 2 = 1 then 'withdrawn' else 'imported' end",
    ),
    Refusal(
        "input_event",
        "insert",
        "while_open",
        "the period is closed with it",
        "not new.late"
        " and exists (select 1 from period where id = new.period and status = 'closed')",
    ),
    Refusal(
        "input_event",
        "insert",
        "before_use",
        "a restatement was divided from it",
        "new.late and exists (select 1 from restatement_input where snapshot = new.snapshot)",
    ),
    Refusal(
        "restatement_input",
        "insert",
        "standing",
        "what it was divided from was withdrawn; adjust again",
        "(select count(*) from input_event where snapshot = new.snapshot and late) % 2 = 1",
    ),
]

REFUSALS: tuple[Refusal, ...] = (
    *_PERIOD,
    *_TRANSACTION,
    *_POSTING,
    *_INPUT_EVENT,
    *_kept(schema.party, "name", "kind", "payee", "ipi", "isni"),
    *_kept(schema.work, "iswc"),
    *_kept(
        schema.recording,
        *("audio_sha256", "duration_ms", "licensed_from", "licensed_to"),
        *("title", "artist", "isrc"),
    ),
    *_kept(schema.track, "audio_sha256", "duration_ms"),
    *_append_only(schema.snapshot),
    *_append_only(schema.run),
    *_append_only(schema.run_recording),
    *_append_only(schema.track_share),
    *_append_only(schema.period_input),
    _while_open(schema.period_input, "new", "insert"),
    *_append_only(schema.period_revenue),
    _while_open(schema.period_revenue, "new", "insert"),
    *(
        refusal
        for table in (schema.interest, schema.terms, schema.withdrawal, schema.alias)
        for refusal in _dated(table)
    ),
    *(
        refusal
        for table in (
            *(schema.correction, schema.act, schema.fx_rate, schema.late_input),
            *(schema.corrected_share, schema.restatement, schema.restatement_input),
            *(schema.payment, schema.payment_event, schema.hold, schema.hold_finding),
        )
        for refusal in _append_only(table)
    ),
    Refusal(
        "late_input",
        "insert",
        "once_closed",
        "the period is open; import it without --late",
        "not exists (select 1 from period where id = new.period and status = 'closed')",
    ),
    *_computed(schema.payout, ("period", "rule")),
    *(refusal for table in schema.PAYOUT_PARTS for refusal in _computed(table)),
)
