"""`tantieme index`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.method_options import (
    damping_option,
    kept_option,
    method_option,
    runs_option,
    side_option,
)
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
    from collections.abc import Sequence

    from cli.jobs.amending import Amended


@click.group()
def index() -> None:
    """Keep the gradients of what a run was trained on, in little space."""


@index.command("build")
@runs_option
@method_option
@damping_option
@kept_option
@side_option
@dry_run
@pass_workspace
def build_command(workspace: Workspace, /, dry_run: bool, **options: object) -> None:
    """Build a run's index; an interrupted build goes on where it stopped.

    One that is here already is verified; what is harmed in it is built again.

    Methods: default (pays), quick, thorough, ekfac (exact, large), trak, logra, tracin, graddot,
    gradcos. With --damping, --kept or --side it is another index, and what is found by it pays
    nobody.

    Several runs make one index, if they are trainings of the same music with different seeds: from
    three on, intervals hold how runs differ, and say so.

    \b
    Example:  tantieme index build
              tantieme index build --method quick
              tantieme index build --damping 0.01 --kept 10880
              tantieme index build --run r1a2b3c4d --run r5e6f7a8b --run r9c0d1e2f
    """
    from cli.jobs.index import build_index, mend_index, plan_index
    from cli.jobs.recipes import Wanted

    wanted = Wanted(**options)  # type: ignore[arg-type]  # click gives its options' types
    planned = plan_index(workspace, wanted)
    runs = ", ".join(planned.runs)
    if dry_run:
        rows = {part: len(rows) for part, rows in planned.parts.items()}
        narrate(f"Would index {rows} rows of run {runs}; nothing was written.")
        return
    faults = mend_index(planned)
    again = "again, and whole" if planned.directory.exists() else "again from scratch"
    for fault in faults:
        narrate(f"Harmed: {fault}.")
    with progress("Indexing gradients") as report:
        built = build_index(workspace, wanted, report=report)
    state = "was already here" if built.already else "is built"
    state += f" {again}" if faults else ""
    narrate(f"Index {built.id} of run {runs} {state}.{_too_few_runs(built.runs)}")


def _too_few_runs(runs: Sequence[str]) -> str:
    """Say where two runs are asked for: the third is what says how runs differ."""
    few = len(runs) == 2  # noqa: PLR2004 - `attribution.resampling.RUNS_MIN`, less one
    return " Two runs do not tell how runs differ; intervals do so from three on." if few else ""


@index.command("add")
@click.argument("recordings", nargs=-1, metavar="[RECORDING…]")
@click.option(
    "--placebo",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Import this folder of recordings the model never saw, and append them to the index.",
)
@runs_option
@method_option
@as_json
@dry_run
@pass_workspace
def add_command(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    recordings: tuple[str, ...],
    placebo: Path | None,
    runs: tuple[str, ...],
    method: str,
    json_: bool,
    dry_run: bool,
) -> None:
    """Show removed recordings again, or append placebos.

    RECORDING is one that the model was trained on and that 'index remove' took down: its rows are
    shown, scored and paid again, in every index. A recording that the model was never trained on
    cannot have shaped its tracks; no index takes it in among those who are paid. Train a run on it
    instead.

    With --placebo, recordings that the model was never trained on join those that every share is
    held against, and earn nothing. Only their rows are computed, by the frozen curvature, which
    equals a rebuild. The index is then another one, beside the one before.

    \b
    Example:  tantieme index add bach-bwv250
              tantieme index add --placebo more-held-back/
    """
    from cli.jobs.amending import add_recordings

    if not recordings and not placebo:
        raise click.UsageError("name recordings that were removed, or give --placebo DIR")
    amended = add_recordings(workspace, recordings, dry_run=dry_run) if recordings else []
    if placebo:
        amended += _with_placebos(workspace, placebo, (runs, method), dry_run=dry_run)
    if json_:
        _print_document(recordings, amended, dry_run=dry_run)
        return
    for each in amended:
        would = "would gain" if dry_run else "gains"
        said = f"{would} {each.rows} rows" if each.rows else "lacks none of these rows"
        narrate(f"Index {each.before} {said}{_name_now(each)}.")
    _say_what_follows(amended, dry_run=dry_run)


def _with_placebos(
    workspace: Workspace, folder: Path, of: tuple[tuple[str, ...], str], *, dry_run: bool
) -> list[Amended]:
    from cli.intake import tell
    from cli.jobs.amending import add_placebos
    from cli.jobs.catalogue import import_folder
    from cli.jobs.recipes import Wanted

    with progress("Reading placebos") as report:
        tell(import_folder(workspace, folder, placebo=True, dry_run=dry_run, report=report))
    if dry_run:
        return []
    with progress("Indexing placebos") as report:
        return [add_placebos(workspace, Wanted(runs=of[0], method=of[1]), report)]


@index.command("remove")
@click.argument("recordings", nargs=-1, metavar="RECORDING…")
@as_json
@dry_run
@pass_workspace
def remove_command(
    workspace: Workspace, recordings: tuple[str, ...], json_: bool, dry_run: bool
) -> None:
    """Take recordings down: nothing is scored against them any more, and they earn nothing new.

    In every index of the workspace, and in those built later, their rows are hidden; 'index add'
    shows them again. The model stays what it was trained to be: what they taught it is in it, and
    the curvature taken with them stays frozen in the index. Drift says how far, from 0 to 1; above
    0.25 a run trained without them is called for. A track's shares are still parts of the whole:
    what a removed recording had goes to those that stand out without it, and to what is
    unattributed.

    Shares that were frozen before stay in the books. The index has another name from now on, and
    tracks are attributed anew by it: 'provider' in workspace.toml says which shares are paid by.

    \b
    Example:  tantieme index remove bach-bwv250
    """
    from cli.jobs.amending import remove_recordings

    if not recordings:
        raise click.UsageError("name the recordings to take down")
    amended = remove_recordings(workspace, recordings, dry_run=dry_run)
    if json_:
        _print_document(recordings, amended, dry_run=dry_run)
        return
    for each in amended:
        would = "would lose" if dry_run else "loses"
        said = f"{would} {each.rows} rows" if each.rows else "shows none of these rows already"
        drift = "" if dry_run else f"; drift {each.drift:g}{_rebuild(each)}"
        narrate(f"Index {each.before} {said}{_name_now(each)}{drift}.")
    _say_what_follows(amended, dry_run=dry_run)


def _name_now(each: Amended) -> str:
    return "" if each.id == each.before else f" and is {each.id} from now on"


def _rebuild(each: Amended) -> str:
    return ", which calls for a run trained without them" if each.rebuild else ""


def _say_what_follows(amended: Sequence[Amended], *, dry_run: bool) -> None:
    if dry_run:
        narrate("Nothing was written.")
    elif any(each.id != each.before for each in amended):
        narrate(
            "Shares frozen before stay. Run 'tantieme attribute --all-new', and name whose shares "
            "pay as 'provider' in workspace.toml."
        )


def _print_document(
    recordings: Sequence[str], amended: Sequence[Amended], *, dry_run: bool
) -> None:
    print_json(
        {
            "schema": 1,
            "recordings": list(recordings),
            "written": not dry_run and any(each.rows for each in amended),
            "indexes": [asdict(each) for each in amended],
        }
    )


@index.command("info")
@as_json
@pass_workspace
def info(workspace: Workspace, json_: bool) -> None:
    """Say what the indexes hold, and what was removed from them.

    \b
    Example:  tantieme index info
    """
    from cli.jobs.index import OLDER, describe_indexes, older_indexes
    from cli.jobs.removed import removed_recordings

    found, removed = describe_indexes(workspace), sorted(removed_recordings(workspace))
    older = [directory.name for directory in older_indexes(workspace)]
    if json_:
        print_json({"schema": 1, "indexes": found, "removed": removed, "older": older})
        return
    keys = tuple(k for k in found[0] if k not in {"removed", "methods"}) if found else ("id",)
    rows = [[str(len(e[k]) if k == "runs" else e[k]) for k in keys] for e in found]
    print_table("", ["index", *(f">{key}" for key in keys[1:])], rows)
    for each in found:
        if each["methods"]:
            click.echo(f"\n{each['id']} is scored by: {', '.join(each['methods'])}.")
    for name in older:
        click.echo(f"\n{name} is {OLDER}.")
    if removed:
        click.echo(f"\nRemoved: {', '.join(removed)}. 'tantieme index add' shows them again.")


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
