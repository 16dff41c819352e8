"""Who listened most and how narrowly, and who may know."""

from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake import revenue, usage
from db.queries import EVERYONE, Listener, Viewer
from royalty.errors import NotFound, NotReady
from royalty.money import Money
from tests.db.world import NOVEMBER, OCTOBER

USAGE = """\
period,listener,track,source,territory,plays
2026-10,bot,t1,app,DE,80
2026-10,bot,t1,app,FR,10
2026-10,bot,t2,app,DE,3
2026-10,fan,t1,app,DE,10
2026-10,fan,t2,app,DE,17
2026-10,rare,t3,app,DE,9
2026-11,fan,t1,app,DE,40
"""
REVENUE = """\
period,listener,source,territory,currency,net
2026-10,bot,app,DE,EUR,9.99
2026-10,bot,app,FR,EUR,0.01
2026-10,rare,app,DE,EUR,1.00
"""


@pytest.fixture
def played(books: Books, tmp_path: Path) -> Books:
    for kind, text in ((usage, USAGE), (revenue, REVENUE)):
        path = tmp_path / f"{kind.__name__.rpartition('.')[2]}.csv"
        path.write_text(text, encoding="utf-8")
        kind.record(books, path)
    return books


def test_those_come_first_who_played_one_track_most(played: Books) -> None:
    first, second, third = queries.heaviest(EVERYONE, played, OCTOBER)

    assert first == Listener(
        pseudonym=first.pseudonym,
        plays=93,
        tracks=2,
        of_plays=129,
        track="t1",
        track_plays=90,
        of_track_plays=100,
        fees=(Money(10_000_000, "EUR"),),
    )
    assert (second.track, second.track_plays, second.of_track_plays) == ("t2", 17, 20)
    assert (second.plays, second.fees) == (27, ())
    assert (third.track, third.track_plays, third.of_track_plays, third.tracks) == ("t3", 9, 9, 1)


def test_no_more_are_listed_than_asked_for(played: Books) -> None:
    assert [each.track for each in queries.heaviest(EVERYONE, played, OCTOBER, limit=1)] == ["t1"]


def test_a_pseudonym_names_nobody_and_stays_the_same(played: Books) -> None:
    october = queries.heaviest(EVERYONE, played, OCTOBER)
    [november] = queries.heaviest(EVERYONE, played, NOVEMBER)

    assert november.pseudonym == october[1].pseudonym != october[0].pseudonym
    for each in october:
        assert len(each.pseudonym) == 12
        assert not {"bot", "fan", "rare"} & {str(getattr(each, name)) for name in each.__slots__}


@pytest.mark.parametrize(
    "viewer", [Viewer("ann", frozenset({"ann"})), Viewer("accountant", None), Viewer("x", None)]
)
def test_only_auditors_see_listeners(played: Books, viewer: Viewer) -> None:
    with pytest.raises(NotFound, match="who listened is shown to auditors only"):
        queries.heaviest(viewer, played, OCTOBER)


def test_a_month_without_usage_names_the_command(books: Books) -> None:
    with pytest.raises(NotReady, match="run 'tantieme usage import FILE'"):
        queries.heaviest(EVERYONE, books, OCTOBER)
