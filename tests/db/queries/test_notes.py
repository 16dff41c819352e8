from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from db import queries, rights, schema, snapshots
from db.books.payouts import record_payout
from db.books.restatements import Restatement, restate
from db.engine import Books, writing
from db.queries import EVERYONE, statement
from royalty.rights import RIGHTS_SCHEMAS
from tests.db import world
from tests.db.moving import moved, post_and_close
from tests.db.world import NOVEMBER, OCTOBER


def with_terms(books: Books, **agreed: object) -> None:
    """Agree with lab, before the month is closed."""
    row = {
        "party": "lab",
        "royalty_rate_ppm": 10**6,
        "advance_micros": 0,
        "reserve_ppm": 0,
        "minimum_payment_micros": 0,
        "withholding_ppm": 0,
        "currency": "EUR",
        "recorded_at": "2026-10-01T00:00:00.000000Z",
    }
    with writing(books) as connection:
        connection.execute(schema.terms.insert(), row | agreed)


def notes(books: Books, payee: str = "lab", period=OCTOBER) -> str:
    return "\n".join(statement(EVERYONE, books, payee, period).notes)


def test_notes_say_by_what_the_month_was_divided(closed: Books) -> None:
    assert notes(closed).startswith(
        "Divided by pro_rata (pro_rata-1), by the shares that 'ours' states; the tracks were made "
        "by the model of run run-1."
    )


def without_licences(books: Books) -> dict[str, Sequence[str]]:
    """Keep rights by which Bob's recordings, Paper Boats and another, are not licensed."""
    held = queries.rights(EVERYONE, books, OCTOBER.start)
    why = "its licence ended on 2026-09-30"
    rows = [
        ("r1", "ann", "w1", True, None),
        ("r2", "bob", "r2", False, why),
        ("r3", "bob", "r3", False, why),
    ]
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    fields = RIGHTS_SCHEMAS["recordings"]
    changed = replace(held, recordings=pa.Table.from_arrays(columns, schema=fields))
    return rights.keep(books, changed)


@pytest.fixture
def kept_back(month: Books) -> Books:
    """October closed while Bob's Paper Boats was not licensed; no track owed Sea Glass a share."""
    facts = world.payout_facts(month)
    record_payout(month, replace(facts, inputs={**facts.inputs, **without_licences(month)}))
    world.close_october(month)
    return month


def test_a_recording_that_was_not_licensed_is_named_with_the_reason(kept_back: Books) -> None:
    said = "'Paper Boats' (r2) earned nothing, though 1 track owed it a share: its licence ended"

    assert f"{said} on 2026-09-30." in notes(kept_back, "bob")
    assert "r3" not in notes(kept_back, "bob")


def test_what_others_hold_is_no_note_of_ones_own(kept_back: Books) -> None:
    assert "Paper Boats" not in notes(kept_back, "lab")


def test_a_licensed_recording_is_not_named(closed: Books) -> None:
    assert "earned nothing" not in notes(closed, "bob")


def test_what_an_adjustment_takes_back_of_a_recording_is_said_with_the_reason(
    closed: Books,
) -> None:
    before = queries.in_force(EVERYONE, closed)[OCTOBER]
    rows = world.allocations()
    left = rows.filter(pc.not_equal(rows["recording"], "r2"))
    facts = Restatement(
        period=OCTOBER,
        wanted=world.transactions(),
        before=before,
        snapshot=snapshots.write(closed, "allocations", left),
        inputs=without_licences(closed),
        memo="restated licences",
        reason="",
    )
    restate(closed, facts, "kim")
    again = snapshots.write(closed, "allocations", left.slice(1))
    restate(closed, replace(facts, before=facts.snapshot, snapshot=again), "kim")
    post_and_close(closed)

    said = notes(closed, "bob", NOVEMBER)
    # Bob had 2.00 for it by a track, and 1.00 of what nobody earned; the second time there is none.
    assert said.count("any more") == 1
    assert (
        "'Paper Boats' (r2) earns nothing in 2026-10 any more: its licence ended on 2026-09-30. "
        "The correction of 2026-10 takes back what it had earned, €3.00."
    ) in said
    assert "any more" not in notes(closed, "lab", NOVEMBER)
    assert "any more" not in notes(closed, "bob", OCTOBER)


def test_the_first_month_says_why_nothing_was_paid(closed: Books) -> None:
    assert "Nothing was paid in the month: nothing was owed when it began." in notes(closed)
    assert "carried forward" not in notes(closed)


def test_a_balance_below_the_agreed_minimum_is_carried_forward(closed_with_minimum: Books) -> None:
    why = "€5.40 is under the minimum payment of €50.00"

    assert f"The closing balance is carried forward: {why}." in notes(closed_with_minimum)
    later = post_and_close(closed_with_minimum)
    assert f"Nothing was paid of the opening balance: {why}." in notes(later, period=NOVEMBER)


def test_an_agreement_of_later_changes_no_statement_of_a_closed_month(closed: Books) -> None:
    before = notes(closed)
    with_terms(closed, minimum_payment_micros=50_000_000, recorded_at="2999-01-01T00:00:00Z")

    assert notes(closed) == before


def test_a_month_in_which_something_was_paid_needs_no_excuse(closed: Books) -> None:
    later = post_and_close(closed, moved("payment", 54, "cash"))

    assert "Nothing was paid" not in notes(later, period=NOVEMBER)


def test_an_overdrawn_account_says_so(closed: Books) -> None:
    later = post_and_close(closed, moved("adjustment", 60, "suspense.unclaimed"))

    assert "carried forward: the account is overdrawn by €0.60." in notes(later, period=NOVEMBER)


@pytest.fixture
def closed_with_minimum(computed: Books) -> Books:
    with_terms(computed, minimum_payment_micros=50_000_000, valid_from=date(2026, 1, 1))
    world.close_october(computed)
    return computed


def test_an_agreement_is_said_where_it_takes_anything(computed: Books) -> None:
    agreed = {"royalty_rate_ppm": 875_000, "reserve_ppm": 100_000, "withholding_ppm": 300_000}
    with_terms(computed, **agreed, reserve_months=6, jurisdiction="DE", minimum_payment_micros=9)
    world.close_october(computed)

    assert (
        "By the agreement in force on 2026-10-01, the rate is 87.5 % of what its works and "
        "recordings bring; 10 % is kept in reserve for 6 months; nothing under €0.000009 is paid; "
        "30 % tax is withheld for DE when it is paid."
    ) in notes(computed)


def test_an_agreement_that_takes_nothing_needs_no_words(computed: Books) -> None:
    with_terms(computed)
    world.close_october(computed)

    assert "agreement" not in notes(computed)
