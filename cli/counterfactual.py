"""What `tantieme audit PERIOD without` prints: a month beside itself, less what is left out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from cli.jobs.counterfactual import Without
from cli.jobs.counterfactual_error import Measured
from cli.output import print_table
from royalty.counterfactual import Change

_HELD_ALIKE = "Tracks, plays and revenue are taken to be what they were."


def print_without(result: Without) -> None:
    """Print who would get what, what that rests on, and how near it is."""
    found, of = result.found, result.of
    state = "as it was closed" if found.closed else "as it stands"
    what = f"{of.name} ({of.id})"
    if of.artist:
        count = len(of.recordings)
        what = f"{count} recording{'s' * (count != 1)} by {what}"
    click.echo(f"{found.period}, {state}, by {found.rule}: had {what} not been trained on\n")
    rows = [_cells(each) for each in found.payees]
    rows += [_cells(each) for each in found.others if each.actual.micros or each.without.micros]
    print_table("", ["payee", ">is", ">would be", ">difference"], rows)
    click.echo()
    same = ("of it, unattributed", found.unattributed), ("brought by what is left out", found.own)
    print_table(
        "",
        ["", ">is", ">would be", ">difference"],
        [(name, *_cells(each)[1:]) for name, each in same],
    )
    click.echo(f"\n{found.moved} of the month would change hands. {_HELD_ALIKE}")
    for sentence in (*_basis(result), *result.error):
        click.echo(sentence)


def without_json(result: Without) -> dict[str, Any]:
    """Say the same in a document."""
    found, of = result.found, result.of
    return {
        "schema": 1,
        "period": str(found.period),
        "rule": found.rule,
        "closed": found.closed,
        "without": {
            "id": of.id,
            "name": of.name,
            "artist": of.artist,
            "recordings": list(of.recordings),
        },
        "payees": [_change_json(each) for each in found.payees],
        "others": [_change_json(each) for each in found.others],
        "unattributed": _amounts_json(found.unattributed),
        "own": _amounts_json(found.own),
        "moved": found.moved.json,
        "provider": result.provider,
        "tracks_by_evidence": result.by_evidence,
        "tracks_stated": result.stated,
        "error": list(result.error),
        "measured": None if result.measured is None else _measured_json(result.measured),
    }


def _measured_json(found: Measured) -> dict[str, Any]:
    return asdict(found) | {"relative_error": found.relative_error}


def _basis(result: Without) -> list[str]:
    said = []
    if result.by_evidence:
        said.append(
            f"Of {result.by_evidence} track{'s' * (result.by_evidence != 1)} the evidence was "
            "mapped again without it: no model was trained."
        )
    if result.stated:
        said.append(
            f"Of {result.stated} track{'s' * (result.stated != 1)} only the shares are known that "
            f"{result.provider} states: what is left out there is unattributed."
        )
    return said


def _cells(each: Change) -> tuple[str, str, str, str]:
    return each.name, str(each.actual), str(each.without), each.difference.signed


def _change_json(each: Change) -> dict[str, Any]:
    return {"id": each.id, "name": each.name, **_amounts_json(each)}


def _amounts_json(each: Change) -> dict[str, Any]:
    return {
        "actual": each.actual.json,
        "without": each.without.json,
        "difference": each.difference.json,
    }
