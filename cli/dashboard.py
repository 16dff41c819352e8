"""`tantieme dashboard`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click

from cli.output import narrate, pass_workspace
from cli.workspace import Workspace
from royalty.access import FILE, LOCAL
from royalty.errors import BadInput, NotReady, Problem, RoyaltyError

COOKIE_SECRET_MIN = 32  # characters: whoever guesses it signs in as anybody
_NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")


@click.command()
@click.option("--port", default=8501, show_default=True, help="Where to listen.")
@click.option(
    "--address",
    default="localhost",
    show_default=True,
    help="On which address; another than this machine's needs sign-in.",
)
@click.option(
    "--secrets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="TANTIEME_SECRETS",
    help="The file that configures sign-in. Default: secrets.toml of the workspace, if there.",
)
@pass_workspace
def dashboard(workspace: Workspace, port: int, address: str, secrets: Path | None) -> None:
    """Open the dashboard in a browser. It reads and never writes.

    Without sign-in it listens on this machine only, and whoever opens it sees everything. With
    sign-in each sees what access.toml lets them see; docs/dashboard.md says how.

    \b
    Example:  tantieme --home demo-home dashboard
    """
    workspace.settings()  # refuses outside a workspace, before a server starts
    file = secrets or workspace.home / "secrets.toml"
    signs_in = file.exists()
    if signs_in:
        _require_sign_in(workspace, file)
    elif address not in LOCAL:
        raise RoyaltyError(
            f"without sign-in the dashboard listens on this machine only, and not on {address}; "
            "configure sign-in with --secrets FILE, or leave --address out"
        )
    narrate(f"The dashboard of {workspace.home} is at http://{address}:{port} (Ctrl-C ends it).")
    if not signs_in:
        narrate("No sign-in is configured: whoever opens it on this machine sees everything.")
    environment = {**os.environ, "TANTIEME_HOME": str(workspace.home.resolve())}
    if workspace.database:
        environment["TANTIEME_DATABASE_URL"] = workspace.database
    if signs_in:
        environment["TANTIEME_SIGN_IN"] = "required"
    command = _command(port, address, file.resolve())
    click.get_current_context().exit(subprocess.call(command, env=environment))  # noqa: S603


def _require_sign_in(workspace: Workspace, secrets: Path) -> None:
    """Refuse what would let nobody in, or anybody. What is secret is never repeated."""
    from db.queries import access

    if access(workspace.home) is None:
        raise NotReady(
            f"sign-in is configured by {secrets} and nobody is listed who may look; write "
            f"{workspace.home / FILE} first, as docs/dashboard.md shows"
        )
    try:
        auth = tomllib.loads(secrets.read_text(encoding="utf-8")).get("auth", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        raise BadInput([Problem(str(secrets), None, None, "cannot be read as TOML")]) from None
    problems = [Problem(str(secrets), None, f"auth.{key}", fault) for key, fault in _faults(auth)]
    if problems:
        raise BadInput(problems)


def _faults(auth: object) -> Iterator[tuple[str, str]]:
    said = {key: auth.get(key) if isinstance(auth, dict) else None for key in _NEEDED}
    yield from ((key, "is missing") for key, value in said.items() if not value)
    secret, redirect = str(said["cookie_secret"] or ""), urlsplit(str(said["redirect_uri"] or ""))
    if 0 < len(secret) < COOKIE_SECRET_MIN:
        yield "cookie_secret", f"is shorter than {COOKIE_SECRET_MIN} characters; make it by chance"
    if said["redirect_uri"] and redirect.path.rpartition("/")[2] != "oauth2callback":
        yield "redirect_uri", "must end in /oauth2callback"
    if redirect.scheme == "http" and redirect.hostname not in LOCAL:
        yield "redirect_uri", "must be https, so that nobody reads along who signs in"


def _command(port: int, address: str, secrets: Path) -> list[str]:
    # Found by path and not imported: the command line launches it and knows nothing of it.
    found = importlib.util.find_spec("dashboard")
    assert found is not None
    assert found.origin is not None
    app = Path(found.origin).with_name("app.py")
    options = {
        "server.port": port,
        "server.address": address,
        "secrets.files": secrets,  # and no other: not those that lie where the command was given
        "browser.gatherUsageStats": "false",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags]
