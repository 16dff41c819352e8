"""`tantieme evaluate`: how far the scores can be trusted."""

from __future__ import annotations

import click

from cli.evaluation_steps import (
    KINDS,
    Asked,
    announced,
    find_subject,
    finish,
    retrained,
    scored_by,
)
from cli.method_options import ALIKE, COUNT, POSITIVE, Numbers
from cli.output import as_json, dry_run, narrate, pass_workspace, progress
from cli.workspace import Workspace

LITTLE = 12  # retrainings with --small

run_option = click.option("--run", default=None, help="Of which run.  [default: the only one]")
by_option = click.option(
    "--by", type=click.Choice(["item", "artist"]), default="artist", show_default=True
)
queries_option = click.option(
    "--queries",
    type=click.Choice(list(KINDS)),
    default="both",
    show_default=True,
    help="Judge by the run's own tracks, by placebos it never saw, or by both.",
)
methods_option = click.option(
    "--methods",
    default="default,ngram",
    show_default=True,
    metavar="NAME,…",
    help="Recipes; ngram, the row to beat; similarity, of the model's hidden states.",
)
workers_option = click.option(
    "--workers", type=COUNT, default=1, show_default=True, help="Trainings at the same time."
)
small_option = click.option("--small", is_flag=True, help="A quick look, with wide intervals.")


@click.group()
def evaluate() -> None:
    """Say how far the scores can be trusted: tables, and files for the Quality page."""


@evaluate.command("lds")
@by_option
@click.option("--subsets", type=COUNT, help="Halves of the data.  [default: 64; 12 with --small]")
@click.option("--seeds", type=COUNT, help="Retrainings of each half.  [default: 3; 1 with --small]")
@methods_option
@queries_option
@small_option
@workers_option
@run_option
@as_json
@dry_run
@pass_workspace
def lds_command(workspace: Workspace, /, dry_run: bool, json_: bool, **options: object) -> None:
    """Ask whether summed scores foretell what retraining on half of the data does.

    Retrains on halves drawn at random, which takes long; interrupted, it goes on where it stopped.
    The ceiling needs two seeds.

    \b
    Example:  tantieme evaluate lds --by artist --small
              tantieme evaluate lds --by item --methods default,trak,tracin,similarity,ngram
    """
    from attribution.evaluation.plan import Drawing
    from cli.jobs.evaluation_retrained import judge_lds, lds_plan

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    subject = find_subject(workspace, asked)
    drawing = Drawing(
        subsets=asked.number(asked.subsets, 64, LITTLE), seeds=asked.number(asked.seeds, 3, 1)
    )
    plan = lds_plan(subject, asked.by, drawing)
    if announced(subject, plan, asked.workers, dry_run=dry_run):
        return
    bank = retrained(workspace, subject, plan, asked.workers)
    scored = scored_by(workspace, subject, asked.names)
    judged = judge_lds(subject, asked.by, bank, scored, asked.kinds)
    finish(workspace, judged, json_=json_)


@evaluate.command("informativeness")
@click.option(
    "--artists", type=COUNT, help="Only the largest catalogues.  [default: all; 3 with --small]"
)
@click.option("--seeds", type=COUNT, help="Retrainings of each.  [default: 5; 2 with --small]")
@methods_option
@queries_option
@small_option
@workers_option
@run_option
@as_json
@dry_run
@pass_workspace
def informativeness_command(
    workspace: Workspace, /, dry_run: bool, json_: bool, **options: object
) -> None:
    """Ask whether what is said of an artist moves with what leaving the artist out does.

    \b
    Example:  tantieme evaluate informativeness --artists 8
    """
    from cli.jobs.evaluation_retrained import judge_informativeness, without_artists

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    subject = find_subject(workspace, asked)
    most = asked.number(asked.artists, len(set(subject.artists)), 3)
    plan = without_artists(subject, asked.number(asked.seeds, 5, 2), most)
    if announced(subject, plan, asked.workers, dry_run=dry_run):
        return
    bank = retrained(workspace, subject, plan, asked.workers)
    scored = scored_by(workspace, subject, asked.names)
    judged = judge_informativeness(subject, bank, scored, asked.kinds)
    finish(workspace, judged, json_=json_)


@evaluate.command("removal")
@by_option
@click.option(
    "--removed",
    default=None,
    type=COUNT,
    help="How many artists, or items.  [default: 3 artists, or one item in twenty]",
)
@click.option("--tracks", type=COUNT, help="Of how many tracks.  [default: 4; 1 with --small]")
@click.option("--seeds", type=COUNT, help="At least five: one is noise.  [default: 5]")
@methods_option
@small_option
@workers_option
@run_option
@as_json
@dry_run
@pass_workspace
def removal_command(workspace: Workspace, /, dry_run: bool, json_: bool, **options: object) -> None:
    """Ask whether what ranks highest is missed the most, once it is left out of training.

    Every method is an arm, beside as many items or artists drawn at random.

    \b
    Example:  tantieme evaluate removal --by item --removed 60
    """
    from attribution.evaluation.removal import SEEDS_MIN, RemovalOptions
    from cli.jobs.evaluation_retrained import judge_removal, plan_removal

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    tracks = asked.number(asked.tracks, 4, 1)
    subject = find_subject(workspace, asked)
    usual = 3 if asked.by == "artist" else len(subject.train) // 20
    chosen = RemovalOptions(
        removed=asked.removed or usual,
        seeds=asked.seeds or SEEDS_MIN,
        random_draws=asked.number(None, 5, 2),
    )
    if dry_run:
        arms, draws = len(asked.names), chosen.random_draws
        trainings = (1 + arms * tracks + draws) * chosen.seeds
        narrate(f"Would retrain {trainings} times; nothing was written.")
        return
    scored = scored_by(workspace, subject, asked.names)
    plan = plan_removal(subject, scored, asked.by, tracks, chosen)
    announced(subject, plan, asked.workers, dry_run=False)
    bank = retrained(workspace, subject, plan, asked.workers)
    finish(workspace, judge_removal(subject, asked.by, bank, tracks), json_=json_)


@evaluate.command("planted")
@click.option("--copies", type=COUNT, default=50, show_default=True, help="Of each kind.")
@methods_option
@run_option
@as_json
@dry_run
@pass_workspace
def planted_command(workspace: Workspace, /, dry_run: bool, json_: bool, **options: object) -> None:
    """Ask whether a copy finds its original: exact, or moved up or down by a fourth.

    \b
    Example:  tantieme evaluate planted
    """
    from cli.jobs.evaluation_checks import judge_planted, planted_rows, score_planted

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    subject = find_subject(workspace, asked)
    copies = planted_rows(subject.train, asked.copies)
    if dry_run:
        narrate(f"Would score {len(copies)} kinds of copies; nothing was written.")
        return
    scored = {}
    for method in asked.names:
        with progress(f"Scoring by {method}") as report:
            scored[method] = score_planted(workspace, subject, copies, method, report)
    finish(workspace, judge_planted(subject, copies, scored), json_=json_)


@evaluate.command("sanity")
@click.option("--method", default="default", show_default=True)
@click.option("--count", type=COUNT, default=24, show_default=True, help="Queries, tracks first.")
@run_option
@as_json
@dry_run
@pass_workspace
def sanity_command(workspace: Workspace, /, dry_run: bool, json_: bool, **options: object) -> None:
    """Ask whether the scores are about the model, and about the query.

    Scores once more with random weights, and looks for rows that every query favours.

    \b
    Example:  tantieme evaluate sanity
    """
    from cli.jobs.evaluation_checks import judge_sanity

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    if asked.method in ALIKE:
        raise click.UsageError(f"{asked.method} is no method that training could teach; name one")
    subject = find_subject(workspace, asked)
    if dry_run:
        narrate(f"Would check {asked.method}; nothing was written.")
        return
    with progress(f"Scoring by {asked.method}") as report:
        judged = judge_sanity(workspace, subject, asked.method, asked.count, report)
    finish(workspace, judged, json_=json_)


@evaluate.command("coverage")
@click.option("--worlds", type=COUNT, help="Made up, of each kind.  [default: 40; 8 with --small]")
@click.option(
    "--runs",
    type=COUNT,
    default=1,
    show_default=True,
    help="Trainings that are attributed together.",
)
@small_option
@as_json
@dry_run
@pass_workspace
def coverage_command(
    workspace: Workspace, /, dry_run: bool, json_: bool, **options: object
) -> None:
    """Ask whether stated intervals hold the truth as often as they say.

    In worlds of made-up scores, and from end to end: music by composers who do not exist is
    trained on, attributed and shared out, and held against training without each of them.

    \b
    Example:  tantieme evaluate coverage
    """
    from cli.jobs.evaluation_checks import judge_coverage, simulated_coverage
    from cli.jobs.evaluation_composers import composition, cover_composers

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    music = composition(runs=asked.runs, small=asked.small)
    worlds = asked.number(asked.worlds, 40, 8)
    if dry_run:
        narrate(f"Would make up {worlds} worlds of each kind; nothing was written.")
        return
    with progress("Making up worlds") as report:
        found = simulated_coverage(worlds, report)
    with progress("Training on composers who do not exist") as report:
        found += cover_composers(workspace, music, report)
    about = {"worlds": str(worlds), "composers": repr(music)}
    finish(workspace, judge_coverage(found, about), json_=json_)


@evaluate.command("tune")
@click.option(
    "--damping",
    type=Numbers(POSITIVE),
    default="0.001,0.003,0.01",
    show_default=True,
    metavar="X,…",
)
@click.option(
    "--ridge", type=Numbers(POSITIVE), default="0.5,2,8", show_default=True, metavar="X,…"
)
@click.option(
    "--kept",
    type=Numbers(COUNT),
    default="10880,43520",
    show_default=True,
    metavar="N,…",
    help="Numbers of a row.",
)
@click.option("--subsets", type=COUNT, help="Halves of the data.  [default: 32; 12 with --small]")
@click.option("--seeds", type=COUNT, help="Retrainings of each half.  [default: 2; 1 with --small]")
@small_option
@workers_option
@run_option
@as_json
@dry_run
@pass_workspace
def tune_command(workspace: Workspace, /, dry_run: bool, json_: bool, **options: object) -> None:
    """Choose damping, ridge and numbers kept on queries that are never reported.

    Tries every combination, by item and by artist, on half of the held-out queries and half of the
    retrainings; what the best one gains is told on the other half. Changes no index and no recipe.

    \b
    Example:  tantieme evaluate tune --ridge 1,2,4
    """
    from attribution.evaluation.plan import Drawing
    from attribution.evaluation.tune import grid
    from attribution.methods.recipes import RECIPES
    from cli.jobs.evaluation_retrained import lds_plan
    from cli.jobs.evaluation_tuning import judge_tuning, scorer
    from cli.jobs.evidence import PAYING

    asked = Asked(**options)  # type: ignore[arg-type]  # click gives its options' types
    subject = find_subject(workspace, asked)
    settings = grid(asked.damping, asked.kept, asked.ridge)
    drawing = Drawing(
        subsets=asked.number(asked.subsets, 32, LITTLE), seeds=asked.number(asked.seeds, 2, 1)
    )
    plans = {
        "artist": lds_plan(subject, "artist", drawing),
        "item": lds_plan(subject, "item", drawing),
    }
    for plan in plans.values():
        announced(subject, plan, asked.workers, dry_run=dry_run)
    if dry_run:
        return
    banks = {by: retrained(workspace, subject, p, asked.workers) for by, p in plans.items()}
    recipe = RECIPES[PAYING]
    with progress(f"Trying {len(settings)} settings") as report:
        score = scorer(workspace, subject, recipe, report)
        judged = judge_tuning(subject, recipe, score, settings, banks)
    finish(workspace, judged, json_=json_)
