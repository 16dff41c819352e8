import math

import pytest
import torch

from attribution.sketch import SketchOptions, join, make_sketch, project

GOLDEN = "-+++--++++--+++----++-+++++++-"
SHAPES = {"a": (30, 20), "b": (7, 40), "c": (30,)}


def factors(examples=5, rows=30, cols=20, places=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(examples, places, rows, generator=generator)
    right = torch.randn(examples, places, cols, generator=generator)
    return left, right, left.transpose(1, 2) @ right


@pytest.mark.parametrize("kind", ["kronecker", "sjlt", "identity"])
def test_projecting_the_factors_equals_projecting_the_gradient_they_form(kind):
    left, right, full = factors()
    sketch = make_sketch(SHAPES, SketchOptions(kind=kind, side=8, width=64), seed=3)

    found = project(left, right, sketch.projections["a"])

    torch.testing.assert_close(
        found, project(None, full, sketch.projections["a"]), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("kind", ["kronecker", "sjlt"])
def test_inner_products_are_kept_in_expectation(kind):
    _, _, full = factors(examples=2)
    truth = float((full[0] * full[1]).sum())
    found = []
    for seed in range(400):
        sketch = make_sketch({"a": (30, 20)}, SketchOptions(kind=kind, side=8, width=64), seed=seed)
        x, y = project(None, full, sketch.projections["a"])
        found.append(float(x @ y))
    error = torch.tensor(found).std() / math.sqrt(len(found))

    assert abs(sum(found) / len(found) - truth) < 4 * error


def test_the_identity_keeps_inner_products_exactly():
    _, _, full = factors(examples=2)
    sketch = make_sketch({"a": (30, 20)}, SketchOptions(kind="identity"), seed=0)

    x, y = project(None, full, sketch.projections["a"])

    assert float(x @ y) == pytest.approx(float((full[0] * full[1]).sum()), rel=1e-5)


def test_a_projection_depends_on_seed_and_name_and_on_nothing_else():
    options = SketchOptions(side=8)
    one = make_sketch(SHAPES, options, seed=1).projections["a"]
    alone = make_sketch({"a": (30, 20)}, options, seed=1).projections["a"]
    other = make_sketch(SHAPES, options, seed=2).projections["a"]
    renamed = make_sketch({"z": (30, 20)}, options, seed=1).projections["z"]

    assert one.rows.equal(alone.rows)
    assert not one.rows.equal(other.rows)
    assert not one.rows.equal(renamed.rows)


def test_a_projection_is_the_same_in_every_release():
    rows = make_sketch({"a": (30, 20)}, SketchOptions(side=2), seed=0).projections["a"].rows

    assert "".join("+" if x > 0 else "-" for x in rows[0]) == GOLDEN


def test_vectors_are_left_out_unless_asked_for():
    assert set(make_sketch(SHAPES, SketchOptions(), seed=0).projections) == {"a", "b"}
    assert set(make_sketch(SHAPES, SketchOptions(vectors=True), seed=0).projections) == {*SHAPES}


def test_a_side_that_is_already_narrow_is_left_as_it_is():
    projection = make_sketch(SHAPES, SketchOptions(side=8), seed=0).projections["b"]

    assert projection.rows is None
    assert projection.cols.shape == (8, 40)
    assert projection.width == 7 * 8


def test_kronecker_sketches_stand_side_by_side_and_sjlt_ones_add_up():
    parts = {"a": torch.ones(2, 64), "b": torch.ones(2, 64)}
    beside = make_sketch({"a": (30, 20), "b": (30, 20)}, SketchOptions(side=8), seed=0)
    added = make_sketch(
        {"a": (30, 20), "b": (30, 20)}, SketchOptions(kind="sjlt", width=64), seed=0
    )

    assert join(parts, beside).shape == (2, beside.width) == (2, 128)
    assert join(parts, added).tolist() == torch.full((2, added.width), 2.0).tolist()
