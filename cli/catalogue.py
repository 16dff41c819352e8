"""`tantieme catalogue`: import, show, and what keeps recordings back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from cli.amendments import amendment_json, span, tell_amended
from cli.intake import tell
from cli.naming import alias, correct
from cli.output import (
    as_json,
    as_name,
    dry_run,
    pass_workspace,
    percent,
    print_json,
    print_table,
    progress,
)
from cli.withdrawing import opt_out, takedown
from cli.workspace import Workspace
from db.intake.receipt import Receipt
from royalty.catalogue import PPM, Recording, Withdrawal
from royalty.money import Money
from royalty.terms import Terms


@click.group()
def catalogue() -> None:
    """Keep recordings, works, parties, interests, terms, and what is withdrawn."""


@catalogue.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@as_name
@dry_run
@as_json
@pass_workspace
def import_catalogue(
    workspace: Workspace, folder: Path, name: str, dry_run: bool, json_: bool
) -> None:
    """Import a folder: recordings.csv, parties.csv, interests.csv, terms.csv and the music.

    Music is MIDI or MusicXML, named in the column `file`. Every fault is listed with its file,
    row and field, and then nothing is imported. Which agreements and interests it ends, changes
    or adds is said: what a file says of a party's terms, or of who holds a recording or work, is
    all of it, and ends what it leaves out.

    \b
    Example:  tantieme catalogue import my-catalogue/ --dry-run
    """
    from cli.jobs.catalogue import import_folder

    with progress("Reading music") as report:
        receipt = import_folder(workspace, folder, name=name, dry_run=dry_run, report=report)
    if json_:
        print_json(_import_json(receipt, dry_run=dry_run))
        return
    tell(receipt, dry_run=dry_run)
    tell_amended(receipt.amended)


def _import_json(receipt: Receipt, *, dry_run: bool) -> dict[str, Any]:
    said = {"already": receipt.already, "dry_run": dry_run}
    amended = [amendment_json(each) for each in receipt.amended]
    return {"schema": 1, "rows": dict(receipt.rows), **said, "amended": amended}


@catalogue.command()
@click.option("--artist", default=None, metavar="ID", help="Only this artist's recordings.")
@click.option("--terms", "terms_", is_flag=True, help="Show the agreements instead.")
@click.option("--party", default=None, metavar="ID", help="Only this party's agreements.")
@as_json
@pass_workspace
def show(
    workspace: Workspace, artist: str | None, terms_: bool, party: str | None, json_: bool
) -> None:
    """List the recordings, who is credited, what their licence is and why they are kept back.

    \b
    Example:  tantieme catalogue show --artist bach
    Example:  tantieme catalogue show --terms --party lantern-records
    """
    from db import queries
    from db.queries import EVERYONE

    books = workspace.books()
    if terms_ or party:
        agreed = queries.agreements(EVERYONE, books)
        _show_terms([each for each in agreed if party in (None, each.party)], json_=json_)
        return
    rows = [row.recording for row in queries.recordings(EVERYONE, books)]
    kept_back = defaultdict(list)
    for each in queries.withdrawals(EVERYONE, books):
        kept_back[each.recording].append(each)
    _show_recordings([r for r in rows if artist in (None, r.artist)], kept_back, json_=json_)


def _show_recordings(
    rows: Sequence[Recording], kept_back: Mapping[str, Sequence[Withdrawal]], *, json_: bool
) -> None:
    if json_:
        listed = [_recording_json(row, kept_back[row.id]) for row in rows]
        print_json({"schema": 1, "recordings": listed})
        return
    print_table(
        f"{len(rows)} recordings",
        ["recording", "title", "artist", "work", "licence", "kept back"],
        [
            (row.id, row.title, row.artist, row.work, *_licence(row, kept_back[row.id]))
            for row in rows
        ],
    )


def _recording_json(row: Recording, withdrawn: Sequence[Withdrawal]) -> dict[str, Any]:
    keys = ("id", "title", "artist", "work", "isrc", "iswc")
    named = ("use", "kind", "reason")
    return {
        **{key: getattr(row, key) for key in keys},
        "licensed_from": _day(row.licensed_from),
        "licensed_to": _day(row.licensed_to),
        "withdrawals": [
            {name: getattr(each, name) for name in named}
            | {"from": _day(each.valid_from), "to": _day(each.valid_to)}
            for each in withdrawn
        ],
    }


def _licence(row: Recording, withdrawn: Sequence[Withdrawal]) -> tuple[str, str]:
    """Write the licence, and each reason once: a takedown is of two uses."""
    return span(row.licensed_from, row.licensed_to), "; ".join({w.words: 0 for w in withdrawn})


def _show_terms(agreed: Sequence[Terms], *, json_: bool) -> None:
    if json_:
        print_json({"schema": 1, "terms": [_terms_json(each) for each in agreed]})
        return
    columns = ("party", "territory", ">rate", "holds", "payment")
    print_table(f"{len(agreed)} agreements", columns, [_terms_row(each) for each in agreed])


def _terms_json(terms: Terms) -> dict[str, Any]:
    days = {"valid_from": _day(terms.valid_from), "valid_to": _day(terms.valid_to)}
    return asdict(terms) | days


def _terms_row(terms: Terms) -> tuple[str, ...]:
    def amount(micros: int) -> str:
        return str(Money(micros, "")).strip()  # of the books' currency, whichever that is

    tax = f" for {terms.jurisdiction}" if terms.jurisdiction else ""
    shared = f", recouped with {terms.recoupment}" if terms.recoupment else ""
    kept = f"reserve {percent(terms.reserve_ppm / PPM)} for {terms.reserve_months} months"
    said = (
        terms.advance_micros and f"advance {amount(terms.advance_micros)}{shared}",
        terms.reserve_ppm and kept,
        terms.minimum_payment_micros and f"at least {amount(terms.minimum_payment_micros)}",
        terms.withholding_ppm and f"withholding {percent(terms.withholding_ppm / PPM)}{tax}",
        f"paid in {terms.currency}",
    )
    rate = percent(terms.royalty_rate_ppm / PPM) + (" or the best" if terms.most_favoured else "")
    holds = span(terms.valid_from, terms.valid_to)
    return terms.party, terms.territory, rate, holds, ", ".join(each for each in said if each)


def _day(day: date | None) -> str | None:
    return None if day is None else str(day)


for command in (takedown, opt_out, alias, correct):
    catalogue.add_command(command)
