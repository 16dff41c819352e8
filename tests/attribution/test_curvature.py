import pytest
import torch

from attribution.curvature import as_if_inside, damped_grams, precondition


def rows(count, width, seed=0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def inverse(phi, ridge):
    phi = phi.double()
    damping = ridge * phi.square().sum() / len(phi)
    return torch.linalg.inv(phi.T @ phi + damping * torch.eye(phi.shape[1])), damping


def fit(phi, slices, ridge=0.5, shard=4):
    return damped_grams(lambda: phi.split(shard), slices, ridge)


@pytest.mark.parametrize("side_max", [8192, 4])  # factorised, or by conjugate gradients
@pytest.mark.parametrize("count", [30, 5])  # more rows than columns, and fewer
def test_every_way_to_solve_gives_the_same_answer_as_the_plain_inverse(count, side_max):
    phi, vectors = rows(count, 12), rows(3, 12, seed=1)
    truth, _ = inverse(phi, 0.5)

    grams = damped_grams(lambda: phi.split(4), [slice(0, 12)], 0.5, side_max=side_max)

    assert (grams[0].cholesky is None) == (side_max == 4)
    close(precondition(grams, vectors), vectors.double() @ truth)


def close(found, truth):
    """Equal up to the single precision in which rows are multiplied."""
    torch.testing.assert_close(found, truth, rtol=1e-4, atol=1e-5 * float(truth.abs().max()))


def test_each_parameter_has_a_gram_of_its_own():
    phi, vectors = rows(9, 12), rows(3, 12, seed=1)
    slices = [slice(0, 10), slice(10, 12)]  # one wider than there are rows, one narrower

    found = precondition(fit(phi, slices), vectors)

    for part in slices:
        truth, _ = inverse(phi[:, part], 0.5)
        close(found[:, part], vectors[:, part].double() @ truth)


def test_a_held_back_row_scores_as_if_it_had_been_in_the_gram():
    phi, held, query = rows(20, 6), rows(1, 6, seed=1), rows(2, 6, seed=2).double()
    fitted = fit(phi, [slice(0, 6)])
    truth, damping = inverse(phi, 0.5)
    inside = torch.linalg.inv(torch.linalg.inv(truth) + held.double().T @ held.double())
    leverage = float(held.double() @ truth @ held.double().T)

    found = precondition(fitted, query) @ as_if_inside(fitted, held, [[0]]).T

    close(found, query @ inside @ held.double().T)
    close(found, query @ truth @ held.double().T / (1 + leverage))
    assert fitted[0].damping == pytest.approx(float(damping))


def test_the_rows_of_one_held_back_work_enter_the_gram_together():
    phi, held, query = rows(20, 6), rows(3, 6, seed=1), rows(2, 6, seed=2).double()
    fitted = fit(phi, [slice(0, 6)])
    gram = torch.linalg.inv(inverse(phi, 0.5)[0])
    own = held[[0, 2]].double()

    found = precondition(fitted, query) @ as_if_inside(fitted, held, [[0, 2], [1]]).T

    together = query @ torch.linalg.inv(gram + own.T @ own) @ own.T
    close(found[:, [0, 2]], together)


def test_copies_of_a_row_share_what_one_would_have_earned_as_the_duplicate_law_says():
    phi, query = rows(20, 6), rows(1, 6, seed=2).double()
    row = rows(1, 6, seed=3)
    truth, _ = inverse(phi, 0.5)
    h0 = float(row.double() @ truth @ row.double().T)
    alone = float(query @ truth @ row.double().T)
    fitted = fit(phi, [slice(0, 6)])

    for copies in (1, 4, 25):
        held = row.expand(copies, 6)
        corrected = as_if_inside(fitted, held, [list(range(copies))])
        earned = float((precondition(fitted, query) @ corrected.T).sum())

        assert earned == pytest.approx(alone * copies / (1 + copies * h0))


def test_a_ridge_of_nothing_is_refused():
    with pytest.raises(ValueError, match="ridge"):
        fit(rows(5, 3), [slice(0, 3)], ridge=0.0)


def test_a_parameter_without_gradient_scores_nothing():
    fitted = fit(torch.zeros(5, 3), [slice(0, 3)])

    assert precondition(fitted, torch.zeros(2, 3)).abs().max() == 0
