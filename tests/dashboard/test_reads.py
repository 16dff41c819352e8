import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from dashboard import reads
from db.queries import EVERYONE, Viewer
from royalty.errors import NotFound, NotReady
from royalty.period import Period
from tests.dashboard.conftest import CLOSED, HARBOUR

ANN = Viewer("ann", frozenset({"ann"}))
CACHED = [
    each
    for name, each in vars(reads).items()
    if type(each).__name__ == "CachedFunc" and name != "_books"
]


@pytest.mark.parametrize("read", CACHED)
def test_every_cached_read_takes_the_viewer_first(read: Callable[..., Any]) -> None:
    assert [*inspect.signature(read).parameters][:2] == ["viewer", "where"]


def test_every_read_of_the_books_is_cached() -> None:
    assert {reads.payout, reads.statement, reads.earnings, reads.tracks_page, reads.used} <= {
        *CACHED
    }


def test_the_cache_does_not_show_one_payee_what_another_earned(where: reads.Place) -> None:
    everybody = reads.payout(EVERYONE, where, CLOSED, "pro_rata")

    mine = reads.payout(ANN, where, CLOSED, "pro_rata")

    assert {payee.id for payee in everybody.payees} == {"ann", "ben", "cho"}
    assert [payee.id for payee in mine.payees] == ["ann"]


def test_the_cache_does_not_show_one_payee_what_another_would_gain(where: reads.Place) -> None:
    two = tuple(
        reads.payout(EVERYONE, where, CLOSED, rule) for rule in ("pro_rata", "user_centric")
    )
    snapshots = two[0].snapshot, two[1].snapshot
    everybody = reads.differences(EVERYONE, where, snapshots, two)

    mine = reads.differences(ANN, where, snapshots, two)

    assert {each.payee for each in everybody} == {"ann", "ben", "cho"}
    assert [each.payee for each in mine] == ["ann"]


def test_the_cache_does_not_show_one_payee_who_else_has_a_statement(where: reads.Place) -> None:
    assert set(reads.stated(EVERYONE, where, CLOSED)) == {"ann", "ben", "cho"}
    assert set(reads.stated(ANN, where, CLOSED)) == {"ann"}


def test_a_payee_cannot_read_the_statement_of_another(where: reads.Place) -> None:
    reads.statement(EVERYONE, where, "ben", CLOSED)  # now in the cache

    with pytest.raises(NotFound):
        reads.statement(ANN, where, "ben", CLOSED)


def test_a_read_of_no_workspace_refuses_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANTIEME_HOME", str(tmp_path / "nowhere"))

    with pytest.raises(NotReady, match="tantieme init"):
        reads.place()

    assert not (tmp_path / "nowhere").exists()


def test_months_come_latest_first(where: reads.Place) -> None:
    months = [row.period for row in reads.periods(EVERYONE, where)]

    assert months == [Period(2026, 11), Period(2026, 10)]


def test_what_is_written_to_the_books_shows_at_the_next_look(
    where: reads.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(where.home, home)
    monkeypatch.setenv("TANTIEME_HOME", str(home))
    came = tmp_path / "revenue.csv"
    came.write_text("period,listener,source,territory,currency,net\n2026-11,lea,app,DE,EUR,5\n")
    before = reads.periods(EVERYONE, reads.place())

    assert main(["--home", str(home), "revenue", "import", str(came)]) == 0

    assert reads.periods(EVERYONE, reads.place()) != before


def test_who_may_see_what_is_read_anew_once_it_is_written_anew(
    where: reads.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(where.home, home)
    monkeypatch.setenv("TANTIEME_HOME", str(home))
    before = reads.statement(EVERYONE, reads.place(), "ann", CLOSED)

    (home / "access.toml").write_text("k = 100\n")

    after = reads.statement(EVERYONE, reads.place(), "ann", CLOSED)
    assert any(line.plays for line in before.lines)
    assert not any(line.plays for line in after.lines)


def test_sound_that_was_never_rendered_is_none(where: reads.Place) -> None:
    assert reads.audio(where, None) is None
    assert reads.audio(where, "0" * 64) is None


def test_files_of_the_workspace_are_read_where_they_are_there(where: reads.Place) -> None:
    evidence = reads.evidence(where, HARBOUR)

    assert evidence is not None
    assert evidence["method"] == "trak"
    assert reads.evidence(where, "t99999999") is None
    assert reads.provenance(where, "t99999999") == {}
