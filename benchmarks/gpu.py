"""How fast the core is on a graphics card: `python -m benchmarks.gpu [--tiny] [--out FILE]`.

Sketches the gradients of every item of a decoder as large as MusicGen-small's (24 layers, 1024
wide, four codebooks, about 300 million parameters in use), with random weights in bfloat16, 1500
positions an item. It takes 10,000 items, or as many as fit eight minutes. Needs only torch, numpy,
scipy, safetensors and transformers. `--tiny` shows on any machine that it runs.

The work of an item is counted as 4 operations a parameter and position (forward, and backward with
frozen weights) and 6 · layers · width · positions² for causal attention; projecting is overhead.
Its rate is held against that of a large bfloat16 matrix product, measured on the same card.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attribution.gradients import Lens, Names, sketched_rows, unhooked
from attribution.models.causal_lm import causal_lm_task
from attribution.moments import Subject
from attribution.sketch import SketchOptions, make_sketch, matrix_shape
from attribution.task import Rows, Task, chosen_parameters
from attribution.whitening import WhiteningOptions, fit_whitening, whitened

RESULT = Path(__file__).parent / "results" / "gpu.json"
# Published by bergson for 160M parameters on one GH200.
BERGSON_TOKENS_PER_SECOND = 38_000
_PARAMETERS = ("*", "!*encoder_attn*")  # nothing is conditioned on, so these take no part


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What is run. The defaults are MusicGen-small's decoder."""

    layers: int = 24
    width: int = 1024
    heads: int = 16
    codebooks: int = 4
    codes: int = 2048
    positions: int = 1500
    items: int = 10_000
    seconds_max: float = 480
    batch: int = 8
    directions: int = 80
    kept: int = 43_520
    whitening_rows: int = 64
    product: int = 8192  # side of the matrices that the card's rate is measured with


TINY = Size(
    layers=2,
    width=32,
    heads=2,
    codebooks=2,
    codes=50,
    positions=12,
    items=6,
    batch=2,
    directions=4,
    kept=160,
    whitening_rows=4,
    product=64,
)


def measure(size: Size, device: str) -> dict[str, Any]:
    """Sketch items until all are done or the time is over, and say how fast that was."""
    torch.set_float32_matmul_precision("high")  # projections of bfloat16 lose nothing by it
    task = causal_lm_task(parameters=_PARAMETERS)
    model = decoder(size).to(device).eval()
    began = time.perf_counter()
    lens = _lens(task, model, size)
    prepared = time.perf_counter() - began
    warm = list(sketched_rows(lens, _rows(size, 2 * size.batch), size.batch))
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    done, seconds = _timed(_sketched(lens, size), size.seconds_max)
    rate = matrix_rate(size.product, device)
    return {
        "schema": 1,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "torch": torch.__version__,
        "size": asdict(size),
        "parameters": _in_use(model),
        "row_numbers": warm[0][0].shape[1],
        "seconds_before_the_first_item": prepared,
        "items": done,
        "seconds": seconds,
        "items_per_second": done / seconds,
        "positions_per_second": done * size.positions / seconds,
        "tokens_per_second": done * size.positions * size.codebooks / seconds,
        "bergson_tokens_per_second": BERGSON_TOKENS_PER_SECOND,
        "matrix_operations_per_second": rate,
        "share_of_matrix_rate": done * operations(size, _in_use(model)) / seconds / rate,
        "peak_memory_bytes": torch.cuda.max_memory_allocated() if device == "cuda" else None,
    }


def decoder(size: Size) -> nn.Module:
    """Make a decoder of MusicGen's kind with random weights."""
    from transformers import MusicgenForCausalLM  # noqa: PLC0415  takes ten seconds
    from transformers.models.musicgen.configuration_musicgen import (  # noqa: PLC0415
        MusicgenDecoderConfig,
    )

    torch.manual_seed(0)
    config = MusicgenDecoderConfig(
        vocab_size=size.codes,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        ffn_dim=4 * size.width,
        max_position_embeddings=size.positions,
        num_codebooks=size.codebooks,
        pad_token_id=size.codes,
        bos_token_id=size.codes,
    )
    return MusicgenForCausalLM(config)


def operations(size: Size, parameters: int) -> float:
    """Count the operations that an item's gradients need, however they are found."""
    return 4 * parameters * size.positions + 6 * size.layers * size.width * size.positions**2


def matrix_rate(side: int, device: str) -> float:
    """Measure a bfloat16 matrix product: operations a second, the best of ten."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = []
    for _ in range(10):
        _wait(device)
        began = time.perf_counter()
        a @ b
        _wait(device)
        seconds.append(time.perf_counter() - began)
    return 2 * side**3 / min(seconds)


def _lens(task: Task, model: nn.Module, size: Size) -> Lens:
    """Look at the loudest of EK-FAC's coordinates, as the default method does."""
    device = str(next(model.parameters()).device)
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    chosen = {name: shapes[name] for name in chosen_parameters(task, model)}
    sketch = make_sketch(chosen, SketchOptions(kind="identity"), seed=0, device=device)
    names = list(sketch.projections)
    few = {k: t.to(device) for k, t in _rows(size, 4).tensors.items()}
    slow = unhooked(model, task.measurement, few, names)  # in float32, where nothing is blurred
    assert not slow, f"these would be taken one by one: {sorted(slow)}"
    model.to(torch.bfloat16)
    matrices = {name: matrix_shape(chosen[name]) for name in names}
    subject = Subject(model, task, Names(frozenset(names)), matrices)
    options = WhiteningOptions(
        kind="ekfac",
        rows_max=size.whitening_rows,
        batch=size.batch,
        directions=size.directions,
        kept=size.kept,
    )
    whitening = fit_whitening(subject, _rows(size, size.whitening_rows), options)
    folded = whitened(sketch, whitening)
    return Lens(model=model, function=task.measurement, sketches=(folded,))


def _rows(size: Size, count: int, seed: int = 0) -> Rows:
    """Make up items: no music is needed to see how fast gradients are."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, size.codebooks, size.positions)
    ids = torch.randint(0, size.codes, shape, generator=generator)
    names = tuple(f"item-{i}" for i in range(count))
    return Rows(tensors={"input_ids": ids}, ids=names, owners=names)


def _sketched(lens: Lens, size: Size) -> Iterator[int]:
    """Sketch every item, bring its row home as an index keeps it, and count."""
    for start in range(0, size.items, 16 * size.batch):
        rows = _rows(size, min(16 * size.batch, size.items - start), seed=start)
        for (batch,) in sketched_rows(lens, rows, size.batch):
            yield len(batch.to(torch.float16).cpu())


def _timed(batches: Iterator[int], seconds_max: float) -> tuple[int, float]:
    done, began = 0, time.perf_counter()
    for count in batches:
        done += count
        if time.perf_counter() - began > seconds_max:
            break
    return done, time.perf_counter() - began


def _in_use(model: nn.Module) -> int:
    """Count the parameters that a position is multiplied with: not those that are looked up."""
    return sum(
        p.numel()
        for name, p in model.named_parameters()
        if "encoder_attn" not in name and "embed" not in name
    )


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _print(found: dict[str, Any]) -> None:
    memory = found["peak_memory_bytes"]
    lines = {
        "device": found["device"],
        "parameters": f"{found['parameters'] / 1e6:.0f}M",
        "items": f"{found['items']} of {found['size']['positions']} positions",
        "items/s": f"{found['items_per_second']:.2f}",
        "positions/s": f"{found['positions_per_second']:,.0f}",
        "tokens/s": f"{found['tokens_per_second']:,.0f} (bergson, 160M on one GH200: 38,000)",
        "matrix rate": f"{found['matrix_operations_per_second'] / 1e12:.1f} · 10¹² operations/s",
        "share of it": f"{found['share_of_matrix_rate']:.1%}",
        "peak memory": "not on a GPU" if memory is None else f"{memory / 2**30:.1f} GiB",
    }
    for name, value in lines.items():
        print(f"{name:12s}  {value}")  # noqa: T201  a benchmark prints its table


def main() -> int:
    """Measure, print, and keep the result where a graphics card made it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="a few small items, on any machine")
    parser.add_argument("--out", type=Path, default=RESULT, help="where the result is kept")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not given.tiny:
        print("not run on a GPU: there is none here; --tiny runs anywhere")  # noqa: T201
        return 1
    found = measure(TINY if given.tiny else Size(), device)
    _print(found)
    if device == "cuda" and not given.tiny:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
