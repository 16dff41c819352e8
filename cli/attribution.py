"""`tantieme index` and `tantieme attribute`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.output import (
    as_json,
    dry_run,
    narrate,
    pass_workspace,
    print_faults,
    print_json,
    print_table,
    progress,
)
from cli.workspace import Workspace

if TYPE_CHECKING:
    from cli.jobs.attribution import Attributed, Part

METHODS = (  # a test holds them to `attribution.methods.recipes`, which help need not load
    "default",
    "quick",
    "thorough",
    "ekfac",
    "trak",
    "logra",
    "tracin",
    "graddot",
    "gradcos",
)
method_option = click.option(
    "--method",
    type=click.Choice(METHODS),
    default="default",
    show_default=True,
    metavar="NAME",
    help="By which method.",
)
run_option = click.option("--run", default=None, help="Of which run.  [default: the only one]")


@click.group()
def index() -> None:
    """Keep the sketched gradients of what a run was trained on."""


@index.command("build")
@run_option
@method_option
@dry_run
@pass_workspace
def build_command(workspace: Workspace, run: str | None, method: str, dry_run: bool) -> None:
    """Build a run's index; an interrupted build goes on where it stopped.

    Methods: default (pays), quick, thorough, ekfac (exact, large), trak, logra, tracin, graddot,
    gradcos.

    \b
    Example:  tantieme index build
              tantieme index build --method quick
    """
    from cli.jobs.index import build_index, parts_of
    from cli.jobs.training import find_run

    if dry_run:
        name, trained = find_run(workspace, run)
        rows = {part: len(rows) for part, rows in parts_of(workspace, trained).items()}
        narrate(f"Would index {rows} rows of run {name}; nothing was written.")
        return
    with progress("Indexing gradients") as report:
        built = build_index(workspace, run, method=method, report=report)
    state = "was already here" if built.already else "is built"
    narrate(f"Index {built.id} of run {built.run} {state}.")


@index.command("info")
@as_json
@pass_workspace
def info(workspace: Workspace, json_: bool) -> None:
    """Say what the indexes hold.

    \b
    Example:  tantieme index info
    """
    from cli.jobs.index import describe_indexes

    found = describe_indexes(workspace)
    if json_:
        print_json({"schema": 1, "indexes": found})
        return
    keys = tuple(found[0]) if found else ("id",)
    print_table(
        "", ["index", *(f">{key}" for key in keys[1:])], [[str(e[k]) for k in keys] for e in found]
    )


@index.command("verify")
@as_json
@pass_workspace
@click.pass_context
def verify_command(ctx: click.Context, workspace: Workspace, json_: bool) -> None:
    """Hash every shard again. Ends with 5 where one is not what was written.

    \b
    Example:  tantieme index verify
    """
    from cli.jobs.index import verify_indexes

    sound = "Every shard is as it was written."
    print_faults(ctx, verify_indexes(workspace), sound, json_=json_)


@click.command()
@click.argument("tracks", nargs=-1, metavar="TRACK…")
@click.option("--all-new", is_flag=True, help="Every track; those known are skipped.")
@click.option("--compare-mappings", is_flag=True, help="Show what each mapping would pay instead.")
@click.option("--passages", is_flag=True, help="Show which passage came from where instead.")
@method_option
@run_option
@as_json
@dry_run
@pass_workspace
def attribute(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    tracks: tuple[str, ...],
    all_new: bool,
    compare_mappings: bool,
    passages: bool,
    method: str,
    run: str | None,
    json_: bool,
    dry_run: bool,
) -> None:
    """Work out which recordings shaped a track, and how sure that is.

    TRACK is a generated track's id or any MIDI file. The evidence is kept in the workspace, the
    shares are frozen in the books. N-gram overlap is shown beside them: it is similarity, not
    influence, and pays nobody. What another method than the default finds is kept beside it, for
    comparison or a dispute, and pays nobody either.

    \b
    Example:  tantieme attribute t1a2b3c4d
              tantieme attribute --all-new
              tantieme attribute from-elsewhere.mid --json
              tantieme attribute --all-new --compare-mappings
              tantieme attribute t1a2b3c4d --passages
              tantieme attribute t1a2b3c4d --method ekfac
    """
    from cli.comparison import print_compared
    from cli.jobs.attribution import attribute_tracks, find_tracks
    from cli.jobs.index import build_index
    from cli.jobs.mappings import compare_tracks
    from cli.jobs.passages import read_passages
    from cli.passages import print_passages

    if not tracks and not all_new:
        raise click.UsageError("name a track or a MIDI file, or use --all-new")
    if passages and method != METHODS[0]:
        raise click.UsageError("passages are of the method that pays; leave --method out")
    if dry_run:
        narrate(f"Would attribute {', '.join(tracks) or 'every track'}; nothing was written.")
        return
    with progress("Indexing gradients") as report:
        indexed = build_index(workspace, run, method=method, report=report)
    ids = find_tracks(workspace, tracks, everything=all_new)
    with progress("Attributing") as report:
        found = attribute_tracks(workspace, indexed, ids, report=report)
    if compare_mappings:
        print_compared(compare_tracks(workspace, ids), json_=json_)
        return
    if passages:
        print_passages([read_passages(workspace, id_) for id_ in ids], json_=json_)
        return
    for each in found:
        if json_:
            print_json(_document(each))
        else:
            _print_attributed(each)


def _print_attributed(found: Attributed) -> None:
    print_table(
        f"{found.track}  {found.title}\n"
        f"What shaped it, by {found.method} and {found.mapping} from run {found.run}:",
        ["artist", "work", ">share", ">interval"],
        [
            *((part.artist, part.name, *_cells(part)) for part in found.recordings),
            ("", "unattributed", *_unattributed(found)),
        ],
    )
    click.echo(f"\nIntervals: {found.label}. {found.why}\n")
    alike = [(e["artist"], e["title"], f"{e['overlap']:.3f}") for e in found.similarity]
    print_table(
        "N-gram overlap: similarity, not influence; nobody is paid for it",
        ["artist", "recording", ">overlap"],
        alike,
    )
    click.echo()


def _unattributed(found: Attributed) -> tuple[str, str]:
    """Show no interval where nobody could be named: that all is unattributed is no estimate."""
    share, interval = _cells(found.unattributed)
    return share, interval if found.artists else ""


def _cells(part: Part) -> tuple[str, str]:
    low, high = (f"{ppb / 10**7:.1f}" for ppb in (part.low_ppb, part.high_ppb))
    return f"{part.share_ppb / 10**7:.1f} %", f"{low} to {high} %"


def _document(found: Attributed) -> dict[str, Any]:
    parts = {
        name: [
            {key: getattr(part, key) for key in ("id", "name", "share_ppb", "low_ppb", "high_ppb")}
            for part in getattr(found, name)
        ]
        for name in ("artists", "recordings")
    }
    return {
        "schema": 1,
        "track": found.track,
        "method": found.method,
        "mapping": found.mapping,
        **parts,
        "unattributed_ppb": found.unattributed_ppb,
        "similarity": list(found.similarity),
        "run": found.run,
    }
