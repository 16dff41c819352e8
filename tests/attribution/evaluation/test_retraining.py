import numpy as np
import pytest

from attribution.evaluation.bank import build
from attribution.evaluation.composers import Composing, compose
from attribution.evaluation.informativeness import effects
from attribution.evaluation.plan import without_each_group
from attribution.evaluation.retraining import event_retraining, log_likelihood
from attribution.models.event_transformer import EventTransformerConfig
from attribution.models.training import TrainingOptions, train

MUSIC = compose(
    Composing(composers=3, recordings=4, tracks=9, notes=12, passages=2, pitches=4, span=48)
)
OPTIONS = TrainingOptions(
    model=EventTransformerConfig(width=16, layers=1, heads=2, span=48, dropout=0.0),
    epochs=16,
    batch=4,
    learning_rate=2e-2,
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    plan = without_each_group(MUSIC.composers, seeds=1)
    retraining = event_retraining(MUSIC.train, MUSIC.query, OPTIONS)
    return build(plan, retraining, tmp_path_factory.mktemp("bank"))


def test_leaving_out_a_composer_is_missed_by_the_tracks_that_drew_on_it(bank):
    found = effects(bank)

    assert found.groups == MUSIC.names
    missed = found.values.mean(0)
    for composer in range(3):
        drew = MUSIC.mixtures[:, composer] > 0
        assert missed[drew, composer].min() > missed[~drew, composer].max()
    assert np.corrcoef(missed.ravel(), MUSIC.mixtures.ravel())[0, 1] > 0.8


def test_a_retraining_is_the_training_of_the_product(bank, tmp_path):
    run = train(MUSIC.train, OPTIONS, tmp_path)

    outcomes = bank.outcomes[bank.names.index("full"), 0]
    np.testing.assert_array_equal(log_likelihood(run.model(), MUSIC.query), outcomes)


def test_rows_queries_and_recipe_make_another_subject():
    few = MUSIC.train.take(range(5))
    subjects = {
        event_retraining(train, query, options).subject
        for train, query, options in (
            (MUSIC.train, MUSIC.query, OPTIONS),
            (few, MUSIC.query, OPTIONS),
            (MUSIC.train, few, OPTIONS),
            (MUSIC.train, MUSIC.query, TrainingOptions()),
        )
    }

    assert len(subjects) == 4


def test_the_seed_of_the_options_is_no_part_of_the_subject():
    one, two = (
        event_retraining(MUSIC.train, MUSIC.query, TrainingOptions(seed=seed)) for seed in (0, 1)
    )

    assert one.subject == two.subject
