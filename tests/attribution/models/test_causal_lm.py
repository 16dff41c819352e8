"""Any causal language model of transformers, as it is, by its own batches."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from attribution.gradients import Lens, Names, exact_gradients, sketched_gradients, unhooked
from attribution.methods.attribute import attribute
from attribution.models.causal_lm import causal_lm_task
from attribution.models.in_memory import checkpoint_of
from attribution.moments import Subject
from attribution.sketch import SketchOptions, make_sketch, matrix_shape
from attribution.task import Rows, chosen_parameters
from attribution.whitening import WhiteningOptions, fit_whitening, whitened

pytestmark = pytest.mark.slow  # transformers takes ten seconds to import

TOLERANCE = 1e-5  # relative
VOCABULARY, EXAMPLES, PLACES, CODEBOOKS = 61, 5, 9, 3
SIZES = {"vocab_size": VOCABULARY, "max_position_embeddings": 32}
Make = Callable[..., nn.Module]


def gpt2(**options: object) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**(SIZES | sizes | dropout | ends | options)))


def llama(**options: object) -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    return LlamaForCausalLM(LlamaConfig(**(SIZES | sizes | heads | options)))


def tied_llama() -> nn.Module:
    return llama(tie_word_embeddings=True)


def musicgen() -> nn.Module:
    from transformers import MusicgenForCausalLM
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 48}
    codes = {"num_codebooks": CODEBOOKS, "pad_token_id": VOCABULARY, "bos_token_id": VOCABULARY}
    return MusicgenForCausalLM(MusicgenDecoderConfig(**(SIZES | sizes | codes)))


def batch_for(make: Make, examples: int = EXAMPLES) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (examples, CODEBOOKS, PLACES) if make is musicgen else (examples, PLACES)
    mask = torch.arange(PLACES) < torch.tensor([9, 6, 9, 4, 9]).repeat(8)[:examples, None]
    ids = torch.randint(0, VOCABULARY, shape, generator=generator)
    return {"input_ids": ids, "attention_mask": mask.long()}


def lens(model: nn.Module, **options: object) -> Lens:
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    sketch = make_sketch(shapes, SketchOptions(vectors=True, **options), seed=0)
    return Lens(model=model, function=causal_lm_task().measurement, sketches=(sketch,))


def apart(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).norm() / truth.norm())


@pytest.fixture
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return request.param().eval()


EVERY = [gpt2, llama, tied_llama, musicgen]
every_model = pytest.mark.parametrize(
    ("model", "make"),
    [(make, make) for make in EVERY],
    indirect=["model"],
    ids=lambda m: m.__name__,
)


@every_model
def test_the_hooks_agree_with_the_slow_twin_and_see_everything(model, make):
    batch = batch_for(make)
    names = [name for name, _ in model.named_parameters()]
    exact = exact_gradients(model, causal_lm_task().measurement, batch, names)
    truth = torch.cat([exact[name].flatten(1) for name in names], dim=1)

    assert unhooked(model, causal_lm_task().measurement, batch, names) == frozenset()
    assert apart(sketched_gradients(lens(model, kind="identity"), batch)[0], truth) < TOLERANCE


@every_model
def test_neighbours_and_padding_change_no_gradient(model, make):
    batch, seen = batch_for(make), lens(model, side=4)
    together = sketched_gradients(seen, batch)[0]
    longer = {name: functional.pad(tensor, (0, 7)) for name, tensor in batch.items()}
    short = {name: tensor[1:2, ..., :6] for name, tensor in batch.items()}  # as long as it is

    assert apart(sketched_gradients(seen, longer)[0], together) < TOLERANCE
    assert apart(sketched_gradients(seen, short)[0], together[1:2]) < TOLERANCE


@pytest.mark.parametrize("make", [gpt2, llama])
def test_the_loss_is_the_one_of_transformers_summed(make):
    torch.manual_seed(0)
    model, batch = make().eval(), batch_for(make)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    mean = model(**batch, labels=labels).loss

    loss = causal_lm_task().loss(model, batch).detach()

    assert float(loss.sum() / (labels[:, 1:] != -100).sum()) == pytest.approx(mean.item(), rel=1e-5)
    assert torch.equal(loss, causal_lm_task().loss(model, {**batch, "labels": labels}))
    assert torch.equal(-loss, causal_lm_task().measurement(model, batch))


def test_the_loss_of_musicgen_is_the_one_of_transformers_summed():
    torch.manual_seed(0)
    model, batch = musicgen().eval(), batch_for(musicgen)
    batch["attention_mask"][:] = 1
    begun = torch.full((EXAMPLES, CODEBOOKS, 1), VOCABULARY)
    ids = torch.cat([begun, batch["input_ids"]], dim=-1)  # transformers shifts the labels itself
    theirs = model(
        input_ids=ids[..., :-1].flatten(0, 1), labels=batch["input_ids"].transpose(1, 2)
    ).loss

    ours = causal_lm_task().loss(model, {"input_ids": ids})

    assert ours.sum().item() / batch["input_ids"].numel() == pytest.approx(theirs.item(), rel=1e-5)


def test_places_out_of_sight_do_not_count():
    torch.manual_seed(0)
    model, batch = llama().eval(), batch_for(llama, 1)
    places = {"position_ids": torch.tensor([[0, 0, 0, *range(PLACES)]])}
    left = {name: functional.pad(tensor, (3, 0)) for name, tensor in batch.items()}
    labels = batch["input_ids"].clone()
    labels[:, 4:] = -100
    begun = {name: tensor[:, :4] for name, tensor in batch.items()}
    loss = causal_lm_task().loss

    assert torch.allclose(loss(model, left | places), loss(model, batch), rtol=1e-5)
    assert torch.allclose(loss(model, {**batch, "labels": labels}), loss(model, begun), rtol=1e-5)


def test_sampled_labels_cost_what_the_model_expects_them_to():
    torch.manual_seed(0)
    model, batch = gpt2(initializer_range=0.5).eval(), batch_for(gpt2)
    log_p = model(**batch).logits[:, :-1].log_softmax(-1)
    entropy = -(log_p.exp() * log_p).sum(-1) * batch["attention_mask"][:, 1:]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        drawn = [causal_lm_task().sampled(model, batch, generator) for _ in range(300)]

    assert torch.allclose(torch.stack(drawn).mean(0), entropy.sum(1), rtol=0.05)
    assert not drawn[0].equal(drawn[1])


def test_margin_and_probability_by_hand():
    torch.manual_seed(0)
    model, batch = gpt2().eval(), batch_for(gpt2, 1)
    p = model(**batch).logits[0, :-1].softmax(-1)
    own = p.gather(-1, batch["input_ids"][0, 1:, None])[:, 0].double()

    margin = causal_lm_task(margin=True).measurement(model, batch)
    probability = causal_lm_task().probability(model, batch)

    assert margin.item() == pytest.approx((own.log() - (1 - own).log()).sum().item(), rel=1e-4)
    assert probability.item() == pytest.approx(own.log().mean().exp().item(), rel=1e-4)


@pytest.mark.parametrize(("make", "pattern"), [(gpt2, "*.mlp.*"), (llama, "*self_attn*")])
def test_parameters_chosen_by_name_are_the_only_ones_looked_at(make, pattern):
    torch.manual_seed(0)
    model, batch = make().eval(), batch_for(make)
    task = causal_lm_task(parameters=(pattern, "!*.bias", "!*.0.*"))
    names = chosen_parameters(task, model)
    shapes = {name: tuple(dict(model.named_parameters())[name].shape) for name in names}
    sketch = make_sketch(shapes, SketchOptions(kind="identity"), seed=0)
    exact = exact_gradients(model, task.loss, batch, names)
    found = sketched_gradients(Lens(model=model, function=task.loss, sketches=(sketch,)), batch)[0]

    assert names
    assert all(".1." in name and not name.endswith("bias") for name in names)
    assert apart(found, torch.cat([exact[n].flatten(1) for n in names], dim=1)) < TOLERANCE


@pytest.mark.parametrize("make", [gpt2, llama])
def test_activation_checkpointing_changes_nothing(make):
    torch.manual_seed(0)
    model, batch = make(), batch_for(make)
    plain = sketched_gradients(lens(model.eval(), side=4), batch)[0]
    model.train().activation_checkpointing_enable()

    assert apart(sketched_gradients(lens(model, side=4), batch)[0], plain) < TOLERANCE


@pytest.mark.parametrize("make", [gpt2, llama])
def test_in_bfloat16_all_that_differs_is_rounding(make):
    torch.manual_seed(0)
    model, batch = make().eval(), batch_for(make)
    plain = sketched_gradients(lens(model, side=4), batch)[0]
    names = [name for name, _ in model.named_parameters()]
    half = model.bfloat16()

    assert unhooked(half, causal_lm_task().loss, batch, names) == frozenset()
    assert apart(sketched_gradients(lens(half, side=4), batch)[0], plain) < 0.03


@pytest.mark.parametrize("method", ["default", "trak"])
@pytest.mark.parametrize("make", [gpt2, llama, musicgen])
def test_a_row_trained_on_explains_itself_best(make, method):
    torch.manual_seed(0)
    models = [make().eval() for _ in range(2)]
    train = batch_for(make, 24)
    query = {name: tensor[[3, 0]] for name, tensor in train.items()}

    scores = attribute(causal_lm_task(), models, train, query, method)

    assert scores.train.shape == (len(scores.replicates), 2, 24)
    assert scores.spread()[0].argmax(1).tolist() == [3, 0]


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation made."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        for each in output if isinstance(output, (tuple, list)) else [output]:
            if isinstance(each, Tensor):
                self.numbers = max(self.numbers, each.untyped_storage().nbytes() // 4)
        return output


def test_with_fifty_thousand_tokens_nothing_is_as_large_as_their_square():
    torch.manual_seed(0)
    vocabulary, examples, places, width, side = 50_257, 4, 12, 32, 8
    model = gpt2(vocab_size=vocabulary).eval()
    ids = torch.randint(0, vocabulary, (examples, places))
    rows = Rows(tensors={"input_ids": ids}, ids=tuple("abcd"), owners=tuple("abcd"))
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters() if p.ndim > 1}
    subject = Subject(
        model,
        causal_lm_task(),
        Names(frozenset(shapes)),
        {n: matrix_shape(s) for n, s in shapes.items()},
    )
    with Largest() as largest:
        sketch = make_sketch(shapes, SketchOptions(side=side), seed=0)
        folded = whitened(sketch, fit_whitening(subject, rows, WhiteningOptions()))
        function = causal_lm_task().measurement
        seen = Lens(model=model, function=function, sketches=(folded,))
        found = sketched_gradients(seen, rows.tensors)[0]
        unhooked(model, function, rows.tensors, list(shapes))

    assert found.shape == (examples, len(shapes) * side * side)
    assert bool(found.isfinite().all())
    logits = examples * places * vocabulary
    assert largest.numbers <= max(2 * logits, vocabulary * width)  # two numbers a logit: int64


def test_a_model_at_hand_becomes_a_checkpoint_and_stays_as_it_was():
    torch.manual_seed(0)
    model = gpt2().train()
    kept = checkpoint_of(model)
    with torch.no_grad():
        model.lm_head.weight.add_(1)

    assert model.training
    assert not kept.load().training
    assert kept.load() is not kept.load()
    assert kept.load().lm_head.weight is not model.lm_head.weight
    assert checkpoint_of(model).sha256 != kept.sha256
    assert checkpoint_of(kept.load()).sha256 == kept.sha256
