"""Runs of models that were trained elsewhere: their checkpoints, and the code that opens them.

A run is a directory:

    source-00/ …    each checkpoint as it was given: one file of weights, or all files of a folder
    code.py         the code that opens them, where it was given as a file
    card.json       what was imported; written last

The card has the keys of a trained run's that apply (`models.training`), `kind` "imported", `code`,
`code_sha256`, `span`, `fractions_from` ("given" or "order"), and `replay`, which says why there is
none: the order in which batches were read is not known.

The code is a function. For a file of weights (safetensors, or a PyTorch state dict, read without
pickle's code) it is called with nothing and returns the model to fill; for a folder, such as
transformers' `save_pretrained` writes, with the folder. The model must read our event tokens as
`EventTransformer` does: `model(tokens)[:, i]` are logits about `tokens[:, i]` and have seen only
the tokens before it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from attribution.errors import AttributionError
from attribution.files import file_sha256, json_bytes, write_whole
from attribution.models.event_transformer import EventTransformerConfig
from attribution.models.training import Run, RunRefused
from attribution.music.midi import VOCABULARY_SIZE
from attribution.task import Checkpoint, Rows, rows_sha256

Open = Callable[..., nn.Module]
Fault = tuple[str, str]  # what is at fault, and how

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # of a folder
_PLACES = 8  # of the rows that a model is tried on


class CannotOpen(AttributionError):
    """A checkpoint, or the code that is to open it, is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be imported, in the order of training."""

    sources: tuple[Path, ...]
    code: str  # MODULE:FUNCTION or FILE.py:FUNCTION
    fractions: tuple[float, ...] = ()  # of training done, one a source; () takes their order

    @property
    def places(self) -> tuple[float, ...]:
        """Say how far training was at each source: as given, else evenly spaced up to 1."""
        count = len(self.sources)
        return self.fractions or tuple((i + 1) / count for i in range(count))


def faults_of(wanted: Wanted) -> list[Fault]:
    """Open everything once, and say all that is wrong with it."""
    faults = _fraction_faults(wanted)
    try:
        build = code_of(wanted.code)
    except CannotOpen as fault:
        return [*faults, (wanted.code, str(fault))]
    hashes: dict[str, Path] = {}
    for source in wanted.sources:
        try:
            model = opened(source, build)
        except CannotOpen as fault:
            faults.append((str(source), str(fault)))
            continue
        faults += [(str(source), fault) for fault in _model_faults(model)]
        twin = hashes.setdefault(file_sha256(_weights_file(source)), source)
        if twin is not source:
            faults.append((str(source), f"it is {twin} again; give every checkpoint once"))
    return faults


def take_in(wanted: Wanted, rows: Rows, directory: Path) -> Run:
    """Copy the sources and write the card; the rows are what the model was trained on.

    Nothing is checked here: `faults_of` has said what would be wrong.
    """
    build = code_of(wanted.code)
    directory.mkdir(parents=True, exist_ok=True)
    kept = [
        _kept(directory, number, source, fraction)
        for number, (source, fraction) in enumerate(zip(wanted.sources, wanted.places, strict=True))
    ]
    file, _, function = wanted.code.rpartition(":")
    if file.endswith(".py"):
        write_whole(directory / "code.py", Path(file).read_bytes())
    card = {
        "schema": 1,
        "kind": "imported",
        "method": "next-event",
        "code": f"code.py:{function}" if file.endswith(".py") else wanted.code,
        "code_sha256": _source_sha256(build),
        "span": rows.tensors["tokens"].shape[1],
        "fractions_from": "given" if wanted.fractions else "order",
        "replay": "not possible: the order in which batches were read is not known",
        "items": len(rows),
        "recordings": len(set(rows.owners)),
        "corpus_sha256": rows_sha256(rows),
        "checkpoints": kept,
        "parameters": sum(p.numel() for p in opened(wanted.sources[-1], build).parameters()),
        "torch": torch.__version__.partition("+")[0],
    }
    write_whole(directory / "card.json", json_bytes(card))
    return imported_run(directory, card)


def imported_run(directory: Path, card: Mapping[str, Any]) -> Run:
    """Open a run that was imported; the code is loaded when a checkpoint is."""
    return Run(
        directory=directory,
        card=card,
        config=EventTransformerConfig(span=card["span"]),  # its span is all that holds of it
        checkpoints=tuple(
            Checkpoint(
                name=kept["name"],
                sha256=kept["sha256"],
                load=partial(_load, directory, card, kept),
                run=directory.name,
            )
            for kept in card["checkpoints"]
        ),
        fractions=tuple(kept["fraction"] for kept in card["checkpoints"]),
    )


def code_of(spec: str) -> Open:
    """Import the function named by MODULE:FUNCTION or FILE.py:FUNCTION.

    Raises `CannotOpen` where there is none.
    """
    place, _, name = spec.rpartition(":")
    if not place or not name:
        raise CannotOpen("name the code as MODULE:FUNCTION or FILE.py:FUNCTION")
    try:
        module = (
            _module_at(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        )
        found = module
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as fault:
        raise CannotOpen(f"it cannot be imported: {type(fault).__name__}: {fault}") from fault
    if not callable(found):
        raise CannotOpen(f"'{name}' is not a function")
    build: Open = found
    return build


def opened(source: Path, build: Open) -> nn.Module:
    """Open one checkpoint in eval mode on the CPU. Raises `CannotOpen`."""
    weights = _weights_file(source)
    try:
        with torch.random.fork_rng(devices=[]):  # building a model draws random weights
            model = build(source) if source.is_dir() else build()
        if isinstance(model, nn.Module) and not source.is_dir():
            model.load_state_dict(_state_of(weights))
    except CannotOpen:
        raise
    except Exception as fault:
        raise CannotOpen(f"it cannot be opened: {type(fault).__name__}: {fault}") from fault
    if not isinstance(model, nn.Module):
        raise CannotOpen(f"the code returned a {type(model).__name__}, not a model")
    return model.cpu().eval()


def _module_at(path: Path) -> Any:  # noqa: ANN401  a module's names are anything
    spec = importlib.util.spec_from_file_location(f"imported_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _weights_file(source: Path) -> Path:
    """Find the one file that holds a source's weights."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise CannotOpen("it is not there")
    found = [source / name for name in _WEIGHTS if (source / name).is_file()]
    if not found:
        raise CannotOpen(
            f"the folder has no {' or '.join(_WEIGHTS)}; save the model in one file "
            "(save_pretrained(…, max_shard_size='1TB'))"
        )
    return found[0]


def _state_of(path: Path) -> Mapping[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    content = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "model"):  # as training scripts wrap it
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise CannotOpen(f"it holds a {type(content).__name__}, not a state dict")
    return content


def _fraction_faults(wanted: Wanted) -> list[Fault]:
    given, count = wanted.fractions, len(wanted.sources)
    faults = [("--fraction", f"{f} is not above 0 and at most 1") for f in given if not 0 < f <= 1]
    if given and len(given) != count:
        faults.append(("--fraction", f"{len(given)} are given for {count} checkpoints"))
    if list(given) != sorted(set(given)):
        faults.append(("--fraction", "they must rise, as the checkpoints follow in training"))
    return faults


def _model_faults(model: nn.Module) -> list[str]:
    """Try the model on two rows, and on the same rows with another end."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, VOCABULARY_SIZE, (2, _PLACES), generator=generator)
    other, half = tokens.clone(), _PLACES // 2
    other[:, half:] = (other[:, half:] + 1) % VOCABULARY_SIZE
    try:
        with torch.no_grad():
            logits, again = model(tokens), model(other)
    except Exception as fault:  # noqa: BLE001  whatever a model of elsewhere does with our tokens
        return [f"the model does not take tokens (row, place): {type(fault).__name__}: {fault}"]
    if not isinstance(logits, Tensor) or logits.shape[:2] != tokens.shape:
        return ["the model returns no logits (row, place, vocabulary); wrap it in one that does"]
    if logits.shape[2] < VOCABULARY_SIZE:
        return [f"the model has {logits.shape[2]} tokens; our events are {VOCABULARY_SIZE}"]
    if not logits.isfinite().all():
        return ["the model's logits are not finite"]
    if not torch.allclose(logits[:, : half + 1], again[:, : half + 1], atol=1e-4):
        return ["logits[:, i] must have seen tokens[:, :i] only; shift the tokens in the model"]
    return []


def _kept(directory: Path, number: int, source: Path, fraction: float) -> dict[str, Any]:
    folder = directory / f"source-{number:02d}"
    folder.mkdir(exist_ok=True)
    weights = _weights_file(source)
    for file in sorted(source.iterdir()) if source.is_dir() else [source]:
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return {
        "name": source.stem,
        "step": number + 1,
        "fraction": fraction,
        "folder": folder.name if source.is_dir() else None,
        "file": f"{folder.name}/{weights.name}",
        "sha256": file_sha256(folder / weights.name),
        "files": {f"{folder.name}/{file.name}": file_sha256(file) for file in files},
    }


def _load(directory: Path, card: Mapping[str, Any], kept: Mapping[str, Any]) -> nn.Module:
    for name, sha256 in kept["files"].items():
        path = directory / name
        if not path.is_file() or file_sha256(path) != sha256:
            raise RunRefused(f"{path} is not what its card names; import the run again")
    spec = card["code"]
    build = code_of(str(directory / spec) if spec.startswith("code.py:") else spec)
    if _source_sha256(build) != card["code_sha256"]:
        raise RunRefused(
            f"the code of {directory} ({spec}) is not what it was when the run was imported; "
            "import the run again"
        )
    return opened(directory / (kept["folder"] or kept["file"]), build)


def _source_sha256(build: Open) -> str:
    """Hash the file that a function stands in."""
    file = inspect.getsourcefile(inspect.unwrap(build)) if inspect.isroutine(build) else None
    if file:
        return file_sha256(Path(file))
    return hashlib.sha256(repr(getattr(build, "__qualname__", type(build))).encode()).hexdigest()
