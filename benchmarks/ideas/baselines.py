"""What ideas are compared with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from attribution.task import Rows
from benchmarks.ideas.idea import Idea, Result, at, compressed, exact, window
from benchmarks.ideas.rows import Array, normalised
from benchmarks.ideas.workshop import Workshop

_SIZES = (2, 3, 4)
Gram = tuple[int, ...]


def overlap(query: Sequence[Sequence[int]], train: Sequence[Sequence[int]]) -> Array:
    """Score by the runs of 2, 3 and 4 tokens in common, the rarer the more: (query, train).

    Runs weigh ln(rows / rows that have it)²; a train row's total is divided by the root of its own.
    """
    held = [_grams(tokens) for tokens in train]
    frequency = Counter(gram for grams in held for gram in grams)
    weight = {gram: math.log(len(train) / count) ** 2 for gram, count in frequency.items()}
    own = np.sqrt([sum(weight[gram] for gram in grams) + 1 for grams in held])
    asked = [_grams(tokens) for tokens in query]
    common = [[sum(weight[gram] for gram in q & t) for t in held] for q in asked]
    return np.array(common) / own


def similar(shop: Workshop) -> Array:
    """Score a bank by n-gram overlap, centred and normalised by query."""

    def score() -> Array:
        asked, held = (
            rows.tensors["tokens"].tolist() for rows in (shop.bank.query, shop.bank.train)
        )
        found = overlap(asked, held)
        return normalised(found - found.mean(1, keepdims=True))

    return shop.piece(("n-gram",), score)


def token_bytes(rows: Rows) -> int:
    """Count the bytes of a row's tokens, two bytes each at most: what overlap keeps."""
    tokens = rows.tensors["tokens"]
    return tokens.shape[1] * (1 if int(tokens.max()) < 256 else 2)  # noqa: PLR2004  a byte


def _grams(tokens: Sequence[int]) -> set[Gram]:
    return {tuple(tokens[i : i + size]) for size in _SIZES for i in range(len(tokens) - size + 1)}


def _overlap(shop: Workshop) -> Result:
    return Result(scores=similar(shop), stored=token_bytes(shop.bank.train))


IDEAS = (
    Idea(
        name="compressed",
        says="the default: K-FAC-whitened orthogonal sketches of three checkpoints, one bit, ridge",
        make=compressed(window),
        against=None,
    ),
    Idea(
        name="exact",
        says="EK-FAC in every direction at the same three checkpoints, ridge",
        make=exact(window),
        against=None,
    ),
    Idea(
        name="exact-final",
        says="EK-FAC at the final checkpoint alone, as influence is usually computed",
        make=exact(at(1.0)),
        against="exact",
    ),
    Idea(
        name="exact-one",
        says="EK-FAC at 40 % of training alone",
        make=exact(at(0.4)),
        against="exact",
    ),
    Idea(
        name="n-gram",
        says="overlap of rare runs of tokens: similarity, which knows nothing of the model",
        make=_overlap,
        against=None,
    ),
)
