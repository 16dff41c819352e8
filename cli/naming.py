"""`tantieme catalogue alias` and `catalogue correct`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cli.intake import file_argument, tell
from cli.output import (
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
)
from cli.workspace import Workspace


@click.command()
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--list", "list_", is_flag=True, help="List the aliases that stand.")
@as_name
@as_json
@dry_run
@pass_workspace
def alias(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace, file: Path | None, list_: bool, name: str, json_: bool, dry_run: bool
) -> None:
    """Confirm what files call recordings and parties: noun, alias, id (CSV).

    An import that meets unknown names writes its guesses in this form, most alike first. Look
    through them, delete what is wrong, and hand in the rest. The further columns likeness and name
    are for your eye only. An alias stands until it is said to mean another.

    \b
    Example:  tantieme catalogue alias tantieme-home/reports/guesses-0f3a9c2b71d4.csv
    Example:  tantieme catalogue alias --list
    """
    from db.intake import aliases

    if file is None and not (list_ or json_):
        raise click.UsageError("Name a FILE of aliases, or say --list.")
    books = workspace.books()
    if file is not None:
        tell(aliases.record(books, file, name=name, dry_run=dry_run), dry_run=dry_run)
    if list_ or json_:
        _list(workspace, json_=json_)


@click.command()
@file_argument
@as_name
@as_json
@dry_run
@pass_workspace
def correct(workspace: Workspace, file: Path, name: str, json_: bool, dry_run: bool) -> None:
    """Write over what the books have wrong: noun, id, field, value, reason (CSV).

    Of a recording: title, artist, isrc. Of a work: iswc. Of a party: name, kind, payee, ipi, isni.
    An empty value takes an identifier away. Each change is kept with its reason, and closed months
    stay as they were paid. Interests, terms and licences have dates: correct these by importing
    their CSV again with 'tantieme catalogue import'.

    \b
    Example:  tantieme catalogue correct corrections.csv --dry-run
    """
    from db.intake import corrections

    changes = corrections.correct(workspace.books(), file, name=name, dry_run=dry_run)
    if json_:
        print_json({"schema": 1, "dry_run": dry_run, "changes": list(map(asdict, changes))})
        return
    for each in changes:
        change = f"{_said(each.before)} → {_said(each.after)}"
        click.echo(f"{each.noun} {each.noun_id}, {each.field}: {change} ({each.reason})")
    count = "1 change" if len(changes) == 1 else f"{len(changes):,} changes"
    if not changes:
        narrate("The books say all of this already; nothing changed.")
    else:
        narrate(f"{count} would be made; nothing was written." if dry_run else f"{count} made.")


def _list(workspace: Workspace, *, json_: bool) -> None:
    from db.queries import EVERYONE
    from db.queries.names import aliases

    rows = aliases(EVERYONE, workspace.books())
    if json_:
        print_json({"schema": 1, "aliases": list(map(asdict, rows))})
        return
    cells = [(row.noun, row.alias, row.id, row.name, row.recorded_at[:10]) for row in rows]
    print_table(f"{len(rows)} aliases", ["noun", "alias", "id", "name", "since"], cells)


def _said(value: str | None) -> str:
    return "none" if value is None else f"'{value}'"
