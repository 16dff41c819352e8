"""`tantieme dashboard`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click

from cli.output import narrate, pass_workspace
from cli.workspace import Workspace


@click.command()
@click.option("--port", default=8501, show_default=True, help="Where to listen, on this machine.")
@pass_workspace
def dashboard(workspace: Workspace, port: int) -> None:
    """Open the dashboard in a browser. It reads and never writes.

    There is no sign-in yet, so it listens on this machine only.

    \b
    Example:  tantieme --home demo-home dashboard
    """
    workspace.settings()  # refuses outside a workspace, before a server starts
    narrate(f"The dashboard of {workspace.home} is at http://localhost:{port} (Ctrl-C ends it).")
    environment = {**os.environ, "TANTIEME_HOME": str(workspace.home.resolve())}
    if workspace.database:
        environment["TANTIEME_DATABASE_URL"] = workspace.database
    click.get_current_context().exit(subprocess.call(_command(port), env=environment))  # noqa: S603


def _command(port: int) -> list[str]:
    # Found by path and not imported: the command line launches it and knows nothing of it.
    found = importlib.util.find_spec("dashboard")
    assert found is not None
    assert found.origin is not None
    app = Path(found.origin).with_name("app.py")
    options = {
        "server.port": port,
        "server.address": "localhost",
        "browser.gatherUsageStats": "false",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags]
