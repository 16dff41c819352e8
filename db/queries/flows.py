"""Which recordings brought which payees their money: the largest of both, and all the rest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from db import snapshots
from db.engine import Books
from db.queries.earnings import LARGEST, Earnings
from db.queries.recordings_used import titles
from db.queries.viewer import Viewer
from royalty.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Money that a recording brought a payee; None stands for all the others together."""

    recording: str | None
    title: str | None  # the recording's
    payee: str | None
    amount: Money


def flows(viewer: Viewer, books: Books, earned: Earnings) -> tuple[Flow, ...]:
    """Say what the largest recordings brought the largest payees, and the rest together.

    What is attributed of a payout is all there, to the micro.
    """
    rows = _brought(viewer, books, earned)
    by_recording: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        by_recording[row["recording"]] += row["micros_sum"]
    top = sorted(by_recording, key=lambda each: (-by_recording[each], each))[: LARGEST.limit]
    left: defaultdict[str | None, int] = defaultdict(int)
    left.update({payee.id: payee.attributed.micros for payee in earned.payees})
    left[None] = earned.attributed.micros - sum(left.values())
    found: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
    payees = {payee.id for payee in earned.payees}
    for row in rows:
        if row["recording"] in top:
            payee = row["payee"] if row["payee"] in payees else None
            found[row["recording"], payee] += row["micros_sum"]
            left[payee] -= row["micros_sum"]
    found.update({(None, payee): micros for payee, micros in left.items()})
    known = titles(viewer, books, top)
    return tuple(
        Flow(
            recording=recording,
            title=known.get(recording or ""),
            payee=payee,
            amount=Money(micros, earned.pool.currency),
        )
        for (recording, payee), micros in found.items()
        if micros
    )


def _brought(viewer: Viewer, books: Books, earned: Earnings) -> list[dict[str, Any]]:
    """Sum what recordings brought payees: the largest recordings, or all of the viewer's own."""
    if viewer.parties is None:
        wanted = {"recording": [each.id for each in earned.recordings]}
    else:
        wanted = {"payee": [*viewer.parties]}
    columns = ("recording", "payee", "micros")
    rows = snapshots.matching(books, earned.snapshot, columns, kind=["attributed"], **wanted)
    sums = rows.group_by(["recording", "payee"]).aggregate([("micros", "sum")])
    found: list[dict[str, Any]] = sums.to_pylist()
    return sorted(found, key=lambda each: (each["recording"], each["payee"]))
