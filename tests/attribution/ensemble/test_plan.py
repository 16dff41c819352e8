import dataclasses

import numpy as np
import pytest
import torch

from attribution.ensemble.dropout import DropoutOptions, dropout
from attribution.ensemble.lora import LoraOptions
from attribution.ensemble.plan import EnsemblePlan, members, output_members
from attribution.gradients import sketched_gradients
from attribution.index import IndexOptions, lens_of
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.methods.bilinear import ScoringOptions
from attribution.sketch import SketchOptions
from attribution.task import Execution, Rows, Task
from attribution.whitening import WhiteningOptions
from tests.attribution.engine_world import SPAN

MASKS = DropoutOptions(masks=2, rate=0.3)
PLAIN = IndexOptions(sketch=SketchOptions(kind="sjlt", width=128), seeds=(0,))
WHITENED = IndexOptions(sketch=SketchOptions(side=6), whitening=WhiteningOptions(), seeds=(0,))
METHODS = {
    "default": (WHITENED, ScoringOptions()),
    "trak": (PLAIN, ScoringOptions(ridge=0.1, normalise=False)),
    "tracin": (PLAIN, ScoringOptions(gram=None, normalise=False, by_learning_rate=True)),
    "gradcos": (PLAIN, ScoringOptions(gram=None, normalise=False, cosine=True)),
}


@dataclasses.dataclass(frozen=True)
class Asked:
    """What every ensemble of this file is asked."""

    task: Task
    train: Rows
    query: Rows


@pytest.fixture(scope="module")
def asked(world):
    """Ask a few rows, and of the probability of a typical event too."""
    loss = world.task.loss
    task = dataclasses.replace(
        world.task, probability=lambda model, batch: (-loss(model, batch) / SPAN).exp()
    )
    return Asked(task, world.train.take(range(24)), world.placebo.take(range(3)))


@pytest.fixture(scope="module")
def runs(world):
    one, two, three = (
        dataclasses.replace(c, learning_rate=rate)
        for c, rate in zip(world.checkpoints, (1.0, 2.0, 4.0), strict=True)
    )
    return {"run-0": (one, two), "run-1": (three,)}


def scored(asked, checkpoints, directory, method):
    options, scoring = METHODS[method]
    index = build(asked.task, checkpoints, {"train": asked.train}, directory, options)
    return bilinear.scores(bilinear.fit(index, asked.task, checkpoints, scoring), asked.query)


@pytest.mark.parametrize("method", METHODS)
def test_runs_by_checkpoints_by_masks_equal_loops_by_hand(asked, runs, tmp_path, method):
    plan = EnsemblePlan(dropout=MASKS)
    found = scored(asked, members(plan, runs), tmp_path / "all", method)

    by_hand = []
    for number, checkpoints in enumerate(runs.values()):
        total = 0
        for place, whole in enumerate(checkpoints):
            for mask in range(2):
                alone = [dropout(whole, MASKS)[mask]]
                directory = tmp_path / f"{number}{place}{mask}"
                total = total + scored(asked, alone, directory, method).train[0]
        by_hand.append(total)

    assert [run for run, _ in found.replicates] == ["run-0", "run-1"]
    np.testing.assert_allclose(found.train, by_hand, rtol=1e-4, atol=1e-5)


def test_mean_and_standard_error_of_every_score_are_those_of_the_replicates(asked, runs, tmp_path):
    apart = EnsemblePlan(dropout=dataclasses.replace(MASKS, apart=True))
    found = scored(asked, members(apart, runs), tmp_path, "default")
    mean, error = found.spread()

    assert [run for run, _ in found.replicates] == [
        "run-0/mask-0",
        "run-0/mask-1",
        "run-1/mask-0",
        "run-1/mask-1",
    ]
    for q, t in ((0, 0), (2, 17)):
        four = [float(x) for x in found.train[:, q, t]]
        average = sum(four) / 4
        squares = sum((x - average) ** 2 for x in four)
        assert mean[q, t] == pytest.approx(average, rel=1e-4, abs=1e-6)
        assert error[q, t] == pytest.approx((squares / 3 / 4) ** 0.5, rel=1e-4)


@pytest.mark.parametrize("forward_only", [False, True])
def test_trak_is_the_product_of_two_means_over_members(asked, runs, tmp_path, forward_only):
    plan = EnsemblePlan(runs=1, dropout=MASKS, forward_only=forward_only)
    gradients, forward = members(plan, runs), output_members(plan, runs)
    term = bilinear.output_term(asked.task, forward, asked.train, Execution(batch=7))
    index = build(asked.task, gradients, {"train": asked.train}, tmp_path, PLAIN)
    options, terms = METHODS["trak"][1], {"train": term}
    fitted = bilinear.fit(index, asked.task, gradients, options, output_terms=terms)
    found = bilinear.scores(fitted, asked.query).train[0] / len(gradients)

    influence = np.mean([trak_by_hand(index, asked, c) for c in gradients], axis=0)
    doubt = np.mean([doubts(asked, c.load()) for c in forward], axis=0)

    assert len(forward) == 4
    assert len(gradients) == (2 if forward_only else 4)
    np.testing.assert_allclose(found, influence * doubt, rtol=2e-3, atol=1e-6)


def trak_by_hand(index, asked, checkpoint):
    """Return φ(query) (ΦᵀΦ + λI)⁻¹ Φᵀ of one member, in float64."""
    (member,) = [m for m in index.members if m.sha256 == checkpoint.sha256]
    phi = index.rows(member, "train").astype(np.float64)
    lens = lens_of(index.manifest, [member], asked.task, checkpoint.load(), None)
    rows = sketched_gradients(lens, asked.query.tensors)[0].double().numpy()
    damping = 0.1 * (phi**2).sum() / len(phi)
    return rows @ np.linalg.solve(phi.T @ phi + damping * np.eye(phi.shape[1]), phi.T)


def doubts(asked, model):
    with torch.no_grad():
        return 1 - asked.task.probability(model, asked.train.tensors).numpy()


def test_forward_only_keeps_gradients_of_whole_models(runs):
    plan = EnsemblePlan(dropout=MASKS, forward_only=True)

    assert [c.name for c in members(plan, runs)] == ["step-5", "step-7", "step-9"]
    assert [c.name for c in output_members(plan, runs)][:2] == ["step-5+mask-0", "step-5+mask-1"]
    with pytest.raises(ValueError, match="forward_only is about dropout masks"):
        EnsemblePlan(forward_only=True)


def test_a_plan_multiplies_what_it_names(runs):
    plan = EnsemblePlan(average=True, dropout=MASKS)

    assert [(c.run, c.name) for c in members(plan, runs)] == [
        ("run-0", "mean(step-5, step-7)+mask-0"),
        ("run-0", "mean(step-5, step-7)+mask-1"),
        ("run-1", "mean(step-9)+mask-0"),
        ("run-1", "mean(step-9)+mask-1"),
    ]
    assert [c.name for c in members(EnsemblePlan(runs=1), runs)] == ["step-5", "step-7"]
    assert members(EnsemblePlan(), runs) == output_members(EnsemblePlan(), runs)


def test_adapters_without_anything_to_train_on_are_refused(runs):
    with pytest.raises(ValueError, match="pass trained_on"):
        members(EnsemblePlan(lora=LoraOptions()), runs)


@pytest.mark.slow
def test_adapters_and_masks_multiply(asked, runs, tmp_path):
    pytest.importorskip("peft")
    from attribution.ensemble.lora import TrainedOn

    plan = EnsemblePlan(runs=1, average=True, lora=LoraOptions(adapters=2, epochs=1), dropout=MASKS)
    trained_on = TrainedOn(task=asked.task, rows=asked.train, directory=tmp_path)
    found = members(plan, runs, trained_on)

    assert [c.name.removeprefix("mean(step-5, step-7)") for c in found] == [
        "+adapter-0+mask-0",
        "+adapter-0+mask-1",
        "+adapter-1+mask-0",
        "+adapter-1+mask-1",
    ]
    with torch.no_grad():
        values = [float(asked.task.loss(c.load(), asked.train.tensors).sum()) for c in found]
    assert len(set(values)) == 4
