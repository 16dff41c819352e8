"""The one place where a remainder is given out: exact integers, largest remainders first."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from royalty.catalogue import PPM
from royalty.errors import Conflict, NothingToDivideAmong

PPB = 1_000_000_000
_LOST_PPM_MAX = 3_000_000_000  # a rule floors once a play at most, by less than a ppm of a micro


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


def settle(quotas: pa.Table, pool_micros: int) -> dict[str, int]:
    """Give out what a rule's floors leave of the pool: one micro each to the largest remainders.

    `quotas` is a rule's result: track, micros, remainder. Ties go to the earlier track id, and a
    track without any part gets nothing. The result sums to the pool, tracks in order of their ids;
    it is empty where nothing was played. Raises `Conflict` when the quotas are not this pool's.
    """
    columns = (quotas[name].to_pylist() for name in ("track", "micros", "remainder"))
    rows = sorted(zip(*columns, strict=True))
    if not rows:
        return {}
    settled = {track: micros for track, micros, _ in rows}
    left = pool_micros - sum(settled.values())
    lost_ppm = left * PPM - sum(remainder for _, _, remainder in rows)
    if not -PPM < lost_ppm <= _LOST_PPM_MAX:
        raise Conflict(
            f"the rule divided another pool than this one of {pool_micros} micros: it is off by "
            f"{lost_ppm // PPM}; use the same usage, revenue and royalty rate for both"
        )
    with_part = [row for row in rows if row[1] or row[2]] or rows
    # More than one micro each is left only where what was floored for many listeners adds up.
    each, rest = divmod(left, len(with_part))
    for place, (track, _, _) in enumerate(sorted(with_part, key=lambda row: -row[2])):
        settled[track] += each + (place < rest)
    return settled
