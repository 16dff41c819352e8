"""Signing in with a provider, in a real browser: one's own statement, until the token ends."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Page, expect

from cli.dashboard import _command
from dashboard import reads
from tests.dashboard.browsing import APP, opened, settle, wait_until_healthy
from tests.dashboard.test_identity import LISTED

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the provider's own, on its thread
]

HOUR, MOMENT = timedelta(hours=1), timedelta(seconds=1)
PEOPLE = [
    User(sub=name, claims={"email": f"{name}@example.test", "email_verified": True})
    for name in ("ann", "eve")
]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def secrets(folder: Path, port: int, provider: int) -> Path:
    file = folder / "secrets.toml"
    file.write_text(
        f"""\
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{"c0ffee" * 8}"
client_id = "tantieme"
client_secret = "any"
server_metadata_url = "http://localhost:{provider}/.well-known/openid-configuration"
""",
        encoding="utf-8",
    )
    return file


@contextmanager
def served(home: Path, port: int, file: Path) -> Iterator[str]:
    """Serve the pages with sign-in, as `tantieme dashboard --secrets FILE` does."""
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "TANTIEME_HOME": str(home),
        "TANTIEME_SIGN_IN": "required",
        "PYTHONPATH": str(APP.parents[1]),
    }
    command = _command(port, "127.0.0.1", file)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def listed(home: Path) -> Iterator[Path]:
    file = home / "access.toml"
    file.write_text(LISTED, encoding="utf-8")
    yield file
    file.unlink()


def sign_in(page: Page, name: str) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    page.wait_for_url("http://127.0.0.1:*/**")
    settle(page)


def test_a_payee_signs_in_sees_own_statement_and_is_refused_once_the_token_ended(
    where: reads.Place,
    listed: Path,  # noqa: ARG001
    page: Page,
    tmp_path: Path,
) -> None:
    port, provider = free_port(), free_port()
    file = secrets(tmp_path, port, provider)
    with served(Path(where.home), port, file) as url:
        with run_server_in_thread(provider, user_claims=PEOPLE, access_token_max_age=HOUR):
            page.goto(f"{url}/statement?payee=ben")
            settle(page)
            expect(page.get_by_text("€")).to_have_count(0)

            sign_in(page, "ann")
            expect(page.get_by_text("Signed in as ann@example.test")).to_be_visible()
            page.goto(f"{url}/statement?payee=ben&period=2026-10")
            settle(page)
            expect(page.get_by_text("Owed to Ann Aalto")).to_be_visible()
            expect(page.get_by_text("Ben Brandt")).to_have_count(0)
            page.goto(f"{url}/rules")
            settle(page)
            expect(page.get_by_text("shown to accountants and auditors only")).to_be_visible()

            page.context.clear_cookies()
            page.goto(url)
            settle(page)
            sign_in(page, "eve")
            expect(page.get_by_text("Ask Rita to add you")).to_be_visible()

        page.context.clear_cookies()
        with run_server_in_thread(provider, user_claims=PEOPLE, access_token_max_age=MOMENT):
            page.goto(url)
            settle(page)
            sign_in(page, "ann")
            page.wait_for_timeout(2 * MOMENT.total_seconds() * 1000)
            opened(page, url)
            expect(page.get_by_text("Your sign-in ended")).to_be_visible()
            expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            expect(page.get_by_text("Ann Aalto")).to_have_count(0)
