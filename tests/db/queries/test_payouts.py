"""Which payouts are of what came in."""

from pathlib import Path

from db import queries
from db.books.payouts import record_payout
from db.engine import Books
from db.intake import shares, usage
from db.queries import EVERYONE
from tests.db import world
from tests.db.world import NOVEMBER, OCTOBER, RULE

LATE = {"listener": "u9", "track": "t1", "source": "app", "territory": "DE", "plays": "1"}
STATED = "track,recording,share_ppb,low_ppb,high_ppb,provider\nt2,r1,1000000000,,,{provider}\n"


def play(books: Books, period: str = "2026-10") -> None:
    usage.record_table(books, world.table([{"period": period} | LATE]), "late")


def state(books: Books, folder: Path, provider: str) -> None:
    late = world.write(folder, {"late.csv": STATED.format(provider=provider)})
    shares.record(books, late / "late.csv")


def test_a_payout_of_all_that_came_in_is_not_stale(computed: Books) -> None:
    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()
    assert queries.stale(EVERYONE, computed, NOVEMBER) == frozenset()


def test_usage_that_came_in_since_makes_a_payout_stale_until_it_is_renewed(computed: Books) -> None:
    play(computed)
    record_payout(computed, world.payout_facts(computed, rule="user_equal"))

    assert queries.stale(EVERYONE, computed, OCTOBER) == {RULE}
    record_payout(computed, world.payout_facts(computed))
    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()


def test_usage_of_another_month_makes_no_payout_stale(computed: Books) -> None:
    play(computed, "2026-11")

    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()


def test_usage_of_months_before_makes_only_a_payout_stale_that_looked_at_such(
    computed: Books,
) -> None:
    play(computed, "2026-09")
    given = world.payout_facts(computed).inputs
    earlier = queries.earlier_usage(EVERYONE, computed, OCTOBER)
    looking = world.payout_facts(computed, rule="hybrid", inputs={**given, "history": earlier})
    record_payout(computed, looking)
    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()

    play(computed, "2026-08")
    assert queries.stale(EVERYONE, computed, OCTOBER) == {"hybrid"}


def test_shares_of_its_provider_make_a_payout_stale_and_others_do_not(
    computed: Books, tmp_path: Path
) -> None:
    state(computed, tmp_path, "theirs")
    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()

    state(computed, tmp_path, "ours")
    assert queries.stale(EVERYONE, computed, OCTOBER) == {RULE}


def test_a_closed_month_is_held_against_what_closed_it(month: Books, tmp_path: Path) -> None:
    record_payout(month, world.payout_facts(month, rule="user_equal"))
    play(month)
    record_payout(month, world.payout_facts(month))
    world.close_october(month)

    state(month, tmp_path, "ours")

    assert queries.stale(EVERYONE, month, OCTOBER) == {"user_equal"}
