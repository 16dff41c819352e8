"""`tantieme attribute`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cli.method_options import (
    ALIKE,
    METHODS,
    damping_option,
    kept_option,
    ridge_option,
    runs_option,
    side_option,
)
from cli.output import (
    as_json,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
    progress,
)
from cli.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.jobs.attribution import Attributed, Part
    from cli.jobs.likeness import Likeness
    from cli.jobs.recipes import Wanted


@click.command()
@click.argument("tracks", nargs=-1, metavar="TRACK…")
@click.option(
    "--all-new", is_flag=True, help="Every track; those known by this method and index are skipped."
)
@click.option(
    "--compare-mappings",
    is_flag=True,
    help="Attribute what is missing, then show what each mapping would pay.",
)
@click.option("--passages", is_flag=True, help="Show which passage came from where instead.")
@click.option(
    "--method",
    type=click.Choice((*METHODS, *ALIKE)),
    default="default",
    show_default=True,
    metavar="NAME",
    help="By which method.",
)
@runs_option
@damping_option
@kept_option
@side_option
@ridge_option
@as_json
@dry_run
@pass_workspace
def attribute(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    /,
    tracks: tuple[str, ...],
    all_new: bool,
    compare_mappings: bool,
    passages: bool,
    json_: bool,
    dry_run: bool,
    **options: object,
) -> None:
    """Work out which recordings shaped a track, and how sure that is.

    TRACK is a generated track's id or any MIDI file. The evidence is kept in the workspace, the
    shares are frozen in the books. N-gram overlap is shown beside them: it is similarity, not
    influence, and pays nobody. What another method than the default finds, or the default at
    another --damping, --kept or --ridge, is kept beside it, for comparison or a dispute, and pays
    nobody either. --method ngram, or similarity (of the model's hidden states), shows that alone.

    With several runs of the same music their scores are averaged; from three on the intervals hold
    how runs differ.

    \b
    Example:  tantieme attribute t1a2b3c4d
              tantieme attribute --all-new
              tantieme attribute from-elsewhere.mid --json
              tantieme attribute --all-new --compare-mappings
              tantieme attribute t1a2b3c4d --passages
              tantieme attribute t1a2b3c4d --method ekfac
              tantieme attribute t1a2b3c4d --ridge 8
              tantieme attribute --all-new --run r1a2b3c4d --run r5e6f7a8b --run r9c0d1e2f
              tantieme attribute t1a2b3c4d --method similarity
    """
    from cli.comparison import print_compared
    from cli.jobs.attribution import check_generated, find_tracks
    from cli.jobs.mappings import compare_tracks
    from cli.jobs.passages import read_passages
    from cli.jobs.recipes import Wanted
    from cli.passages import print_passages

    wanted = Wanted(**options)  # type: ignore[arg-type]  # click gives its options' types
    if not tracks and not all_new:
        raise click.UsageError("name a track or a MIDI file, or use --all-new")
    _check_shown(wanted, compare_mappings=compare_mappings, passages=passages)
    check_generated(workspace, tracks, _runs_that_shaped(wanted))
    if dry_run:
        narrate(f"Would attribute {', '.join(tracks) or 'every track'}; nothing was written.")
        return
    if wanted.method in ALIKE:
        ids = find_tracks(workspace, tracks, everything=all_new)
        _print_alike(workspace, wanted, ids, json_=json_)
        return
    found = _attributed(workspace, wanted, tracks, everything=all_new)
    ids = [each.track for each in found]
    if compare_mappings:
        print_compared(compare_tracks(workspace, ids), json_=json_)
    elif passages:
        print_passages([read_passages(workspace, id_) for id_ in ids], json_=json_)
    else:
        _print_found(found, json_=json_)


def _attributed(
    workspace: Workspace, wanted: Wanted, tracks: Sequence[str], *, everything: bool
) -> list[Attributed]:
    """Index what is not yet, and attribute the tracks."""
    from cli.jobs.attribution import attribute_tracks, find_tracks
    from cli.jobs.index import build_index

    with progress("Indexing gradients") as report:
        indexed = build_index(workspace, wanted, report=report)
    ids = find_tracks(workspace, tracks, everything=everything, runs=wanted.runs)
    with progress("Attributing") as report:
        return attribute_tracks(workspace, indexed, ids, report=report)


def _print_found(found: Sequence[Attributed], *, json_: bool) -> None:
    for each in found:
        if json_:
            print_json(_document(each))
        else:
            _print_attributed(each)


def _check_shown(wanted: Wanted, *, compare_mappings: bool, passages: bool) -> None:
    """Refuse options that say nothing together."""
    from cli.jobs.evidence import PAYING

    settings = list(wanted.settings)
    unpaid = [*(["method"] if wanted.method != PAYING else []), *settings]
    if passages:
        _leave_out(unpaid, "passages are of the method that pays")
    if wanted.method in ALIKE:
        other = ["compare-mappings"] if compare_mappings else []
        _leave_out([*other, *settings], f"{wanted.method} is similarity, which is never paid")
    if compare_mappings:
        _leave_out(unpaid, "mappings are compared by what the method that pays found")


def _runs_that_shaped(wanted: Wanted) -> tuple[str, ...]:
    """Name the runs asked for; none where only likeness is, which any run can tell."""
    return () if wanted.method in ALIKE else wanted.runs


def _leave_out(names: Sequence[str], why: str) -> None:
    """Refuse these options, where any was given."""
    if names:
        flags = " and ".join(f"--{name}" for name in names)
        raise click.UsageError(f"{why}; leave {flags} out")


def _print_alike(workspace: Workspace, wanted: Wanted, ids: Sequence[str], *, json_: bool) -> None:
    """Print what is most like each track, and nothing else."""
    from cli.jobs.likeness import compare

    if len(wanted.runs) > 1:
        raise click.UsageError("similarity is of one run's hidden states; give one --run")
    run = wanted.runs[0] if wanted.runs else None
    with progress("Comparing") as report:
        alike = compare(workspace, run, ids, wanted.method, report=report)
    for each in alike:
        if json_:
            print_json(_likeness(each, wanted.method))
            continue
        print_table(
            f"{each.track}  {each.title}\n{each.heading}; nobody is paid for it",
            ["artist", "recording", ">likeness"],
            [(e.artist, e.title, f"{e.likeness:.3f}") for e in each.found],
        )
        click.echo()


def _likeness(found: Likeness, method: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "track": found.track,
        "method": method,
        "paid": False,
        "similarity": [asdict(each) for each in found.found],
    }


def _print_attributed(found: Attributed) -> None:
    runs = f"run{'s' * (len(found.runs) > 1)} {', '.join(found.runs)}"
    print_table(
        f"{found.track}  {found.title}\n"
        f"What shaped it, by {found.method} and {found.mapping} from {runs}:",
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
