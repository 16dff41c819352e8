"""The demonstration, small, made once for all tests that only look at it or take a copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock


def tantieme(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "--home", str(home), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Path, str]:
    """A workspace after `demo --small`, and what the command printed. Read it, or copy it.

    The processes that tests are spread over share it: the first makes it, others wait.
    """
    if shutil.which("fluidsynth") is None:
        why = "no synthesiser: apt-get install fluidsynth timgm6mb-soundfont"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "demonstration"
    home, said = shared / "home", shared / "said"
    with FileLock(f"{shared}.lock"):
        if not said.exists():
            ran = tantieme(home, "demo", "--small")
            assert ran.returncode == 0, ran.stderr
            said.write_text(ran.stdout, encoding="utf-8")
    return home, said.read_text(encoding="utf-8")
