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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from safetensors.torch import load, save
from torch import Tensor

from attribution.moments import (
    SIDE_MAX,
    Moments,
    Subject,
    drawn_batches,
    mean_squares,
    real_batches,
    second_moments,
)
from attribution.sketch import Kronecker, Projection, Sketch, matrix_shape
from attribution.task import Rows

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
    kept: int | None = None  # EK-FAC: coordinates of a row; None: as many as directions leave

    def __post_init__(self) -> None:
        for name, value in (("directions", self.directions), ("kept", self.kept)):
            if value is not None and self.kind != "ekfac":
                raise ValueError(f"'{name}' is EK-FAC's; leave it out, or pass kind='ekfac'")
            if value is not None and value < 1:
                raise ValueError(f"'{name}' of {value} leaves nothing of a row; give 1 or more")

    @property
    def narrows(self) -> bool:
        """Tell whether the coordinates of a row are chosen among all there are, and shuffled."""
        return self.directions is not None or self.kept is not None


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


def fit_whitening(subject: Subject, train: Rows, options: WhiteningOptions) -> Whitening:
    """Take the curvature of a checkpoint from (a sample of) its train rows.

    Deterministic by the options; a batch of another size would draw other labels.
    """
    rows = _sampled(train, options.rows_max)
    drawn = drawn_batches(subject, rows, options.batch, seed=options.seed)
    moments = second_moments(subject, drawn)
    if options.kind == "kfac":
        return {name: _roots(m, options.damping, len(rows)) for name, m in moments.items()}
    return _ekfac(subject, moments, rows, options)


def _ekfac(
    subject: Subject, moments: Mapping[str, Moments], rows: Rows, options: WhiteningOptions
) -> Whitening:
    most = options.directions
    turned = {n: Whitener(_basis(m.rows, most), _basis(m.cols, most)) for n, m in moments.items()}
    sizes = {name: len(w.rows) * len(w.cols) for name, w in turned.items()}
    sketch = Sketch(projections={n: Kronecker(w.rows, w.cols, sizes[n]) for n, w in turned.items()})
    drawn = drawn_batches(subject, rows, options.batch, seed=options.seed + 1)
    eigenvalues = mean_squares(subject, sketch, drawn)
    scales = {n: _scale(v, subject.shapes[n], options) for n, v in eigenvalues.items()}
    width = width_within(subject.shapes, options)
    if width is None:
        return {name: replace(w, scale=scales[name]) for name, w in turned.items()}
    squares = mean_squares(subject, sketch, real_batches(subject, rows, options.batch))
    places = _loudest({n: squares[n] * scale.square() for n, scale in scales.items()}, width)
    return {
        name: replace(w, scale=scales[name][places[name]], places=places[name])
        for name, w in turned.items()
    }


def whitened(sketch: Sketch, whitening: Whitening) -> Sketch:
    """Fold the inverse roots into a Kronecker sketch.

    Raises `TypeError` for a sketch that forms gradients first (SJLT), and `ValueError` where
    EK-FAC meets a sketch that does not keep every direction itself.
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

    It is what the options keep, or what they leave to choose from where that is less. There a table
    counts as a matrix would, by the leading directions of both sides, though it leaves more: what
    is looked up cannot be told from a shape.
    """
    if not options.narrows:
        return None
    sides = [matrix_shape(shape) for shape in shapes.values()]
    most = options.directions
    box = sum(_directions(rows, most) * _directions(cols, most) for rows, cols in sides)
    return min(options.kept or box, box)


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


def _sampled(train: Rows, most: int) -> Rows:
    """Take train rows evenly spaced, `most` of them at most."""
    count = min(len(train), most)
    chosen = [i * len(train) // count for i in range(count)]
    return train.take(chosen)


def _roots(moments: Moments, damping: float, examples: int) -> Whitener:
    """Return the inverse roots of both factors, each taking half of the damping."""
    positions = max(moments.positions, 1)
    rows, cols = moments.rows / positions, moments.cols / positions
    per_example = (positions / examples) ** 0.5  # a gradient sums over an example's positions
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


def _directions(size: int, most: int | None) -> int:
    """Count the directions left of a side; one so long that it stays a diagonal keeps all."""
    return size if most is None or size > SIDE_MAX else min(size, most)


def _basis(moment: Tensor, most: int | None) -> Tensor:
    """Return the leading eigenvectors as rows; a diagonal has its own, all of them."""
    if moment.ndim == 1:
        return torch.ones_like(moment)
    vectors: Tensor = torch.linalg.eigh(moment.double())[1]
    return vectors.T[-_directions(len(moment), most) :].float().contiguous()


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


def _folded(projection: Projection, whitener: Whitener) -> Kronecker:
    if not isinstance(projection, Kronecker):
        raise TypeError("whitening needs a Kronecker or identity sketch; SJLT has no two sides")
    if whitener.scale is not None and not (projection.rows is None and projection.cols is None):
        raise ValueError("EK-FAC takes the place of a sketch; use the identity sketch, or K-FAC")
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
