"""K-FAC and EK-FAC: the curvature of a checkpoint, folded into a sketch.

A layer's Fisher information is close to R ⊗ C, the second moments of its two gradient factors
(Martens and Grosse 2015), taken with labels drawn from the model itself. Whitened rows are
gradients times (R ⊗ C + damping)^(-1/2); their plain inner products are influence. As R ⊗ C has a
Kronecker root, it folds into the two matrices of a Kronecker sketch and costs nothing afterwards.
EK-FAC (George et al. 2018) keeps the eigenvectors as a basis and corrects the eigenvalues. Its rows
may be narrowed, by what the train rows show rather than by chance: of each factor to the leading
eigenvectors (`directions`), and of the coordinates left to those in which whitened train rows have
most (`kept`). It takes the place of a sketch, and needs the one that keeps everything.

Damping is relative: a multiple of a layer's mean eigenvalue. K-FAC splits it evenly between its two
factors. Directions that were left out count as nothing in EK-FAC's mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from attribution.gradients import Lens, Names, sketched_gradients, visit_factors
from attribution.sketch import Factor, Kronecker, Lookup, Projection, Sketch, matrix_shape
from attribution.task import Batch, PerExample, Rows, Task

_SIDE_MAX = 4096  # beyond it a factor's second moment is kept as a diagonal
_TINY = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteningOptions:
    """Which curvature is folded in. All of it is part of what is computed."""

    kind: Literal["kfac", "ekfac"] = "kfac"
    damping: float = 0.003  # of a layer's mean eigenvalue
    rows_max: int = 4096  # train rows that the factors are taken from, evenly spaced
    batch: int = 32
    seed: int = 0  # of the labels
    directions: int | None = None  # EK-FAC: the leading ones of each factor; None keeps all
    kept: int | None = None  # EK-FAC: coordinates of a row, over all parameters; None keeps all


@dataclass(frozen=True, slots=True)
class Whitener:
    """K-FAC: the two inverse roots of one parameter. EK-FAC: the basis, and what is kept in it.

    `rows` and `cols` are (directions, size), or (size,) for a diagonal. EK-FAC's `scale` holds the
    inverse root of the eigenvalue of every coordinate kept, and `places` where those are among
    rows x cols, unless they are all of them.
    """

    rows: Tensor
    cols: Tensor
    scale: Tensor | None = None
    places: Tensor | None = None  # int64, as long as `scale`


_FIELDS = ("rows", "cols", "scale", "places")
Whitening = Mapping[str, Whitener]  # by parameter


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose curvature it is: a model on its device, a task, and the parameters looked at."""

    model: nn.Module
    task: Task
    names: Names
    shapes: Mapping[str, tuple[int, int]]  # of every parameter looked at, seen as a matrix


def fit_whitening(subject: Subject, train: Rows, options: WhiteningOptions) -> Whitening:
    """Take the curvature of a checkpoint from (a sample of) its train rows.

    Deterministic by the options; a batch of another size would draw other labels.
    """
    moments = _moments(subject, train, options)
    if options.kind == "kfac":
        examples = _count(train, options)
        return {name: _roots(m, options.damping, examples) for name, m in moments.items()}
    most = options.directions
    turned = {n: Whitener(_basis(m.rows, most), _basis(m.cols, most)) for n, m in moments.items()}
    drawn = _sampled_batches(subject, train, options, seed=options.seed + 1)
    eigenvalues = _mean_squares(subject, turned, drawn)
    scales = {n: _scale(v, subject.shapes[n], options) for n, v in eigenvalues.items()}
    width = width_within(subject.shapes, options)
    if width is None:
        return {name: replace(w, scale=scales[name]) for name, w in turned.items()}
    squares = _mean_squares(subject, turned, _real_batches(subject, train, options))
    places = _loudest({n: squares[n] * scale.square() for n, scale in scales.items()}, width)
    return {
        name: replace(w, scale=scales[name][places[name]], places=places[name])
        for name, w in turned.items()
    }


def whitened(sketch: Sketch, whitening: Whitening) -> Sketch:
    """Fold the inverse roots into a Kronecker sketch.

    Raises `TypeError` for a sketch that forms gradients first (SJLT), and `ValueError` where
    EK-FAC's eigenvalues meet a sketch that does not keep every direction.
    """
    return Sketch(
        projections={
            name: _folded(projection, whitening[name])
            for name, projection in sketch.projections.items()
        },
        shuffled=any(whitener.places is not None for whitener in whitening.values()),
    )


def width_within(shapes: Mapping[str, tuple[int, ...]], options: WhiteningOptions) -> int | None:
    """Count the numbers of a row whitened so; None where that is up to the sketch.

    It is what the options keep, or what they leave to choose from where that is less.
    """
    if options.kept is None:
        return None
    sides = [matrix_shape(shape) for shape in shapes.values()]
    most = options.directions or max(map(max, sides))
    return min(options.kept, sum(min(rows, most) * min(cols, most) for rows, cols in sides))


def whitening_bytes(whitening: Whitening) -> bytes:
    """Write a whitening as safetensors: `<parameter>/rows`, `/cols`, `/scale` and `/places`."""
    tensors = {
        f"{name}/{what}": tensor.cpu().contiguous()
        for name, whitener in whitening.items()
        for what in _FIELDS
        if (tensor := getattr(whitener, what)) is not None
    }
    return save(tensors)


def read_whitening(content: bytes, device: str = "cpu") -> Whitening:
    """Read what `whitening_bytes` wrote."""
    tensors = {name: tensor.to(device) for name, tensor in load(content).items()}
    names = dict.fromkeys(name.rpartition("/")[0] for name in tensors)
    return {
        n: Whitener(
            tensors[f"{n}/rows"],
            tensors[f"{n}/cols"],
            tensors.get(f"{n}/scale"),
            tensors.get(f"{n}/places"),
        )
        for n in names
    }


@dataclass(frozen=True, slots=True)
class _Moments:
    """Second moments of a parameter's two gradient factors, summed over the places that count."""

    rows: Tensor  # (size, size), or (size,) for a diagonal
    cols: Tensor
    places: int

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(
            _plus(self.rows, other.rows), _plus(self.cols, other.cols), self.places + other.places
        )


def _moments(subject: Subject, train: Rows, options: WhiteningOptions) -> dict[str, _Moments]:
    found: dict[str, _Moments] = {}

    def visit(name: str, left: Factor, right: Tensor) -> None:
        live = (right != 0).any(-1)  # padding has no gradient and no say
        if isinstance(left, Tensor):
            live &= (left != 0).any(-1)
        rows = live.sum(0).float() if left is None else _second(left, live)
        new = _Moments(rows, _second(right, live), int(live.sum()))
        found[name] = found[name] + new if name in found else new

    for function, batch in _sampled_batches(subject, train, options, seed=options.seed):
        visit_factors(subject.model, function, batch, subject.names, visit)
    return found


def _sampled_batches(
    subject: Subject, train: Rows, options: WhiteningOptions, *, seed: int
) -> Iterator[tuple[PerExample, Batch]]:
    """Yield batches of train rows, each with the loss of labels drawn for it."""
    generator = torch.Generator(device=_device(subject)).manual_seed(seed)
    sampled = subject.task.sampled
    for function, batch in _real_batches(subject, train, options):
        if sampled is None:
            yield function, batch
        else:
            yield lambda model, batch: sampled(model, batch, generator), batch


def _real_batches(
    subject: Subject, train: Rows, options: WhiteningOptions
) -> Iterator[tuple[PerExample, Batch]]:
    """Yield batches of train rows, evenly spaced, with the loss of what they really hold."""
    count = _count(train, options)
    places = [i * len(train) // count for i in range(count)]
    for batch in train.take(places).batches(options.batch):
        yield subject.task.loss, {name: t.to(_device(subject)) for name, t in batch.items()}


def _device(subject: Subject) -> torch.device:
    return next(subject.model.parameters()).device


def _second(factor: Tensor | Lookup, live: Tensor) -> Tensor:
    """Sum the outer products of a factor with itself, (size, size), or only their diagonal."""
    if isinstance(factor, Lookup):
        return torch.bincount(factor.ids[live], minlength=factor.size).float()
    kept = (factor.flatten(0, 1) if bool(live.all()) else factor[live]).float()
    return kept.T @ kept if kept.shape[1] <= _SIDE_MAX else kept.square().sum(0)


def _plus(a: Tensor, b: Tensor) -> Tensor:
    if a.ndim == b.ndim:
        return a + b
    return torch.diag(a) + b if a.ndim < b.ndim else a + torch.diag(b)


def _roots(moments: _Moments, damping: float, examples: int) -> Whitener:
    """Return the inverse roots of both factors, each taking half of the damping."""
    places = max(moments.places, 1)
    rows, cols = moments.rows / places, moments.cols / places
    per_example = (places / examples) ** 0.5  # a gradient sums over an example's places
    return Whitener(
        _inverse_root(rows, damping**0.5) / per_example, _inverse_root(cols, damping**0.5)
    )


def _inverse_root(moment: Tensor, damping: float) -> Tensor:
    """Return (moment + damping x its mean eigenvalue)^(-1/2)."""
    if moment.ndim == 1:
        return torch.rsqrt(moment + damping * moment.mean().clamp_min(_TINY))
    values, vectors = torch.linalg.eigh(moment.double())
    damped = values.clamp_min(0) + damping * values.mean().clamp_min(_TINY)
    root: Tensor = (vectors * damped.rsqrt()) @ vectors.T
    return root.float()


def _basis(moment: Tensor, most: int | None) -> Tensor:
    """Return the leading eigenvectors as rows; a diagonal has its own, all of them."""
    if moment.ndim == 1:
        return torch.ones_like(moment)
    vectors: Tensor = torch.linalg.eigh(moment.double())[1]
    return vectors.T[-min(most or len(moment), len(moment)) :].float().contiguous()


def _scale(values: Tensor, shape: tuple[int, int], options: WhiteningOptions) -> Tensor:
    """Return (values + damping x the mean eigenvalue of the whole layer)^(-1/2)."""
    return torch.rsqrt(
        values + options.damping * (values.sum() / math.prod(shape)).clamp_min(_TINY)
    )


def _loudest(energies: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """Say which of the coordinates of every parameter are among the largest of all together."""
    found = torch.cat(list(energies.values()))
    chosen = torch.zeros(len(found), dtype=torch.bool, device=found.device)
    chosen[found.sort(descending=True, stable=True).indices[:count]] = True
    parts = torch.split(chosen, [len(each) for each in energies.values()])
    return {name: part.nonzero()[:, 0] for name, part in zip(energies, parts, strict=True)}


def _mean_squares(
    subject: Subject, turned: Whitening, batches: Iterable[tuple[PerExample, Batch]]
) -> dict[str, Tensor]:
    """Return mean squared gradients along pairs of directions, (rows x columns,) a parameter."""
    sizes = {name: len(w.rows) * len(w.cols) for name, w in turned.items()}
    sketch = Sketch(projections={n: Kronecker(w.rows, w.cols, sizes[n]) for n, w in turned.items()})
    squares, count = torch.zeros(()), 0
    for function, batch in batches:
        lens = Lens(
            model=subject.model, function=function, sketches=(sketch,), slow=subject.names.slow
        )
        rows = sketched_gradients(lens, batch)[0]
        squares = squares + rows.square().sum(0).double()
        count += len(rows)
    means = (squares / count).float()
    return dict(zip(sizes, torch.split(means, list(sizes.values())), strict=True))


def _count(train: Rows, options: WhiteningOptions) -> int:
    return min(len(train), options.rows_max)


def _folded(projection: Projection, whitener: Whitener) -> Kronecker:
    if not isinstance(projection, Kronecker):
        raise TypeError("whitening needs a Kronecker or identity sketch; SJLT has no two sides")
    if whitener.scale is not None and not (projection.rows is None and projection.cols is None):
        raise ValueError("EK-FAC keeps every direction; use the identity sketch, or K-FAC")
    width = projection.width if whitener.scale is None else len(whitener.scale)
    return Kronecker(
        _times(projection.rows, whitener.rows),
        _times(projection.cols, whitener.cols),
        width,
        whitener.scale,
        whitener.places,
    )


def _times(matrix: Tensor | None, root: Tensor) -> Tensor:
    if matrix is None:
        return root
    return matrix * root if root.ndim == 1 else matrix @ root
