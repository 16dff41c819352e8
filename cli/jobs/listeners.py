"""Which listeners of a month to leave out, for comparison: named by a prefix, or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ibis import Table

from cli.jobs.month import Month
from cli.jobs.simulation import FARM
from db import snapshots
from royalty.errors import BadInput, NotReady, Problem
from royalty.money import Money

OPTION = "--without"
SIMULATED = "-simulated"  # the end of a source's name: its listening was made up, farm and all


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Listeners to leave out, and how they were named."""

    named: str
    listeners: frozenset[str]
    fees: Money  # gross: what they paid


def left_out(month: Month, named: str | None) -> LeftOut | None:
    """Find the listeners that a prefix such as `bot-*` names, or a text file with an id a line.

    Without either, a simulated month leaves out its click farm, and another nobody. Raises
    `BadInput` where a file cannot be read, or where somebody is named who is not there.
    """
    present = _listeners(month)
    named = named or _simulated_farm(month, present)
    if named is None:
        return None
    chosen = _by_prefix(month, named, present) if named.endswith("*") else _of_file(named, present)
    if not _paid(month.facts.revenue, chosen, others=True):
        raise NotReady(
            f"'{OPTION} {named}' leaves out everybody who paid in {month.period}, so nothing is "
            "left to compare with; name fewer listeners"
        )
    fees = Money(_paid(month.facts.revenue, chosen, others=False), month.currency)
    return LeftOut(named=named, listeners=chosen, fees=fees)


def _listeners(month: Month) -> frozenset[str]:
    """List everybody who played or paid; income of no one listener is nobody's."""
    names = [table.select("listener") for table in (month.facts.usage, month.facts.revenue)]
    found = snapshots.run(names[0].union(names[1], distinct=True))
    return frozenset(found["listener"].to_pylist()) - {""}


def _simulated_farm(month: Month, present: frozenset[str]) -> str | None:
    simulated = all(pool.source.endswith(SIMULATED) for pool in month.pools)
    there = simulated and any(each.startswith(f"{FARM}-") for each in present)
    return f"{FARM}-*" if there else None


def _by_prefix(month: Month, named: str, present: frozenset[str]) -> frozenset[str]:
    prefix = named.removesuffix("*")
    found = frozenset(each for each in present if each.startswith(prefix))
    if not found:
        example = f"; there is '{min(present)}'" if present else ""
        message = f"no listener of {month.period} has an id that begins with '{prefix}'{example}"
        raise BadInput([Problem(f"{OPTION} {named}", None, None, message)])
    return found


def _of_file(named: str, present: frozenset[str]) -> frozenset[str]:
    lines = dict(_lines(named))
    problems = [
        Problem(named, row, None, f"there is no listener '{listener}' in the month")
        for row, listener in lines.items()
        if listener not in present
    ]
    if not lines:
        problems = [Problem(named, None, None, "names nobody; write one listener's id on a line")]
    if problems:
        raise BadInput(problems)
    return frozenset(lines.values())


def _lines(named: str) -> Iterator[tuple[int, str]]:
    try:
        text = Path(named).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = "is not a file; name one with a listener's id a line, or a prefix such as 'bot-*'"
        raise BadInput([Problem(named, None, None, message)]) from None
    except (UnicodeDecodeError, OSError) as error:
        raise BadInput([Problem(named, None, None, f"cannot be read: {error}")]) from None
    for row, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield row, line.strip()


def _paid(revenue: Table, chosen: frozenset[str], *, others: bool) -> int:
    mine = revenue.listener.isin(sorted(chosen))
    sums = snapshots.run(
        revenue.filter(~mine if others else mine).agg(net=revenue.net_micros.sum())
    )
    return int(sums["net"][0].as_py() or 0)
