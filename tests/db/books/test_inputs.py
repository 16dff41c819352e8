"""What came in is withdrawn: it counts no more, stays in the books, and may come in again."""

from pathlib import Path

import pytest
from sqlalchemy import select

from db import queries, schema
from db.books.closing import close
from db.books.inputs import withdraw_input
from db.books.restatements import Restatement, restate
from db.engine import Books, reading
from db.intake import revenue, usage
from db.queries import EVERYONE
from royalty.errors import Conflict, NotFound, NotReady, PeriodClosed
from royalty.money import Money
from tests.db import world
from tests.db.world import NOVEMBER, OCTOBER, RULE

WHY = {"reason": "of another app", "name": "kim"}
LATE = "period,listener,track,source,territory,plays\n2026-10,u9,t1,app,DE,3\n"


def snapshot_of(books: Books, kind: str) -> str:
    [row] = queries.came(EVERYONE, books, kind)
    return row.snapshot


def late_usage(books: Books, folder: Path) -> str:
    path = folder / "late.csv"
    path.write_text(LATE)
    snapshot = usage.record(books, path, late=True).snapshot
    assert snapshot
    return snapshot


def restated(books: Books, inputs: list[str]) -> None:
    other = world.payout_facts(books).snapshot
    restate(
        books,
        Restatement(
            period=OCTOBER,
            wanted=[],
            before="none",
            snapshot=other,
            inputs={"usage": inputs},
            memo="late usage",
            reason="",
        ),
        "kim",
    )


def test_what_is_withdrawn_counts_no_more_and_stays_listed(month: Books) -> None:
    id_ = snapshot_of(month, "revenue")

    withdrawn = withdraw_input(month, "revenue", id_[:12], **WHY)

    assert (withdrawn.snapshot, withdrawn.rows) == (id_, 2)
    given = queries.inputs(EVERYONE, month, OCTOBER)
    assert (len(given.usage), given.revenue) == (1, [])
    assert [row.revenue for row in queries.periods(EVERYONE, month)] == [()]
    [row] = queries.came(EVERYONE, month, "revenue")
    assert row.withdrawn == "of another app"


def test_the_act_says_who_did_it_when_and_why(month: Books) -> None:
    withdraw_input(month, "usage", snapshot_of(month, "usage"), **WHY)

    [act] = queries.acts(EVERYONE, month, OCTOBER)
    assert (act.name, act.act, act.subject) == ("kim", "withdrawn", "usage.csv")
    assert act.note == "usage of 2026-10: 2 rows; of another app"
    assert act.recorded_at


def test_the_same_file_may_come_in_again_and_be_withdrawn_again(
    month: Books, tmp_path: Path
) -> None:
    again = tmp_path / "again.csv"
    again.write_text(world.REVENUE)
    for _ in range(2):
        withdraw_input(month, "revenue", snapshot_of(month, "revenue"), **WHY)

        assert not revenue.record(month, again).already

        assert [row.revenue for row in queries.periods(EVERYONE, month)] == [
            (Money(20_000_000, "EUR"),)
        ]
        [row] = queries.came(EVERYONE, month, "revenue")
        assert (row.withdrawn, row.source) == (None, str(again))
    assert revenue.record(month, again).already


def test_other_rows_of_the_same_key_may_come_in_its_place(month: Books, tmp_path: Path) -> None:
    withdraw_input(month, "revenue", snapshot_of(month, "revenue"), **WHY)
    right = tmp_path / "right.csv"
    right.write_text(world.REVENUE.replace("12.50", "11.50"))

    revenue.record(month, right)

    [october] = queries.periods(EVERYONE, month)
    assert october.revenue == (Money(19_000_000, "EUR"),)
    assert len(queries.inputs(EVERYONE, month, OCTOBER).revenue) == 1


def test_a_preview_is_stale_and_cannot_be_closed_with(computed: Books) -> None:
    withdraw_input(computed, "usage", snapshot_of(computed, "usage"), **WHY)

    assert queries.stale(EVERYONE, computed, OCTOBER) == {RULE}
    with pytest.raises(NotReady, match="came in since its payout, or was withdrawn"):
        world.close_october(computed)


def test_usage_that_was_withdrawn_is_no_history_of_later_months(month: Books) -> None:
    assert queries.earlier_usage(EVERYONE, month, NOVEMBER) != []

    withdraw_input(month, "usage", snapshot_of(month, "usage"), **WHY)

    assert queries.earlier_usage(EVERYONE, month, NOVEMBER) == []


def test_a_month_whose_revenue_was_withdrawn_does_not_hold_up_the_next(
    month: Books, tmp_path: Path
) -> None:
    november = tmp_path / "november.csv"
    november.write_text(world.REVENUE.replace("2026-10", "2026-11"))
    revenue.record(month, november)
    with pytest.raises(NotReady, match="period 2026-10 is open and has money in it"):
        close(month, NOVEMBER, RULE, [], "none")

    id_ = queries.inputs(EVERYONE, month, OCTOBER).revenue[0]
    withdraw_input(month, "revenue", id_, **WHY)

    with pytest.raises(NotReady, match="no payout none is computed"):
        close(month, NOVEMBER, RULE, [], "none")


def test_a_rehearsal_checks_and_writes_nothing(month: Books) -> None:
    id_ = snapshot_of(month, "usage")

    withdraw_input(month, "usage", id_, dry_run=True, **WHY)

    assert queries.inputs(EVERYONE, month, OCTOBER).usage == [id_]
    assert queries.acts(EVERYONE, month, OCTOBER) == []


def test_an_id_that_names_nothing_is_refused(month: Books) -> None:
    for id_ in ("feed", "", snapshot_of(month, "revenue")):
        with pytest.raises(NotFound, match=f"no usage '{id_}' came in; 'tantieme usage show'"):
            withdraw_input(month, "usage", id_, **WHY)


def test_the_beginning_of_several_ids_is_refused(month: Books, tmp_path: Path) -> None:
    begun = snapshot_of(month, "usage")[0]
    more = tmp_path / "more.csv"
    for plays in range(100):
        more.write_text(f"{LATE.splitlines()[0]}\n2026-10,u9,t{plays},app,DE,3\n")
        if (usage.record(month, more).snapshot or "").startswith(begun):
            break

    with pytest.raises(Conflict, match=f"'{begun}' is the beginning of .* and .*; write more"):
        withdraw_input(month, "usage", begun, **WHY)


def test_what_is_withdrawn_is_not_withdrawn_again(month: Books) -> None:
    id_ = snapshot_of(month, "usage")
    withdraw_input(month, "usage", id_, **WHY)

    with pytest.raises(Conflict, match="is withdrawn already: of another app"):
        withdraw_input(month, "usage", id_, **WHY)


def test_what_a_month_was_closed_with_stays(closed: Books) -> None:
    id_ = snapshot_of(closed, "usage")

    with pytest.raises(PeriodClosed, match="2026-10 was closed with it"):
        withdraw_input(closed, "usage", id_, **WHY)

    assert queries.inputs(EVERYONE, closed, OCTOBER).usage == [id_]


def test_what_came_late_may_be_withdrawn_until_a_month_is_adjusted_by_it(
    closed: Books, tmp_path: Path
) -> None:
    id_ = late_usage(closed, tmp_path)

    withdraw_input(closed, "usage", id_, **WHY)

    assert queries.late(EVERYONE, closed, OCTOBER) == {}
    [act] = [act for act in queries.acts(EVERYONE, closed, NOVEMBER) if act.act == "withdrawn"]
    assert act.note == "usage of 2026-10, late: 1 row; of another app"

    assert late_usage(closed, tmp_path) == id_

    assert queries.late(EVERYONE, closed, OCTOBER) == {"usage": [id_]}
    restated(closed, [id_])
    with pytest.raises(Conflict, match="2026-10 was adjusted by it"):
        withdraw_input(closed, "usage", id_, **WHY)


def test_what_was_withdrawn_in_time_may_come_late(computed: Books, tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text(LATE)
    id_ = usage.record(computed, path).snapshot or ""
    withdraw_input(computed, "usage", id_, **WHY)
    world.close_october(computed)

    usage.record(computed, path, late=True)

    in_time = queries.inputs(EVERYONE, computed, OCTOBER).usage
    assert id_ not in in_time
    assert queries.late(EVERYONE, computed, OCTOBER) == {"usage": [id_]}
    states = [
        (row.late, row.withdrawn is None)
        for row in queries.came(EVERYONE, computed, "usage")
        if row.snapshot == id_
    ]
    assert states == [(False, False), (True, True)]
    withdraw_input(computed, "usage", id_, **WHY)
    assert queries.late(EVERYONE, computed, OCTOBER) == {}


def test_nothing_is_removed_by_withdrawing(month: Books) -> None:
    withdraw_input(month, "revenue", snapshot_of(month, "revenue"), **WHY)

    with reading(month) as connection:
        came = connection.execute(select(schema.period_input)).all()
        money = connection.execute(select(schema.period_revenue)).all()
    assert (len(came), len(money)) == (2, 1)
