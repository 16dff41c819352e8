"""The architecture, as failing tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
ROOMS = ("royalty", "attribution", "db", "dashboard", "cli")


def test_imports_follow_the_arrows() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml")) == EXIT_STATUS_SUCCESS


def test_every_folder_of_code_is_a_package_so_that_the_contracts_see_it() -> None:
    blind = {
        folder.parent.relative_to(ROOT)
        for room in ROOMS
        for folder in (ROOT / room).rglob("*.py")
        if not (folder.parent / "__init__.py").exists()
    }

    assert not blind


@pytest.mark.parametrize(
    "command", ["", "payouts", "close", "statement", "usage", "shares", "trail"]
)
def test_help_and_the_money_commands_import_no_torch(command: str) -> None:
    script = (
        "import sys; from cli.main import main; "
        f"main([*{command.split()!r}, '--help']); "
        "sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
