"""Books that one bad file after another is brought to, and what must hold of each.

An import records everything or it refuses with a sentence, and then nothing has changed: no row of
any table, no file of the workspace but a report of what was guessed. The books are put back after
an import that was accepted.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings

from db.engine import Books
from db.intake.receipt import Receipt
from royalty.errors import BadInput, Problem, RoyaltyError

few = settings(
    max_examples=150, suppress_health_check=list(HealthCheck), deadline=None, database=None
)

Importer = Callable[[Path], Receipt]
State = tuple[dict[str, list[tuple[object, ...]]], dict[str, bytes]]


@dataclass(frozen=True, slots=True)
class Bench:
    """Books in a folder of their own, as they stood before the first import."""

    books: Books
    inbox: Path
    ledger: sqlite3.Connection
    before: sqlite3.Connection
    state: State

    @classmethod
    def over(cls, books: Books, inbox: Path) -> "Bench":
        """Take these books as they stand."""
        ledger = sqlite3.connect(books.home / "ledger.db", isolation_level=None)
        before = sqlite3.connect(":memory:")
        ledger.backup(before)
        inbox.mkdir()
        return cls(books, inbox, ledger, before, _state(books, ledger))

    def accepts(self, take: Importer, path: Path) -> Receipt | list[Problem] | str:
        """Import: give the receipt, or the faults, or what a rule that refused says."""
        try:
            receipt = take(path)
        except BadInput as refused:
            self._holds_as_before()
            _are_well_said(refused.problems, path)
            return list(refused.problems)
        except RoyaltyError as refusal:
            self._holds_as_before()
            return _well_said(str(refusal))
        return receipt

    def put_back(self) -> None:
        """Forget what was accepted."""
        self.before.backup(self.ledger)
        for path in self.books.home.rglob("*.*"):
            if path.is_file() and _name(self.books, path) not in {*self.state[1], "ledger.db"}:
                path.unlink(missing_ok=True)

    def _holds_as_before(self) -> None:
        assert _state(self.books, self.ledger) == self.state


def _state(books: Books, ledger: sqlite3.Connection) -> State:
    names = [name for [name] in ledger.execute("select name from sqlite_master where type='table'")]
    rows = {name: ledger.execute(f'select * from "{name}"').fetchall() for name in names}
    files = [path for path in sorted(books.home.rglob("*")) if path.is_file()]
    return rows, {
        _name(books, path): path.read_bytes()
        for path in files
        if not path.name.startswith(("ledger.db", "guesses-"))
    }


def _name(books: Books, path: Path) -> str:
    name = path.relative_to(books.home).as_posix()
    return "ledger.db" if name.startswith("ledger.db") else name


def _are_well_said(problems: tuple[Problem, ...], path: Path) -> None:
    assert problems
    for problem in problems:
        assert problem.source.startswith(str(path))
        assert problem.message
        assert problem.row is not None or problem.field is None or "column" in problem.message
        _well_said(str(problem))


def _well_said(sentence: str) -> str:
    assert sentence.isprintable()
    assert 0 < len(sentence) < 600
    return sentence
