"""Which payouts are of what came in."""

from pathlib import Path

import pytest

from db import queries
from db.books.payouts import record_payout
from db.engine import Books
from db.intake import catalogue, shares, usage
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


def hold_otherwise(books: Books, folder: Path, said: str, changed: str) -> None:
    """Import the catalogue again, with one thing in it changed."""
    files = {
        name: text.replace(said, changed)
        for name, text in (
            ("recordings.csv", world.RECORDINGS),
            ("parties.csv", world.PARTIES),
            ("interests.csv", world.INTERESTS),
            ("terms.csv", world.TERMS),
        )
    }
    given = world.write(folder / "otherwise", files)
    catalogue.record(books, catalogue.read_catalogue(given), {})


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("bob,800000,WW", "bob,700000,WW"),
        ("ann,900000", "ann,800000"),
        ("2026-01-01,\n", "2026-01-01,2026-09-30\n"),
    ],
)
def test_rights_that_changed_make_a_payout_stale_until_it_is_renewed(
    computed: Books, tmp_path: Path, said: str, changed: str
) -> None:
    hold_otherwise(computed, tmp_path, said, changed)

    assert queries.stale(EVERYONE, computed, OCTOBER) == {RULE}
    record_payout(computed, world.payout_facts(computed))
    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()


def test_rights_that_change_after_the_first_day_make_no_payout_stale(
    computed: Books, tmp_path: Path
) -> None:
    hold_otherwise(computed, tmp_path, "2026-01-01,\n", "2026-01-01,2026-10-02\n")

    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()


def test_settings_are_looked_at_where_they_are_given(computed: Books) -> None:
    record_payout(computed, world.payout_facts(computed, settings='{"publishing_ppm":0}'))

    assert queries.stale(EVERYONE, computed, OCTOBER) == frozenset()
    same = queries.stale(EVERYONE, computed, OCTOBER, settings='{"publishing_ppm":0}')
    other = queries.stale(EVERYONE, computed, OCTOBER, settings='{"publishing_ppm":1}')
    assert (same, other) == (frozenset(), {RULE})


def test_a_payout_says_what_it_was_computed_from(computed: Books) -> None:
    facts = world.payout_facts(computed, settings="{}")
    record_payout(computed, facts)

    found = queries.decided(EVERYONE, computed, queries.payout(EVERYONE, computed, OCTOBER, RULE))

    assert (found.provider, found.settings, found.rates) == ("ours", "{}", {})
    assert found.inputs | found.rights == facts.inputs
    assert set(found.rights) == {kind for kind in facts.inputs if kind.startswith("rights.")}
