"""Adapters on a trained base: each a short training of a few weights beside the frozen ones.

The members' gradients are those of the adapters alone (Hu et al. 2022; as an ensemble: Deng et al.
2024), so score them with `adapter_task`. Needs `peft`, which is imported when it is first used.
An adapter is kept as `adapter-<hash>.safetensors`, named by all that decides it; one that is there
already is not trained again. Same base, rows, options, machine and threads: the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load as weights_of
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from attribution.ensemble.checkpoints import CannotCombine, Load, derived_sha256
from attribution.errors import CorruptIndex
from attribution.files import write_whole
from attribution.task import Checkpoint, Rows, Task, rows_sha256

ADAPTERS = ("*lora_*",)  # what their parameters are called


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraOptions:
    """How many adapters, how large, and how they are trained."""

    adapters: int = 3
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.1
    targets: tuple[str, ...] = ("*",)  # patterns over the names of linear layers
    spared: tuple[str, ...] = ("*head",)  # of those; an output layer may share its weights
    epochs: int = 2
    batch: int = 16
    learning_rate: float = 1e-3
    seed: int = 0
    apart: bool = False  # adapters are replicates of their own, not added up


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """What adapters are trained on, and where they are kept."""

    task: Task
    rows: Rows
    directory: Path
    device: str = "cpu"


def adapter_task(task: Task) -> Task:
    """Look at the parameters of adapters only."""
    return replace(task, parameters=ADAPTERS)


def lora(
    checkpoint: Checkpoint, options: LoraOptions, trained_on: TrainedOn
) -> tuple[Checkpoint, ...]:
    """Train `options.adapters` adapters on a checkpoint, each with a seed of its own.

    They are named `step-300+adapter-0` and so on. Raises `CannotCombine` where `options.targets`
    leaves no linear layer over.
    """
    trained_on.directory.mkdir(parents=True, exist_ok=True)
    rows = rows_sha256(trained_on.rows)
    return tuple(
        _member(checkpoint, options, trained_on, number=number, rows=rows)
        for number in range(options.adapters)
    )


def _member(
    base: Checkpoint, options: LoraOptions, trained_on: TrainedOn, *, number: int, rows: str
) -> Checkpoint:
    kept = {k: v for k, v in asdict(options).items() if k not in {"adapters", "apart"}}
    identity = derived_sha256([base], "lora", {**kept, "number": number, "rows": rows})
    path = trained_on.directory / f"adapter-{identity[:16]}.safetensors"
    if not path.exists():
        write_whole(path, bytes_of(_train(base, options, trained_on, int(identity[:14], 16))))
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(
        base,
        name=f"{base.name}+adapter-{number}",
        sha256=derived_sha256([base], "lora", {"adapter": content, "identity": identity}),
        load=partial(_load, base.load, options, path, content),
        run=f"{base.run}/adapter-{number}" if options.apart else base.run,
    )


def _train(
    base: Checkpoint, options: LoraOptions, trained_on: TrainedOn, seed: int
) -> dict[str, Tensor]:
    """Train one adapter and return its weights."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = _adapted(base.load(), options).to(trained_on.device).train()
        weights = [p for p in model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(weights, lr=options.learning_rate)
        order = torch.Generator().manual_seed(seed)
        for _ in range(options.epochs):
            places = torch.randperm(len(trained_on.rows), generator=order).tolist()
            for batch in trained_on.rows.take(places).batches(options.batch):
                here = {name: tensor.to(trained_on.device) for name, tensor in batch.items()}
                optimiser.zero_grad()
                trained_on.task.loss(model, here).mean().backward()  # type: ignore[no-untyped-call]
                optimiser.step()
    return _adapter(model)


def _load(load: Load, options: LoraOptions, path: Path, sha256: str) -> nn.Module:
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CorruptIndex(f"{path} is not the adapter that was trained; train it again")
    with torch.random.fork_rng(devices=[]):  # new adapters draw random weights
        model = _adapted(load(), options)
    model.load_state_dict(weights_of(content), strict=False)
    return model.eval()


def _adapted(model: nn.Module, options: LoraOptions) -> nn.Module:
    """Put untrained adapters beside the chosen weights and freeze everything else."""
    from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415  seconds to import

    targets = _targets(model, options)
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=targets,
        fan_in_fan_out=all(_transposed(model.get_submodule(name)) for name in targets),
    )
    adapted: nn.Module = inject_adapter_in_model(config, model)
    return adapted


def _targets(model: nn.Module, options: LoraOptions) -> list[str]:
    """Name the linear layers that the patterns choose."""
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) or _transposed(module)
        if _any(name, options.targets) and not _any(name, options.spared)
    ]
    if not found:
        raise CannotCombine(f"no linear layer matches {', '.join(options.targets)}; name others")
    return found


def _transposed(module: nn.Module) -> bool:
    """Know transformers' Conv1D by its name, as `layers` does."""
    return type(module).__name__ == "Conv1D"


def _any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _adapter(model: nn.Module) -> dict[str, Tensor]:
    state = model.state_dict()
    return {name: state[name].cpu().contiguous() for name in state if "lora_" in name}
