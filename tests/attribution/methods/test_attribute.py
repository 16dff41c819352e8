from dataclasses import replace

import pytest
import torch

import attribution
from attribution import Checkpoint, Rows, Task, attribute
from attribution.methods.recipes import RECIPES
from attribution.models.in_memory import checkpoint_of


def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return (model(batch["x"])[:, 0] - batch["y"]).square()


@pytest.fixture
def fitted() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """Least squares on more rows than directions, so that a row's own score stands out."""
    torch.manual_seed(0)
    x = torch.randn(30, 6)
    y = x @ torch.randn(6) + torch.randn(30)
    model = torch.nn.Linear(6, 1, bias=False)
    with torch.no_grad():
        model.weight[:] = torch.linalg.lstsq(x, y[:, None]).solution.T
    return model, {"x": x, "y": y}


def test_on_a_linear_model_it_is_the_influence_in_closed_form(fitted):
    model, rows = fitted
    query = {name: tensor[:4] for name, tensor in rows.items()}
    ekfac = RECIPES["ekfac"]
    exact = replace(
        ekfac,
        index=replace(ekfac.index, whitening=None),
        scoring=replace(ekfac.scoring, ridge=1e-6, normalise=False),
    )

    found = attribute(loss, [model], rows, query, exact).train[0]

    gradients = -2 * (rows["x"] @ model.weight[0] - rows["y"])[:, None] * rows["x"]
    gram = gradients.T @ gradients
    wanted = gradients[:4] @ torch.linalg.solve(gram, gradients.T)
    assert torch.allclose(torch.from_numpy(found), wanted.detach(), rtol=1e-2, atol=1e-4)


def test_rows_and_checkpoints_may_have_names_and_runs_of_their_own(fitted):
    model, tensors = fitted
    names = tuple(f"row {i}" for i in range(30))
    train = Rows(tensors=tensors, ids=names, owners=names)
    runs = [checkpoint_of(model, run="one"), replace(checkpoint_of(model), sha256="2", run="two")]
    task = Task(loss=loss, measurement=lambda model, batch: -loss(model, batch))

    scores = attribute(task, runs, train, train.take([0]), "quick")

    assert {run for run, _ in scores.replicates} == {"one", "two"}
    assert scores.train.shape == (len(scores.replicates), 1, 30)


def test_a_method_that_there_is_not_is_refused_by_name(fitted):
    model, rows = fitted

    with pytest.raises(ValueError, match=r"no method 'magic'; there are default, quick"):
        attribute(loss, [model], rows, rows, "magic")


def test_the_public_names_stand_in_the_package_and_no_others():
    assert attribution.Checkpoint is Checkpoint
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        attribution.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("change", "fault", "says"),
    [
        ({"checkpoints": torch.nn.Linear(6, 1)}, TypeError, r"write \[model\]"),
        ({"train": torch.ones(3, 6)}, TypeError, "train is a mapping"),
        ({"task": lambda model, batch: loss(model, batch).mean()}, ValueError, r"shape \(\) for"),
    ],
)
def test_plausible_slips_are_named(fitted, change, fault, says):
    model, rows = fitted
    given = {"task": loss, "checkpoints": [model], "train": rows, "query": rows} | change

    with pytest.raises(fault, match=says):
        attribute(**given)
