"""The benchmark of a bare GPU machine, on a small model and with nothing else installed."""

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.gpu import Size, operations

ROOT = Path(__file__).parents[2]
ALLOWED = ("torch", "numpy", "scipy", "safetensors", "transformers")


def with_what_they_need(names: tuple[str, ...]) -> set[str]:
    """Follow requirements, extras left out: what installing these packages brings along."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        needed = [Requirement(text) for text in distribution(name).requires or []]
        waiting += [each.name for each in needed if not each.marker or each.marker.evaluate()]
    return found


def bare_environment(folder: Path) -> Path:
    """Link what a bare machine has, and of ours the engine and the benchmarks alone."""
    for name in with_what_they_need(ALLOWED):
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top not in {"..", "__pycache__"} and not (folder / top).exists():
                (folder / top).symlink_to(distribution(name).locate_file(top))
    for room in ("attribution", "benchmarks"):
        (folder / room).symlink_to(ROOT / room)
    return folder


@pytest.mark.slow
def test_the_core_runs_with_nothing_but_torch_numpy_scipy_safetensors_and_transformers(tmp_path):
    bare = bare_environment(tmp_path)
    script = (
        f"import sys; sys.path.insert(0, {str(bare)!r}); sys.argv[1:] = ['--tiny']\n"
        "import runpy; from importlib.util import find_spec\n"
        "assert not any(map(find_spec, ('pandas', 'pyarrow', 'symusic', 'sqlalchemy', 'peft')))\n"
        "runpy.run_module('benchmarks.gpu', run_name='__main__')"
    )

    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"OMP_NUM_THREADS": "1", "HOME": str(tmp_path)},
    )

    assert done.returncode == 0, done.stderr
    for word in ("items/s", "tokens/s", "share of it", "not on a GPU"):
        assert word in done.stdout


def test_the_work_of_an_item_by_hand():
    size = Size(layers=2, width=10, positions=3)

    # Each position meets each parameter four times; each pair of positions, half of which are
    # causal, takes 4 · width operations a layer forth and 8 back.
    assert operations(size, 100) == 4 * 100 * 3 + 2 * (4 + 8) * 10 * 9 / 2
