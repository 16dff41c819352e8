import random
from pathlib import Path

import pytest
from sqlalchemy import event, select

from db import schema
from db.books.ledger import post
from db.engine import Books, reading
from db.queries import EVERYONE, Viewer, postings, stated, statement
from db.queries.statements import _about, _deducted
from royalty.errors import NotFound, PeriodNotClosed
from royalty.money import Money
from royalty.period import Period
from tests.db import world
from tests.db.moving import close_without_money, moved
from tests.db.world import _ROWS, NOVEMBER, OCTOBER

DECEMBER = Period(2026, 12)
PARTS = {"fixed": 6, "unattributed": 3}  # tenths of a euro


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def test_lines_explain_what_was_posted_to_the_micro(closed: Books) -> None:
    owed = statement(EVERYONE, closed, "lab", OCTOBER)

    posted = [row for row in postings(EVERYONE, closed, OCTOBER) if row.payee == "lab"]
    assert owed.earned == euros(54) == -posted[0].amount
    assert [(line.kind, line.gross, line.deductions, line.net) for line in owed.lines] == [
        ("attributed", euros(50), euros(-5), euros(45)),
        ("unattributed", euros(10), euros(-1), euros(9)),
    ]
    assert {line.posting for line in owed.lines} == {posted[0].id}
    assert (owed.opening, owed.closing) == (euros(0), euros(54))


def test_a_line_carries_all_that_it_walks_back_to(closed: Books) -> None:
    line = statement(EVERYONE, closed, "lab", OCTOBER).lines[0]

    assert line.id == "2026-10/lab/1"
    assert (line.track, line.recording, line.work, line.party) == ("t1", "r1", "w1", "ann")
    assert (line.title, line.artist, line.isrc, line.iswc, line.party_ipi) == (
        "Harbour Lights",
        "Ann",
        "DEA122600001",
        "T0345246801",
        "00052210040",
    )
    assert (line.share_ppb, line.low_ppb, line.high_ppb) == (6 * 10**8, 5 * 10**8, 7 * 10**8)
    assert (line.low, line.high) == (euros(37), euros(53))
    assert (line.plays, line.interest_ppm, line.pool_amount) == (8, 10**6, euros(100))
    assert line.rule == "pro_rata"


def test_every_payee_and_the_rest_add_up_to_the_pool(closed: Books) -> None:
    owed = [statement(EVERYONE, closed, payee, OCTOBER).earned.micros for payee in ("lab", "bob")]

    assert sum(owed) + 500_000 + 500_000 + 600_000 == 10_000_000


def test_the_same_statement_twice_is_the_same(closed: Books) -> None:
    assert statement(EVERYONE, closed, "bob", OCTOBER) == statement(
        EVERYONE, closed, "bob", OCTOBER
    )


def test_an_open_period_has_no_statement(computed: Books) -> None:
    with pytest.raises(PeriodNotClosed, match="run 'tantieme close 2026-10'"):
        statement(EVERYONE, computed, "lab", OCTOBER)
    with pytest.raises(PeriodNotClosed):
        statement(EVERYONE, computed, "lab", NOVEMBER)


def test_a_party_that_is_paid_through_another_has_an_empty_statement(closed: Books) -> None:
    owed = statement(EVERYONE, closed, "ann", OCTOBER)

    assert (owed.lines, owed.closing) == ((), euros(0))


def test_an_unknown_payee_and_another_rule_are_not_found(closed: Books) -> None:
    with pytest.raises(NotFound, match="no payee 'nobody'"):
        statement(EVERYONE, closed, "nobody", OCTOBER)
    with pytest.raises(NotFound, match="closed with pro_rata; there is no statement by user_cen"):
        statement(EVERYONE, closed, "lab", OCTOBER, rule="user_centric")


def test_a_line_says_what_it_is_a_share_of_and_how_it_was_found(closed: Books) -> None:
    attributed, unattributed = statement(EVERYONE, closed, "lab", OCTOBER).lines

    assert (attributed.track_plays, attributed.track_revenue) == (8, euros(95))
    assert (attributed.basis, unattributed.basis) == ("modelled", "terms")
    assert (unattributed.track_plays, unattributed.track_revenue) == (None, None)


def test_a_statement_says_when_the_month_was_closed_and_by_whose_shares(closed: Books) -> None:
    owed = statement(EVERYONE, closed, "lab", OCTOBER)

    assert owed.closed_at is not None
    assert (owed.provider, owed.runs) == ("ours", ("run-1",))
    assert (owed.gross, owed.deductions) == (euros(60), euros(-6))
    assert owed.net_by_right == {"master": euros(54)}


def test_a_statement_carries_the_root_that_its_month_was_closed_with(closed: Books) -> None:
    with reading(closed) as connection:
        root = connection.scalar(
            select(schema.period.c.root).where(schema.period.c.id == "2026-10")
        )

    assert statement(EVERYONE, closed, "lab", OCTOBER).root == root


def test_who_earned_moved_or_is_owed_anything_has_a_statement(closed: Books) -> None:
    assert stated(EVERYONE, closed, OCTOBER) == {"bob": "Bob", "lab": "Lab"}
    post(closed, [moved("payment", 30, "cash", payee="bob")])
    close_without_money(closed, NOVEMBER)
    close_without_money(closed, DECEMBER)

    assert list(stated(EVERYONE, closed, NOVEMBER)) == ["bob", "lab"]
    assert list(stated(EVERYONE, closed, DECEMBER)) == ["lab"]  # bob was paid out before


def test_a_list_of_statements_is_of_closed_months_and_of_ones_own(closed: Books) -> None:
    assert list(stated(Viewer("bob", frozenset({"bob"})), closed, OCTOBER)) == ["bob"]
    with pytest.raises(PeriodNotClosed):
        stated(EVERYONE, closed, NOVEMBER)


def test_one_payee_cannot_see_another(closed: Books) -> None:
    bob = Viewer("bob", frozenset({"bob"}))

    assert statement(bob, closed, "bob", OCTOBER).earned == euros(30)
    with pytest.raises(NotFound, match="no payee 'lab' that bob may see"):
        statement(bob, closed, "lab", OCTOBER)


def test_what_terms_keep_is_deducted_once_of_fixed_and_unattributed_money(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    equally = next(row for row in _ROWS if row[:2] == ("", "r1") and row[5] == "lab")
    parts = [(*equally[:6], kind, *equally[7:12], *[n] * 3) for kind, n in PARTS.items()]
    rest = [row for row in _ROWS if row != equally]
    monkeypatch.setattr(world, "_ROWS", (*rest, *parts))
    world.with_closed(books, tmp_path)

    owed = {payee: statement(EVERYONE, books, payee, OCTOBER) for payee in ("lab", "bob")}

    kept = [row["micros"] for row in world.allocations().to_pylist() if row["kind"] == "platform"]
    assert sum(each.deductions.micros for each in owed.values()) == -sum(kept)
    assert [(line.kind, line.deductions.micros) for line in owed["lab"].lines] == [
        ("attributed", -500_000),
        ("fixed", -66_667),
        ("unattributed", -33_333),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_what_was_kept_is_divided_to_the_micro_among_its_lines(seed: int) -> None:
    draw = random.Random(seed)
    rows = [
        {name: draw.choice("ab") for name in ("pool", "track", "recording", "right", "party")}
        | {"micros": draw.choice((0, draw.randrange(10**9)))}
        for _ in range(40)
    ]
    kept = {_about(row): draw.randrange(10**9) for row in rows}

    parts = _deducted(rows, kept)

    for about, whole in kept.items():
        mine = [n for n, row in zip(parts, rows, strict=True) if _about(row) == about]
        assert sum(mine) == whole
        assert min(mine) >= 0


def test_a_statement_reads_a_bounded_number_of_times(closed: Books) -> None:
    asked: list[str] = []
    event.listen(closed.engine, "before_cursor_execute", lambda *told: asked.append(str(told[2])))

    statement(EVERYONE, closed, "lab", OCTOBER)

    assert len(asked) < 80
