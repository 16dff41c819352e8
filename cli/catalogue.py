"""`tantieme catalogue import` and `catalogue show`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.intake import tell
from cli.output import as_json, dry_run, pass_workspace, print_json, print_table, progress
from cli.workspace import Workspace


@click.group()
def catalogue() -> None:
    """Keep recordings, works, parties, interests and terms."""


@catalogue.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@dry_run
@pass_workspace
def import_catalogue(workspace: Workspace, folder: Path, dry_run: bool) -> None:
    """Import a folder: recordings.csv, parties.csv, interests.csv, terms.csv and the music.

    Music is MIDI or MusicXML, named in the column `file`. Every fault is listed with its file,
    row and field, and then nothing is imported.

    \b
    Example:  tantieme catalogue import my-catalogue/
    """
    from cli.jobs.catalogue import import_folder

    with progress("Reading music") as report:
        receipt = import_folder(workspace, folder, dry_run=dry_run, report=report)
    tell(receipt, dry_run=dry_run)


@catalogue.command()
@click.option("--artist", default=None, help="Only this artist's recordings.")
@as_json
@pass_workspace
def show(workspace: Workspace, artist: str | None, json_: bool) -> None:
    """List the recordings and who is credited.

    \b
    Example:  tantieme catalogue show --artist bach
    """
    from db.queries import EVERYONE, recordings

    rows = [
        row
        for row in recordings(EVERYONE, workspace.books())
        if artist in (None, row.recording.artist)
    ]
    if json_:
        keys = ("id", "title", "artist", "work", "isrc", "iswc")
        listed = [{key: getattr(row.recording, key) for key in keys} for row in rows]
        print_json({"schema": 1, "recordings": listed})
        return
    print_table(
        f"{len(rows)} recordings",
        ["recording", "title", "artist", "work"],
        [(r.recording.id, r.recording.title, r.recording.artist, r.recording.work) for r in rows],
    )
