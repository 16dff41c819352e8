import dataclasses

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attribution.gradients import Lens, Names, exact_gradients, sketched_gradients
from attribution.models.event_transformer import EventTransformer, event_task
from attribution.moments import Subject
from attribution.sketch import SketchOptions, make_sketch, matrix_shape
from attribution.task import Rows, Task
from attribution.whitening import (
    WhiteningOptions,
    fit_whitening,
    read_whitening,
    whitened,
    whitening_bytes,
    width_within,
)
from tests.attribution.engine_world import CONFIG, make_rows, works


class Layer(nn.Module):
    """A table and one layer over it, with a loss whose labels are the rows' own."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, 5)
        self.wide = nn.Linear(5, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.wide(torch.tanh(self.table(tokens)))


def surprise(model: nn.Module, batch) -> Tensor:
    logits = model(batch["tokens"])
    nll = functional.cross_entropy(logits.transpose(1, 2), batch["tokens"], reduction="none")
    return (nll * batch["mask"]).sum(1)


TASK = Task(loss=surprise, measurement=lambda model, batch: -surprise(model, batch))


@pytest.fixture
def model() -> Layer:
    torch.manual_seed(3)
    return Layer()


@pytest.fixture
def rows() -> Rows:
    tokens = torch.randint(7, (12, 4), generator=torch.Generator().manual_seed(1))
    return make_rows(tokens, "w", 1)


def subject(model: nn.Module, task: Task = TASK, slow=frozenset()) -> Subject:
    shapes = {n: matrix_shape(tuple(p.shape)) for n, p in model.named_parameters() if p.ndim > 1}
    return Subject(model, task, Names(frozenset(shapes) - slow, frozenset(slow)), shapes)


def formed(model: nn.Module, rows: Rows, function=surprise) -> dict[str, Tensor]:
    return exact_gradients(model, function, rows.tensors, ["table.weight", "wide.weight"])


def by_place(model: Layer, rows: Rows) -> tuple[Tensor, Tensor]:
    """Activations and output gradients of the layer at every place: each (place, size)."""
    given = torch.tanh(model.table(rows.tensors["tokens"])).detach()
    logits = model.wide(given).detach().requires_grad_()
    loss = functional.cross_entropy(logits.transpose(1, 2), rows.tensors["tokens"], reduction="sum")
    return given.flatten(0, 1), torch.autograd.grad(loss, logits)[0].flatten(0, 1)


def root(moment: Tensor, damping: float) -> Tensor:
    damped = moment.double() + damping * moment.double().diagonal().mean() * torch.eye(len(moment))
    values, vectors = torch.linalg.eigh(damped)
    return vectors @ torch.diag(values**-0.5) @ vectors.T


def test_whitened_rows_are_gradients_between_the_roots_of_both_second_moments(model, rows):
    options = WhiteningOptions(damping=0.04)
    whitening = fit_whitening(subject(model), rows, options)
    given, gradient = by_place(model, rows)
    places = len(given)
    per_example = (places / len(rows)) ** 0.5
    left = root(gradient.T @ gradient / places, 0.2) / per_example  # the root of the damping, twice
    right = root(given.T @ given / places, 0.2)

    found = sketched_gradients(lens(model, whitening), rows.tensors)[0][:, -35:]

    full = formed(model, rows)["wide.weight"].double()
    truth = torch.einsum("xr,brc,cy->bxy", left, full, right).flatten(1)
    torch.testing.assert_close(found.double(), truth, rtol=1e-4, atol=1e-5)


def lens(model: nn.Module, whitening, options=None) -> Lens:
    shapes = {n: tuple(p.shape) for n, p in model.named_parameters() if p.ndim > 1}
    sketch = make_sketch(shapes, options or SketchOptions(kind="identity"), seed=0)
    return Lens(model=model, function=surprise, sketches=(whitened(sketch, whitening),))


def test_a_table_is_whitened_by_how_often_each_of_its_rows_is_looked_up(model, rows):
    whitening = fit_whitening(subject(model), rows, WhiteningOptions(damping=0.04))
    counts = torch.bincount(rows.tensors["tokens"].flatten(), minlength=7).double()
    share = counts / counts.sum()

    found = whitening["table.weight"].rows.double() * 2.0  # four places an example

    torch.testing.assert_close(found, (share + 0.2 * share.mean()).rsqrt(), rtol=1e-5, atol=0)


def test_ekfac_corrects_the_eigenvalues_to_the_mean_squares_of_gradients(model, rows):
    whitening = fit_whitening(subject(model), rows, WhiteningOptions(kind="ekfac", damping=0.1))
    whitener = whitening["wide.weight"]
    full = formed(model, rows)["wide.weight"]
    turned = torch.einsum("xr,brc,yc->bxy", whitener.rows, full, whitener.cols).flatten(1)
    eigenvalues = turned.square().mean(0)

    found = sketched_gradients(lens(model, whitening), rows.tensors)[0][:, -35:]

    truth = turned / (eigenvalues + 0.1 * eigenvalues.mean()).sqrt()
    torch.testing.assert_close(found, truth, rtol=1e-4, atol=1e-4)


def test_ekfac_keeps_the_loudest_coordinates_of_the_leading_directions(model, rows):
    every = fit_whitening(subject(model), rows, WhiteningOptions(kind="ekfac"))
    options = WhiteningOptions(kind="ekfac", damping=0.1, directions=4, kept=21)

    narrow = fit_whitening(subject(model), rows, options)

    boxes = []
    for name, full in formed(model, rows).items():
        left = torch.eye(7) if name == "table.weight" else every[name].rows[-4:]
        turned = torch.einsum("xr,brc,yc->bxy", left, full, every[name].cols[-4:]).flatten(1)
        values = turned.square().mean(0)  # the labels are the rows' own
        boxes.append(turned / (values + 0.1 * values.sum() / 35).sqrt())
    box = torch.cat(boxes, dim=1)
    loudest = box[:, box.square().mean(0).sort(descending=True).indices[:21]]
    found = sketched_gradients(lens(model, narrow), rows.tensors)[0]
    assert found.shape[1] == width_within(subject(model).shapes, options) == 21
    torch.testing.assert_close(found @ found.T, loudest @ loudest.T, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kept", [1000, None])
def test_no_more_is_kept_than_the_directions_leave(model, rows, kept):
    options = WhiteningOptions(kind="ekfac", directions=3, kept=kept)

    assert widths(model, rows, options) == (18, 18)  # twice 3 x 3


def test_a_side_so_long_that_it_stays_a_diagonal_keeps_all_its_directions(model, rows, monkeypatch):
    for module in ("moments", "whitening"):
        monkeypatch.setattr(f"attribution.{module}.SIDE_MAX", 6)
    options = WhiteningOptions(kind="ekfac", directions=3)

    assert widths(model, rows, options) == (42, 42)  # twice 7 x 3


def widths(model, rows, options):
    """How wide rows are, and how wide they are said to be."""
    whitening = fit_whitening(subject(model), rows, options)
    found = sketched_gradients(lens(model, whitening), rows.tensors)[0]
    return found.shape[1], width_within(subject(model).shapes, options)


@pytest.mark.parametrize("name", ["directions", "kept"])
def test_a_choice_of_nothing_and_one_that_kfac_cannot_make_are_refused(name):
    with pytest.raises(ValueError, match=f"'{name}' of 0"):
        WhiteningOptions(kind="ekfac", **{name: 0})
    with pytest.raises(ValueError, match=f"'{name}' is EK-FAC's"):
        WhiteningOptions(kind="kfac", **{name: 5})


def test_numbers_that_were_chosen_lie_in_a_drawn_order_that_data_does_not_change(model, rows):
    options = WhiteningOptions(kind="ekfac", kept=70)
    plain = dataclasses.replace(options, kept=None)
    fitted = fit_whitening(subject(model), rows, options)

    found = sketched_gradients(lens(model, fitted), rows.tensors)[0]

    straight = sketched_gradients(
        lens(model, fit_whitening(subject(model), rows, plain)), rows.tensors
    )[0]
    order = [(found[:, i : i + 1] == straight).all(0).nonzero()[0, 0].item() for i in range(70)]
    assert sorted(order) == list(range(70))
    assert order != list(range(70))


def test_padding_has_no_say_in_the_curvature(model, rows):
    tokens = torch.cat([rows.tensors["tokens"], torch.full((12, 3), 6)], dim=1)
    mask = torch.arange(7).expand(12, 7) < 4
    padded = dataclasses.replace(rows, tensors={"tokens": tokens, "mask": mask})

    plain = fit_whitening(subject(model), rows, WhiteningOptions())
    found = fit_whitening(subject(model), padded, WhiteningOptions())

    torch.testing.assert_close(found["wide.weight"].cols, plain["wide.weight"].cols)
    torch.testing.assert_close(found["wide.weight"].rows, plain["wide.weight"].rows)


def test_a_parameter_that_hooks_cannot_see_is_whitened_from_its_formed_gradient(model, rows):
    whitening = fit_whitening(
        subject(model, slow={"wide.weight"}), rows, WhiteningOptions(damping=0.04)
    )
    full = formed(model, rows)["wide.weight"]
    places = full.flatten(0, 1)  # one a row of the parameter

    truth = root(places.T @ places / len(places), 0.2)
    torch.testing.assert_close(whitening["wide.weight"].cols.double(), truth, rtol=1e-4, atol=1e-4)
    assert whitening["wide.weight"].rows.shape == (7,)


def test_labels_are_drawn_from_the_model_by_the_seed():
    torch.manual_seed(0)
    model = EventTransformer(CONFIG).eval()
    train = make_rows(works(4, 3, torch.Generator().manual_seed(2)), "w", 3)
    who = subject(model, event_task())

    first, again, other = (
        fit_whitening(who, train, WhiteningOptions(seed=seed)) for seed in (0, 0, 1)
    )
    real = fit_whitening(
        subject(model, dataclasses.replace(event_task(), sampled=None)), train, WhiteningOptions()
    )

    assert whitening_bytes(first) == whitening_bytes(again)
    head = "head.weight"
    assert not torch.allclose(first[head].rows, other[head].rows)
    assert not torch.allclose(first[head].rows, real[head].rows)
    torch.testing.assert_close(first[head].cols, other[head].cols)  # activations are the same


def test_a_sample_of_the_rows_is_enough(model, rows):
    few = fit_whitening(subject(model), rows, WhiteningOptions(rows_max=4))
    those = fit_whitening(subject(model), rows.take([0, 3, 6, 9]), WhiteningOptions())

    assert whitening_bytes(few) == whitening_bytes(those)


def test_a_whitening_comes_back_from_its_bytes(model, rows):
    whitening = fit_whitening(subject(model), rows, WhiteningOptions(kind="ekfac", kept=20))

    found = read_whitening(whitening_bytes(whitening))

    assert set(found) == set(whitening)
    for name, whitener in whitening.items():
        for what in ("rows", "cols", "scale", "places"):
            assert torch.equal(getattr(found[name], what), getattr(whitener, what))


def test_sketches_that_cannot_be_whitened_are_refused(model, rows):
    kfac = fit_whitening(subject(model), rows, WhiteningOptions())
    ekfac = fit_whitening(subject(model), rows, WhiteningOptions(kind="ekfac"))

    with pytest.raises(TypeError, match="SJLT has no two sides"):
        lens(model, kfac, SketchOptions(kind="sjlt", width=16))
    with pytest.raises(ValueError, match="identity sketch"):
        lens(model, ekfac, SketchOptions(side=3))
