# ruff: noqa: E501  one case a line reads best
"""The database refuses by itself, whoever asks: every refusal of the registry is provoked here."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect

from db import schema
from db.chain import GENESIS
from db.engine import Books, reading
from db.refusals import REFUSALS
from db.triggers import present

HASH = "f" * 64
OPEN = "update period set status = 'open' where id = '2026-11'"  # as it is since October closed
DRAFT = (
    "insert into transaction_ (id, key, kind, period, effective_on, recorded_at, memo,"
    " content_sha256, prev_hash, hash, sealed) select 3, 'k', 'x', '2026-11', '2026-11-01', 'now',"
    f" '', 'c', hash, '{HASH}', false from transaction_ where id = 2"
)
ONE_SIDED = (
    "insert into posting (transaction_id, line, account, amount_micros, currency)"
    " values (3, 1, 'platform', 5, 'EUR')"
)
OTHER_SIDE = ONE_SIDED.replace("3, 1, 'platform', 5, 'EUR'", "3, 2, 'cash', -5, 'USD'")
SEAL = "update transaction_ set sealed = true where id = 3"
INTO_NOVEMBER = (
    "insert into payout select id, '2026-11', rule, rule_version, provider, currency,"
    " publishing_ppm, snapshot, platform_micros, content_sha256, recorded_at, settings from payout"
)
COPY = "insert or replace into {0} select * from {0} limit 1"
APPEND_ONLY = (
    "act",
    "posting",
    "snapshot",
    "run",
    "run_recording",
    "track_share",
    "period_input",
    "period_revenue",
)
# A row of each table that the smallest month has none of.
SEEDS = {
    "withdrawal": "insert into withdrawal values (1, 'r1', 'output', 'takedown', 'asked', '2026-10-01', null, 'now', null)",
    "alias": "insert into alias values (1, 'party', 'Bobby', 'bob', 'now', null)",
    "correction": "insert into correction values (1, 'party', 'bob', 'name', 'Bob', 'Bobby', 'asked', 'now')",
    "fx_rate": "insert into fx_rate values ('2026-10-30/USD/EUR', '2026-10-30', 'USD', 'EUR', 920000000, 'bank', 'now')",
    "late_input": "insert into late_input select '2026-10', sha256, kind, 'late.csv', 'now' from snapshot limit 1",
    "corrected_share": "insert into corrected_share select 'p', 't1', 2, sha256, 'c', 0, 'now' from snapshot limit 1",
    "input_event": "insert into input_event select period, snapshot, true, 1, 'withdrawn', 'wrong', 'now' from late_input",
    "restatement": "insert into restatement select '2026-10/1', '2026-10', '2026-11', sha256, 'late', 'c', 'now' from snapshot limit 1",
    "restatement_input": "insert into restatement_input select '2026-10/1', sha256, kind from snapshot limit 1",
    "payment": "insert into payment values ('2026-11/bob/1', '2026-11', 'bob', 'EUR', 9, 0, 'EUR', 9, null, '2026-11-05', 'now')",
    "payment_event": "insert into payment_event values ('2026-11/bob/1', 1, 'confirmed', '2026-11-06', '', 'now')",
    "hold": "insert into hold values ('hold/bob', 'held', 'bob', 'bob', null, null, 'asked', 'ann', 'now')",
    "hold_finding": "insert into hold_finding values ('hold/bob', 'exact', 'e', '{}', 'now')",
}  # fmt: skip
IN_TURN = {"input_event": "|what came in is withdrawn first"}  # whichever trigger comes first
DATED = ("interest", "terms", "withdrawal", "alias")
MAY_CHANGE = (
    ("recording", "licensed_to", "placebo"),
    ("recording", "duration_ms", "content_sha256"),
    ("recording", "title", "work"),
    ("work", "iswc", "recorded_at"),
    ("party", "payee", "recorded_at"),
    ("party", "ipi", "recorded_at"),
    ("track", "audio_sha256", "run"),
    ("track", "duration_ms", "created_at"),
)
KEYS = {"id", "rule", "payout", "snapshot", "payee", "track", "recording", "kind"}
PAYOUT = ("payout", *(table.name for table in schema.PAYOUT_PARTS))


def again(table: str) -> list[str]:
    """Put a row where one is, in an open period and transaction, so that nothing else refuses."""
    if table == "posting":
        return [OPEN, DRAFT, ONE_SIDED, ONE_SIDED.replace("insert", "insert or replace", 1)]
    if table not in {"period_input", "period_revenue"}:
        return [*seed(table), COPY.format(table)]
    columns = schema.metadata.tables[table].columns.keys()[1:]
    row = f"into {table} select '2026-11', {', '.join(columns)} from {table} limit 1"
    return [OPEN, f"insert {row}", f"insert or replace {row}"]


def seed(table: str) -> list[str]:
    """Make sure that the table has a row."""
    first = [SEEDS["late_input"]] if table == "input_event" else []
    return [*first, SEEDS[table]] if table in SEEDS else []


def columns_of(table: str, **instead: str) -> str:
    """List a table's columns to select, some of them replaced."""
    columns = schema.metadata.tables[table].columns.keys()
    return ", ".join(instead.get(name, f'"{name}"') for name in columns)


def attempts() -> list[tuple[str, str, list[str]]]:
    """Trigger, sentence (its beginning), and the SQL whose last statement provokes it."""
    cases = [
        ("period_insert_open", "a period begins open", ["insert into period (id, status) values ('2027-01', 'closed')"]),
        ("period_update_while_open", "a closed period is neither", ["update period set status = 'open'"]),
        ("period_update_id", "a period keeps its name", [OPEN, "update period set id = '2027-02' where id = '2026-11'"]),
        ("period_update_sealed", "a transaction of the period is not sealed", [OPEN, DRAFT, "update period set status = 'closed' where id = '2026-11'"]),
        ("period_delete_never", "a period is never removed", ["delete from period"]),
        ("period_insert_twice", "that period is there", ["insert or replace into period (id, status) values ('2026-10', 'open')"]),
        ("transaction__insert_twice", "that transaction_ is there|the period is closed|does not continue", [COPY.format("transaction_")]),
        ("transaction__insert_twice", "that transaction_ is there", [OPEN, DRAFT.replace("select 3, 'k'", "select 3, key").replace("insert into", "insert or replace into")]),
        ("transaction__insert_while_new_open", "the period is closed", [DRAFT.replace("2026-11", "2026-10")]),
        ("transaction__insert_unsealed", "a transaction is sealed after", [OPEN, DRAFT.replace("false", "true")]),
        ("transaction__insert_one_at_a_time", "the transaction before is not", [OPEN, DRAFT, DRAFT.replace("select 3, 'k'", "select 4, 'k4'").replace("where id = 2", "where id = 3").replace(HASH, "e" * 64)]),
        ("transaction__insert_continues", "the transaction does not continue", [OPEN, DRAFT.replace("select 3", "select 4")]),
        ("transaction__insert_continues", "the transaction does not continue", [OPEN, DRAFT.replace("hash, '", f"'{GENESIS}', '")]),
        ("transaction__update_seals_once", "a transaction is never changed", ["update transaction_ set memo = 'mine'"]),
        ("transaction__update_seals_once", "a transaction is never changed", ["update transaction_ set sealed = false"]),
        ("transaction__update_seals_once", "a transaction is never changed", [OPEN, DRAFT, ONE_SIDED, OTHER_SIDE.replace("USD", "EUR"), SEAL.replace("sealed =", "memo = 'mine', sealed =")]),
        ("transaction__update_not_empty", "the transaction has no postings", [OPEN, DRAFT, SEAL]),
        ("transaction__update_balances", "the transaction does not sum", [OPEN, DRAFT, ONE_SIDED, SEAL]),
        ("transaction__update_balances", "the transaction does not sum", [OPEN, DRAFT, ONE_SIDED, OTHER_SIDE, SEAL]),
        ("transaction__delete_never", "a transaction is never removed", ["delete from transaction_ where id = 2"]),
        ("posting_insert_unsealed", "a sealed transaction takes no more", [ONE_SIDED.replace("(3, 1", "(2, 99")]),
        ("posting_insert_rate_known", "there is no such rate", [OPEN, DRAFT, ONE_SIDED.replace("currency)", "currency, fx_rate)").replace("'EUR')", "'EUR', 'none')")]),
        ("late_input_insert_once_closed", "the period is open", [OPEN, SEEDS["late_input"].replace("'2026-10'", "'2026-11'")]),
        ("period_input_insert_while_new_open", "the period is closed", ["insert into period_input select period, (select sha256 from snapshot where kind = 'allocations'), kind, source, recorded_at from period_input limit 1"]),
        ("period_revenue_insert_while_new_open", "the period is closed", ["insert into period_revenue select period, snapshot, 'USD', micros from period_revenue"]),
    ]  # fmt: skip
    came, withdrawn = SEEDS["late_input"], SEEDS["input_event"]
    in_time = "insert into input_event select period, snapshot, false, {0}, '{1}', '', 'now' from period_input limit 1"
    opened = "insert into period_input select '2026-11', snapshot, kind, source, recorded_at from period_input limit 1"
    of_november = in_time.replace("limit 1", "where period = '2026-11'")
    cases += [
        ("input_event_insert_of_an_input", "nothing came in", [withdrawn.replace("late_input", "period_input")]),
        ("input_event_insert_of_an_input", "nothing came in", [OPEN, in_time.replace("select period", "select '2026-11'").format(1, "withdrawn")]),
        ("input_event_insert_in_turn", "what came in is withdrawn first", [came, withdrawn.replace("'withdrawn'", "'imported'")]),
        ("input_event_insert_in_turn", "what came in is withdrawn first", [came, withdrawn.replace("1,", "2,")]),
        ("input_event_insert_in_turn", "what came in is withdrawn first", [came, withdrawn, withdrawn.replace("1,", "2,")]),
        ("input_event_insert_in_turn", "what came in is withdrawn first", [OPEN, opened, of_november.format(1, "withdrawn"), of_november.format(2, "imported"), of_november.format(3, "imported")]),
        ("input_event_insert_while_open", "the period is closed with it", [in_time.format(1, "withdrawn")]),
        ("input_event_insert_before_use", "a restatement was divided from it", [came, SEEDS["restatement"], SEEDS["restatement_input"], withdrawn]),
        ("restatement_input_insert_standing", "what it was divided from was withdrawn", [came, withdrawn, SEEDS["restatement"], SEEDS["restatement_input"]]),
    ]  # fmt: skip
    for table in (*APPEND_ONLY, *(name for name in SEEDS if name not in DATED)):
        column = inspect(schema.metadata.tables[table]).columns.keys()[-1]
        cases += [
            (f"{table}_update_never", f"a {table} is never changed", [*seed(table), f'update {table} set "{column}" = null']),
            (f"{table}_delete_never", f"a {table} is never removed", [*seed(table), f"delete from {table}"]),
            (f"{table}_insert_twice", f"that {table} is there{IN_TURN.get(table, '')}", again(table)),
        ]  # fmt: skip
    for table in DATED:
        column = "party" if table in {"interest", "terms"} else "recorded_at"
        cases += [
            (f"{table}_update_ends_once", f"a {table} row may only be ended", [*seed(table), f"update {table} set {column} = 'bob'"]),
            (f"{table}_update_ends_once", f"a {table} row may only be ended", [*seed(table), f"update {table} set recorded_to = 'x'", f"update {table} set recorded_to = 'y'"]),
            (f"{table}_delete_never", f"a {table} row is never removed", [*seed(table), f"delete from {table}"]),
            (f"{table}_insert_twice", f"that {table} is there", [*seed(table), COPY.format(table)]),
        ]  # fmt: skip
    for table, may, column in MAY_CHANGE:
        cases += [
            (f"{table}_update_only", f"of a {table} only these may change", [f"update {table} set {may} = 'x'", f"update {table} set {column} = 'x'"]),
            (f"{table}_delete_never", f"a {table} is never removed", [f"delete from {table}"]),
            (f"{table}_insert_twice", f"that {table} is there", [COPY.format(table)]),
        ]  # fmt: skip
    for table in PAYOUT:
        owner = "period" if table == "payout" else "payout"
        moved = columns_of(table, id="'p2'", **{owner: "'2026-11'"})
        more = columns_of(table, **dict.fromkeys(KEYS - {owner}, "'another'"))
        cases += [
            (f"{table}_insert_twice", f"that {table} is there|the period is closed", [COPY.format(table)]),
            (f"{table}_insert_while_new_open", "the period is closed", [f"insert into {table} select {more} from {table} limit 1"]),
            (f"{table}_update_never", f"a {table} is never changed", [f"update or replace {table} set {owner} = '2026-11'"]),
            (f"{table}_update_never", f"a {table} is never changed", [OPEN, f"insert into {table} select {moved} from {table} limit 1", f"update or replace {table} set {owner} = '2026-10' where {owner} = '2026-11'"]),
            (f"{table}_delete_while_old_open", "the period is closed", [f"delete from {table}"]),
        ]  # fmt: skip
    other = INTO_NOVEMBER.replace("select id", "select 'p2'")
    cases += [
        ("payout_insert_twice", "that payout is there", [OPEN, INTO_NOVEMBER.replace("insert", "insert or replace", 1)]),
        ("payout_insert_twice", "that payout is there", [OPEN, other, other.replace("'p2'", "'p3'").replace("insert", "insert or replace", 1)]),
    ]  # fmt: skip
    return cases


@pytest.mark.parametrize(("trigger", "sentence", "statements"), attempts())
@pytest.mark.parametrize("pragma", ["on", "off"])
def test_the_database_refuses(
    closed_file: Path, trigger: str, sentence: str, statements: list[str], pragma: str
) -> None:
    # A stranger's connection: no foreign keys, and REPLACE may go past the delete triggers.
    assert trigger in {refusal.trigger for refusal in REFUSALS}
    connection = sqlite3.connect(closed_file)
    connection.execute("pragma foreign_keys = off")
    connection.execute(f"pragma recursive_triggers = {pragma}")
    try:
        for statement in statements[:-1]:
            connection.execute(statement)

        with pytest.raises(sqlite3.IntegrityError, match=sentence):
            connection.execute(statements[-1])
    finally:
        connection.close()


def test_every_refusal_is_provoked_by_some_attempt() -> None:
    provoked = {trigger for trigger, _, _ in attempts()}

    assert provoked == {refusal.trigger for refusal in REFUSALS}


def test_the_database_has_the_triggers_of_the_registry_and_no_others(books: Books) -> None:
    with reading(books) as connection:
        there = present(connection)

    assert set(there) == {refusal.trigger for refusal in REFUSALS}


def test_a_table_has_no_key_that_triggers_do_not_see(closed_file: Path) -> None:
    connection = sqlite3.connect(closed_file)
    integer_keys = {*DATED, "act", "correction", "transaction_", "alembic_version"}
    for table in schema.metadata.tables.keys() - integer_keys:
        with pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
            connection.execute(f"select rowid from {table}")
    connection.close()


def test_the_names_of_triggers_are_different() -> None:
    names = [refusal.trigger for refusal in REFUSALS]

    assert len(names) == len(set(names))
