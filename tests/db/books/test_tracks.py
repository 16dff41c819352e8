import pytest

from db import queries
from db.books.tracks import record_tracks
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import Conflict
from tests.db import world


def test_tracks_are_recorded_once(month: Books) -> None:
    assert record_tracks(month, [world.track("t1"), world.track("t9", run=None)]) == 1
    assert [row.run for row in queries.tracks(EVERYONE, month)] == ["run-1", None]


def test_a_track_may_be_rendered_later(month: Books) -> None:
    record_tracks(month, [world.track("t1", audio_sha256="a" * 64, created_at="later")])

    assert queries.track(EVERYONE, month, "t1").row.audio_sha256 == "a" * 64


def test_another_track_of_the_same_id_is_refused_and_none_is_recorded(month: Books) -> None:
    with pytest.raises(Conflict, match="track t1 is in the books with another seed"):
        record_tracks(month, [world.track("t8"), world.track("t1", seed=8)])

    assert len(queries.tracks(EVERYONE, month)) == 1
