"""`tantieme demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.output import pass_workspace, print_table
from cli.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from cli.jobs.attribution import Attributed, Part
    from cli.jobs.demo import Story

MINUTE = 60


@click.command()
@click.option("--small", is_flag=True, help="A fifth of the works: quicker, and says less.")
@click.option("--open", "open_", is_flag=True, help="Leave October open, to close it yourself.")
@pass_workspace
def demo(workspace: Workspace, small: bool, open_: bool) -> None:
    """Do the whole main job on real music: train, generate, attribute, pay, report.

    Real works by named composers come from the music21 package; rights, terms and the month's
    listening are illustrative. Run again, it says what is already there and changes nothing.

    With --open the month is previewed and not closed; docs/month.md goes on from there.

    \b
    Example:  tantieme --home demo-home demo
              tantieme --home october demo --small --open
    """
    from cli.jobs.demo import SMALL, WHOLE, run_demo

    _print_story(workspace, run_demo(workspace, SMALL if small else WHOLE, leave_open=open_))


def _print_story(workspace: Workspace, story: Story) -> None:
    click.echo("\nTantième: who earned what, and how sure that is\n")
    click.echo(f"Catalogue   {story.catalogue} (real music)")
    click.echo(f"Generator   {story.generator}")
    month = f"{story.period.start:%B %Y}"
    click.echo(f"Month       {month}, SIMULATED listening; rights and terms are illustrative\n")
    _print_attribution(story)
    _print_amounts(story)
    _print_farm(story)
    click.echo("")
    _print_next(workspace.home, story)
    click.echo(f"Took        {story.seconds // MINUTE:.0f} min {story.seconds % MINUTE:.0f} s")


def _print_next(home: Path, story: Story) -> None:
    """Say where to look, or what the month waits for."""
    if story.reports is None:
        click.echo(f"Close       tantieme --home {home} close {story.period}      (docs/month.md)")
    else:
        payees = story.payouts[story.rule].payees
        most = max(payees, key=lambda payee: payee.attributed.micros)
        click.echo(f"Reports     {story.reports}")
        click.echo(f"Why?        tantieme --home {home} trail {story.period}/{most.id}/1")
    click.echo(f"Look        tantieme --home {home} dashboard      (or: make dashboard)")


def _print_attribution(story: Story) -> None:
    rows = [(each.track, each.title, _most(each), _unattributed(each)) for each in story.attributed]
    columns = ["track", "title", "largest named part", ">unattributed"]
    print_table("What shaped the tracks (share, 90 % interval)", columns, rows)
    mean = sum(each.unattributed_ppb for each in story.attributed) // len(rows)
    nameless = sum(not each.artists for each in story.attributed)
    click.echo(
        f"\nOn average {_percent(mean)} of a track is unattributed: no single work can be shown "
        "to have shaped that part,\nbeyond what music the model never saw scores by chance. For "
        f"{nameless} of {len(rows)} tracks that is all of it.\nIt is divided equally among the "
        "licensed works. Each track's own reason: tantieme attribute TRACK\n"
        '"after" names whose opening was the prompt. The opening is no part of the track, and '
        "what is measured\nis training, not the prompt.\n"
    )


def _most(found: Attributed) -> str:
    """Name the artist with the largest share, if anybody has one."""
    return f"{found.artists[0].name} {_range(found.artists[0])}" if found.artists else "nobody"


def _unattributed(found: Attributed) -> str:
    """Show no interval where nobody could be named: that all is unattributed is no estimate."""
    return _range(found.unattributed) if found.artists else _percent(found.unattributed_ppb)


def _range(part: Part) -> str:
    low, high = _percent(part.low_ppb), _percent(part.high_ppb)
    return f"{_percent(part.share_ppb)} ({low} to {high})"


def _print_amounts(story: Story) -> None:
    from cli.payout_tables import print_payouts

    first, second = story.payouts.values()
    print_payouts([first, second], {second.rule: tuple(story.difference)})


def _print_farm(story: Story) -> None:
    titles = {each.track: each.title for each in story.attributed}
    click.echo(
        f"\nThe click farm: {story.farm_size} paying accounts played {titles[story.farm_track]} "
        "around the clock."
    )
    for rule, cost in story.farm.items():
        names = {payee.id: payee.name for payee in story.payouts[rule].payees}
        losers = ", ".join(
            f"{names.get(each.payee, each.payee)} {each.difference.rounded}"
            for each in cost.losers[:3]
        )
        click.echo(
            f"  {rule}: its fees added {cost.paid_in.rounded}; it took "
            f"{cost.taken.rounded} from others, most from\n    {losers or 'nobody'}"
        )


def _percent(ppb: int) -> str:
    return f"{ppb / 10**7:.0f} %"
