"""What an import amends: which agreements and interests it ends, changes or adds.

A file says the whole of what it names a party, or a subject, of; so it ends what it leaves out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from db.intake.redating import Redated, Row

Noun = Literal["agreement", "interest"]
Act = Literal["ended", "changed", "added"]
# What the files say the whole of at once.
ABOUT: Mapping[Noun, Sequence[str]] = {
    "agreement": ("party",),
    "interest": ("subject", "subject_id"),
}
# What tells one from another; the rest is what is agreed, or held.
KEYS: Mapping[Noun, Sequence[str]] = {
    "agreement": ("party", "territory", "valid_from"),
    "interest": ("subject", "subject_id", "right", "party", "territory", "valid_from"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """An agreement or an interest that an import ends, changes or adds."""

    noun: Noun
    act: Act
    row: Row  # as it is now, or was until it ended
    before: Mapping[str, object]  # of what changed: what was said until now
    first: bool  # nothing was said of the party, or the subject, before


def amendments(noun: Noun, redated: Redated) -> list[Amendment]:
    """List what was amended, by what tells one from another.

    What begins on the same day, of the same party and territory, is the same one, changed.
    """
    return sorted(_amended(noun, redated), key=lambda each: _order(each.row, KEYS[noun]))


def _amended(noun: Noun, redated: Redated) -> Iterator[Amendment]:
    known = {_pick(row, ABOUT[noun]) for row in (*redated.kept, *redated.ended)}
    until: defaultdict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in redated.ended:
        until[_pick(row, KEYS[noun])].append(row)
    for row in redated.added:
        same = until[_pick(row, KEYS[noun])]
        old = same.pop(0) if same else row
        before = {name: old[name] for name in row if old[name] != row[name]}
        first = _pick(row, ABOUT[noun]) not in known
        act: Act = "changed" if before else "added"
        yield Amendment(noun=noun, act=act, row=row, before=before, first=first)
    for row in (row for rows in until.values() for row in rows):
        yield Amendment(noun=noun, act="ended", row=row, before={}, first=False)


def _pick(row: Row, names: Sequence[str]) -> tuple[object, ...]:
    return tuple(row[name] for name in names)


def _order(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if row[name] is None else str(row[name]) for name in names)
