"""Every rule against autograd, one example at a time; none of it by the slow path."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from attribution.gradients import Lens, exact_gradients, sketched_gradients, unhooked
from attribution.sketch import SketchOptions, make_sketch

TOLERANCE = 1e-5  # relative
EXAMPLES, PLACES, WIDTH, TOKENS = 5, 6, 4, 9

# What is done with parameters p, q of these shapes, to x (example, place, width) and tokens.
CASES = {
    "linear": (((7, 4), (7,)), lambda p, q, x, _: F.linear(x, p, q)),
    "linear, folded": (((7, 4),), lambda p, x, _: F.linear(x.reshape(-1, 4), p).view(-1, 6, 7)),
    "linear, by name": (((7, 4),), lambda p, x, _: F.linear(weight=p, input=x)),
    "linear, twice": (((4, 4),), lambda p, x, _: F.linear(F.linear(x, p).tanh(), p)),
    "linear, one place": (((7, 4), (7,)), lambda p, q, x, _: F.linear(x[:, 0], p, q)),
    "embedding": (((9, 3),), lambda p, _, t: F.embedding(t, p)),
    "embedding, padding": (((9, 3),), lambda p, _, t: F.embedding(t, p, padding_idx=2)),
    "embedding, padding last": (((9, 3),), lambda p, _, t: F.embedding(t, p, padding_idx=-1)),
    "embedding, bounded": (((9, 3),), lambda p, _, t: F.embedding(t, p, max_norm=0.5)),
    "embedding, frequent": (((9, 3),), lambda p, _, t: F.embedding(t, p, scale_grad_by_freq=True)),
    "embedding, scaled": (((9, 3),), lambda p, _, t: F.embedding(t, p) * 5.0),
    "embedding, tied": (((9, 4),), lambda p, _, t: F.linear(F.embedding(t, p).tanh(), p)),
    "layer norm": (((4,), (4,)), lambda p, q, x, _: F.layer_norm(x, (4,), p, q)),
    "layer norm, wide": (((6, 4), (6, 4)), lambda p, q, x, _: F.layer_norm(x, (6, 4), p, q)),
    "rms norm": (((4,),), lambda p, x, _: F.rms_norm(x, (4,), p, 1e-6)),
    "norm of transformers": (((4,),), lambda p, x, _: p * (x / x.square().mean(-1, True).sqrt())),
    "norm of Gemma": (((4,),), lambda p, x, _: F.rms_norm(x, (4,)) * (1.0 + p.float())),
    "conv": (((6, 4, 3), (6,)), lambda p, q, x, _: F.conv1d(x.mT, p, q, stride=2, padding=1)),
    "conv, dilated": (((6, 4, 3),), lambda p, x, _: F.conv1d(x.mT, p, padding=2, dilation=2)),
    "conv, grouped": (((6, 2, 3), (6,)), lambda p, q, x, _: F.conv1d(x.mT, p, q, groups=2)),
    "conv, same": (((6, 4, 4),), lambda p, x, _: F.conv1d(x.mT, p, padding="same")),
    "conv, valid": (((6, 4, 3),), lambda p, x, _: F.conv1d(x.mT, p, padding="valid")),
    "conv, reflected": (
        ((6, 4, 3),),
        lambda p, x, _: F.conv1d(F.pad(x.mT, (1, 1), mode="reflect"), p),
    ),
    "conv of two dimensions": (
        ((6, 1, 3, 3), (6,)),
        lambda p, q, x, _: F.conv2d(x[:, None], p, q).flatten(2),
    ),
    "Conv1D of GPT-2": (
        ((4, 7), (7,)),
        lambda p, q, x, _: torch.addmm(q, x.reshape(-1, 4), p).view(-1, 6, 7),
    ),
    "addmm, weighted": (
        ((4, 7), (7,)),
        lambda p, q, x, _: torch.addmm(q, x[:, 0], p, beta=0.5, alpha=3.0),
    ),
    "matmul": (((4, 7),), lambda p, x, _: x @ p),
    "matmul, from the left": (((2, 6),), lambda p, x, _: p @ x),
    "transposed": (((7, 4),), lambda p, x, _: x @ p.T),
    "einsum": (((4, 7),), lambda p, x, _: torch.einsum("btd,dk->btk", x, p)),
    "a number": (((),), lambda p, x, _: p * x),
    "divided": (((4,),), lambda p, x, _: x / p),
    "added, weighted": (((6, 4),), lambda p, x, _: torch.add(x, p, alpha=0.3)),
    "a table of places": (((1, 8, 4),), lambda p, x, _: x + p[:, : x.shape[1]]),
    "places looked up once": (((8, 4),), lambda p, x, _: x + F.embedding(torch.arange(6), p)),
    "places in front": (((8, 4),), lambda p, x, _: x + F.embedding(torch.arange(6)[None], p)),
    "a token ahead": (((1, 1, 4),), lambda p, x, _: torch.cat([p.expand(len(x), -1, -1), x], 1)),
    "places for everyone": (((6, 4),), lambda p, x, _: x + p.expand(len(x), -1, -1)),
    "group norm": (((4,), (4,)), lambda p, q, x, _: F.group_norm(x.mT, 2, p, q)),
    "group norm, as wide as the batch": (
        ((5,), (5,)),
        lambda p, q, x, _: F.group_norm(x[:, :5], 5, p, q),
    ),
    "prelu": (((4,),), lambda p, x, _: F.prelu(x.mT, p)),
    "masked": (((7, 4),), lambda p, x, t: F.linear(x, p) * (t > 3)[..., None]),
}


class Using(nn.Module):
    """A model of which one function is under test; what comes before needs a gradient, or not."""

    def __init__(self, case: str, *, first: bool) -> None:
        super().__init__()
        shapes, self.function = CASES[case]
        self.before = None if first else nn.Linear(WIDTH, WIDTH)
        self.own = nn.ParameterList(torch.randn(shape) for shape in shapes)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        x = x if self.before is None else torch.tanh(self.before(x))
        return self.function(*self.own, x, tokens)


def score(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return model(batch["x"], batch["tokens"]).sin().flatten(1).sum(1)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
@pytest.mark.parametrize("case", CASES)
def test_every_use_of_a_parameter_is_seen_by_the_hooks(case: str, first: bool):
    torch.manual_seed(0)
    model = Using(case, first=first).eval()
    batch = {
        "x": torch.randn(EXAMPLES, PLACES, WIDTH),
        "tokens": torch.randint(0, TOKENS, (EXAMPLES, PLACES)),
    }
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    sketch = make_sketch(shapes, SketchOptions(kind="identity", vectors=True), seed=0)
    found = sketched_gradients(Lens(model=model, function=score, sketches=(sketch,)), batch)[0]
    exact = exact_gradients(model, score, batch, list(shapes))
    truth = torch.cat([exact[name].reshape(EXAMPLES, -1) for name in shapes], dim=1)

    assert float(truth.norm()) > 0
    assert float((found - truth).norm() / truth.norm()) < TOLERANCE
    assert unhooked(model, score, batch, list(shapes)) == frozenset()
