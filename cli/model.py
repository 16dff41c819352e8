"""`tantieme model import` and `tantieme model months`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import as_json, dry_run, narrate, pass_workspace, print_json
from cli.versions import months
from cli.workspace import Workspace

if TYPE_CHECKING:
    from cli.jobs.models import Import


@click.group()
def model() -> None:
    """Keep models that were trained elsewhere, and see which months used which."""


model.add_command(months)


@model.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(path_type=Path))
@click.option(
    "--code",
    required=True,
    metavar="MODULE:FUNCTION",
    help="What makes the model; FILE.py:FUNCTION too. Called with nothing for a file of weights, "
    "with the folder for a folder.",
)
@click.option(
    "--fraction",
    "fractions",
    type=float,
    multiple=True,
    help="How far training was at each PATH, such as 0.4; repeat.  [default: evenly spaced]",
)
@click.option("--span", default=96, show_default=True, help="Events that the model read at once.")
@click.option("--spans-max", default=6, show_default=True, help="Spans taken of one recording.")
@as_json
@dry_run
@pass_workspace
def import_model(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    paths: tuple[Path, ...],
    code: str,
    fractions: tuple[float, ...],
    span: int,
    spans_max: int,
    json_: bool,
    dry_run: bool,
) -> None:
    """Import checkpoints that were trained elsewhere on the catalogue, in the order of training.

    PATH is a file of weights (safetensors, or a PyTorch state dict) or a folder as transformers
    saves one. The model must read our events: model(tokens)[:, i] are logits about tokens[:, i]
    that have seen only the tokens before it. Then 'tantieme index build' and 'tantieme attribute'
    work on it. In which order it read its batches is not known, so it cannot be replayed.

    \b
    Example:  tantieme model import early.safetensors late.safetensors --code my_model.py:build
              tantieme model import saved/ --code my_model.py:load --fraction 1.0
    """
    from attribution.models.imported import Wanted
    from cli.jobs.models import Cut, import_run, plan_import

    wanted = Wanted(sources=paths, code=code, fractions=fractions)
    planned = plan_import(workspace, wanted, Cut(span=span, spans_max=spans_max))
    if not dry_run:
        import_run(workspace, planned)
    if json_:
        print_json(_document(planned, dry_run=dry_run))
    elif dry_run:
        narrate(f"Would import run {planned.id} of {planned.summary}; nothing was written.")
    else:
        state = "is already here" if planned.already else "is imported"
        narrate(f"Run {planned.id} {state}: {planned.summary}.")


def _document(planned: Import, *, dry_run: bool) -> dict[str, object]:
    checkpoints = zip(planned.wanted.sources, planned.wanted.places, strict=True)
    return {
        "schema": 1,
        "run": planned.id,
        "written": not (dry_run or planned.already),
        "checkpoints": [{"path": str(path), "fraction": place} for path, place in checkpoints],
        "fractions_from": "given" if planned.wanted.fractions else "order",
        "items": len(planned.rows),
        "replay": False,
    }
