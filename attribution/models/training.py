"""Train an event transformer so that the run can be repeated, and read such a run again.

A run is a directory:

    step-000120.safetensors …   the weights at about 20, 30, 40, 50, 70 and 100 % of training
    batch_order.npy             (epoch, item) int32: the places of the rows, in the order read;
                                a batch is the next `batch` of them, the last of an epoch shorter
    card.json                   what was done; written last, so a run without one is unfinished
    measured.json               wall seconds, which no two runs share
    resume.safetensors, resume.json   only while unfinished: from where to go on

The card's keys: `schema` (1), `method` ("next-event"), `model` (EventTransformerConfig),
`options` (TrainingOptions), `items`, `recordings` (their numbers), `corpus_sha256` (ids, owners and
content of the rows), `batch_order_sha256` (of the file), `steps`, `losses` (per epoch, nats per
event), `checkpoints` ([{step, fraction, learning_rate, file, sha256}]), `parameters` (their
number), `torch`, `device`, `threads`, `code_version`, `code_sha256` (of the files that train).
Same rows, same options, same machine, same number of threads: the same bytes, interrupted or not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as weights_of
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from attribution.errors import AttributionError
from attribution.files import json_bytes, write_whole
from attribution.models.event_transformer import (
    EventTransformer,
    EventTransformerConfig,
    event_task,
)
from attribution.music import midi
from attribution.task import Checkpoint, Rows, rows_sha256

Progress = Callable[[int, int, float], None]  # steps done, steps in all, loss in nats per event


class RunRefused(AttributionError):
    """A run that is not there, not finished, finished already, or not what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """How to train. The defaults are the demonstration's recipe."""

    model: EventTransformerConfig = field(default_factory=EventTransformerConfig)
    epochs: int = 10
    batch: int = 16
    learning_rate: float = 4e-3
    weight_decay: float = 0.05  # on matrices only
    warmup: float = 0.1  # part of training in which the learning rate rises
    decay: float = 0.7  # part of training at the end in which it falls
    gradient_norm_max: float = 1.0
    fractions: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)  # where checkpoints are kept
    seed: int = 0
    threads: int | None = None  # None: as many as PyTorch uses now
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: its card, and its checkpoints in the order of training."""

    directory: Path
    card: Mapping[str, Any]
    config: EventTransformerConfig
    checkpoints: tuple[Checkpoint, ...]
    fractions: tuple[float, ...]  # of training done, one a checkpoint

    def model(self) -> nn.Module:
        """Load the last checkpoint."""
        return self.checkpoints[-1].load()


def _unheard(_done: int, _total: int, _loss: float) -> None:
    """Report progress to nobody."""


def train(
    rows: Rows, options: TrainingOptions, directory: Path | str, progress: Progress = _unheard
) -> Run:
    """Train on the rows and write the run; an interrupted run goes on from its last checkpoint.

    Raises `RunRefused` when the directory holds a finished run, or when there are no rows.
    """
    directory = Path(directory)
    if not len(rows):
        raise RunRefused("there is nothing to train on; pass at least one row")
    if (directory / "card.json").exists():
        raise RunRefused(f"{directory} holds a finished run; train into another directory")
    directory.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with _deterministic(options):
        training = _Training(rows, options, directory)
        training.resume()
        training.run(progress)
        write_whole(directory / "card.json", json_bytes(training.card()))
    write_whole(directory / "measured.json", json_bytes({"wall_seconds": time.monotonic() - began}))
    for name in ("resume.json", "resume.safetensors"):
        (directory / name).unlink(missing_ok=True)
    return load_run(directory)


def load_run(directory: Path | str) -> Run:
    """Open a finished run. Weights are read, and held against the card, when they are loaded."""
    directory = Path(directory)
    if not directory.is_dir():
        raise RunRefused(f"{directory} is not there; run 'tantieme train' first")
    if not (directory / "card.json").exists():
        raise RunRefused(f"the run in {directory} is unfinished; run 'tantieme train' again")
    card = json.loads((directory / "card.json").read_text(encoding="utf-8"))
    if card.get("kind") == "imported":
        from attribution.models.imported import imported_run  # noqa: PLC0415  which needs Run

        return imported_run(directory, card)
    config = EventTransformerConfig(**card["model"])
    return Run(
        directory=directory,
        card=card,
        config=config,
        checkpoints=tuple(_checkpoint(directory, config, kept) for kept in card["checkpoints"]),
        fractions=tuple(kept["fraction"] for kept in card["checkpoints"]),
    )


def _checkpoint(
    directory: Path, config: EventTransformerConfig, kept: Mapping[str, Any]
) -> Checkpoint:
    load = partial(_load, directory / kept["file"], kept["sha256"], config)
    return Checkpoint(
        name=Path(kept["file"]).stem,
        sha256=kept["sha256"],
        load=load,
        run=directory.name,
        learning_rate=kept.get("learning_rate", 1.0),
    )


def _load(path: Path, sha256: str, config: EventTransformerConfig) -> nn.Module:
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RunRefused(f"{path} is not the checkpoint its card names; train the run again")
    with torch.random.fork_rng(devices=[]):  # building a model draws random weights
        model = EventTransformer(config)
    model.load_state_dict(weights_of(content))
    return model.eval()


class _Training:
    """The state of one run; `run` carries it from wherever it is to the end."""

    def __init__(self, rows: Rows, options: TrainingOptions, directory: Path) -> None:
        self.rows, self.options, self.directory = rows, options, directory
        self.tensors = {name: t.to(options.device) for name, t in rows.tensors.items()}
        self.task = event_task()
        torch.manual_seed(options.seed)
        self.model = EventTransformer(options.model).to(options.device).train()
        self.optimizer = _optimizer(self.model, options)
        self.order = _batch_order(len(rows), options)
        self.steps = options.epochs * -(-len(rows) // options.batch)
        self.keep = {max(round(f * self.steps), 1): f for f in sorted(options.fractions)}
        self.keep[self.steps] = 1.0
        self.step = 0
        self.sums: list[list[float]] = []  # per epoch: nats, events
        self.checkpoints: list[dict[str, Any]] = []
        self.corpus_sha256 = rows_sha256(rows)
        write_whole(directory / "batch_order.npy", _npy(self.order))

    def run(self, progress: Progress) -> None:
        """Take the steps that are left."""
        for epoch, places in self._batches_left():
            nats, events = self._take_step(places)
            if epoch == len(self.sums):
                self.sums.append([0.0, 0.0])
            self.sums[epoch][0] += nats
            self.sums[epoch][1] += events
            if self.step in self.keep:
                self._keep()
            progress(self.step, self.steps, nats / max(events, 1))

    def _batches_left(self) -> Iterator[tuple[int, Tensor]]:
        size = self.options.batch
        every = [
            (epoch, places)
            for epoch in range(self.options.epochs)
            for places in torch.split(torch.from_numpy(self.order[epoch]).long(), size)
        ]
        yield from every[self.step :]

    def _take_step(self, places: Tensor) -> tuple[float, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * _pace(self.step, self.steps, self.options)
        batch = {name: t[places.to(t.device)] for name, t in self.tensors.items()}
        nats = self.task.loss(self.model, batch).sum()
        self.optimizer.zero_grad()
        # Divided by a constant, not by the events of this batch: every event of the corpus then
        # weighs the same in what is minimised, and that sum is what attribution explains.
        torch.autograd.backward(nats / (self.options.batch * self.options.model.span))
        nn.utils.clip_grad_norm_(self.model.parameters(), self.options.gradient_norm_max)
        self.optimizer.step()
        self.step += 1
        return nats.item(), float(batch["mask"].sum())

    def _keep(self) -> None:
        content = bytes_of({n: t.detach().cpu() for n, t in self.model.state_dict().items()})
        file = f"step-{self.step:06d}.safetensors"
        write_whole(self.directory / file, content)
        self.checkpoints.append(
            {
                "step": self.step,
                "fraction": self.keep[self.step],
                "learning_rate": self.optimizer.param_groups[0]["lr"],
                "file": file,
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
        self._remember(file)

    def _remember(self, file: str) -> None:
        """Write what a run needs to go on as if nothing had happened.

        Beside the weights the optimiser's moments and the state of the random numbers, which
        dropout draws from.
        """
        tensors = {"random": torch.get_rng_state()}
        if self.options.device.startswith("cuda"):
            tensors["random_cuda"] = torch.cuda.get_rng_state()
        for place, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"{place}.{name}": t.detach().cpu() for name, t in moments.items()}
        content = bytes_of(tensors)
        write_whole(self.directory / "resume.safetensors", content)
        memory = {
            "for": self._identity(),
            "state_sha256": hashlib.sha256(content).hexdigest(),
            "weights": file,
            "sums": self.sums,
            "checkpoints": self.checkpoints,
        }
        write_whole(self.directory / "resume.json", json_bytes(memory))

    def resume(self) -> None:
        """Go back to the last checkpoint of the same run, where the directory has one."""
        note, state = self.directory / "resume.json", self.directory / "resume.safetensors"
        if not (note.exists() and state.exists()):
            return
        memory, content = json.loads(note.read_text(encoding="utf-8")), state.read_bytes()
        if (
            memory["for"] != self._identity()
            or memory["state_sha256"] != hashlib.sha256(content).hexdigest()
        ):
            return
        self.sums, self.checkpoints = memory["sums"], memory["checkpoints"]
        last = self.checkpoints[-1]
        kept = _load(self.directory / last["file"], last["sha256"], self.options.model)
        self.model.load_state_dict(kept.state_dict())
        self.step = last["step"]
        self._restore(weights_of(content))

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        torch.set_rng_state(tensors.pop("random"))
        if "random_cuda" in tensors:
            torch.cuda.set_rng_state(tensors.pop("random_cuda"))
        for name, tensor in tensors.items():
            place, moment = name.split(".", 1)
            state.setdefault(int(place), {})[moment] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})

    def _identity(self) -> dict[str, Any]:
        return {
            "method": "next-event",
            "model": asdict(self.options.model),
            "options": _plain(self.options),
            "items": len(self.rows),
            "recordings": len(set(self.rows.owners)),
            "corpus_sha256": self.corpus_sha256,
            "batch_order_sha256": hashlib.sha256(_npy(self.order)).hexdigest(),
            "steps": self.steps,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "torch": torch.__version__.partition("+")[0],
            "device": _device_name(self.options.device),
            "threads": torch.get_num_threads(),
            "code_version": _code_version(),
            "code_sha256": _code_sha256(),
        }

    def card(self) -> dict[str, Any]:
        """Return the run card, whose keys the module's docstring describes."""
        losses = [nats / max(events, 1) for nats, events in self.sums]
        return {
            "schema": 1,
            **self._identity(),
            "losses": losses,
            "checkpoints": self.checkpoints,
        }


def _optimizer(model: nn.Module, options: TrainingOptions) -> torch.optim.AdamW:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": options.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=options.learning_rate,
        betas=(0.9, 0.95),
        fused=True,
    )


def _pace(step: int, steps: int, options: TrainingOptions) -> float:
    """Return the part of the learning rate at a step: up, level, and down to 2 %."""
    rising = (step + 1) / max(options.warmup * steps, 1)
    falling = (steps - step) / max(options.decay * steps, 1)
    return min(1.0, rising) * max(0.02, min(1.0, falling))


def _batch_order(items: int, options: TrainingOptions) -> np.ndarray[Any, np.dtype[np.int32]]:
    generator = torch.Generator().manual_seed(options.seed)
    epochs = [torch.randperm(items, generator=generator) for _ in range(options.epochs)]
    return torch.stack(epochs).to(torch.int32).numpy()


@contextmanager
def _deterministic(options: TrainingOptions) -> Iterator[None]:
    """Ask PyTorch for the same bits every time, and leave it afterwards as it was."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by CUDA when it starts
    torch.set_num_threads(options.threads or threads)
    torch.use_deterministic_algorithms(True)
    devices = [options.device] if options.device.startswith("cuda") else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.set_num_threads(threads)


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _plain(options: TrainingOptions) -> dict[str, Any]:
    """Return the options as JSON gives them back, without the model, which stands beside them."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(options)))
    del plain["model"]
    return plain


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _code_version() -> str:
    try:
        return version("tantieme")
    except PackageNotFoundError:
        return "unknown"


def _code_sha256() -> str:
    """Hash the code that decides what a run does: what events mean, the model, the training."""
    here = Path(__file__)
    files = (Path(midi.__file__), here.with_name("event_transformer.py"), here)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
