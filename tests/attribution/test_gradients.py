import functools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from attribution import layers
from attribution.gradients import Lens, exact_gradients, sketched_gradients, unhooked
from attribution.models.event_transformer import EventTransformer, event_task
from attribution.sketch import SketchOptions, make_sketch
from tests.attribution.engine_world import CONFIG, SPAN, VOCABULARY

TOLERANCE = 1e-5  # relative


class Layers(nn.Module):
    """One of everything the hooks know, on tokens (example, place)."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 8, padding_idx=0)
        self.wide = nn.Linear(8, 12)
        self.norm = nn.LayerNorm(12)
        self.rms = nn.RMSNorm(12, eps=1e-6)
        self.conv = nn.Conv1d(12, 6, 3, stride=2, padding=2, dilation=2)
        self.turned = Conv1D(6, 8)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.table.weight  # tied

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.rms(self.norm(torch.tanh(self.wide(self.table(tokens)))))
        x = functional.relu(self.conv(x.transpose(1, 2)), inplace=True).transpose(1, 2)
        return self.head(self.turned(x))


class Conv1D(nn.Module):
    """A Linear with its weight the other way round, as GPT-2 in transformers has it."""

    def __init__(self, size_in: int, size_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size_in, size_out))
        self.bias = nn.Parameter(torch.zeros(size_out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Turned(nn.Module):
    """A layer that has the example second: what the hooks get wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 8)
        self.turned = nn.Linear(8, 8)
        self.head = nn.Linear(8, 11)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.turned(self.table(tokens).transpose(0, 1)).transpose(0, 1)
        return self.head(torch.tanh(x))


class Rare(nn.Module):
    """A parameter that only the sequences with a token 7 have a gradient for."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 8)
        self.gate = nn.Linear(8, 8)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.table(tokens)
        return x + self.gate(x) * (tokens == 7)[..., None]


def score(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return model(batch["tokens"]).log_softmax(-1)[..., 3].sum(-1)


def twin(model: nn.Module, function, batch) -> dict[str, Tensor]:
    """Per-example gradients by `torch.func`, one example at a time."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def value(parameters, one):
        with torch.nn.utils.stateless._reparametrize_module(model, parameters, tie_weights=True):  # noqa: SLF001
            return function(model, {name: tensor[None] for name, tensor in one.items()}).sum()

    size = len(next(iter(batch.values())))
    ones = [{name: tensor[i] for name, tensor in batch.items()} for i in range(size)]
    found = [torch.func.grad(value)(parameters, one) for one in ones]
    return {name: torch.stack([f[name] for f in found]) for name in parameters}


def lens(model: nn.Module, function, options=None, slow=frozenset()) -> Lens:
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    options = options or SketchOptions(kind="identity", vectors=True)
    sketch = make_sketch(shapes, options, seed=0)
    return Lens(model=model, function=function, sketches=(sketch,), slow=slow)


def flat(gradients: dict[str, Tensor], names) -> Tensor:
    return torch.cat([gradients[name].flatten(1) for name in names], dim=1)


def assert_agree(found: Tensor, truth: Tensor) -> None:
    assert float((found - truth).norm() / truth.norm()) < TOLERANCE


@pytest.fixture
def model() -> Layers:
    torch.manual_seed(0)
    return Layers().eval()


@pytest.fixture
def batch() -> dict[str, Tensor]:
    return {"tokens": torch.randint(0, 11, (5, 9), generator=torch.Generator().manual_seed(1))}


@pytest.mark.parametrize("name", [n for n, _ in Layers().named_parameters()])
def test_the_hooks_agree_with_torch_func_on_every_kind_of_layer(name, model, batch):
    seen = Lens(
        model=model,
        function=score,
        sketches=(
            make_sketch(
                {name: tuple(dict(model.named_parameters())[name].shape)},
                SketchOptions(kind="identity", vectors=True),
                seed=0,
            ),
        ),
    )

    found = sketched_gradients(seen, batch)[0]

    assert_agree(found, twin(model, score, batch)[name].flatten(1))


def test_the_hooks_agree_with_torch_func_on_the_event_transformer():
    torch.manual_seed(0)
    model, task = EventTransformer(CONFIG).eval(), event_task()
    tokens = torch.randint(1, VOCABULARY, (4, SPAN))
    batch = {"tokens": tokens, "mask": torch.arange(SPAN) < torch.tensor([[24], [20], [9], [24]])}
    truth = twin(model, task.loss, batch)

    assert unhooked(model, task.loss, batch, list(truth)) == frozenset()
    found = sketched_gradients(lens(model, task.loss), batch)[0]
    start = 0
    for gradient in truth.values():
        stop = start + gradient[0].numel()
        assert_agree(found[:, start:stop], gradient.flatten(1))
        start = stop


def test_the_slow_public_twin_agrees_with_torch_func(model, batch):
    truth = twin(model, score, batch)

    assert_agree(flat(exact_gradients(model, score, batch, list(truth)), truth), flat(truth, truth))


def test_a_batch_of_any_composition_gives_an_example_the_same_gradient(model, batch):
    seen = lens(model, score, SketchOptions(side=4))
    together = sketched_gradients(seen, batch)[0]
    alone = [sketched_gradients(seen, {"tokens": batch["tokens"][i : i + 1]})[0] for i in range(5)]
    turned = sketched_gradients(seen, {"tokens": batch["tokens"].flip(0)})[0].flip(0)

    assert_agree(torch.cat(alone), together)
    assert_agree(turned, together)


def test_padding_changes_no_gradient():
    torch.manual_seed(0)
    model, task = EventTransformer(CONFIG).eval(), event_task()
    seen = lens(model, task.measurement, SketchOptions(side=4))
    tokens = torch.randint(1, VOCABULARY, (3, 10))
    short = {"tokens": tokens, "mask": torch.ones(3, 10, dtype=torch.bool)}
    long = {"tokens": functional.pad(tokens, (0, 8)), "mask": functional.pad(short["mask"], (0, 8))}

    assert_agree(sketched_gradients(seen, long)[0], sketched_gradients(seen, short)[0])


@pytest.mark.parametrize("places", [5, 6])  # as many as examples; two and three divide it
def test_a_layer_with_the_example_second_is_found_and_computed_anyway(places: int):
    torch.manual_seed(0)
    model = Turned().eval()
    batch = {"tokens": torch.randint(0, 11, (5, places))}
    names = [name for name, _ in model.named_parameters()]

    slow = unhooked(model, score, batch, names)
    found = sketched_gradients(lens(model, score, slow=slow), batch)[0]

    assert slow == {"turned.weight", "turned.bias"}
    assert_agree(found, flat(twin(model, score, batch), names))


def test_a_wrong_rule_is_found_even_where_the_first_rows_have_no_gradient(monkeypatch):
    torch.manual_seed(0)
    model = Rare().eval()
    tokens = torch.randint(0, 7, (8, 5))
    tokens[6, 2] = 7
    names = [name for name, _ in model.named_parameters()]
    assert unhooked(model, score, {"tokens": tokens}, names) == frozenset()

    right = layers.RULES[functional.linear]

    def wrong(*given: object):
        for argument, pull in right(*given):
            yield argument, lambda g, pull=pull: tuple(1.01 * each for each in pull(g))

    monkeypatch.setitem(layers.RULES, functional.linear, wrong)

    assert unhooked(model, score, {"tokens": tokens}, names) == {"gate.weight", "gate.bias"}


def test_fewer_rows_than_a_trial_takes_are_enough():
    torch.manual_seed(0)
    model = Turned().eval()
    names = [name for name, _ in model.named_parameters()]

    slow = unhooked(model, score, {"tokens": torch.randint(0, 11, (1, 7))}, names)

    assert slow == {"turned.weight", "turned.bias"}


def test_a_gradient_that_is_zero_but_for_rounding_needs_no_slow_path():
    """As the bias of attention's keys, which moves all scores of a query alike."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"table": nn.Embedding(11, 8), "scale": nn.LayerNorm(8, bias=False)})

    def cancelled(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        x = model["table"](batch["tokens"])
        forth, back = model["scale"](x.tanh()), model["scale"](x.flip(1).tanh())
        return (x.sin() + forth - back).sum((1, 2))

    batch = {"tokens": torch.randint(0, 11, (8, 50))}

    assert unhooked(model, cancelled, batch, ["table.weight", "scale.weight"]) == frozenset()


def test_rows_that_touch_each_other_are_taken_one_by_one():
    torch.manual_seed(0)
    model = nn.ModuleDict({"table": nn.Embedding(11, 8), "norm": nn.BatchNorm1d(8)})

    def coupled(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return model["norm"](model["table"](batch["tokens"]).mT).sin().sum((1, 2))

    batch = {"tokens": torch.randint(0, 11, (8, 9))}
    model.train()

    assert "table.weight" in unhooked(model, coupled, batch, ["table.weight", "norm.weight"])


@pytest.mark.parametrize("names", [["wide.weight"], ["table.weight", "wide.weight", "wide.bias"]])
def test_checkpointed_layers_give_the_same_gradients(names, model, batch):
    """Their forward runs twice: nothing may count twice, nor be lost."""
    plain = exact_gradients(model, score, batch, names)
    again = functools.partial(checkpoint, model.wide.forward, use_reentrant=False)
    model.wide.forward = again
    shapes = {name: tuple(plain[name].shape[1:]) for name in names}
    sketch = make_sketch(shapes, SketchOptions(kind="identity", vectors=True), seed=0)
    found = sketched_gradients(Lens(model=model, function=score, sketches=(sketch,)), batch)[0]

    assert_agree(found, flat(plain, names))


def test_in_bfloat16_nothing_is_wrong_but_the_rounding(model, batch):
    names = [name for name, _ in model.named_parameters()]
    exact = flat(exact_gradients(model, score, batch, names), names)
    half = model.bfloat16()

    slow = unhooked(half, score, batch, names)
    found = sketched_gradients(lens(half, score), batch)[0]

    assert slow == frozenset()
    assert found.dtype == torch.float32
    assert float((found - exact).norm() / exact.norm()) < 0.02  # eight bits: 0.4 % a rounding


def test_several_seeds_come_from_one_pass(model, batch):
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    sketches = [make_sketch(shapes, SketchOptions(side=4), seed=seed) for seed in (0, 1)]
    both = sketched_gradients(Lens(model=model, function=score, sketches=tuple(sketches)), batch)

    for sketch, found in zip(sketches, both, strict=True):
        alone = Lens(model=model, function=score, sketches=(sketch,))
        assert_agree(found, sketched_gradients(alone, batch)[0])
    assert not both[0].equal(both[1])


def test_the_model_is_left_as_it_was(model, batch):
    model.head.weight.requires_grad_(False)
    before = {name: p.requires_grad for name, p in model.named_parameters()}

    sketched_gradients(lens(model, score), batch)

    assert {name: p.requires_grad for name, p in model.named_parameters()} == before
    assert not any(module._forward_hooks for module in model.modules())  # noqa: SLF001
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_sketch_as_the_processor():
    torch.manual_seed(0)
    model, task = EventTransformer(CONFIG).eval(), event_task()
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    tokens = torch.randint(1, VOCABULARY, (4, SPAN))
    batch = {"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)}
    found = {}
    for device in ("cpu", "cuda"):
        sketch = make_sketch(shapes, SketchOptions(side=8), seed=0, device=device)
        seen = Lens(model=model.to(device), function=task.measurement, sketches=(sketch,))
        on_device = {name: tensor.to(device) for name, tensor in batch.items()}
        found[device] = sketched_gradients(seen, on_device)[0].cpu()

    assert float((found["cuda"] - found["cpu"]).norm() / found["cpu"].norm()) < 1e-3
