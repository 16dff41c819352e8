from itertools import accumulate, pairwise

import numpy as np
import pytest
import torch

from attribution.encoding import DTYPES, Encoded, decode, encode
from attribution.kernel import all_products, fit_kernel, gram_of

WIDTH = 200
COUNT = 30  # train rows; ten held-back ones after them


def made(dtype, count=COUNT + 10, seed=0):
    """Encode rows of very different lengths that have something in common."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, WIDTH)) + random.normal(size=WIDTH)
    return encode((rows * 10.0 ** random.uniform(-2, 2, (count, 1))).astype(np.float32), dtype)


def cut(rows: Encoded, *sizes):
    """Give rows block by block."""
    places = [slice(*pair) for pair in pairwise(accumulate(sizes, initial=0))]
    return lambda: (rows.take(place) for place in places)


def double(rows: Encoded):
    return torch.from_numpy(decode(rows)).double()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gram_is_that_of_decoded_rows_in_any_cut(dtype) -> None:
    rows = made(dtype)
    truth = double(rows) @ double(rows).T

    found = gram_of(cut(rows, 17, 13, 10))

    lengths = truth.diagonal().sqrt()
    assert ((found - truth).abs() <= 1e-6 * lengths[:, None] * lengths).all()
    assert torch.equal(found, found.T)
    if dtype != "float16":
        assert torch.equal(found, gram_of(cut(rows, 40)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scores_are_those_of_the_explicit_inverse(dtype) -> None:
    rows, vectors = made(dtype), torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(1))
    train, held = double(rows).split([COUNT, 10])
    damping = 0.5 * train.square().sum() / COUNT
    gram = train.T @ train + damping * torch.eye(WIDTH)
    works = [[0, 3, 9], [1], [2, 4, 5, 6, 7, 8]]

    kernel = fit_kernel(gram_of(cut(rows, 25, 15)), COUNT, 0.5, works)
    found = all_products(vectors, cut(rows, 40))
    paid, outside = kernel.scores(*found.split([COUNT, 10], dim=1))

    assert kernel.damping == pytest.approx(float(damping))
    close(paid, vectors.double() @ torch.linalg.inv(gram) @ train.T)
    for work in works:
        own = held[work]
        close(outside[:, work], vectors.double() @ torch.linalg.inv(gram + own.T @ own) @ own.T)


def close(found, truth) -> None:
    """Equal up to the single precision in which queries meet rows."""
    torch.testing.assert_close(found, truth, rtol=1e-4, atol=1e-6 * float(truth.abs().max()))


@pytest.mark.parametrize("dtype", ["int8", "bit", "peak"])
def test_a_query_scores_the_same_alone_and_among_many(dtype) -> None:
    rows = made(dtype)
    vectors = torch.randn(300, WIDTH, generator=torch.Generator().manual_seed(1))

    together = all_products(vectors, cut(rows, 25, 15))

    assert together.shape == (300, 40)
    assert torch.equal(together[200:201], all_products(vectors[200:201], cut(rows, 40)))


def test_without_held_back_rows_train_rows_are_scored_all_the_same() -> None:
    rows, vectors = made("bit", COUNT), torch.ones(2, WIDTH)
    found = all_products(vectors, cut(rows, COUNT))
    train = double(rows)
    gram = train.T @ train + 2.0 * train.square().sum() / COUNT * torch.eye(WIDTH)

    paid, outside = fit_kernel(gram_of(cut(rows, COUNT)), COUNT, 2.0).scores(found, found[:, :0])

    close(paid, vectors.double() @ torch.linalg.inv(gram) @ train.T)
    assert outside.shape == (2, 0)


def test_rows_without_gradient_score_nothing() -> None:
    rows = encode(np.zeros((4, WIDTH), np.float32), "bit")
    found = all_products(torch.ones(2, WIDTH), cut(rows, 4))

    train, held = fit_kernel(gram_of(cut(rows, 4)), 3, 2.0, [[0]]).scores(*found.split([3, 1], 1))

    assert train.abs().max() == held.abs().max() == 0


def test_a_ridge_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a ridge of 0"):
        fit_kernel(torch.eye(3).double(), 3, 0.0)
