import dataclasses

import numpy as np
import pytest
import torch

from attribution.gradients import exact_gradients
from attribution.index import IndexOptions
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.methods.bilinear import ScoringOptions
from attribution.methods.recipes import RECIPES, at, output_terms, settings_of
from attribution.sketch import SketchOptions
from attribution.task import Execution
from attribution.whitening import WhiteningOptions
from cli.method_options import METHODS
from tests.attribution.engine_world import VOCABULARY, make_rows

COPIED = [0, 30, 60]


@pytest.fixture(scope="module")
def query(world):
    """Train rows with two of their events changed."""
    tokens = world.train.tensors["tokens"][COPIED].clone()
    tokens[:, 5] = (tokens[:, 5] + 7) % VOCABULARY
    tokens[:, 17] = (tokens[:, 17] + 3) % VOCABULARY
    return make_rows(tokens, "q", 1)


@dataclasses.dataclass
class Scorer:
    """Scores a query by rows of a small part of the world."""

    world: object
    query: object
    directory: object

    @property
    def parts(self):
        return {
            "train": self.world.train.take(range(62)),
            "placebo": self.world.placebo.take([0, 1]),
        }

    def __call__(self, options, scoring, checkpoints, **terms):
        index = build(self.world.task, checkpoints, self.parts, self.directory, options)
        fitted = bilinear.fit(index, self.world.task, checkpoints, scoring, **terms)
        return bilinear.scores(fitted, self.query)


@pytest.fixture
def scores(world, query, tmp_path):
    return Scorer(world, query, tmp_path)


def exact(world, checkpoint, rows):
    """Full gradients of the measurement, every matrix, float64 (row, number)."""
    model = checkpoint.load()
    names = [name for name, p in model.named_parameters() if p.ndim > 1]
    found = exact_gradients(model, world.task.measurement, rows.tensors, names)
    return torch.cat([g.flatten(1) for g in found.values()], 1).double().numpy()


def close(found, truth):
    np.testing.assert_allclose(found, truth, rtol=2e-3, atol=2e-3 * np.abs(truth).max())


EVERYTHING = IndexOptions(sketch=SketchOptions(kind="identity"), seeds=(0,), shard_rows=40)


def test_the_command_offers_every_recipe():
    assert tuple(RECIPES) == METHODS
    assert all(name == recipe.name for name, recipe in RECIPES.items())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("default", {"damping": 0.5, "kept": 7, "ridge": 9.0}),
        ("default", {"ridge": 9.0}),
        ("ekfac", {"damping": 0.5}),
        ("logra", {"side": 3}),
    ],
)
def test_a_recipe_takes_settings_and_keeps_the_rest(name, settings):
    recipe = RECIPES[name]
    own = settings_of(recipe)

    found = at(recipe, settings)

    assert settings_of(found) == own | settings
    assert at(found, {key: own[key] for key in settings}) == recipe


@pytest.mark.parametrize(
    ("name", "setting"),
    [("trak", "damping"), ("ekfac", "kept"), ("default", "side"), ("gradcos", "ridge")],
)
def test_a_setting_that_a_recipe_does_not_have_is_refused(name, setting):
    with pytest.raises(ValueError, match=f"'{name}' has no setting '{setting}'"):
        at(RECIPES[name], {setting: 1})


def test_an_output_term_is_of_every_part_and_only_where_the_recipe_has_one(world):
    parts = {"train": world.train.take(range(3)), "placebo": world.placebo.take([0, 1])}

    found, none = (
        output_terms(RECIPES[name], world.task, world.checkpoints, parts, Execution())
        for name in ("trak", "default")
    )

    assert {part: len(term) for part, term in found.items()} == {"train": 3, "placebo": 2}
    assert none == {}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_finds_the_original_of_a_near_copy_first(name, world, scores):
    recipe = RECIPES[name]
    options = dataclasses.replace(recipe.index, shard_rows=40)

    found = scores(options, recipe.scoring, world.checkpoints[:1])

    assert found.train.mean(0).argmax(1).tolist() == COPIED
    assert (found.train.mean(0)[range(3), COPIED] > 0).all()  # positive = helped


def test_grad_dot_is_the_inner_product_of_gradients(world, query, scores):
    last = world.checkpoints[-1:]
    truth = exact(world, last[0], query) @ exact(world, last[0], scores.parts["train"]).T

    found = scores(EVERYTHING, RECIPES["graddot"].scoring, last)

    close(found.train[0], truth)


def test_grad_cos_is_its_cosine(world, query, scores):
    last = world.checkpoints[-1:]
    q, train = exact(world, last[0], query), exact(world, last[0], scores.parts["train"])
    lengths = np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(train, axis=1)

    found = scores(EVERYTHING, RECIPES["gradcos"].scoring, last)

    close(found.train[0], q @ train.T / lengths)
    assert np.abs(found.placebo).max() <= 1 + 1e-3


def test_tracin_weighs_every_checkpoint_by_its_learning_rate(world, query, scores):
    rates = (0.5, 2.0, 0.25)
    checkpoints = [
        dataclasses.replace(c, learning_rate=rate)
        for c, rate in zip(world.checkpoints, rates, strict=True)
    ]
    truth = sum(
        rate * exact(world, c, query) @ exact(world, c, scores.parts["train"]).T
        for c, rate in zip(checkpoints, rates, strict=True)
    )

    found = scores(EVERYTHING, RECIPES["tracin"].scoring, checkpoints)

    close(found.train[0], truth)


def test_trak_is_a_product_of_two_means(world, query, scores):
    ridge, last = 1e-2, world.checkpoints[-1:]
    rows = exact(world, last[0], scores.parts["train"])
    damping = ridge * (rows**2).sum() / len(rows)
    kernel = rows @ rows.T + damping * np.eye(len(rows))
    influence = exact(world, last[0], query) @ rows.T @ np.linalg.inv(kernel)
    tensors = scores.parts["train"].tensors
    losses = [world.task.loss(c.load(), tensors).detach().numpy() for c in world.checkpoints]
    doubt = np.mean([1 - np.exp(-loss / 24) for loss in losses], axis=0)  # 24 events a span
    term = bilinear.output_term(
        world.task, world.checkpoints, scores.parts["train"], Execution(batch=7)
    )

    scoring = ScoringOptions(ridge=ridge, normalise=False)
    found = scores(EVERYTHING, scoring, last, output_terms={"train": term})

    close(found.train[0], influence * doubt)


def test_an_output_term_needs_a_probability(world):
    task = dataclasses.replace(world.task, probability=None)

    with pytest.raises(ValueError, match=r"Task\.probability"):
        bilinear.output_term(task, world.checkpoints, world.train, Execution())


def test_ekfac_in_every_direction_is_its_formula_written_out(world, query, scores):
    """One Gram of whitened rows without a ridge to speak of is what EK-FAC stands in for, so the
    scores are held to plain inner products of gradients over (eigenvalues + damping)."""
    last = world.checkpoints[-1:]
    options = dataclasses.replace(EVERYTHING, whitening=WhiteningOptions(kind="ekfac", damping=0.1))
    index = build(world.task, last, scores.parts, scores.directory, options)
    whitening = index.whitening(index.members[0])
    q, train = exact(world, last[0], query), exact(world, last[0], scores.parts["train"])
    truth, start = np.zeros((len(q), len(train))), 0
    for name, p in last[0].load().named_parameters():
        if p.ndim < 2:
            continue
        w, shape = whitening[name], (-1, *p.shape)
        turn = [
            dense(w.rows) @ g.reshape(shape) @ dense(w.cols).T
            for g in (q[:, start : start + p.numel()], train[:, start : start + p.numel()])
        ]
        weight = w.scale.double().square().reshape(1, *p.shape).numpy()
        truth += (turn[0] * weight).reshape(len(q), -1) @ turn[1].reshape(len(train), -1).T
        start += p.numel()

    plain = ScoringOptions(gram=None, normalise=False)
    found = bilinear.scores(bilinear.fit(index, world.task, last, plain), query)

    close(found.train[0], truth)


def dense(turn):
    return (torch.diag(turn) if turn.ndim == 1 else turn).double().numpy()


def test_replicates_are_runs_and_sketches_and_their_spread_is_shown(world, scores):
    options = IndexOptions(sketch=SketchOptions(side=6), seeds=(0, 1), shard_rows=40)
    checkpoints = [
        dataclasses.replace(c, run=run)
        for c, run in zip(world.checkpoints, ("a", "b", "b"), strict=True)
    ]

    found = scores(options, ScoringOptions(), checkpoints)
    mean, error = found.spread()

    assert found.replicates == (("a", 0), ("a", 1), ("b", 0), ("b", 1))
    np.testing.assert_allclose(mean, found.train.mean(0))
    np.testing.assert_allclose(error, found.train.std(0, ddof=1) / 2)
