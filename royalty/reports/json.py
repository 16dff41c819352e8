"""Payouts, statements and whole periods as JSON documents.

Keys stand in a fixed order, amounts are `{"micros": 55550000, "currency": "EUR"}`, text is UTF-8,
equal input gives equal bytes. `"schema"` counts changes that a reader must know of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date

from royalty.differences import Difference
from royalty.money import Money
from royalty.movements import Movement
from royalty.payout import Payout
from royalty.period import Period
from royalty.statement import Line, Statement

SCHEMA = 1

Json = Mapping[str, object]
# Opening + earned + adjustments + recouped + reserved + withheld + paid = closing, where what is
# taken is negative. Gross and deductions are of what was earned, released is of what was reserved.
_BALANCE = (
    "opening",
    "gross",
    "deductions",
    "earned",
    "low",
    "high",
    "adjustments",
    "recouped",
    "reserved",
    "released",
    "withheld",
    "paid",
    "closing",
)


def payouts_json(
    period: Period,
    rules: Mapping[str, Payout],
    differences: Mapping[str, Sequence[Difference]] | None = None,
) -> bytes:
    """Write a period's payouts under one or more rules.

    pool = sum of the payees + suspense, and + `platform`, a key that is there only where an
    agreement's rate below 1 leaves the platform something. `unattributed` and `idle` say how much
    of those sums was divided without evidence, and came from listeners who played nothing.
    `differences`, there only where rules are compared, says by rule what it gives each payee beyond
    what the first of `rules` does.
    """
    pools = {payout.pool for payout in rules.values()}
    assert len(pools) == 1, "payouts of one period divide one and the same pool"
    document: dict[str, object] = {
        "schema": SCHEMA,
        "period": str(period),
        "pool": pools.pop().json,
        "rules": {rule: _payout(payout) for rule, payout in rules.items()},
    }
    if differences:
        document["differences"] = {
            rule: [_difference(each) for each in sorted(found, key=lambda each: each.payee)]
            for rule, found in differences.items()
        }
    return written(document)


def statement_json(statement: Statement) -> bytes:
    """Write one statement with all its lines and movements."""
    return written({"schema": SCHEMA, **_statement(statement)})


def period_json(period: Period, statements: Iterable[Statement]) -> bytes:
    """Write all statements of a period, payees in order of their ids."""
    ordered = sorted(statements, key=lambda statement: statement.id)
    return written(
        {
            "schema": SCHEMA,
            "period": str(period),
            "statements": [_statement(statement) for statement in ordered],
        }
    )


def _payout(payout: Payout) -> Json:
    document: dict[str, object] = {
        "payees": [
            {
                "id": payee.id,
                "name": payee.name,
                "amount": payee.amount.json,
                "low": payee.low.json,
                "high": payee.high.json,
            }
            for payee in payout.payees
        ],
        "unattributed": payout.unattributed.json,
        "suspense": payout.suspense.json,
        "idle": payout.idle.json,
    }
    if payout.platform.micros:
        document["platform"] = payout.platform.json
    return document


def _difference(difference: Difference) -> Json:
    return {
        "id": difference.payee,
        "difference": difference.amount.json,
        "low": difference.low.json,
        "high": difference.high.json,
    }


def _statement(statement: Statement) -> Json:
    return {
        "statement": statement.id,
        "payee": {"id": statement.payee, "name": statement.payee_name},
        "period": str(statement.period),
        "booking_period": str(statement.period),
        "usage_periods": [str(period) for period in statement.usage_periods],
        "currency": statement.currency,
        "rule": statement.rule,
        "rule_version": statement.rule_version,
        "provider": statement.provider,
        "runs": list(statement.runs),
        **{name: getattr(statement, name).json for name in _BALANCE},
        "net_by_right": {right: net.json for right, net in statement.net_by_right.items()},
        "root": statement.root,
        "notes": list(statement.notes),
        "lines": [_fields(line) | {"basis": line.basis} for line in statement.lines],
        "movements": [_fields(movement) for movement in statement.movements],
    }


def _fields(noun: Line | Movement) -> dict[str, object]:
    """Write a noun's fields under their names."""
    return {field.name: _value(getattr(noun, field.name)) for field in fields(noun)}


def _value(value: object) -> object:
    if isinstance(value, Money):
        return value.json
    return str(value) if isinstance(value, (Period, date)) else value


def written(document: Json) -> bytes:
    """Write a document as bytes, the same for the same."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
