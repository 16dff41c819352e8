"""Measuring one method in a process of its own: `python -m benchmarks.one NAME BANK OUT`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.bank import Bank, read_bank
from benchmarks.measured import Scores, save, training_step
from benchmarks.ours import OURS
from benchmarks.peers import PEERS

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure(name: str, bank: Bank) -> tuple[Scores, float]:
    """Run a method in this process, after a training step, which also warms PyTorch up."""
    step = training_step(bank)
    torch.manual_seed(0)
    method = OURS[name] if name in OURS else PEERS[name]
    return method(bank), step


def measure_apart(name: str, bank: Path, out: Path) -> str | None:
    """Run a method in a process of its own, which writes its files into `out`.

    Return None, or the last line of what went wrong: a peer that fails is a result too.
    """
    command = [sys.executable, "-m", "benchmarks.one", name, str(bank), str(out)]
    done = subprocess.run(  # noqa: S603  our own module
        command, env=os.environ | _ONE_THREAD, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]


def main(name: str, bank: str, out: str) -> None:
    """Measure one method and write what was found."""
    torch.set_num_threads(1)
    scores, step = measure(name, read_bank(Path(bank)))
    save(scores, step, Path(out), name)


if __name__ == "__main__":
    main(*sys.argv[1:])
