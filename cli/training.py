"""`tantieme train` and `tantieme generate`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import dry_run, narrate, pass_workspace, progress
from cli.workspace import Workspace


@click.command()
@click.option(
    "--placebo",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with recordings.csv and music the model must never see; shares need 40 works.",
)
@click.option("--epochs", default=10, show_default=True)
@click.option("--span", default=96, show_default=True, help="Events in a span, the model's reach.")
@click.option("--spans-max", default=6, show_default=True, help="Spans taken of one recording.")
@click.option("--width", default=96, show_default=True)
@click.option("--layers", default=3, show_default=True)
@click.option("--heads", default=4, show_default=True)
@click.option("--learning-rate", default=4e-3, show_default=True)
@click.option("--batch", default=16, show_default=True)
@click.option("--seed", default=0, show_default=True)
@dry_run
@pass_workspace
def train(workspace: Workspace, /, placebo: Path | None, dry_run: bool, **options: float) -> None:
    """Train a generator on the catalogue, recorded so that it can be repeated.

    The run keeps checkpoints at about 20, 30, 40, 50, 70 and 100 % and a card that says what it
    was trained on, in which order, and how. The same catalogue and options give the same bytes.

    \b
    Example:  tantieme train --placebo held-back/ --epochs 10
    """
    from cli.jobs.training import Choice, plan, train_run

    choice = Choice(**options)  # type: ignore[arg-type]  # click gives each option its default's type
    if placebo:
        from cli.intake import tell
        from cli.jobs.catalogue import import_folder

        with progress("Reading placebos") as report:
            tell(import_folder(workspace, placebo, placebo=True, dry_run=dry_run, report=report))
    planned = plan(workspace, choice)
    if planned.omission:
        narrate(planned.omission)
    if dry_run:
        narrate(f"Would train run {planned.id} on {planned.summary}; nothing was written.")
        return
    if planned.finished:
        narrate(f"Run {planned.id} is already here: {planned.summary}.")
        return
    with progress("Training") as report:
        train_run(workspace, planned, report)
    narrate(f"Run {planned.id} is trained on {planned.summary}.")


@click.command()
@click.option("-n", "--count", default=1, show_default=True, help="How many tracks.")
@click.option("--run", default=None, help="Which run generates.  [default: the only one]")
@click.option("--seconds", default=30, show_default=True, help="The shortest track allowed.")
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--prompt",
    "prompts",
    multiple=True,
    metavar="RECORDING",
    help="Continue this recording's opening, which the track leaves out; repeat to take turns.",
)
@dry_run
@pass_workspace
def generate(workspace: Workspace, /, run: str | None, dry_run: bool, **options: object) -> None:
    """Generate tracks as MIDI, with their provenance, and render them to audio.

    \b
    Example:  tantieme generate -n 4 --prompt bach-bwv250
    """
    from cli.jobs.generation import Wish, generate_tracks, wished

    wish = Wish(**options)  # type: ignore[arg-type]
    order = wished(workspace, run, wish)
    if dry_run:
        narrate(f"Would generate {wish.count} tracks from run {order.run}; nothing was written.")
        return
    with progress("Generating") as report:
        made = generate_tracks(workspace, order, report)
    for track in made.tracks:
        click.echo(f"{track.id}  {track.title}  {(track.duration_ms or 0) / 1000:.0f} s")
    narrate(f"{len(made.tracks)} tracks {'were already here' if made.already else 'generated'}.")
