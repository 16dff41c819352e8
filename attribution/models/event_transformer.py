"""A decoder over musical events, small enough to be read in one sitting.

Pre-norm blocks, causal attention with rotary positions (Su et al. 2021), so that only the
distance between two events matters. Every weight lies in a plain `nn.Linear`, `nn.Embedding` or
`nn.LayerNorm`: attribution reaches all of them by hooks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attribution.music.midi import BOS, VOCABULARY_SIZE
from attribution.task import Batch, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTransformerConfig:
    """The size of a model. The defaults make about 0.4 million parameters."""

    width: int = 96
    layers: int = 3
    heads: int = 4
    span: int = 96  # events read at once
    dropout: float = 0.1
    vocabulary: int = VOCABULARY_SIZE

    def __post_init__(self) -> None:
        """Refuse a width that rotary heads cannot share."""
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width {self.width} does not divide into {self.heads} heads of an even size; "
                f"choose a multiple of {2 * self.heads}"
            )


class EventTransformer(nn.Module):
    """Predicts each event from those before it: tokens (example, length) → logits.

    `model(tokens)` shifts the tokens itself, so `logits[:, i]` (of size `vocabulary`) is about
    `tokens[:, i]` and has seen only `tokens[:, :i]`. A span longer than `config.span` is allowed,
    but nothing of the kind was trained.
    """

    def __init__(self, config: EventTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.apply(_initialise)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (example, length, vocabulary): what each event was expected to be."""
        return self.head(self.norm(self._hidden(_shifted(tokens))))  # type: ignore[no-any-return]

    def after(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (example, vocabulary) for the event after the first `lengths` tokens."""
        begun = F.pad(tokens, (1, 0), value=BOS)
        hidden = self._hidden(begun)[torch.arange(len(tokens)), lengths]
        return self.head(self.norm(hidden))  # type: ignore[no-any-return]

    def _hidden(self, inputs: Tensor) -> Tensor:
        x = self.dropout(self.embedding(inputs))
        rotation = _rotation(inputs.shape[1], self.config, x)
        for block in self.blocks:
            x = block(x, rotation)
        return x  # type: ignore[no-any-return]


class _Block(nn.Module):
    def __init__(self, config: EventTransformerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.feed_norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, 4 * config.width)
        self.narrow = nn.Linear(4 * config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.dropout(self.out(self._attend(self.attention_norm(x), rotation)))
        fed = F.gelu(self.widen(self.feed_norm(x)), approximate="tanh")
        return x + self.dropout(self.narrow(fed))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        example, length, width = x.shape
        split = self.qkv(x).view(example, length, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (example, head, length, size)
        q, k = _rotate(q, rotation), _rotate(k, rotation)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.transpose(1, 2).reshape(example, length, width)


def _rotation(length: int, config: EventTransformerConfig, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (length, size / 2) of each position's angles."""
    half = config.width // config.heads // 2
    frequencies = 10_000.0 ** (-torch.arange(half, device=like.device) / half)
    angles = torch.arange(length, device=like.device)[:, None] * frequencies
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair of coordinates by its position's angle, so that q·k sees distances only."""
    cosine, sine = rotation
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cosine - b * sine, a * sine + b * cosine), dim=-1)


def _shifted(tokens: Tensor) -> Tensor:
    return F.pad(tokens[:, :-1], (1, 0), value=BOS)


def _initialise(module: nn.Module) -> None:
    """Start small, as the recipe that `docs/method.md` cites was measured with."""
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.08)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def event_task(*, margin: bool = False) -> Task:
    """Return the task of next-event prediction, for rows of "tokens" and "mask".

    The loss is the negative log-likelihood summed over a span's events, so neither padding nor
    the rest of a batch changes it. The measurement is minus the loss; with `margin` it is TRAK's
    log-odds instead, log p - log (1 - p), summed over the same events (Park et al. 2023).
    """
    return Task(
        loss=_loss,
        measurement=_margin if margin else _log_likelihood,
        sampled=_sampled_loss,
        probability=_typical_probability,
    )


def _loss(model: nn.Module, batch: Batch) -> Tensor:
    return _surprise(model(batch["tokens"]), batch["tokens"], batch)


def _typical_probability(model: nn.Module, batch: Batch) -> Tensor:
    return torch.exp(-_loss(model, batch) / batch["mask"].sum(-1).clamp_min(1))


def _sampled_loss(model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
    """Return the loss of events drawn from the model where the real ones stood."""
    logits = model(batch["tokens"])
    chances = logits.detach().float().softmax(-1).flatten(0, 1)
    drawn = torch.multinomial(chances, 1, generator=generator).view(logits.shape[:2])
    return _surprise(logits, drawn, batch)


def _surprise(logits: Tensor, events: Tensor, batch: Batch) -> Tensor:
    nll = F.cross_entropy(logits.flatten(0, 1), events.flatten(), reduction="none")
    return _over_events(nll.view_as(events), batch)


def _log_likelihood(model: nn.Module, batch: Batch) -> Tensor:
    return -_loss(model, batch)


def _margin(model: nn.Module, batch: Batch) -> Tensor:
    logits, tokens = model(batch["tokens"]), batch["tokens"][..., None]
    others = logits.scatter(-1, tokens, -torch.inf).logsumexp(-1)
    return _over_events(logits.gather(-1, tokens)[..., 0] - others, batch)


def _over_events(values: Tensor, batch: Batch) -> Tensor:
    return (values * batch["mask"]).sum(-1)
