import pytest

from db import queries
from db.books.approvals import approve, prepare
from db.books.payouts import record_payout
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import NotReady, PeriodClosed
from tests.db import world
from tests.db.world import OCTOBER, RULE


@pytest.fixture
def prepared(computed: Books) -> Books:
    """October, computed by Ann."""
    prepare(computed, OCTOBER, RULE, "Ann")
    return computed


def done(books: Books) -> list[tuple[str, str]]:
    return [(row.name, row.act) for row in queries.acts(EVERYONE, books, OCTOBER)]


def test_who_computes_a_payout_first_prepared_it(prepared: Books) -> None:
    assert not prepare(prepared, OCTOBER, RULE, "Bob")

    assert done(prepared) == [("Ann", "prepared")]


def test_who_computes_it_with_another_result_prepared_that(prepared: Books) -> None:
    record_payout(prepared, world.payout_facts(prepared, provider="other"))

    assert prepare(prepared, OCTOBER, RULE, "Bob")

    first, second = queries.acts(EVERYONE, prepared, OCTOBER)
    assert (first.name, second.name) == ("Ann", "Bob")
    assert first.content_sha256 != second.content_sha256
    assert not approve(prepared, OCTOBER, RULE, "Ann").already


def test_another_approves_what_was_prepared(prepared: Books) -> None:
    approval = approve(prepared, OCTOBER, RULE, "Bob")

    [first, second] = queries.acts(EVERYONE, prepared, OCTOBER)
    assert done(prepared) == [("Ann", "prepared"), ("Bob", "approved")]
    assert first.content_sha256 == second.content_sha256 == approval.content_sha256
    assert (approval.prepared_by, approval.already) == (("Ann",), False)


def test_approving_again_changes_nothing(prepared: Books) -> None:
    approve(prepared, OCTOBER, RULE, "Bob")

    assert approve(prepared, OCTOBER, RULE, "bob ").already
    assert len(done(prepared)) == 2


def test_several_may_approve(prepared: Books) -> None:
    for name in ("Bob", "Cy"):
        assert not approve(prepared, OCTOBER, RULE, name).already


def test_a_dry_run_of_approving_writes_nothing(prepared: Books) -> None:
    assert not approve(prepared, OCTOBER, RULE, "Bob", dry_run=True).already

    assert done(prepared) == [("Ann", "prepared")]


@pytest.mark.parametrize("name", ["Ann", "ann", " Ann"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_who_prepared_it_does_not_approve_it(prepared: Books, name: str, dry_run: bool) -> None:
    with pytest.raises(NotReady, match=f"{name} prepared 2026-10 by pro_rata and cannot approve"):
        approve(prepared, OCTOBER, RULE, name, dry_run=dry_run)

    assert done(prepared) == [("Ann", "prepared")]


def test_what_nobody_prepared_is_not_approved(computed: Books) -> None:
    with pytest.raises(NotReady, match="run 'tantieme payouts 2026-10 --rule pro-rata --as NAME'"):
        approve(computed, OCTOBER, RULE, "Bob")


def test_what_is_not_computed_is_neither_prepared_nor_approved(month: Books) -> None:
    for act in (prepare, approve):
        with pytest.raises(NotReady, match="2026-10 is not computed with pro_rata; run"):
            act(month, OCTOBER, RULE, "Ann")


def test_what_was_computed_anew_since_it_was_looked_at_is_not_approved(prepared: Books) -> None:
    seen = approve(prepared, OCTOBER, RULE, "Bob", dry_run=True).content_sha256
    record_payout(prepared, world.payout_facts(prepared, provider="other"))

    with pytest.raises(NotReady, match="was computed anew meanwhile"):
        approve(prepared, OCTOBER, RULE, "Bob", looked_at=seen)


def test_a_closed_month_is_not_approved(closed: Books) -> None:
    with pytest.raises(PeriodClosed, match="2026-10 is closed, with pro_rata; nothing is left"):
        approve(closed, OCTOBER, RULE, "Bob")
