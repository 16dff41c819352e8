import json

import pytest

from db import queries
from db.engine import Books
from db.queries import EVERYONE
from db.queries.proofs import proofs
from royalty import merkle
from royalty.errors import Conflict, NotFound
from tests.db import world
from tests.db.test_chain import tamper


def test_proofs_lead_to_the_root(closed: Books) -> None:
    found = proofs(EVERYONE, closed, "lab", world.OCTOBER, [world.POOL])
    said = [json.loads(each.leaf) for each in (*found.pools, *found.postings, found.account)]

    for each in (*found.pools, *found.postings, found.account):
        assert merkle.holds(each.leaf.encode(), each.place, found.leaves, each.path, found.root)
    assert [each["account"] for each in said] == [f"pool.{world.POOL}", *["payable.lab"] * 2]
    assert (said[0]["kind"], said[0]["amount_micros"]) == ("allocation", 10_000_000)
    assert found.root == queries.periods(EVERYONE, closed)[0].root


def test_nothing_is_proven_of_who_had_nothing_or_in_books_that_were_changed(closed: Books) -> None:
    with pytest.raises(NotFound, match="ann had nothing in 2026-10"):
        proofs(EVERYONE, closed, "ann", world.OCTOBER, [])
    tamper(closed, "update posting set amount_micros = 0 where account = 'payable.bob'")
    with pytest.raises(Conflict, match="not those it was closed with"):
        proofs(EVERYONE, closed, "lab", world.OCTOBER, [])
