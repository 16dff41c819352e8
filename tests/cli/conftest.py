from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main

EXAMPLE = Path(__file__).parents[2] / "data" / "example"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Tantieme = Callable[..., Ran]


@pytest.fixture
def tantieme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tantieme:
    """Run one command in a workspace of its own and return what came out."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main(["--home", str(tmp_path / "home"), *map(str, arguments)])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture
def example(tantieme: Tantieme) -> Tantieme:
    """The README's world: three artists, three tracks, two listeners, twenty euros."""
    for arguments in (
        ("init",),
        ("catalogue", "import", EXAMPLE),
        ("shares", "import", EXAMPLE / "shares.csv"),
        ("usage", "import", EXAMPLE / "usage.csv"),
        ("revenue", "import", EXAMPLE / "revenue.csv"),
    ):
        ran = tantieme(*arguments)
        assert ran.code == 0, ran.err
    return tantieme


@pytest.fixture(scope="session")
def closed_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's world, its October closed by plays, made once; tests take a copy."""
    home = tmp_path_factory.mktemp("closed") / "home"
    for arguments in (
        ("init",),
        ("catalogue", "import", EXAMPLE),
        *((what, "import", EXAMPLE / f"{what}.csv") for what in ("shares", "usage", "revenue")),
        ("close", "2026-10", "--rule", "pro-rata"),
    ):
        assert main(["--home", str(home), *map(str, arguments)]) == 0
    return home
