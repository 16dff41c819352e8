import dataclasses

import pytest
import torch

from attribution.ensemble import lora as module
from attribution.ensemble.checkpoints import CannotCombine
from attribution.ensemble.lora import LoraOptions, TrainedOn, adapter_task, lora
from attribution.errors import CorruptIndex
from attribution.gradients import exact_gradients, unhooked
from attribution.index import IndexOptions
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.sketch import SketchOptions
from attribution.task import Task, chosen_parameters
from tests.attribution.engine_world import SPAN, VOCABULARY, checkpoint, make_rows

pytest.importorskip("peft")
pytestmark = pytest.mark.slow  # it takes long to import

OPTIONS = LoraOptions(adapters=2, rank=2, targets=("*.qkv", "*.out"))


@pytest.fixture(scope="module")
def trained_on(world, tmp_path_factory):
    directory = tmp_path_factory.mktemp("adapters")
    return TrainedOn(task=world.task, rows=world.train.take(range(32)), directory=directory)


@pytest.fixture(scope="module")
def adapters(world, trained_on):
    return lora(world.checkpoints[-1], OPTIONS, trained_on)


def loss(checkpoint, trained_on):
    with torch.no_grad():
        return float(trained_on.task.loss(checkpoint.load(), trained_on.rows.tensors).mean())


def test_training_changes_the_adapters_and_no_weight_of_the_base(world, adapters, trained_on):
    base = world.checkpoints[-1].load().state_dict()
    kept = adapters[0].load().state_dict()
    own = {n.replace("base_layer.", ""): t for n, t in kept.items() if "lora_" not in n}

    assert own.keys() == base.keys()
    assert all(torch.equal(own[name], tensor) for name, tensor in base.items())
    assert all(tensor.abs().sum() > 0 for name, tensor in kept.items() if "lora_B" in name)
    assert loss(adapters[0], trained_on) < loss(world.checkpoints[-1], trained_on)


def test_the_task_of_adapters_sees_adapters_alone_and_hooks_see_all_of_them(adapters, trained_on):
    model, task = adapters[0].load(), adapter_task(trained_on.task)
    names = chosen_parameters(task, model)
    few = trained_on.rows.take([0, 1]).tensors

    assert len(names) == 8  # two layers in each of two blocks, two factors each
    assert all("lora_" in name for name in names)
    assert unhooked(model, task.measurement, few, names) == frozenset()
    gradients = exact_gradients(model, task.measurement, few, names)
    assert all(gradient.abs().sum() > 0 for gradient in gradients.values())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_adapter(
    world, adapters, trained_on, tmp_path
):
    elsewhere = dataclasses.replace(trained_on, directory=tmp_path)
    again = lora(world.checkpoints[-1], OPTIONS, elsewhere)
    other = lora(world.checkpoints[-1], dataclasses.replace(OPTIONS, seed=1), elsewhere)

    assert [c.sha256 for c in again] == [c.sha256 for c in adapters]
    assert len({c.sha256 for c in (*again, *other)}) == 4
    written = {path.name: path.read_bytes() for path in trained_on.directory.iterdir()}
    assert written == {name: (tmp_path / name).read_bytes() for name in written}


def test_adapters_that_are_there_are_not_trained_again(world, adapters, trained_on, monkeypatch):
    monkeypatch.setattr(module, "_train", None)

    again = lora(world.checkpoints[-1], OPTIONS, trained_on)

    assert [c.sha256 for c in again] == [c.sha256 for c in adapters]


def test_training_leaves_the_random_numbers_of_others_alone(world, trained_on, tmp_path):
    torch.manual_seed(0)
    before = torch.rand(1)
    torch.manual_seed(0)
    few = dataclasses.replace(OPTIONS, adapters=1, epochs=1)
    lora(world.checkpoints[0], few, dataclasses.replace(trained_on, directory=tmp_path))[0].load()

    assert torch.rand(1) == before


def test_an_adapter_that_was_changed_is_refused_by_name(world, trained_on, tmp_path):
    elsewhere = dataclasses.replace(trained_on, directory=tmp_path)
    (found,) = lora(world.checkpoints[0], dataclasses.replace(OPTIONS, adapters=1), elsewhere)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")

    with pytest.raises(CorruptIndex, match=path.name):
        found.load()


def test_targets_that_no_linear_layer_matches_are_refused(world, trained_on):
    for targets in (("*.nothing",), ("head",)):
        options = dataclasses.replace(OPTIONS, targets=targets)
        with pytest.raises(CannotCombine, match="no linear layer matches"):
            lora(world.checkpoints[0], options, trained_on)


def test_adapters_fit_transposed_layers_and_spare_the_head(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=2
    )
    rows = make_rows(torch.randint(1, VOCABULARY, (8, SPAN)), "w", 1)
    task = Task(loss=next_event_loss, measurement=next_event_loss)
    base = checkpoint(GPT2LMHeadModel(config), 0)

    (found,) = lora(
        base,
        LoraOptions(adapters=1, learning_rate=1e-2),
        TrainedOn(task=task, rows=rows, directory=tmp_path),
    )
    names = chosen_parameters(adapter_task(task), found.load())

    assert sorted({name.split(".lora_")[0].split(".h.0.")[1] for name in names}) == [
        "attn.c_attn",
        "attn.c_proj",
        "mlp.c_fc",
        "mlp.c_proj",
    ]
    with torch.no_grad():
        before, after = (task.loss(c.load(), rows.tensors).mean() for c in (base, found))
    assert after < before


def next_event_loss(model, batch):
    tokens = batch["tokens"]
    logits = model(input_ids=tokens, use_cache=False).logits[:, :-1]
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
    )
    return each.view(len(tokens), -1).sum(1)


def test_adapters_are_indexed_and_scored_like_any_checkpoint(world, adapters, trained_on, tmp_path):
    task, rows = adapter_task(trained_on.task), trained_on.rows
    options = IndexOptions(sketch=SketchOptions(kind="identity"), seeds=(0,))
    index = build(task, adapters, {"train": rows}, tmp_path, options)

    found = bilinear.scores(bilinear.fit(index, task, adapters), rows.take([3, 9]))

    assert found.train.shape == (1, 2, 32)
    assert found.train[0].argmax(1).tolist() == [3, 9]
    apart = dataclasses.replace(OPTIONS, apart=True)
    assert [c.run for c in lora(world.checkpoints[-1], apart, trained_on)] == [
        "/adapter-0",
        "/adapter-1",
    ]
