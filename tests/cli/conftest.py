import shutil
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="module")
def soundless() -> Iterator[None]:
    """Write down what would be rendered, instead of rendering it."""

    def written(midi: Path, wav: Path, *, seconds_max: float | None = None) -> None:
        wav.write_bytes(midi.read_bytes() + f"{seconds_max}".encode())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cli.jobs.catalogue.render", written)
        yield


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Keep tiny models from waiting for threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tantieme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tantieme:
    """Run one command in a workspace of its own and return what came out."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main(["--home", str(tmp_path / "home"), *map(str, arguments)])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def imported_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's world, with all that came in for October; made once, tests take a copy."""
    home = tmp_path_factory.mktemp("imported") / "home"
    for arguments in (
        ("init",),
        ("catalogue", "import", EXAMPLE),
        *((what, "import", EXAMPLE / f"{what}.csv") for what in ("shares", "usage", "revenue")),
    ):
        assert main(["--home", str(home), *map(str, arguments)]) == 0
    return home


@pytest.fixture(scope="session")
def closed_example(imported_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's world, its October closed by plays; made once, tests take a copy."""
    home = tmp_path_factory.mktemp("closed") / "home"
    shutil.copytree(imported_example, home)
    assert main(["--home", str(home), "close", "2026-10", "--as", "kim"]) == 0
    return home


@pytest.fixture
def example(tantieme: Tantieme, imported_example: Path, tmp_path: Path) -> Tantieme:
    """The README's world: three artists, three tracks, two listeners, twenty euros."""
    shutil.copytree(imported_example, tmp_path / "home")
    return tantieme


@pytest.fixture
def closed(tantieme: Tantieme, closed_example: Path, tmp_path: Path) -> Tantieme:
    """October is closed by plays: ann has 3.83, bob 7.93 and cy 8.23 of its 20.00."""
    shutil.copytree(closed_example, tmp_path / "home")
    return tantieme
