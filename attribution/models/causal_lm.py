"""Next-token prediction with any causal language model of transformers, MusicGen's decoder too.

Nothing of transformers is imported: a model is whatever takes `input_ids` and returns `.logits`.
Rows are what such a model is called with, the example first in every tensor:

    input_ids        (example, place), or (example, codebook, place) for MusicGen's decoder
    attention_mask   (example, place), where rows are padded
    labels           shaped as input_ids, -100 where a place is not to count
    …                anything else that the model takes, such as position_ids or
                     encoder_hidden_states

Without labels every id counts that the mask shows, that has a shown place before it, and that a
logit stands for (MusicGen's padding id has none).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attribution.task import Batch, Task

_UNCOUNTED = -100


def causal_lm_task(*, margin: bool = False, parameters: tuple[str, ...] = ("*",)) -> Task:
    """Return the task of next-token prediction, through the parameters of these names.

    The loss is the negative log-likelihood summed over an example's labels, so neither padding nor
    the rest of a batch changes it. The measurement is minus the loss; with `margin` it is TRAK's
    log-odds instead, log p - log (1 - p), summed over the same labels (Park et al. 2023).
    """
    return Task(
        loss=_loss,
        measurement=_margin if margin else _log_likelihood,
        sampled=_sampled_loss,
        probability=_probability,
        parameters=parameters,
    )


def _loss(model: nn.Module, batch: Batch) -> Tensor:
    return _surprise(*_predicted(model, batch))


def _log_likelihood(model: nn.Module, batch: Batch) -> Tensor:
    return -_loss(model, batch)


def _sampled_loss(model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
    """Return the loss of tokens drawn from the model where the labels stood."""
    logits, labels = _predicted(model, batch)
    chances = logits.detach().softmax(-1).flatten(0, -2)
    drawn = torch.multinomial(chances, 1, generator=generator).view_as(labels)
    return _surprise(logits, drawn.masked_fill(labels == _UNCOUNTED, _UNCOUNTED))


def _probability(model: nn.Module, batch: Batch) -> Tensor:
    """Return the probability of an example's typical label, exp(-mean loss)."""
    logits, labels = _predicted(model, batch)
    counted = (labels != _UNCOUNTED).flatten(1).sum(1).clamp_min(1)
    return (-_surprise(logits, labels) / counted).exp()


def _margin(model: nn.Module, batch: Batch) -> Tensor:
    logits, labels = _predicted(model, batch)
    counted = labels != _UNCOUNTED
    own = labels.clamp_min(0)[..., None]
    others = logits.scatter(-1, own, -torch.inf).logsumexp(-1)
    return ((logits.gather(-1, own)[..., 0] - others) * counted).flatten(1).sum(1)


def _surprise(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum the negative log-likelihoods of each example's labels: (example,)."""
    nll = F.cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=_UNCOUNTED, reduction="none"
    )
    return nll.view_as(labels).flatten(1).sum(1)


def _predicted(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return float32 logits (example, …, place, vocabulary) and the labels they are about."""
    ids = batch["input_ids"]
    rest = {name: t for name, t in batch.items() if name not in {"input_ids", "labels"}}
    # MusicGen's decoder takes its codebooks as so many examples.
    logits = model(input_ids=ids.flatten(0, -2), use_cache=False, **rest).logits
    logits = logits.view(*ids.shape, -1)[..., :-1, :].float()
    labels = batch["labels"][..., 1:] if "labels" in batch else _labels(batch, logits.shape[-1])
    return logits, labels


def _labels(batch: Batch, vocabulary: int) -> Tensor:
    labels = batch["input_ids"][..., 1:]
    counted = labels < vocabulary
    if "attention_mask" in batch:
        shown = batch["attention_mask"].bool()
        shown = shown[:, 1:] & shown[:, :-1]
        counted = counted & (shown if labels.ndim == shown.ndim else shown[:, None])
    return labels.masked_fill(~counted, _UNCOUNTED)
