import pytest
import torch
from torch import nn

from attribution.errors import AttributionError
from attribution.methods.embeddings import cosines, embed
from attribution.models.in_memory import checkpoint_of
from attribution.task import Checkpoint, Execution, Rows, Task


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 5)
        self.hidden = nn.Linear(5, 5)
        self.head = nn.Linear(5, 7)

    def forward(self, tokens):
        return self.head(self.hidden(self.table(tokens)).tanh())


def measurement(model, batch):
    return model(batch["tokens"]).sum((1, 2))


TASK = Task(loss=measurement, measurement=measurement)


def rows_of(tokens, mask):
    names = tuple(f"r{i}" for i in range(len(tokens)))
    return Rows(tensors={"tokens": tokens, "mask": mask}, ids=names, owners=names)


@pytest.fixture
def world():
    torch.manual_seed(0)
    model = Model()
    mask = torch.ones(6, 4, dtype=torch.bool)
    mask[2, 2:] = False
    return model, torch.randint(0, 7, (6, 4)), mask


def test_an_embedding_is_the_mean_of_what_the_last_linear_layer_is_given(world):
    model, tokens, mask = world

    found = embed(TASK, checkpoint_of(model, "m"), rows_of(tokens, mask), Execution(batch=4))

    states = model.hidden(model.table(tokens)).tanh()
    truth = torch.stack([own[heard].mean(0) for own, heard in zip(states, mask, strict=True)])
    torch.testing.assert_close(found, truth.detach())


def test_it_says_how_far_it_is(world):
    model, tokens, mask = world
    told = []
    execution = Execution(batch=4, progress=lambda *told_of: told.append(told_of))

    embed(TASK, checkpoint_of(model, "m"), rows_of(tokens, mask), execution)

    assert told == [(4, 6), (6, 6)]


def test_padding_counts_for_nothing(world):
    model, tokens, mask = world
    other = tokens.where(mask, 1 - tokens.clamp(max=1))
    assert not torch.equal(other, tokens)

    first, second = (
        embed(TASK, checkpoint_of(model, "m"), rows_of(each, mask), Execution())
        for each in (tokens, other)
    )

    assert torch.equal(first, second)


def test_no_hook_is_left_behind(world):
    model, tokens, mask = world
    checkpoint = Checkpoint(name="m", sha256="0", load=lambda: model)

    embed(TASK, checkpoint, rows_of(tokens, mask), Execution())

    assert not any(module._forward_pre_hooks for module in model.modules())  # noqa: SLF001


def test_cosines_are_of_what_differs_from_the_common_part():
    train = torch.tensor([[101.0, 0.0], [99.0, 0.0]])
    query = torch.tensor([[103.0, 0.0], [100.0, 5.0]])

    torch.testing.assert_close(cosines(train, query), torch.tensor([[1.0, -1.0], [0.0, 0.0]]))


def test_a_model_without_a_linear_layer_is_refused(world):
    _, tokens, mask = world
    task = Task(loss=measurement, measurement=lambda m, b: m(b["tokens"]).sum((1, 2)))

    with pytest.raises(AttributionError, match="no linear layer"):
        embed(task, checkpoint_of(nn.Embedding(7, 5), "m"), rows_of(tokens, mask), Execution())
