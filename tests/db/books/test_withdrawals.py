from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from db import queries, schema
from db.books.withdrawals import withdraw
from db.engine import Books, reading
from db.queries import EVERYONE
from royalty.catalogue import Withdrawal
from royalty.errors import NotFound

FIRST, LATER = date(2026, 10, 1), date(2026, 12, 1)
TAKEN = Withdrawal(
    recording="r1", use="output", kind="takedown", reason="the owner's wish", valid_from=FIRST
)


def rows(books: Books, table):
    with reading(books) as connection:
        return connection.execute(select(table).order_by("id")).all()


def test_the_same_again_changes_nothing(catalogued: Books) -> None:
    first = withdraw(catalogued, [TAKEN], name="ada")
    again = withdraw(catalogued, [TAKEN], name="bo")

    assert (first.already, again.already) == (False, True)
    assert len(rows(catalogued, schema.withdrawal)) == 1
    [act] = rows(catalogued, schema.act)
    assert (act.name, act.act, act.subject) == ("ada", "takedown", "r1")
    assert act.note == "taken down from 2026-10-01: the owner's wish"


def test_what_is_said_anew_ends_the_old_in_recorded_time(catalogued: Books) -> None:
    withdraw(catalogued, [TAKEN], name="ada")
    withdraw(catalogued, [replace(TAKEN, valid_to=LATER)], name="ada")

    old, new = rows(catalogued, schema.withdrawal)
    assert old.recorded_to == new.recorded_at
    assert (old.valid_to, new.valid_to, new.recorded_to) == (None, LATER, None)


def test_an_end_on_its_first_day_takes_it_back(catalogued: Books) -> None:
    withdraw(catalogued, [TAKEN], name="ada")
    withdraw(catalogued, [replace(TAKEN, valid_to=FIRST)], name="ada")

    assert queries.withdrawals(EVERYONE, catalogued) == []
    assert queries.kept_back(EVERYONE, catalogued, "output", FIRST) == {}


def test_another_first_day_stands_beside_it(catalogued: Books) -> None:
    withdraw(catalogued, [TAKEN], name="ada")
    withdraw(catalogued, [replace(TAKEN, valid_from=LATER)], name="ada")

    assert len(queries.withdrawals(EVERYONE, catalogued)) == 2


def test_a_dry_run_writes_nothing_and_an_unknown_recording_is_refused(catalogued: Books) -> None:
    assert not withdraw(catalogued, [TAKEN], name="ada", dry_run=True).already
    with pytest.raises(NotFound, match="there is no recording q, z; see"):
        withdraw(
            catalogued, [replace(TAKEN, recording=name) for name in ("z", "r1", "q")], name="ada"
        )

    assert rows(catalogued, schema.withdrawal) == rows(catalogued, schema.act) == []
