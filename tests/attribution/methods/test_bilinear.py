import dataclasses

import numpy as np
import pytest
import torch

from attribution.gradients import sketched_gradients
from attribution.index import IndexOptions, column_slices, lens_of
from attribution.indexing import build
from attribution.kernel import Kernel
from attribution.methods import bilinear
from attribution.methods.bilinear import Columnwise, ScoringOptions
from attribution.sketch import SketchOptions
from attribution.task import Execution, Rows
from tests.attribution.engine_world import VOCABULARY, make_rows


def near_copies(rows: Rows, places: list[int]) -> Rows:
    """Copy train rows with two of their events changed."""
    tokens = rows.tensors["tokens"][places].clone()
    tokens[:, 5] = (tokens[:, 5] + 7) % VOCABULARY
    tokens[:, 17] = (tokens[:, 17] + 3) % VOCABULARY
    return make_rows(tokens, "q", 1)


@pytest.fixture(scope="module", params=["joint", "parameter"])
def fitted(request, index, world):
    return bilinear.fit(index, world.task, world.checkpoints, ScoringOptions(gram=request.param))


def test_a_near_copy_of_a_training_row_finds_its_original_first(fitted, world):
    places = list(range(0, 90, 6))

    found = bilinear.scores(fitted, near_copies(world.train, places)).train.mean(0)

    assert np.mean(found.argmax(1) == places) == 1.0
    assert (found[range(len(places)), places] > 0).all()  # positive = helped


def test_a_near_copy_of_a_training_row_finds_its_work_before_any_placebo(fitted, world):
    scores = bilinear.scores(fitted, near_copies(world.train, [0, 30, 60]))

    best_placebo = scores.placebo.mean(0).max(1)
    assert (scores.train.mean(0)[range(3), [0, 30, 60]] > 2 * best_placebo).all()


def test_scores_equal_the_formula_written_out(fitted, world):
    query = near_copies(world.train, [4, 5])
    slices = [slice(0, fitted.index.width)]
    if fitted.options.gram == "parameter":
        slices = column_slices(fitted.index.manifest)
    expected = np.zeros((2, 2, len(world.train)))
    for member in fitted.index.members:
        phi = fitted.index.rows(member, "train").astype(np.float64)
        rows = build_one(fitted, member, query)
        total = np.zeros((2, len(phi)))
        for part in slices:
            block = phi[:, part]
            damping = 2.0 * (block**2).sum() / len(block)
            gram = block.T @ block + damping * np.eye(block.shape[1])
            total += rows[:, part] @ np.linalg.solve(gram, block.T)
        expected[member.seed] += total / np.sqrt((total**2).mean(1, keepdims=True))

    np.testing.assert_allclose(bilinear.scores(fitted, query).train, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("options", [ScoringOptions(), ScoringOptions(cosine=True)])
@pytest.mark.parametrize("dtype", ["float16", "bit", "peak"])
def test_fewer_rows_than_columns_score_as_the_explicit_inverse_has_it(
    world, small_options, tmp_path, dtype, options
):
    built = dataclasses.replace(small_options, dtype=dtype, seeds=(0,))
    index = build(world.task, world.checkpoints[:1], world.parts, tmp_path, built)
    fitted = bilinear.fit(index, world.task, world.checkpoints, options)
    query = near_copies(world.train, [4, 5])

    found = bilinear.scores(fitted, query)

    (member,) = index.members
    phi, held, own = (
        each / (np.linalg.norm(each, axis=1, keepdims=True) if options.cosine else 1.0)
        for each in (
            index.rows(member, "train").astype(np.float64),
            index.rows(member, "placebo").astype(np.float64),
            build_one(fitted, member, query),
        )
    )
    assert len(phi) < index.width
    assert isinstance(fitted.solvers[member.name], Kernel)
    gram = phi.T @ phi + 2.0 * (phi**2).sum() / len(phi) * np.eye(index.width)
    truth = own @ np.linalg.solve(gram, phi.T)
    size = np.sqrt((truth**2).mean(1, keepdims=True))
    np.testing.assert_allclose(found.train[0], truth / size, rtol=1e-3, atol=1e-4)
    for start in (0, 3, 129):  # a work's three items enter the Gram together
        work = held[start : start + 3]
        inside = own @ np.linalg.solve(gram + work.T @ work, work.T) / size
        np.testing.assert_allclose(
            found.placebo[0, :, start : start + 3], inside, rtol=1e-3, atol=1e-4
        )


def test_rows_are_solved_through_as_their_vectors_would_be(index, world, monkeypatch):
    fitted = bilinear.fit(index, world.task, world.checkpoints)
    monkeypatch.setattr(bilinear, "SIDE_MAX", 0)
    slow = bilinear.fit(index, world.task, world.checkpoints)
    query = near_copies(world.train, [1, 2, 3])

    found, truth = bilinear.scores(fitted, query), bilinear.scores(slow, query)

    assert {type(solver) for solver in fitted.solvers.values()} == {Kernel}
    assert {type(solver) for solver in slow.solvers.values()} == {Columnwise}
    np.testing.assert_allclose(found.train, truth.train, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.placebo, truth.placebo, rtol=1e-3, atol=1e-4)


def test_without_a_gram_scores_are_inner_products_with_the_rows(index, world):
    plain = ScoringOptions(gram=None, normalise=False)
    fitted = bilinear.fit(index, world.task, world.checkpoints, plain)
    query = near_copies(world.train, [1, 2, 3])

    found = bilinear.scores(fitted, query)

    for part, values in (("train", found.train), ("placebo", found.placebo)):
        expected = np.zeros(values.shape)
        for member in index.members:
            rows = index.rows(member, part).astype(np.float64)
            expected[member.seed] += build_one(fitted, member, query) @ rows.T
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-5 * expected.max())


def build_one(fitted, member, query):
    """Sketch queries as the index would, without the method."""
    model = fitted.lenses.checkpoints[member.sha256].load()
    lens = lens_of(fitted.index.manifest, [member], fitted.lenses.task, model, None)
    return sketched_gradients(lens, query.tensors)[0].double().numpy()


def test_blocks_one_after_another_are_the_dense_scores(fitted, world):
    query = near_copies(world.train, [1, 2, 3])

    blocks = list(bilinear.score(fitted, bilinear.prepare(fitted, query)))

    assert [b.shape[2] for b in blocks] == [40, 40, 10]
    np.testing.assert_array_equal(
        torch.cat(blocks, 2).numpy(), bilinear.scores(fitted, query).train
    )


def test_the_same_twice_gives_the_same_bytes(fitted, world, index):
    query = near_copies(world.train, [1, 2, 3])
    again = bilinear.fit(index, world.task, world.checkpoints, fitted.options)

    assert (
        bilinear.scores(fitted, query).train.tobytes()
        == bilinear.scores(again, query).train.tobytes()
    )


def test_queries_in_another_batch_or_alone_score_the_same(fitted, world):
    query = near_copies(world.train, list(range(9)))
    options = dataclasses.replace(fitted.options, execution=Execution(batch=2))
    other = dataclasses.replace(fitted, options=options)

    truth = bilinear.scores(fitted, query).train
    in_pairs, alone = bilinear.scores(other, query), bilinear.scores(fitted, query.take([4]))

    np.testing.assert_allclose(in_pairs.train, truth, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(alone.train[:, 0], truth[:, 4], rtol=1e-2, atol=1e-3)


def test_two_equal_train_rows_get_equal_scores(world, tmp_path):
    kept, again = world.train.take(range(20)), world.train.take([3])
    twins = Rows(
        tensors={
            name: torch.cat([kept.tensors[name], again.tensors[name]]) for name in kept.tensors
        },
        ids=(*kept.ids, "copy"),
        owners=(*kept.owners, "copy"),
    )
    index = build(world.task, world.checkpoints[:1], {"train": twins}, tmp_path, IndexOptions())

    found = bilinear.scores(
        bilinear.fit(index, world.task, world.checkpoints), world.placebo.take(range(5))
    )

    np.testing.assert_allclose(found.train[..., 3], found.train[..., 20], rtol=1e-3, atol=1e-4)
    assert found.placebo.shape == (2, 5, 0)


def test_a_sketch_that_adds_all_parameters_has_one_gram(world, tmp_path):
    options = IndexOptions(sketch=SketchOptions(kind="sjlt", width=512))
    index = build(world.task, world.checkpoints[:1], {"train": world.train}, tmp_path, options)

    found = bilinear.scores(
        bilinear.fit(index, world.task, world.checkpoints), near_copies(world.train, [0, 30, 60])
    )

    assert found.train.mean(0).argmax(1).tolist() == [0, 30, 60]


def test_progress_is_reported_to_the_end(index, world):
    heard = []
    options = ScoringOptions(
        execution=Execution(batch=2, progress=lambda done, total: heard.append((done, total)))
    )

    bilinear.prepare(
        bilinear.fit(index, world.task, world.checkpoints, options), world.train.take(range(5))
    )

    assert heard[-1] == (15, 15)
    assert heard == sorted(heard)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("gram", ["joint", "parameter", None])
def test_a_gpu_gives_the_same_scores_as_the_processor(world, index, tmp_path, gram):
    on_gpu = Execution(device="cuda")
    options = IndexOptions(
        sketch=SketchOptions(side=8), seeds=(0, 1), shard_rows=40, execution=on_gpu
    )
    built = build(world.task, world.checkpoints, world.parts, tmp_path, options)
    other = bilinear.fit(
        built, world.task, world.checkpoints, ScoringOptions(gram=gram, execution=on_gpu)
    )
    fitted = bilinear.fit(index, world.task, world.checkpoints, ScoringOptions(gram=gram))
    query = near_copies(world.train, [0, 30, 60])

    found, truth = bilinear.scores(other, query), bilinear.scores(fitted, query)

    assert np.corrcoef(found.train.ravel(), truth.train.ravel())[0, 1] > 0.999
    assert np.corrcoef(found.placebo.ravel(), truth.placebo.ravel())[0, 1] > 0.999
