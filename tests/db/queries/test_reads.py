"""The other queries, and what viewers may see of them."""

import json
from datetime import date

import pytest

from db import queries
from db.books.closing import close
from db.books.ledger import post
from db.books.payouts import PoolFacts, record_payout
from db.engine import Books
from db.queries import EVERYONE, Viewer
from royalty.errors import NotFound, NotReady
from royalty.ledger import Posting
from royalty.money import Money
from tests.db import world
from tests.db.moving import moved
from tests.db.world import NOVEMBER, OCTOBER, POOL, RULE

BOB = Viewer("bob", frozenset({"bob"}))
DAY = date(2026, 10, 1)


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def test_a_payout_adds_up_to_its_pool(computed: Books) -> None:
    payout = queries.payout(EVERYONE, computed, OCTOBER, RULE)

    paid = sum(payee.amount.micros for payee in payout.payees)
    assert (
        paid + payout.suspense.micros + payout.platform.micros == payout.pool.micros == 10_000_000
    )
    assert (payout.gross, payout.unattributed, payout.idle) == (euros(200), euros(19), euros(0))


def test_a_payout_lists_the_largest_first_with_names(computed: Books) -> None:
    payout = queries.payout(EVERYONE, computed, OCTOBER, RULE)

    assert [(payee.id, payee.name) for payee in payout.payees] == [("lab", "Lab"), ("bob", "Bob")]
    assert payout.payees[0].attributed == euros(45)
    assert [(track.id, track.title) for track in payout.tracks] == [
        ("t1", "Track t1"),
        ("t2", "t2"),
    ]
    assert [row.artist_name for row in payout.recordings] == ["Ann", "Bob"]
    assert [pool.id for pool in payout.pools] == [POOL]


def test_a_payout_that_is_not_computed_names_the_command(month: Books) -> None:
    with pytest.raises(NotReady, match="run 'tantieme payouts 2026-10 --rule user-centric'"):
        queries.payout(EVERYONE, month, OCTOBER, "user_centric")


def test_a_payee_sees_own_money_only(closed: Books) -> None:
    payout = queries.payout(BOB, closed, OCTOBER, RULE)

    assert [payee.id for payee in payout.payees] == ["bob"]
    assert (payout.tracks, payout.recordings) == ((), ())
    assert {row.account for row in queries.postings(BOB, closed, OCTOBER)} == {"payable.bob"}
    assert {each.party for each in queries.interests(BOB, closed, DAY)} == {"bob"}
    assert queries.terms(BOB, closed, DAY) == []
    with pytest.raises(NotFound, match="shown to auditors only"):
        queries.conservation(BOB, closed, OCTOBER)
    with pytest.raises(NotFound):
        queries.trail(BOB, closed, "2026-10/lab/1")
    with pytest.raises(NotFound, match=r"no posting 2\.3 that bob may see"):
        queries.trail(BOB, closed, "2.3")


def test_periods_say_what_came_in_and_what_is_computed(computed: Books) -> None:
    [row] = queries.periods(EVERYONE, computed)

    assert (row.period, row.status, row.rule, row.computed) == (OCTOBER, "open", None, (RULE,))
    assert row.revenue == (euros(200),)


def test_a_month_without_anything_has_no_inputs_of_its_own(month: Books) -> None:
    given = queries.inputs(EVERYONE, month, NOVEMBER)

    assert (given.usage, given.revenue, list(given.shares)) == ([], [], ["ours"])


def test_tracks_are_listed_with_plays_and_what_is_unattributed(computed: Books) -> None:
    first, second = queries.tracks(EVERYONE, computed)

    assert (first.title, first.plays, first.unattributed_ppb) == ("Track t1", 8, 10**8)
    assert (second.title, second.plays, second.unattributed_ppb) == ("t2", 2, None)


def test_a_track_shows_its_shares_the_largest_first(month: Books) -> None:
    detail = queries.track(EVERYONE, month, "t1")

    assert [(share.recording, share.artist_name, share.ppb) for share in detail.shares] == [
        ("r1", "Ann", 6 * 10**8),
        ("r2", "Bob", 3 * 10**8),
    ]
    assert detail.unattributed is not None
    assert detail.unattributed.ppb == 10**8
    assert detail.provider == "ours"


def test_a_track_without_shares_and_one_that_is_not_there(computed: Books) -> None:
    detail = queries.track(EVERYONE, computed, "t2")

    assert (detail.shares, detail.unattributed, detail.provider) == ((), None, None)
    with pytest.raises(NotFound, match="no track 't3'"):
        queries.track(EVERYONE, computed, "t3")


def test_a_line_walks_back_to_the_recording(closed: Books) -> None:
    walked = queries.trail(EVERYONE, closed, "2026-10/lab/1")

    assert [(step.step, step.id) for step in walked.steps if step.step != "allocation"] == [
        ("line", "2026-10/lab/1"),
        ("posting", "2.3"),
        ("share", "ours/t1/r1"),
        ("evidence", "t1"),
        ("run", "run-1"),
        ("recording", "r1"),
    ]
    facts = {step.step: step.facts for step in walked.steps}
    assert facts["run"]["card_sha256"] == "c" * 64
    assert facts["allocation"]["pool"] == POOL
    assert facts["share"]["share_ppb"] == 6 * 10**8
    assert json.dumps([dict(step.facts) for step in walked.steps])


def test_an_unattributed_line_says_that_it_was_divided(closed: Books) -> None:
    walked = queries.trail(EVERYONE, closed, "2026-10/lab/2")

    assert [step.step for step in walked.steps] == ["line", "posting", "allocation", "recording"]
    assert "equally among licensed works" in str(walked.steps[2].facts["divided"])


def test_a_posting_names_the_lines_that_it_sums(closed: Books) -> None:
    walked = queries.trail(EVERYONE, closed, "2.3")

    assert [step.id for step in walked.steps] == ["2.3", "2026-10/lab/1", "2026-10/lab/2"]


@pytest.mark.parametrize("id_", ["nothing", "9.9", "2026-10/lab/3", "2026-10/nobody/1"])
def test_what_names_no_amount_is_not_found(closed: Books, id_: str) -> None:
    with pytest.raises(NotFound):
        queries.trail(EVERYONE, closed, id_)


def test_money_is_conserved(closed: Books) -> None:
    found = queries.conservation(EVERYONE, closed, OCTOBER)

    assert found.holds
    assert found.revenue == euros(200)
    assert found.payable == euros(84)
    assert {kind: held.micros for kind, held in found.suspense.items()} == {
        "unclaimed": 500_000,
        "unmatched": 500_000,
    }
    assert found.platform == euros(106)


def test_a_closed_month_without_money_is_conserved_with_zeros(books: Books) -> None:
    free = PoolFacts(
        id=POOL,
        source="app",
        territory="DE",
        currency="EUR",
        gross_micros=0,
        pool_micros=0,
        idle_micros=0,
        unattributed_micros=0,
    )
    nothing = world.payout_facts(
        books, pools=[free], payees=[], tracks=[], recordings=[], suspense={}, platform_micros=0
    )
    record_payout(books, nothing)
    with pytest.raises(NotReady, match="in no currency yet"):
        queries.conservation(EVERYONE, books, OCTOBER)
    close(books, OCTOBER, RULE, [], nothing.id)

    found = queries.conservation(EVERYONE, books, OCTOBER)

    assert found.holds
    assert found.revenue == found.platform == euros(0)


def test_each_currency_of_a_month_has_an_identity_of_its_own(closed: Books) -> None:
    sides = (("payable.lab", 10, "EUR"), ("exchange", -10, "EUR"))
    sides += (("exchange", 20, "USD"), ("cash", -20, "USD"))
    postings = tuple(
        Posting(account=account, amount=Money(n, currency)) for account, n, currency in sides
    )
    post(closed, [moved("payment", 0, "", postings=postings)])

    euro, dollar = queries.conservations(EVERYONE, closed, NOVEMBER)

    assert (euro.currency, dollar.currency) == ("EUR", "USD")
    assert euro.holds
    assert dollar.holds
    assert (euro.payable.micros, euro.parts["exchanged"].micros) == (-10, 10)
    assert (dollar.paid.micros, dollar.parts["exchanged"].micros) == (20, -20)
    with pytest.raises(NotReady, match="posted in EUR, USD"):
        queries.conservation(EVERYONE, closed, NOVEMBER)


def test_runs_are_listed_with_their_cards(month: Books) -> None:
    assert queries.runs(EVERYONE, month) == [queries.RunRow(id="run-1", card_sha256="c" * 64)]


def test_snapshots_that_changed_are_named(closed: Books) -> None:
    assert queries.verify_snapshots(closed) == []

    path = next((closed.home / "snapshots").iterdir())
    path.write_bytes(b"not what it was")

    [fault] = queries.verify_snapshots(closed)
    assert path.name in fault
