from __future__ import annotations

import pytest
import torch
from torch import nn

from attribution.models.event_transformer import (
    EventTransformer,
    EventTransformerConfig,
    event_task,
)
from attribution.music.midi import BOS, VOCABULARY_SIZE

TINY = EventTransformerConfig(width=16, layers=2, heads=2, span=12)


@pytest.fixture
def model() -> EventTransformer:
    torch.manual_seed(0)
    return EventTransformer(TINY).eval()


def tokens(examples: int = 3, length: int = 12) -> torch.Tensor:
    return torch.randint(0, BOS, (examples, length), generator=torch.Generator().manual_seed(1))


def test_logits_are_one_vocabulary_an_event(model: EventTransformer) -> None:
    assert model(tokens()).shape == (3, 12, VOCABULARY_SIZE)


def test_a_later_event_changes_nothing_before(model: EventTransformer) -> None:
    before, changed = tokens(), tokens()
    changed[:, 7] = (changed[:, 7] + 1) % BOS
    first, second = model(before), model(changed)

    torch.testing.assert_close(first[:, :8], second[:, :8])
    assert not torch.allclose(first[:, 8:], second[:, 8:])


def test_the_order_of_events_matters(model: EventTransformer) -> None:
    swapped = tokens()[:, [1, 0, *range(2, 12)]]

    assert not torch.allclose(model(tokens())[:, 5:], model(swapped)[:, 5:], atol=1e-4)


def test_rotary_attention_sees_distances_only() -> None:
    from attribution.models.event_transformer import _rotate, _rotation

    torch.manual_seed(0)
    q, k = torch.randn(2, 8).unbind()
    rotation = _rotation(12, TINY, q)
    turned_q = _rotate(q.expand(12, 8), rotation)
    turned_k = _rotate(k.expand(12, 8), rotation)
    products = turned_q @ turned_k.T

    assert rotation[0].shape == (12, 4)
    for distance in range(4):
        along = products.diagonal(-distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-5, rtol=0)


def test_what_comes_after_equals_the_next_logits(model: EventTransformer) -> None:
    read = tokens()
    lengths = torch.tensor([0, 5, 11])
    expected = model(read)[torch.arange(3), lengths]

    torch.testing.assert_close(model.after(read, lengths), expected, atol=1e-5, rtol=1e-5)


def test_every_weight_lies_where_hooks_reach_it(model: EventTransformer) -> None:
    plain = (nn.Linear, nn.Embedding, nn.LayerNorm)
    inside = {id(p) for m in model.modules() if isinstance(m, plain) for p in m.parameters()}

    assert {id(p) for p in model.parameters()} == inside


def test_the_default_has_about_four_hundred_thousand_parameters() -> None:
    model = EventTransformer(EventTransformerConfig())

    assert 350_000 < sum(p.numel() for p in model.parameters()) < 450_000


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="choose a multiple of 8"):
        EventTransformerConfig(width=90, heads=4)


def test_the_loss_is_the_sum_over_real_events(model: EventTransformer) -> None:
    batch = {"tokens": tokens(), "mask": torch.ones(3, 12, dtype=torch.bool)}
    batch["mask"][:, 9:] = False
    logs = model(batch["tokens"]).log_softmax(-1)
    expected = -sum(logs[:, i].gather(-1, batch["tokens"][:, i : i + 1])[:, 0] for i in range(9))

    torch.testing.assert_close(event_task().loss(model, batch), expected)


@pytest.mark.parametrize("margin", [False, True])
def test_padding_and_company_change_no_number(model: EventTransformer, *, margin: bool) -> None:
    task = event_task(margin=margin)
    short = {"tokens": tokens()[:1, :8], "mask": torch.ones(1, 8, dtype=torch.bool)}
    padded = {"tokens": tokens(), "mask": torch.ones(3, 12, dtype=torch.bool)}
    padded["tokens"][0, 8:] = BOS
    padded["mask"][0, 8:] = False

    for of in (task.loss, task.measurement):
        torch.testing.assert_close(of(model, short), of(model, padded)[:1])


def test_the_measurement_is_the_log_likelihood_or_the_log_odds(model: EventTransformer) -> None:
    batch = {"tokens": tokens(), "mask": torch.ones(3, 12, dtype=torch.bool)}
    p = model(batch["tokens"]).softmax(-1).gather(-1, batch["tokens"][..., None])[..., 0]

    plain, margin = event_task(), event_task(margin=True)
    torch.testing.assert_close(plain.measurement(model, batch), p.log().sum(-1))
    torch.testing.assert_close(margin.measurement(model, batch), (p / (1 - p)).log().sum(-1))
