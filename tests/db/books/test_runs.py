from dataclasses import replace

import pytest
from sqlalchemy import select

from db import schema
from db.books.runs import record_run
from db.engine import Books, reading
from royalty.errors import Conflict
from tests.db import world


def test_a_run_is_recorded_once_with_its_recordings(catalogued: Books) -> None:
    first, again = (record_run(catalogued, world.run()) for _ in range(2))

    with reading(catalogued) as connection:
        held = connection.execute(select(schema.run_recording)).all()
    assert (first, again) == (True, False)
    assert held == [("run-1", "r1", False), ("run-1", "r2", False)]


def test_another_card_under_the_same_name_is_refused(catalogued: Books) -> None:
    record_run(catalogued, world.run())

    with pytest.raises(Conflict, match="run run-1 is in the books with another card"):
        record_run(catalogued, replace(world.run(), card_sha256="d" * 64))
