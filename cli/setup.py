"""`tantieme init` and `tantieme doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys

import click

from cli.output import as_json, dry_run, narrate, pass_workspace, print_json, print_table
from cli.workspace import SETTINGS, Settings, Workspace
from db.engine import open_books, upgrade
from royalty.catalogue import PPM


@click.command()
@dry_run
@pass_workspace
def init(workspace: Workspace, dry_run: bool) -> None:
    """Set up a workspace: its folder, its settings and its books.

    Run again, it brings the books up to date and leaves the settings alone.

    \b
    Example:  tantieme --home ~/royalties init
    """
    if dry_run:
        narrate(f"Would set up {workspace.home} and migrate its books; nothing was written.")
        return
    known = workspace.settings_file.exists()
    set_up(workspace)
    narrate(f"{workspace.home} {'was' if known else 'is'} set up; its books are up to date.")


def set_up(workspace: Workspace, settings: Settings | None = None) -> None:
    """Make a workspace where there is none, and migrate its books."""
    workspace.home.mkdir(parents=True, exist_ok=True)
    if not workspace.settings_file.exists():
        chosen = settings or Settings()
        text = SETTINGS.format(
            rule=chosen.rule,
            publishing_ppm=chosen.publishing_ppm,
            royalty_rate_ppm=chosen.royalty_rate_ppm.get("default", PPM),
        )
        workspace.settings_file.write_text(text, encoding="utf-8")
    upgrade(open_books(workspace.database, workspace.home))


@click.command()
@as_json
@pass_workspace
def doctor(workspace: Workspace, json_: bool) -> None:
    """Say what this machine can do, and what is missing.

    \b
    Example:  tantieme doctor
    """
    findings = _findings(workspace)
    if json_:
        print_json(
            {"schema": 1, "findings": [dict(zip(_KEYS, row, strict=True)) for row in findings]}
        )
        return
    print_table("", ["part", "found", "what to do"], findings)


_KEYS = ("part", "found", "advice")


def _findings(workspace: Workspace) -> list[tuple[str, str, str]]:
    import torch

    synthesiser = shutil.which("fluidsynth")
    cuda = torch.cuda.is_available()
    return [
        (
            "Python",
            platform.python_version(),
            "" if sys.version_info >= (3, 11) else "3.11 or newer",
        ),
        ("PyTorch", torch.__version__, ""),
        ("GPU", torch.cuda.get_device_name() if cuda else "none", "" if cuda else "the CPU serves"),
        ("cores", str(os.cpu_count()), ""),
        ("synthesiser", synthesiser or "none", "" if synthesiser else _SYNTHESISER),
        (
            "music21",
            _version("music21"),
            "pip install 'tantieme[demo]'" if _lacks("music21") else "",
        ),
        (
            "workspace",
            str(workspace.home),
            "" if workspace.settings_file.exists() else "tantieme init",
        ),
    ]


_SYNTHESISER = "apt-get install fluidsynth timgm6mb-soundfont, to hear tracks and recordings"


def _version(distribution: str) -> str:
    return "none" if _lacks(distribution) else importlib.metadata.version(distribution)


def _lacks(distribution: str) -> bool:
    return not list(importlib.metadata.distributions(name=distribution))
