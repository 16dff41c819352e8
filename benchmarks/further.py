"""What ensembles need beyond a bank: more independent runs, and the measurement TRAK takes.

Runs are trained as the bank's own were: AdamW (0.9, 0.95) with weight decay 0.05 on matrices, a
learning rate that rises for a tenth of the steps to 4e-3 and falls over the last seven tenths,
batches of 16, gradients clipped to length 1.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from attribution.files import write_whole
from attribution.task import Batch, Checkpoint, Task
from benchmarks.bank import Bank

_BATCH, _RATE, _DECAY = 16, 4e-3, 0.05
_SECONDS = "seconds"
Run = dict[int, Checkpoint]  # by epoch


def margin_task(bank: Bank) -> Task:
    """Explain TRAK's margin, log p - log (1 - p) summed over tokens (Park et al. 2023)."""
    return replace(bank.task, measurement=partial(_margin, bank.inputs))


def all_runs(bank: Bank, count: int, kept: Path) -> tuple[dict[str, Run], float]:
    """Return `count` runs by name, the bank's first, and the CPU seconds that training one takes.

    At least one is trained here, for the seconds; those trained stay in `kept`.
    """
    epochs = bank.epochs(bank.runs[0])
    runs = {run: {e: bank.checkpoints[run, e] for e in epochs} for run in bank.runs[:count]}
    seconds = []
    for number in range(min(len(runs), count - 1), count):
        path = kept / f"further-{number}.safetensors"
        if not path.exists():
            write_whole(path, bytes_of(_trained(bank, number)))
        found = load_file(path)
        seconds.append(float(found.pop(_SECONDS)))
        if number >= len(bank.runs):
            runs[f"further-{number}"] = _checkpoints(bank, found, f"further-{number}")
    return runs, sum(seconds) / len(seconds)


def _checkpoints(bank: Bank, found: dict[str, Tensor], run: str) -> Run:
    kept: Run = {}
    for epoch in bank.epochs(bank.runs[0]):
        state = {
            name.removeprefix(f"{epoch}/"): tensor
            for name, tensor in found.items()
            if name.startswith(f"{epoch}/")
        }
        kept[epoch] = Checkpoint(
            name=f"{run}.ep{epoch}",
            sha256=_sha256(state),
            load=partial(_load, bank.new_model, state),
            run=run,
        )
    return kept


def _trained(bank: Bank, seed: int) -> dict[str, Tensor]:
    """Train one run; its weights as `epoch/name`, and the CPU seconds that it took."""
    torch.manual_seed(seed)
    model, wanted = bank.new_model().train(), bank.epochs(bank.runs[0])
    found: dict[str, Tensor] = {}
    start = time.process_time()
    steps = _steps(bank, model, wanted[-1])
    for epoch in range(1, wanted[-1] + 1):
        next(steps)
        if epoch in wanted:
            found |= {f"{epoch}/{n}": t.detach().clone() for n, t in model.state_dict().items()}
    return found | {_SECONDS: torch.tensor(time.process_time() - start)}


def _steps(bank: Bank, model: nn.Module, epochs: int) -> Iterator[None]:
    """Train, and yield after every epoch."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": _DECAY}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=_RATE, betas=(0.9, 0.95))
    total = epochs * (len(bank.train) // _BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(_rate, total))
    for _ in range(epochs):
        order = torch.randperm(len(bank.train)).tolist()[: total // epochs * _BATCH]
        for batch in bank.train.take(order).batches(_BATCH):
            optimiser.zero_grad()
            loss = bank.task.loss(model, batch).sum() / batch["tokens"].numel()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        yield


def _rate(total: int, step: int) -> float:
    return min(1.0, (step + 1) / (0.1 * total)) * max(
        0.02, min(1.0, (total - step) / (0.7 * total))
    )


def _load(new_model: Callable[[], nn.Module], state: dict[str, Tensor]) -> nn.Module:
    model = new_model()
    model.load_state_dict(state)
    return model.eval()


def _sha256(state: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _margin(inputs: Callable[[Tensor], Tensor], model: nn.Module, batch: Batch) -> Tensor:
    logits, tokens = model(inputs(batch["tokens"])), batch["tokens"][..., None]
    others = logits.scatter(-1, tokens, -torch.inf).logsumexp(-1)
    margins: Tensor = (logits.gather(-1, tokens)[..., 0] - others).sum(1)
    return margins  # (example,)
