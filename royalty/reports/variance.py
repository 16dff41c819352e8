"""A variance as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable

from royalty.money import Money
from royalty.period import Period
from royalty.reports.json import SCHEMA
from royalty.variance import Compared, Counted, PayeeCompared, Source, Variance

Json = dict[str, object]


def variance_document(period: Period, rule: str, variance: Variance | None) -> Json:
    """Write a variance; `against` is null where there is no month to hold the period against.

    The `before` of a payee who is new is null, and so is the `now` of one who is gone, and
    `change_ppm`, a part of what was before, where nothing was.
    """
    heading: Json = {"schema": SCHEMA, "period": str(period), "rule": rule}
    if variance is None:
        return heading | {"against": None}
    return heading | {
        "against": {"period": str(variance.against), "rule": variance.against_rule},
        "summary": variance.summary,
        "totals": {each.name: _compared(each) for each in variance.totals},
        "payees": [_payee(each) for each in variance.payees],
        "missing": _sources(variance.missing),
        "came": _sources(variance.came),
    }


def _compared(each: Compared | Counted) -> Json:
    return {
        "before": _value(each.before),
        "now": _value(each.now),
        "change": _value(each.change),
        "change_ppm": each.change_ppm,
    }


def _payee(each: PayeeCompared) -> Json:
    absent = [name for name, is_so in (("before", each.new), ("now", each.gone)) if is_so]
    return {"id": each.id, "name": each.name, **_compared(each), **dict.fromkeys(absent)}


def _sources(sources: Iterable[Source]) -> list[Json]:
    return [
        {
            "source": each.source,
            "territory": each.territory,
            "revenue": [amount.json for amount in each.revenue],
        }
        for each in sources
    ]


def _value(value: Money | int) -> object:
    return value.json if isinstance(value, Money) else value
