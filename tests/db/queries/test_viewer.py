"""Whatever a payee reads: nothing of it is another's."""

import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from db import queries
from db.engine import Books, open_books
from db.queries import EVERYONE, Viewer
from royalty.errors import BadInput, NotFound, RoyaltyError
from royalty.holds import LineId, PostingId
from tests.db import moving, world
from tests.db.world import NOVEMBER, OCTOBER, RULE

BOB = Viewer("bob", frozenset({"bob"}))
# What names Ann and her label, their recording and its work, and what they earned, in micros.
THEIRS = (
    *("ann", "Ann", "lab", "Lab", "r1", "w1", "Harbour Lights", "DEA122600001"),
    *("5400000", "4500000", "4600000", "6200000", "3700000", "5300000", "1300000", "600000000"),
)
PAYOUT = f"{OCTOBER}/{RULE}"
SAME: dict[str, tuple[Any, ...]] = {  # what every query is asked for, by the parameter's name
    "period": (OCTOBER, NOVEMBER),
    "to": (NOVEMBER,),
    "rule": (RULE,),
    "payee": ("bob", "lab"),
    "currency": ("EUR",),
    "on": (date(2026, 10, 1),),
    "day": (date(2026, 10, 1),),
    "base": ("EUR",),
    "quote": ("USD",),
    "kind": ("payable", "advance", "usage"),
    "use": ("output",),
    "track": ("t1",),
    "track_id": ("t1", "t2"),
    "recording_id": ("r2", "r1"),
    "recordings": (["r1", "r2"],),
    "payout": (PAYOUT,),
    "payouts": ((PAYOUT, PAYOUT),),
    "currencies": ({PAYOUT: "EUR"},),
    "weights": ({PAYOUT: 1},),
    "payees": (["bob", "lab"],),
    "provider": ("ours",),
    "line": tuple(LineId(period=OCTOBER, payee=each, number=1) for each in ("bob", "lab")),
    "periods": ([OCTOBER],),
    "most": (10,),
    "anew": ([],),
    "by": (None,),
    "listeners": (["u1", "u2"],),
    "window": (queries.Window(),),
}
IDS: dict[str, tuple[Any, ...]] = {
    "trail": ("2026-10/bob/1", "2026-10/lab/1", *(f"{n}.{m}" for n in range(9) for m in range(9))),
    "owed_by_posting": tuple(PostingId(transaction=n, line=m) for n in range(9) for m in range(9)),
    "payment": ("2026-11/lab/1",),
}


@pytest.fixture(scope="module")
def moved(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Books in which the label was paid, adjusted and advanced money, too; they are only read."""
    home = tmp_path_factory.mktemp("moved")
    shutil.copy(migrated, home / "ledger.db")
    books = open_books(None, home)
    yield moving.post_and_close(
        world.with_closed(books, home),
        moving.moved("payment", 13, "cash"),
        moving.moved("advance", 13, "advance.lab", payee="lab"),
        moving.adjusted(),
    )
    books.engine.dispose()


def reads() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every query that takes a viewer and the books."""
    for name in queries.__all__:
        each = getattr(queries, name)
        if inspect.isfunction(each):
            first = [*inspect.signature(each).parameters][:2]
            if first in (["viewer", "books"], ["_viewer", "books"]):
                yield name, each


def arguments(name: str, read: Callable[..., Any], books: Books) -> Iterator[dict[str, Any]]:
    """What a query is asked for: all combinations of what its parameters take."""
    paid = queries.payout(EVERYONE, books, OCTOBER, RULE)
    known = SAME | dict.fromkeys(("paid", "first", "second"), (paid,))
    earned = queries.earnings(BOB, books, OCTOBER, RULE)
    known |= {
        "earned": (earned,),
        "two": ((earned, earned),),
        "sought": (queries.Sought(),),
        "id_": IDS.get(name, ()),
    }
    known |= {"given": (queries.inputs(EVERYONE, books, OCTOBER).shares["ours"],)}
    wanted = [*inspect.signature(read).parameters.values()][2:]
    needed = [each.name for each in wanted if each.default is inspect.Parameter.empty]
    lacking = [each for each in needed if each not in known]
    assert not lacking, f"say in SAME what {name} is asked for as {lacking}"
    for values in product(*(known[each] for each in needed)):
        yield dict(zip(needed, values, strict=True))


def told(read: Callable[..., Any], viewer: Viewer, books: Books, asked: dict[str, Any]) -> str:
    """All that a query says, or why it refuses, but for the words that it was asked with."""
    try:
        found = read(viewer, books, **asked)
    except (RoyaltyError, BadInput) as refusal:
        asked_for = re.findall(r"\w+", repr(asked))
        return " ".join(word for word in re.findall(r"\w+", str(refusal)) if word not in asked_for)
    if hasattr(found, "to_pyarrow"):
        found = found.to_pyarrow()
    return repr(found.to_pylist() if hasattr(found, "to_pylist") else found)


def said_of(words: tuple[str, ...], text: str) -> set[str]:
    return set(re.findall(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", text))


@pytest.mark.parametrize(("name", "read"), [*reads()], ids=[name for name, _ in reads()])
def test_nothing_of_another_party_is_read(
    name: str, read: Callable[..., Any], moved: Books
) -> None:
    for asked in arguments(name, read, moved):
        leaked = said_of(THEIRS, told(read, BOB, moved, asked))
        assert not leaked, f"{name}({asked}) tells Bob of {leaked}"


@pytest.mark.parametrize(
    "name", ["payout", "postings", "parties", "recordings", "trail", "stated", "rights", "track"]
)
def test_the_words_looked_for_are_what_others_read(name: str, moved: Books) -> None:
    read = getattr(queries, name)
    said = "".join(told(read, EVERYONE, moved, asked) for asked in arguments(name, read, moved))

    assert said_of(THEIRS, said)


def test_a_party_reads_of_the_recordings_it_is_paid_for(closed: Books) -> None:
    lab, ann = (Viewer(each, frozenset({each})) for each in ("lab", "ann"))

    assert [row.recording.id for row in queries.recordings(lab, closed)] == ["r1"]
    assert [row.recording.id for row in queries.recordings(ann, closed)] == ["r1"]
    assert [party.id for party in queries.parties(lab, closed)] == ["ann", "lab"]


def test_a_payout_is_as_fresh_to_a_payee_as_to_an_auditor(computed: Books) -> None:
    assert queries.stale(BOB, computed, OCTOBER) == queries.stale(EVERYONE, computed, OCTOBER)


def test_listeners_are_for_auditors_only() -> None:
    EVERYONE.require_listeners("who listens most")
    accountant = Viewer("kim", None)
    accountant.require_all("everybody's money")

    with pytest.raises(NotFound, match="who listens most is shown to auditors only"):
        accountant.require_listeners("who listens most")
