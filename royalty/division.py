"""The one place where a remainder is given out: exact integers, largest remainders first.

`divide` does it for a list, `settle` for every group of a table: tracks in their pool, postings in
their pool, lines in their posting.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis import Table

from royalty.errors import NothingToDivideAmong
from royalty.rules.arithmetic import exact_sum, whole

PPB = 1_000_000_000


def divide(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide an integer so that the parts add up to it, by largest remainder (Hamilton).

    Floor each ideal part, then give one each to the largest remainders, ties to the earlier index.
    The caller orders the weights canonically, so equal inputs give equal outputs on every machine.
    No weight is negative. Raises `NothingToDivideAmong` when none is positive.
    """
    assert all(weight >= 0 for weight in weights), "a weight is negative"
    total = sum(weights)
    if total == 0:
        raise NothingToDivideAmong(f"nothing has a part in the {whole} that is to be divided")
    ideal = [divmod(whole * weight, total) for weight in weights]
    parts = [floor for floor, _ in ideal]
    left = whole - sum(parts)
    if left:
        by_remainder = sorted(range(len(parts)), key=lambda i: -ideal[i][1])  # stable: ties by i
        for i in by_remainder[:left]:
            parts[i] += 1
    return parts


def settle(
    quotas: Table, wholes: Table, *, group: Sequence[str] = ("pool",), order: Sequence[str]
) -> Table:
    """Give out what floors leave of a whole, in every group: a micro each to largest remainders.

    `quotas` has the group's columns, micros and remainder (billionths of a micro, below one);
    `wholes` has the group's columns and whole_micros. In the result, `quotas` without remainder,
    micros sum to the whole, in every group that has a quota. Who has no part at all gets nothing;
    ties go to the first by `order`.
    """
    rows = quotas.mutate(part=(quotas.micros + quotas.remainder > 0).cast("int8"))
    sums = rows.group_by(group).agg(
        given=exact_sum(rows.micros), parts=exact_sum(rows.part), rows=rows.count()
    )
    sums = sums.join(wholes.select(*group, "whole_micros"), group)
    left = sums.whole_micros - sums.given
    # More than one micro each is left only where what was floored many times over adds up.
    among = (sums.parts > 0).ifelse(sums.parts, sums.rows)
    sums = sums.select(*group, each=whole(left, among), rest=left % among, among=among)
    first = [ibis.desc("part"), ibis.desc("remainder"), *order]
    rows = rows.mutate(remainder=rows.remainder.cast("int32"))  # narrow keys sort faster
    placed = rows.mutate(place=ibis.row_number().over(group_by=group, order_by=first))
    joined = placed.join(sums, group)
    more = (joined.place < joined.among).cast("int64") * joined.each
    more += (joined.place < joined.rest).cast("int64")
    kept = [name for name in quotas.columns if name != "remainder"]
    return joined.mutate(micros=joined.micros + more).select(kept)
