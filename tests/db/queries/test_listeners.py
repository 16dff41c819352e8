"""Plays of few listeners are not told, in whatever pools they fell."""

import random
from pathlib import Path

import pyarrow as pa
import pytest

from db import queries, snapshots
from db.books.payouts import PoolFacts, record_payout
from db.engine import Books
from db.queries import EVERYONE, Viewer
from db.queries.listeners import few
from royalty.access import FILE
from royalty.reports.csv import statement_csv
from royalty.reports.json import statement_json
from royalty.reports.pdf import statement_pdf
from royalty.reports.rdr import revenue_details
from royalty.reports.xlsx import statement_xlsx
from tests.db import world
from tests.db.world import OCTOBER, POOL

PAYOUT = f"{OCTOBER}/{world.RULE}"
K = 3


def with_k(books: Books, k: int) -> None:
    (books.home / FILE).write_text(f"k = {k}\n", encoding="utf-8")


def played(seed: int, rows: int) -> list[dict[str, object]]:
    """Make usage in which a listener plays a track in several places, or at times not at all."""
    draw = random.Random(seed)
    return [
        {
            "period": str(OCTOBER),
            "listener": f"u{draw.randrange(6)}",
            "track": draw.choice(["t1", "t2", "t3"]),
            "source": draw.choice(["app", "web"]),
            "territory": draw.choice(["DE", "FR"]),
            "plays": draw.randrange(3),
            "active": 0,
        }
        for _ in range(rows)
    ]


def paid_by(books: Books, usage: list[dict[str, object]], *, by_territory: bool) -> None:
    """Record a payout of this usage, with a pool of each source and territory, or source."""
    schema = snapshots.SCHEMAS["usage"]
    hashes = [
        snapshots.write(books, "usage", pa.Table.from_pylist(part, schema=schema))
        for part in (usage[:30], usage[30:])
    ]
    places = [(s, t) for s in ("app", "web") for t in (("DE", "FR") if by_territory else ("WW",))]
    pools = [
        PoolFacts(
            id="/".join(place),
            source=place[0],
            territory=place[1],
            currency="EUR",
            **dict.fromkeys(("gross_micros", "pool_micros", "idle_micros"), 0),
            unattributed_micros=0,
        )
        for place in places
    ]
    settings = None if by_territory else '{"pool_by_territory":false}'
    inputs = {"usage": hashes}
    record_payout(books, world.payout_facts(books, pools=pools, settings=settings, inputs=inputs))


@pytest.mark.parametrize("by_territory", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_cells_are_counted_as_one_by_one(month: Books, seed: int, by_territory: bool) -> None:
    usage = played(seed, 60 if by_territory else 30)
    paid_by(month, usage, by_territory=by_territory)
    with_k(month, K)

    heard: dict[tuple[str, str], set[str]] = {}
    for row in usage:
        place = row["territory"] if by_territory else "WW"
        if row["plays"] and row["track"] != "t3":
            cell = (str(row["track"]), f"{row['source']}/{place}")
            heard.setdefault(cell, set()).add(str(row["listener"]))

    wanted = {cell for cell, listeners in heard.items() if len(listeners) < K}
    assert few(month, PAYOUT, ["t1", "t2", ""]) == wanted
    assert 0 < len(wanted) < len(heard)


def test_a_statement_leaves_out_plays_of_few_whoever_draws_it_up(closed: Books) -> None:
    told = [line.plays for line in queries.statement(EVERYONE, closed, "bob", OCTOBER).lines]
    assert told == [8, 0]

    with_k(closed, 2)  # one listener played the track

    bob = Viewer("bob", frozenset({"bob"}))
    for viewer in (EVERYONE, bob):
        statement = queries.statement(viewer, closed, "bob", OCTOBER)
        assert [(line.plays, line.track_plays) for line in statement.lines] == [
            (None, None),
            (0, None),
        ]
    share = next(s for s in queries.trail(bob, closed, "2026-10/bob/1").steps if s.step == "share")
    assert share.facts["plays"] is None


def test_files_say_nothing_where_plays_are_left_out(closed: Books) -> None:
    with_k(closed, 2)
    statement = queries.statement(EVERYONE, closed, "bob", OCTOBER)

    header, first, *_ = statement_csv(statement).decode().splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert (row["plays"], row["track_plays"]) == ("", "")
    assert b'"plays": null' in statement_json(statement)
    assert all(write(statement) for write in (statement_pdf, statement_xlsx, revenue_details))


def test_nothing_is_left_out_at_k_of_one_or_where_nobody_can_sign_in(closed: Books) -> None:
    assert few(closed, PAYOUT, ["t1"]) == frozenset()
    with_k(closed, 1)
    assert few(closed, PAYOUT, ["t1"]) == frozenset()
    with_k(closed, 2)
    assert few(closed, PAYOUT, ["t1"]) == {("t1", POOL)}


def test_people_become_viewers_of_what_their_role_sees(tmp_path: Path) -> None:
    assert queries.access(tmp_path) is None
    listed = '[[people]]\nsubject = "1"\nrole = "{}"\n{}\n'
    of_role = {
        "payee": (frozenset({"ann"}), False),
        "manager": (frozenset({"ann"}), False),
        "accountant": (None, False),
        "auditor": (None, True),
    }
    for number, (role, (parties, listeners)) in enumerate(of_role.items()):
        text = listed.format(role, "" if parties is None else 'parties = ["ann"]')
        (tmp_path / FILE).write_text(text + "#" * number, encoding="utf-8")
        access = queries.access(tmp_path)
        assert access is not None
        assert queries.viewer_of(access, {"sub": "1"}) == Viewer("1", parties, listeners=listeners)
        assert queries.viewer_of(access, {"sub": "2"}) is None
