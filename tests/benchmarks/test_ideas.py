import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from attribution.ensemble.checkpoints import average
from attribution.evaluation.bank import Bank as Retrainings
from attribution.evaluation.estimate import Resampling
from attribution.evaluation.plan import BankPlan
from attribution.methods.attribute import attribute
from attribution.methods.recipes import RECIPES
from attribution.models.event_transformer import EventTransformer, EventTransformerConfig
from attribution.whitening import Whitener
from benchmarks.bank import Bank, token_task
from benchmarks.ideas import (
    baselines,
    codes,
    combinations,
    gauss_newton,
    noise,
    rows,
    sketches,
    workshop,
)
from benchmarks.ideas.__main__ import FAMILIES, chosen, documents, markdown, merged
from benchmarks.ideas.workshop import Workshop
from tests.attribution.engine_world import VOCABULARY, checkpoint, make_rows

CONFIG = EventTransformerConfig(width=16, layers=1, heads=2, span=8, dropout=0.1)
EPOCHS = (2, 3, 4, 5, 7, 10)
RUNS = ("s0", "s1", "s2")


def inputs(tokens):
    return tokens


def truth(kind, rng):
    masks = rng.random((12, 20)) < 0.5
    plan = BankPlan(
        kind=kind,
        names=tuple(f"{kind} {i}" for i in range(12)),
        masks=masks,
        seeds=np.arange(24).reshape(12, 2),
    )
    outcomes = rng.normal(size=(12, 2, 6))
    return Retrainings(plan=plan, outcomes=outcomes, subject="test", sha256="")


@pytest.fixture(scope="module")
def bank():
    torch.manual_seed(0)
    tokens = torch.randint(1, VOCABULARY, (26, 8), generator=torch.Generator().manual_seed(1))
    train, query = make_rows(tokens[:20], "w", 1), make_rows(tokens[20:], "q", 1)
    states = {}
    for place, run in enumerate(RUNS):
        for epoch in EPOCHS:
            made = checkpoint(EventTransformer(CONFIG), 100 * place + epoch)
            states[run, epoch] = replace(made, run=run)
    rng = np.random.default_rng(0)
    return Bank(
        directory=Path(),
        train=train,
        query=query,
        artists=train.owners,
        generated=np.arange(6) < 3,
        checkpoints=states,
        truth={"artist": truth("groups", rng), "item": truth("items", rng)},
        task=token_task(inputs),
        new_model=lambda: EventTransformer(CONFIG),
        inputs=inputs,
    )


@pytest.fixture(scope="module")
def shop(bank):
    return Workshop(bank)


def one(bank):
    return bank.checkpoints["s0", 4]


# The workshop


class Clock:
    def __init__(self):
        self.now = 0.0

    def process_time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(workshop, "time", found)
    return found


def working(clock, seconds, *uses):
    def make():
        for use in uses:
            use()
        clock.now += seconds
        return seconds

    return make


def test_a_piece_made_once_is_billed_to_everyone_who_uses_it(bank, clock):
    shop = Workshop(bank)
    inner = lambda: shop.piece(("inner",), working(clock, 5))  # noqa: E731
    outer = lambda: shop.piece(("outer",), working(clock, 3, inner))  # noqa: E731

    assert shop.measured(working(clock, 1, outer)) == (1, 9.0)
    assert shop.measured(working(clock, 1, outer, inner, outer)) == (1, 9.0)
    assert shop.measured(working(clock, 1, inner)) == (1, 6.0)
    assert shop.measured(working(clock, 2)) == (2, 2.0)
    assert clock.now == 5 + 3 + 4 + 1


def test_only_the_latest_large_pieces_stay_in_memory(bank):
    shop, made = Workshop(bank), []
    for name in (*range(8), 7, 3, 0):
        shop.piece(("rows", name), lambda name=name: made.append(name), large=True)

    assert made == [*range(8), 0]


# Rows and scores


@pytest.mark.parametrize("kind", ["kfac", "ekfac"])
def test_scores_are_the_engines_when_nothing_is_changed(bank, shop, kind):
    recipe = rows.DEFAULT if kind == "kfac" else RECIPES["ekfac"]
    recipe = replace(recipe, index=replace(recipe.index, dtype="float16"))
    window = [bank.checkpoints["s0", epoch] for epoch in (3, 4, 5)]
    theirs = attribute(bank.task, window, bank.train, bank.query, recipe).train[0]

    if kind == "kfac":
        ours = rows.summed(rows.kernels(rows.look(shop, each)) for each in window)
    else:
        ours = rows.summed((rows.exact_kernels(shop, each) for each in window), rows.EXACT_RIDGE)

    np.testing.assert_allclose(ours, theirs, atol=0.02)
    assert np.abs(theirs).mean() > 0.5


def test_bytes_are_those_of_the_engines_code(shop):
    numbers = rows.width(shop, 4)

    assert rows.item_bytes(shop, 3, side=4) == 3 * (-(-numbers // 64) * 8 + 4)
    assert rows.whole_bytes(shop, 2) == 2 * (
        2 * sum(int(np.prod(shape)) for shape in rows.parameters(shop).values()) + 4
    )


# Sketches


def test_sign_sides_keep_squared_lengths_in_expectation():
    shapes = {"w": (30, 40)}
    gradient = torch.randn(1, 30, 40, generator=torch.Generator().manual_seed(0))
    lengths = []
    for seed in range(200):
        sides = sketches.signs(shapes, 6, seed).projections["w"]
        lengths.append(float((sides.rows @ gradient[0] @ sides.cols.T).square().sum()))

    assert np.mean(lengths) == pytest.approx(float(gradient.square().sum()), rel=0.1)


def test_principal_sides_lose_nothing_of_rows_of_low_rank(monkeypatch):
    random = torch.Generator().manual_seed(0)
    left, right = (torch.randn(12, 3, generator=random) for _ in range(2))
    train, query = (
        (left @ torch.randn(n, 3, 3, generator=random) @ right.T).flatten(1) for n in (9, 4)
    )
    monkeypatch.setattr(sketches, "SIDE", 3)
    monkeypatch.setattr(sketches, "parameters", lambda _: {"w": (12, 12)})

    found = sketches.principal(None, rows.Seen(train=train, query=query))

    assert found.train.shape == (9, 9)
    torch.testing.assert_close(found.query @ found.train.T, query @ train.T, rtol=1e-4, atol=1e-3)


def test_the_loudest_places_are_those_of_the_train_rows():
    train = torch.tensor([[0.0, 3.0, -1.0, 0.1], [0.5, -3.0, 1.0, 0.0]])
    query = torch.tensor([[9.0, 1.0, 2.0, 9.0]])

    found = sketches.loudest(rows.Seen(train=train, query=query), 2)

    assert found.train.tolist() == [[3.0, -1.0], [-3.0, 1.0]]
    assert found.query.tolist() == [[1.0, 2.0]]


# Codes


def test_of_every_group_only_the_largest_number_is_left():
    given = torch.randn(5, 50, generator=torch.Generator().manual_seed(0))
    found = codes.largest_of_group(given)

    assert ((found != 0).sum(1) == 50 // codes.GROUP).all()
    assert ((found == 0) | (found.sign() == given.sign())).all()
    kept = torch.where(found != 0, given.abs(), 0.0)
    torch.testing.assert_close(found.abs().amax(1), kept.sum(1) / (50 // codes.GROUP))
    assert kept.sum() > 1.5 * given.abs().mean() * (found != 0).sum()


def test_a_group_is_kept_in_four_bits_and_a_row_has_a_scale():
    assert codes.group_bytes(5 * codes.GROUP) == 5 * 4 / 8 + 4


def test_a_wider_code_gets_a_narrower_sketch(shop):
    limit = rows.item_bytes(shop, 1)
    whole = codes.side_within(shop, lambda numbers: numbers / 8)
    side = codes.side_within(shop, lambda numbers: 4.0 * numbers)

    assert side < whole
    assert 4 * rows.width(shop, side) <= limit < 4 * rows.width(shop, side + 1)


# Gauss-Newton


def test_drawn_gradients_replace_part_of_the_curvature():
    rng = np.random.default_rng(0)
    query, train, drawn = (rng.normal(size=(n, 15)) for n in (3, 7, 9))
    plain = rows.Kernels(query=query @ train.T, train=train @ train.T)
    cross = rows.Kernels(query=query @ drawn.T, train=train @ drawn.T)

    found = gauss_newton.with_draws(plain, cross, drawn @ drawn.T, 0.3)

    inverse = np.linalg.inv(0.7 * np.eye(15) + 0.3 * drawn.T @ drawn / 9)
    np.testing.assert_allclose(found.query, query @ inverse @ train.T)
    np.testing.assert_allclose(found.train, train @ inverse @ train.T)


class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Embedding(5, 4), nn.Linear(4, 5, bias=False)

    def forward(self, tokens):
        return self.second(self.first(tokens).tanh())


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_products_are_those_of_the_dense_matrix():
    torch.manual_seed(0)
    model = Table().double()
    batch = {
        "tokens": torch.tensor([[0, 1, 2], [3, 4, 1]]),
        "mask": torch.tensor([[True, True, False], [True, True, True]]),
    }
    names = ["first.weight", "second.weight"]
    shapes = [dict(model.named_parameters())[name].shape for name in names]
    weights = torch.cat([dict(model.named_parameters())[n].detach().flatten() for n in names])

    def logits(flat):
        parts = torch.split(flat, [shape.numel() for shape in shapes])
        values = {n: p.view(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return torch.func.functional_call(model, values, (batch["tokens"],))

    jacobian = torch.autograd.functional.jacobian(logits, weights)  # (row, place, token, weight)
    p = model(batch["tokens"]).softmax(-1).detach()
    inner = (torch.diag_embed(p) - p[..., :, None] * p[..., None, :]) * batch["mask"][
        ..., None, None
    ]
    dense = torch.einsum("btvi,btvw,btwj->ij", jacobian, inner, jacobian) / 2
    vectors = torch.randn(3, len(weights), dtype=torch.double)
    parts = torch.split(vectors, [shape.numel() for shape in shapes], dim=1)

    found = gauss_newton.products(
        model,
        inputs,
        batch,
        {n: p.view(3, *s) for n, p, s in zip(names, parts, shapes, strict=True)},
    )

    torch.testing.assert_close(torch.cat([found[n].flatten(1) for n in names], 1), vectors @ dense)


@pytest.mark.parametrize("diagonal", [False, True])
def test_where_ekfac_is_exact_the_whitened_curvature_is_the_identity(diagonal):
    torch.manual_seed(0)
    left = torch.ones(3) if diagonal else torch.linalg.qr(torch.randn(3, 3))[0].contiguous()
    right, eigenvalues, damping = torch.linalg.qr(torch.randn(4, 4))[0], torch.rand(12) + 0.1, 0.2
    whitener = Whitener(left, right, (eigenvalues + damping * eigenvalues.mean()).rsqrt())
    basis = torch.kron(torch.diag(left) if diagonal else left, right.contiguous())
    dense = basis.T @ torch.diag(eigenvalues) @ basis
    given = torch.randn(5, 12)

    def multiply(vectors):
        return {"w": (vectors["w"].flatten(1) @ dense).view(-1, 3, 4)}

    found = gauss_newton.whitened_products(multiply, {"w": whitener}, given, damping)

    torch.testing.assert_close(found, given, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_no_step_changes_nothing_and_steps_change_the_queries(bank, shop):
    query = rows.whole(shop, one(bank)).query
    steps = gauss_newton.Steps(count=2, rows=4)

    still = gauss_newton.after_steps(shop, one(bank), query, replace(steps, count=0))
    moved = gauss_newton.after_steps(shop, one(bank), query, steps)

    assert torch.equal(still, query)
    assert 0.01 < (moved - query).norm() / query.norm() < 10


# Combinations


def test_gcv_is_that_of_the_dense_regression():
    rng = np.random.default_rng(0)
    train, query = rng.normal(size=(6, 30)), rng.normal(size=(2, 30))
    found = rows.Kernels(query=query @ train.T, train=train @ train.T)
    damping = 0.5 * np.diag(found.train).mean()
    hat = train.T @ np.linalg.solve(found.train + damping * np.eye(6), train)
    left = ((query - query @ hat) ** 2).sum(1) / (query**2).sum(1)

    value = combinations.left_over(found, (query**2).sum(1), 30, 0.5)

    assert value == pytest.approx(left.mean() / (1 - np.trace(hat) / 30) ** 2)


def test_gcv_takes_a_small_ridge_where_rows_explain_queries_and_a_large_one_where_not():
    rng = np.random.default_rng(0)
    train = rng.normal(size=(6, 40))
    smallest, greatest = min(combinations.RIDGES), max(combinations.RIDGES)
    inside = rng.normal(size=(3, 6)) @ train
    across = np.linalg.svd(train)[2][6:9]
    for query, ridge in ((inside, smallest), (across, greatest)):
        found = rows.Kernels(query=query @ train.T, train=train @ train.T)
        assert combinations.best_ridge(found, (query**2).sum(1), 40) == ridge


@pytest.mark.parametrize("weigh", [combinations.reliable, combinations.agreeing])
def test_members_that_two_seeds_disagree_about_weigh_little(weigh):
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(20, 50))
    seeds = [
        np.stack([signal + size * rng.normal(size=(20, 50)) for size in (0.3, 3.0)])
        for _ in range(2)
    ]

    weights = weigh(*seeds)

    assert (weights >= 0).all()
    assert weights[0] > 3 * weights[1]


# Noise


def test_drawn_weights_have_the_posteriors_covariance():
    torch.manual_seed(0)
    model = nn.Linear(3, 2, bias=False)
    curvature = {"weight": Whitener(torch.tensor([[2.0, 0.5], [0.5, 1.0]]), torch.eye(3) * 3)}
    base = replace(checkpoint(model, 0), run="s0")
    moved = [
        noise.drawn(base, curvature, 4, spread=0.5, seed=seed).load().weight - model.weight
        for seed in range(2000)
    ]
    each = torch.stack([found.detach().flatten() for found in moved])

    root = torch.kron(curvature["weight"].rows, curvature["weight"].cols) * 0.5 / 2
    torch.testing.assert_close(each.T @ each / len(each), root @ root.T, rtol=0.2, atol=0.3)


def test_draws_are_checkpoints_of_their_own(bank):
    base = one(bank)
    a, b = (noise.drawn(base, {}, 4, spread=0.3, seed=seed) for seed in (0, 1))

    assert len({base.sha256, a.sha256, b.sha256}) == 3
    assert (a.run, a.name) == ("s0", f"{base.name}+draw-0")


# Overlap and averages


def test_overlap_weighs_rare_runs_more():
    train = [[1, 2, 3], [1, 2, 9], [7, 8, 9]]
    found = baselines.overlap([[1, 2, 3], [4, 5, 6]], train)

    common, rare = np.log(3 / 2) ** 2, np.log(3) ** 2
    own = np.sqrt([common + 2 * rare + 1, common + 2 * rare + 1, 3 * rare + 1])
    np.testing.assert_allclose(found[0], np.array([common + 2 * rare, common, 0]) / own)
    assert not found[1].any()


def test_a_window_of_several_checkpoints_is_their_mean(bank, shop):
    from benchmarks.ideas.idea import means

    first, second = means((0.2, 0.3), (0.4,))(shop)

    assert first.sha256 == average([bank.checkpoints["s0", e] for e in (2, 3)]).sha256
    assert second is one(bank)


# The command


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_every_idea_runs_and_stands_in_the_table(bank, monkeypatch):
    monkeypatch.setattr("benchmarks.bank.Resampling", partial(Resampling, replicates=1))
    assert len({idea.name for ideas in FAMILIES.values() for idea in ideas}) > 35

    *_, found = documents(bank, chosen(()))

    table = markdown(found)
    names = {idea["name"] for idea in found["ideas"]}
    assert all(idea["against"] is None or idea["against"] in names for idea in found["ideas"])
    assert all(np.isfinite(value) for idea in found["ideas"] for value in idea["mean"].values())
    assert all(f"| {name} " in table for name in names)


def test_only_what_is_named_runs_and_strange_names_are_refused():
    import click

    assert [idea.name for _, idea in chosen(["exact", "n-gram"])] == ["exact", "n-gram"]
    with pytest.raises(click.ClickException, match="no idea 'nothing'"):
        chosen(["nothing"])


def test_what_runs_again_takes_its_old_place_in_the_table(tmp_path):
    def ideas(**values):
        return {"ideas": [{"name": name, "value": value} for name, value in values.items()]}

    (tmp_path / "ideas.json").write_text(json.dumps(ideas(compressed=1, exact=2)))

    found = merged(ideas(unrounded=3, compressed=4), tmp_path)

    assert found["ideas"] == ideas(compressed=4, exact=2, unrounded=3)["ideas"]
    assert merged(ideas(exact=1), tmp_path / "none") == ideas(exact=1)
