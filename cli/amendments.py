"""What an import says of the agreements and interests that it ends, changes or adds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from cli.output import narrate
from db.intake.amendments import KEYS, Amendment

_LISTED = 20


def tell_amended(amended: Sequence[Amendment]) -> None:
    """Say what ends, changes or is added; not what is said of a party or subject first."""
    said = [each for each in amended if not each.first]
    for each in said[:_LISTED]:
        narrate(f"{_named(each)}: {_happened(each)}.")
    if len(said) > _LISTED:
        narrate(f"… and {len(said) - _LISTED:,} more; --json lists all.")


def amendment_json(amendment: Amendment) -> dict[str, Any]:
    """Write an amendment for a program: what it is of, what is said since, and was before."""
    said = {name: amendment.row[name] for name in (*KEYS[amendment.noun], "valid_to")}
    changed = {
        name: {"before": _plain(before), "after": _plain(amendment.row[name])}
        for name, before in amendment.before.items()
    }
    plain = {name: _plain(cell) for name, cell in said.items()}
    return {"noun": amendment.noun, "act": amendment.act, **plain, "changed": changed}


def span(begin: date | None, end: date | None) -> str:
    """Say when something holds: `from 2026-01-01 until 2027-01-01`, or `always`."""
    if begin is None and end is None:
        return "always"
    since = f"from {begin}" if begin else ""
    return f"{since} {f'until {end}' if end else ''}".strip()


def _named(amendment: Amendment) -> str:
    row = amendment.row
    holds = f"{row['territory']}, {span(row['valid_from'], row['valid_to'])}"
    if amendment.noun == "agreement":
        return f"agreement with {row['party']} for {holds}"
    part = f"{row['ppm']:,} ppm of {row['right']} of {row['subject']} {row['subject_id']}"
    return f"interest of {row['party']}, {part} for {holds}"


def _happened(amendment: Amendment) -> str:
    if amendment.act == "ended":
        return "ended, since the file leaves it out"
    if amendment.act == "added":
        return "new"
    changed = (
        f"{name} {_word(before)} → {_word(amendment.row[name])}"
        for name, before in amendment.before.items()
    )
    return f"changed, {', '.join(changed)}"


def _word(cell: object) -> str:
    return "none" if cell in {None, ""} else str(cell)


def _plain(cell: object) -> object:
    return str(cell) if isinstance(cell, date) else cell
