import pytest

from db import queries
from db.books.payouts import record_payout
from db.engine import Books
from db.queries import EVERYONE, Viewer, Window
from royalty.errors import NotReady
from royalty.money import Money
from tests.db import world
from tests.db.world import OCTOBER, RULE

BOB = Viewer("bob", frozenset({"bob"}))


def test_flows_name_the_recordings(computed: Books) -> None:
    earned = queries.earnings(EVERYONE, computed, OCTOBER, RULE)

    titles = {flow.recording: flow.title for flow in queries.flows(EVERYONE, computed, earned)}

    assert titles == {"r1": "Harbour Lights", "r2": "Paper Boats"}


def test_totals_and_largest_are_those_of_the_payout(computed: Books) -> None:
    slow = queries.payout(EVERYONE, computed, OCTOBER, RULE)

    fast = queries.earnings(EVERYONE, computed, OCTOBER, RULE)

    for name in (
        "id", "rule", "snapshot", "gross", "pool", "unattributed", "suspense", "suspense_kinds",
        "idle", "platform", "payees", "recordings",
    ):  # fmt: skip
        assert getattr(fast, name) == getattr(slow, name), name
    assert (fast.payee_count, fast.recording_count) == (2, 2)
    assert fast.paid + fast.suspense + fast.platform == fast.pool
    assert fast.attributed == Money(6_500_000, "EUR")


def test_only_the_largest_are_read_and_all_are_counted(computed: Books) -> None:
    first = queries.earnings(EVERYONE, computed, OCTOBER, RULE, Window(limit=1))

    assert [len(each) for each in (first.payees, first.recordings)] == [1, 1]
    assert (first.payee_count, first.recording_count) == (2, 2)
    assert first.payees[0].id == "lab"


def test_a_payee_sees_own_money_and_of_the_songs_none(computed: Books) -> None:
    mine = queries.earnings(BOB, computed, OCTOBER, RULE)

    assert [payee.id for payee in mine.payees] == ["bob"]
    assert (mine.paid, mine.attributed) == (Money(3_000_000, "EUR"), Money(2_000_000, "EUR"))
    assert (mine.payee_count, mine.recording_count, mine.recordings) == (1, 0, ())


def test_a_month_that_is_not_computed_names_the_command(month: Books) -> None:
    with pytest.raises(NotReady, match="run 'tantieme payouts 2026-10 --rule user-centric'"):
        queries.earnings(EVERYONE, month, OCTOBER, "user_centric")


@pytest.mark.parametrize(("viewer", "more"), [(EVERYONE, 1), (BOB, 0)])
def test_gains_count_who_would_earn_more(computed: Books, viewer: Viewer, more: int) -> None:
    payees = [
        ("bob", 2_000_000, 2_000_000, 4_000_000, 2_000_000),
        ("lab", 6_400_000, 4_600_000, 6_500_000, 4_500_000),
    ]
    record_payout(computed, world.payout_facts(computed, rule="user_centric", payees=payees))

    found = queries.gains(viewer, computed, ("2026-10/pro_rata", "2026-10/user_centric"), "EUR")

    assert (found.gaining, found.payees) == (more, 2 if viewer.sees_all else 1)
    assert found.amount == Money(1_000_000 * more, "EUR")


@pytest.mark.parametrize("viewer", [EVERYONE, BOB])
@pytest.mark.parametrize("limit", [1, 12])
def test_flows_hold_all_that_is_attributed(computed: Books, viewer: Viewer, limit: int) -> None:
    earned = queries.earnings(viewer, computed, OCTOBER, RULE, Window(limit=limit))

    found = {
        (flow.recording, flow.payee): flow.amount.micros
        for flow in queries.flows(viewer, computed, earned)
    }

    assert sum(found.values()) == earned.attributed.micros
    assert (
        found
        == {
            (True, 1): {("r1", "lab"): 4_500_000, (None, None): 2_000_000},
            (True, 12): {("r1", "lab"): 4_500_000, ("r2", "bob"): 2_000_000},
            (False, 1): {("r2", "bob"): 2_000_000},
            (False, 12): {("r2", "bob"): 2_000_000},
        }[viewer.sees_all, limit]
    )


def test_by_the_same_payout_nobody_gains(computed: Books) -> None:
    same = ("2026-10/pro_rata", "2026-10/pro_rata")

    found = queries.gains(EVERYONE, computed, same, "EUR")

    assert (found.gaining, found.amount.micros) == (0, 0)
