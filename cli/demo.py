"""`tantieme demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.output import pass_workspace, print_table
from cli.workspace import Workspace

if TYPE_CHECKING:
    from cli.jobs.demo import Story

MINUTE = 60


@click.command()
@pass_workspace
def demo(workspace: Workspace) -> None:
    """Do the whole main job on real music: train, generate, attribute, pay, report.

    Real works by named composers come from the music21 package; rights, terms and the month's
    listening are illustrative. Run again, it says what is already there and changes nothing.

    \b
    Example:  tantieme --home demo-home demo
    """
    from cli.jobs.demo import run_demo

    _print_story(workspace, run_demo(workspace))


def _print_story(workspace: Workspace, story: Story) -> None:
    click.echo("\nTantième: who earned what, and how sure that is\n")
    click.echo(f"Catalogue   {story.catalogue} (real music)")
    click.echo(f"Generator   {story.generator}")
    click.echo("Month       October 2026, SIMULATED listening; rights and terms are illustrative\n")
    _print_attribution(story)
    _print_amounts(story)
    _print_farm(story)
    home = workspace.home
    click.echo(f"\nReports     {story.reports}")
    click.echo(f"Why?        tantieme --home {home} trail 2026-10/bach/1")
    click.echo(f"Look        tantieme --home {home} dashboard      (or: make dashboard)")
    click.echo(f"Took        {story.seconds // MINUTE:.0f} min {story.seconds % MINUTE:.0f} s")


def _print_attribution(story: Story) -> None:
    rows = []
    for each in story.attributed:
        first = each.artists[0] if each.artists else None
        rows.append(
            (
                each.track,
                each.title,
                f"{first.name} {_percent(first.low_ppb)} to {_percent(first.high_ppb)}"
                if first
                else "nobody",
                _percent(each.unattributed_ppb),
            )
        )
    print_table("What shaped the tracks", ["track", "title", "most (90 %)", ">unattributed"], rows)
    mean = sum(each.unattributed_ppb for each in story.attributed) // len(story.attributed)
    click.echo(
        f"\nOn average {_percent(mean)} of a track is unattributed. {story.attributed[0].why}\n"
    )


def _print_amounts(story: Story) -> None:
    from cli.payouts import print_payouts

    print_payouts(list(story.payouts.values()))


def _print_farm(story: Story) -> None:
    click.echo(
        f"\nThe click farm: {story.farm_size} accounts played track {story.farm_track} around the clock."
    )
    for rule, cost in story.farm.items():
        losers = ", ".join(f"{each.payee} {each.difference.rounded}" for each in cost.losers[:3])
        click.echo(
            f"  {rule.replace('_', '-'):<13} its fees brought {cost.paid_in.rounded}, it moved "
            f"{cost.moved.rounded} from others{f'; most from {losers}' if losers else ''}"
        )


def _percent(ppb: int) -> str:
    return f"{ppb / 10**7:.0f} %"
