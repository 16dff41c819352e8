"""`tantieme dashboard`: where it listens, and for whom."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import tantieme
from cli.setup import set_up
from cli.workspace import Workspace
from royalty.errors import BadInput, RoyaltyError

SECRET = "c0ffee" * 8
AUTH = {
    "redirect_uri": "https://money.example/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "tantieme",
    "client_secret": "hush-hush",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}
PEOPLE = '[[people]]\nemail = "kim@example.test"\nrole = "auditor"\n'

Started = list[tuple[list[str], dict[str, str]]]
Ask = Callable[..., Started]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    set_up(Workspace(home=tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Give the command and return the servers that it would have started, with what they know."""

    def asked(*words: str) -> Started:
        started: Started = []
        monkeypatch.setattr(
            "subprocess.call", lambda command, env: started.append((command, env)) or 0
        )
        result = CliRunner().invoke(tantieme, ["--home", str(home), "dashboard", *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        assert not [each for each in (SECRET, "hush-hush") if each in result.output]
        return started

    return asked


def written(file: Path, **auth: str) -> Path:
    lines = [f'{key} = "{value}"' for key, value in (AUTH | auth).items() if value]
    file.write_text("\n".join(["[auth]", *lines]), encoding="utf-8")
    return file


def option(command: list[str], name: str) -> str:
    return command[command.index(f"--{name}") + 1]


def test_without_sign_in_it_listens_on_this_machine_only(ask: Ask) -> None:
    [(command, environment)] = ask("--port", "9000")

    assert option(command, "server.address") == "localhost"
    assert option(command, "server.port") == "9000"
    assert "TANTIEME_SIGN_IN" not in environment
    with pytest.raises(RoyaltyError, match="listens on this machine only, and not on"):
        ask("--address", "0.0.0.0")


def test_with_sign_in_it_listens_where_it_is_told_and_requires_it(ask: Ask, home: Path) -> None:
    secrets = written(home.parent / "hidden.toml")
    (home / "access.toml").write_text(PEOPLE, encoding="utf-8")

    [(command, environment)] = ask("--secrets", str(secrets), "--address", "0.0.0.0")

    assert option(command, "server.address") == "0.0.0.0"
    assert option(command, "secrets.files") == str(secrets)
    assert environment["TANTIEME_SIGN_IN"] == "required"


def test_secrets_of_the_workspace_need_no_naming(ask: Ask, home: Path) -> None:
    secrets = written(home / "secrets.toml")
    (home / "access.toml").write_text(PEOPLE, encoding="utf-8")

    [(command, environment)] = ask()

    assert option(command, "secrets.files") == str(secrets)
    assert environment["TANTIEME_SIGN_IN"] == "required"


def test_sign_in_without_a_list_of_people_is_refused(ask: Ask, home: Path) -> None:
    written(home / "secrets.toml")

    with pytest.raises(RoyaltyError, match=r"nobody is listed who may look; write .*access.toml"):
        ask()
    (home / "access.toml").write_text("k = 0", encoding="utf-8")
    with pytest.raises(BadInput, match="k: must be a whole number"):
        ask()


@pytest.mark.parametrize(
    ("auth", "fault"),
    [
        ({"client_id": ""}, "auth.client_id: is missing"),
        ({"cookie_secret": "hush"}, "auth.cookie_secret: is shorter than 32 characters"),
        ({"redirect_uri": "https://money.example/"}, "must end in /oauth2callback"),
        ({"redirect_uri": "http://money.example/oauth2callback"}, "must be https"),
        ({"client_secret": 'hush-hush"'}, "cannot be read as TOML"),
    ],
)
def test_secrets_that_would_fail_are_named_and_not_told(
    ask: Ask, home: Path, auth: dict[str, str], fault: str
) -> None:
    (home / "access.toml").write_text(PEOPLE, encoding="utf-8")
    written(home / "secrets.toml", **auth)

    with pytest.raises(BadInput, match=fault) as refusal:
        ask()

    assert "hush" not in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_sign_in_may_be_over_http_on_this_machine(ask: Ask, home: Path) -> None:
    (home / "access.toml").write_text(PEOPLE, encoding="utf-8")
    written(home / "secrets.toml", redirect_uri="http://localhost:8501/oauth2callback")

    assert ask()
