import numpy as np
import pytest
import torch

from attribution import scan as scan_module
from attribution.encoding import DTYPES, decode, encode
from attribution.scan import integers_are_exact, products, ready, scan, sum_by, top_k


def drawn(rows, width, seed=0):
    generator = np.random.default_rng(seed)
    sizes = np.float32(10.0) ** generator.uniform(-3, 3, (rows, 1)).astype(np.float32)
    return generator.standard_normal((rows, width)).astype(np.float32) * sizes


def exactly(vectors, encoded):
    return vectors.astype(np.float64) @ decode(encoded).astype(np.float64).T


def sizes(vectors, encoded):
    """Lengths multiplied: what the error of an inner product is measured by."""
    rows = np.linalg.norm(decode(encoded).astype(np.float64), axis=1)
    return np.linalg.norm(vectors.astype(np.float64), axis=1)[:, None] * np.maximum(rows, 1e-30)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 7, 64, 65, 500])
@pytest.mark.parametrize("queries", [1, 5])
def test_products_are_those_of_the_decoded_rows(dtype, width, queries):
    rows, vectors = encode(drawn(150, width), dtype), drawn(queries, width, 1)

    found = products(ready(torch.from_numpy(vectors)), rows).numpy()

    assert found.dtype == np.float32
    error = np.abs(found - exactly(vectors, rows)) / sizes(vectors, rows)
    assert error.max() < 1e-6


@pytest.mark.parametrize("dtype", ["int8", "bit", "peak"])
def test_a_query_in_digits_is_no_worse_than_float32_arithmetic(dtype):
    rows, vectors = encode(drawn(400, 2000), dtype), drawn(3, 2000, 1)
    truth = exactly(vectors, rows)

    ours = products(ready(torch.from_numpy(vectors)), rows).numpy() - truth
    plain = (torch.from_numpy(vectors) @ torch.from_numpy(decode(rows)).T).numpy() - truth

    scale = sizes(vectors, rows)
    assert np.sqrt(((ours / scale) ** 2).mean()) <= 1.5 * np.sqrt(((plain / scale) ** 2).mean())


@pytest.mark.parametrize("dtype", ["int8", "bit", "peak"])
def test_neither_blocks_nor_pieces_nor_company_change_a_bit_of_an_integer_product(
    dtype, monkeypatch
):
    rows, vectors = encode(drawn(500, 130), dtype), torch.from_numpy(drawn(6, 130, 1))
    whole = products(ready(vectors), rows)
    monkeypatch.setattr(scan_module, "_PIECE", 2**12)
    monkeypatch.setattr(scan_module, "_SUMS", 2**14)
    cut = [rows.take(slice(0, 7)), rows.take(slice(7, 300)), rows.take(slice(300, 500))]

    again = torch.cat(list(scan(ready(vectors), cut, memory_max=1)), dim=1)
    alone = products(ready(vectors[2:3]), rows)

    assert torch.equal(again, whole)
    assert torch.equal(alone[0], whole[2])


def test_halves_change_by_rounding_alone_when_cut_differently():
    rows, vectors = encode(drawn(500, 130), "float16"), torch.from_numpy(drawn(6, 130, 1))
    whole = products(ready(vectors), rows)

    again = torch.cat(list(scan(ready(vectors), [rows], memory_max=1)), dim=1)

    np.testing.assert_array_less((again - whole).abs().numpy(), 1e-6 * sizes(vectors.numpy(), rows))


@pytest.mark.parametrize("dtype", ["int8", "bit", "peak"])
def test_a_processor_that_saturates_gets_float32_instead(dtype, monkeypatch):
    rows, vectors = encode(drawn(90, 70), dtype), drawn(2, 70, 1)
    monkeypatch.setattr(scan_module, "integers_are_exact", lambda: False)
    monkeypatch.delattr(torch, "_int_mm")

    found = products(ready(torch.from_numpy(vectors)), rows).numpy()

    assert (np.abs(found - exactly(vectors, rows)) < 1e-6 * sizes(vectors, rows)).all()


def test_saturating_sums_are_noticed(monkeypatch):
    true = torch._int_mm  # noqa: SLF001
    monkeypatch.setattr(torch, "_int_mm", lambda a, b: true(a, b).clamp(-(2**20), 2**20))
    integers_are_exact.cache_clear()

    assert not integers_are_exact()
    monkeypatch.undo()
    integers_are_exact.cache_clear()
    assert integers_are_exact()


def test_sums_that_would_leave_32_bits_are_taken_in_float32():
    width = scan_module._INTEGER_WIDTH_MAX + 64  # noqa: SLF001
    rows = encode(np.ones((2, width), np.float32), "int8")

    found = products(ready(torch.ones(1, width)), rows)

    np.testing.assert_allclose(found.numpy(), width, rtol=1e-4)


def test_a_query_of_zeros_scores_nothing_and_one_that_is_not_finite_is_refused():
    rows = encode(drawn(10, 20), "bit")

    assert (products(ready(torch.zeros(2, 20)), rows) == 0).all()
    with pytest.raises(ValueError, match="not finite"):
        ready(torch.full((1, 20), torch.nan))


def test_scan_yields_blocks_no_larger_than_the_bound_in_the_order_of_the_rows():
    rows, vectors = encode(drawn(1000, 16), "int8"), torch.from_numpy(drawn(4, 16, 1))

    blocks = list(scan(ready(vectors), [rows], memory_max=8 * 4 * 100))

    assert [block.shape[1] for block in blocks] == [100] * 10
    assert torch.equal(torch.cat(blocks, dim=1), products(ready(vectors), rows))


@pytest.mark.parametrize("cut", [[100], [1] * 100, [3, 60, 37]])
def test_top_k_is_what_sorting_everything_gives_ties_by_row(cut):
    dense = torch.from_numpy(np.random.default_rng(0).integers(-3, 4, (5, 100)).astype(np.float32))
    order = np.argsort(-dense.numpy(), axis=1, kind="stable")

    for k in (1, 7, 100, 130):
        top = top_k(iter(dense.split(cut, dim=1)), k)

        assert (top.rows == order[:, :k]).all()
        assert (top.scores == np.take_along_axis(dense.numpy(), order[:, :k], 1)).all()


@pytest.mark.parametrize("cut", [[90], [1] * 90, [13, 70, 7]])
def test_sums_by_label_are_the_dense_sums_in_any_cut(cut):
    dense = torch.randn(2, 3, 90, generator=torch.Generator().manual_seed(0))
    labels = [f"w{(7 * i) % 11}" for i in range(90)]
    whole = sum_by([dense], labels)[1]

    names, sums = sum_by(iter(dense.split(cut, dim=-1)), labels)

    assert names == tuple(sorted(set(labels)))
    for place, name in enumerate(names):
        own = dense.double()[..., [label == name for label in labels]].sum(-1)
        torch.testing.assert_close(sums[..., place], own)
    assert torch.equal(sums, whole)


@pytest.mark.parametrize("labels", [89, 91])
def test_labels_that_do_not_match_the_rows_are_refused(labels):
    blocks = torch.ones(1, 90).split(30, dim=1)

    with pytest.raises(ValueError, match=f"90 rows have {labels} labels"):
        sum_by(blocks, ["a"] * labels)
