"""What was guessed: said in a fault, and written to a file that a person confirms."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from db.intake.faults import printable
from royalty.errors import Problem
from royalty.guessing import Guess

COLUMNS = ("noun", "alias", "id", "likeness", "name")  # those of a file of aliases, and two more

Guesses = Mapping[str, Sequence[Guess]]  # unknown name → whom it may mean, best first


def did_you_mean(guesses: Sequence[Guess]) -> str:
    """Say the best guess as the end of a fault; nothing where there is none."""
    if not guesses:
        return ""
    best = guesses[0]
    return f"; did you mean {best.id}, {best.shown} ({best.likeness})?"


def to_confirm(home: Path, source: str, guessed: Mapping[str, Guesses]) -> list[Problem]:
    """Write the best guess at each unknown name of a source, by noun, to a report under `home`.

    The problem asks to look through it. The report is named by its content: the same guesses
    again are the same file.
    """
    rows = [
        (-guesses[0].likeness, noun, name, guesses[0])
        for noun, names in guessed.items()
        for name, guesses in names.items()
        if guesses
    ]
    if not rows:
        return []
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for _, noun, name, best in sorted(rows, key=lambda row: row[:3]):
        table.writerow((noun, name, best.id, best.likeness, best.shown))
    request = _request(_kept(home, text.getvalue().encode()), len(rows))
    return [Problem(source, None, None, printable(request))]


def _kept(home: Path, content: bytes) -> Path:
    path = home / "reports" / f"guesses-{hashlib.sha256(content).hexdigest()[:12]}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _request(path: Path, count: int) -> str:
    guesses = "1 guess" if count == 1 else f"{count} guesses"
    return (
        f"{guesses} to confirm: look through {path}, delete what is wrong, "
        f"and run 'tantieme catalogue alias {path}'"
    )
