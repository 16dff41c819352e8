import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from attribution.ensemble.checkpoints import CannotCombine
from attribution.ensemble.dropout import DropoutOptions, dropout
from attribution.gradients import exact_gradients
from attribution.models.event_transformer import (
    EventTransformer,
    EventTransformerConfig,
    event_task,
)
from tests.attribution.engine_world import SPAN, VOCABULARY, checkpoint, make_rows

CONFIG = EventTransformerConfig(width=32, layers=2, heads=2, span=SPAN, dropout=0.3)
TASK = event_task()


@pytest.fixture(scope="module")
def whole():
    torch.manual_seed(3)
    return checkpoint(EventTransformer(CONFIG), 1)


@pytest.fixture(scope="module")
def rows():
    generator = torch.Generator().manual_seed(5)
    return make_rows(torch.randint(1, VOCABULARY, (6, SPAN), generator=generator), "w", 1)


def member(whole, **options):
    return dropout(whole, DropoutOptions(masks=1, **options))[0].load()


def losses(model, rows):
    with torch.no_grad():
        return TASK.loss(model, rows.tensors)


def by_hand(whole, masked):
    """Take the same features out of the weights that make them; dropout then has no part in it."""
    model, one = whole.load(), torch.ones(1, 1, CONFIG.width)
    with torch.no_grad():
        model.embedding.weight *= masked.dropout(one)[0]
        for block, seen in zip(model.blocks, masked.blocks, strict=True):
            mask = seen.dropout(one)[0, 0]
            for layer in (block.out, block.narrow):
                layer.weight *= mask[:, None]
                layer.bias *= mask
    return model


def test_a_member_is_the_network_with_features_taken_out_of_its_weights(whole, rows):
    masked = member(whole)

    torch.testing.assert_close(losses(masked, rows), losses(by_hand(whole, masked), rows))
    assert not torch.allclose(losses(masked, rows), losses(whole.load(), rows))


def test_a_mask_leaves_out_its_rate_of_features_and_keeps_the_mean():
    wide = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.25))
    mask = member(checkpoint(wide, 1))[1](torch.ones(1, 20_000))

    assert mask.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (mask == 0).float().mean() == pytest.approx(0.25, abs=0.02)


def test_one_mask_serves_every_row_place_and_load(whole):
    first = member(whole).dropout(torch.ones(4, 7, CONFIG.width))
    again = member(whole).dropout(torch.ones(1, 2, CONFIG.width))

    assert (first == again[0, 0]).all()


def test_layers_members_checkpoints_and_seeds_have_masks_of_their_own(whole):
    other = checkpoint(whole.load(), 2)
    models = [c.load() for c in dropout(whole, DropoutOptions(masks=2))]
    models += [member(other), member(whole, seed=1)]
    layers = [m for model in models for m in (model.dropout, *(b.dropout for b in model.blocks))]

    masks = {tuple(layer(torch.ones(1, CONFIG.width))[0].tolist()) for layer in layers}

    assert len(masks) == len(layers) == 12


@pytest.mark.parametrize("per", ["member", "row"])
def test_the_rest_of_a_batch_changes_nothing(whole, rows, per):
    model = member(whole, per=per)

    together = losses(model, rows)
    alone = torch.cat([losses(model, rows.take([i])) for i in range(len(rows))])
    turned = losses(model, rows.take(range(len(rows))[::-1]))

    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(together, turned.flip(0), rtol=1e-5, atol=1e-4)


def test_rows_have_masks_of_their_own_and_equal_rows_equal_ones(whole, rows):
    model, tokens = member(whole, per="row"), rows.tensors["tokens"][[0, 1, 0]]
    seen = []
    model.blocks[0].out.register_forward_hook(lambda *_: torch.ones(3, SPAN, CONFIG.width))
    model.blocks[0].feed_norm.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model.embedding.register_forward_hook(lambda *_: torch.zeros(3, SPAN, CONFIG.width))

    model(tokens)
    (masks,) = seen  # (row, place, feature)

    assert (masks == masks[:, :1]).all()  # the same at every place
    assert (masks[0] == masks[2]).all()
    assert (masks[0] != masks[1]).any()
    assert masks.unique().tolist() == pytest.approx([0, 1 / 0.7])


def test_gradients_of_a_row_are_those_of_its_own_sub_network(whole, rows):
    model = member(whole, per="row")
    names = ["blocks.0.widen.weight", "embedding.weight"]

    together = exact_gradients(model, TASK.loss, rows.tensors, names)

    for name in names:
        one = exact_gradients(model, TASK.loss, rows.take([4]).tensors, [name])[name]
        torch.testing.assert_close(together[name][4:5], one)


class Functional(nn.Module):
    """Drops out by function, as MusicGen does, and attends with dropout too."""

    def __init__(self):
        super().__init__()
        self.p = 0.5
        self.embedding, self.inner = nn.Embedding(9, 16), nn.Linear(16, 16)

    def forward(self, tokens):
        x = F.dropout(self.embedding(tokens), p=self.p, training=self.training)
        weights = F.dropout(torch.ones(len(tokens), 1, 3, 3), 0.5, self.training)
        mixed = F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None], dropout_p=0.0)
        return weights[:, 0, :, :1] * self.inner(mixed[:, 0])


def test_dropout_called_as_a_function_is_reached_and_attention_is_not():
    torch.manual_seed(0)
    whole = checkpoint(Functional(), 1)
    masked, hand = member(whole), whole.load()
    seen = []
    masked.embedding.register_forward_hook(lambda *_: torch.ones(2, 3, 16))
    masked.inner.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    tokens = torch.tensor([[1, 2, 3], [4, 5, 6]])
    masked(tokens)
    mask = seen[0][0, 0]  # attention over equal places gives the place
    with torch.no_grad():
        hand.embedding.weight *= mask

    torch.testing.assert_close(member(whole)(tokens), hand(tokens))
    assert mask.unique().tolist() == pytest.approx([0, 2])


def test_a_rate_of_ones_own_reaches_models_trained_without_dropout(world):
    changed = member(world.checkpoints[0], rate=0.5).dropout(torch.ones(1, 32))

    assert (changed == 0).any()
    with pytest.raises(CannotCombine, match="'step-5' has no dropout to fix"):
        member(world.checkpoints[0])
    with pytest.raises(ValueError, match="a dropout rate of 1"):
        DropoutOptions(rate=1)


def test_masks_by_row_are_refused_where_the_example_is_not_first():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.dropout = nn.Linear(2, 2), nn.Dropout(0.5)

        def forward(self, x):
            return self.dropout(self.layer(x).transpose(0, 1))

    with pytest.raises(CannotCombine, match="'dropout' sees 3 examples of 5"):
        member(checkpoint(Turned(), 1), per="row")(torch.ones(5, 3, 2))


def test_members_are_named_and_hashed_by_all_that_decides_them(whole):
    options = DropoutOptions(masks=3)
    found = dropout(whole, options)
    apart = dropout(whole, DropoutOptions(masks=3, apart=True))

    assert [c.name for c in found] == [f"step-1+mask-{i}" for i in range(3)]
    assert len({c.sha256 for c in found} | {whole.sha256}) == 4
    assert [c.sha256 for c in apart] == [c.sha256 for c in found]  # the same networks
    assert [c.sha256 for c in dropout(whole, DropoutOptions(masks=1))] == [found[0].sha256]
    assert {c.run for c in found} == {whole.run}
    assert [c.run for c in apart] == [f"{whole.run}/mask-{i}" for i in range(3)]


def test_the_checkpoint_itself_stays_whole(whole, rows):
    before = losses(whole.load(), rows)
    member(whole)

    assert (losses(whole.load(), rows) == before).all()
    assert math.isfinite(float(before.sum()))
    assert copy.deepcopy(member(whole)).dropout(torch.ones(1, 32)).min() == 0
