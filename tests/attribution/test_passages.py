import dataclasses

import numpy as np
import pytest
import torch

from attribution.errors import BadRows
from attribution.evidence import EvidenceOptions, gather, scored
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.methods.bilinear import ScoringOptions
from attribution.passages import (
    NOWHERE,
    added_up,
    by_event,
    by_label,
    by_span,
    null_weights,
    part_scores,
    prepare_parts,
)
from attribution.sketch import SketchOptions
from attribution.whitening import WhiteningOptions
from tests.attribution.engine_world import SPAN, make_rows

CLOSE = 1e-4  # relative to the largest score


@pytest.fixture(scope="module")
def query(world):
    """Two spans of one track, the second of them with a tail that is only padding."""
    tokens = world.train.tensors["tokens"][[4, 31]].clone()
    tokens[:, 5] = 7
    rows = make_rows(tokens, "t", 2)
    rows.tensors["mask"][1, SPAN - 5 :] = False
    return rows


@pytest.fixture(scope="module", params=["plain", "whitened"])
def fitted(request, world, small_options, index, tmp_path_factory):
    """A method on plain rows with a Gram a parameter, and ours."""
    if request.param == "plain":
        return bilinear.fit(index, world.task, world.checkpoints, ScoringOptions(gram="parameter"))
    options = dataclasses.replace(
        small_options,
        sketch=SketchOptions(kind="identity"),
        whitening=WhiteningOptions(kind="ekfac", directions=8, kept=640),
        seeds=(0,),
        dtype="peak",
    )
    checkpoints = [dataclasses.replace(c, sha256=c.sha256[::-1]) for c in world.checkpoints]
    directory = tmp_path_factory.mktemp("whitened")
    whitened = build(world.task, checkpoints, world.parts, directory, options)
    return bilinear.fit(whitened, world.task, checkpoints)


def dense(fitted, prepared, part="train"):
    return torch.cat(list(bilinear.score(fitted, prepared, part)), dim=2).numpy()


def agree(found, expected):
    return np.abs(found - expected).max() <= CLOSE * np.abs(expected).max()


def test_the_scores_of_single_events_add_up_to_their_rows(fitted, query) -> None:
    whole = bilinear.prepare(fitted, query)
    events = by_event(query)

    found = dense(fitted, prepare_parts(fitted, whole, events)).mean(0)
    names, total = added_up(found, events.owners)

    assert names == query.ids
    assert len(events) == 2 * SPAN - 5
    assert agree(total, dense(fitted, whole).mean(0))
    assert not agree(2 * total, dense(fitted, whole).mean(0))


def test_spans_add_up_to_their_rows_and_rows_to_the_track(fitted, query) -> None:
    whole = bilinear.prepare(fitted, query)
    spans = by_span(query, events=7)

    scores = dense(fitted, prepare_parts(fitted, whole, spans)).mean(0)
    _, rows = added_up(scores, spans.owners)
    _, track = added_up(rows, query.owners)

    assert agree(rows, dense(fitted, whole).mean(0))
    assert agree(track[0], dense(fitted, whole).mean(0).sum(0))


def test_without_the_wholes_size_parts_do_not_add_up(fitted, query) -> None:
    spans = by_span(query, events=7)

    scores = bilinear.scores(fitted, spans).train.mean(0)
    _, rows = added_up(scores, spans.owners)

    assert not agree(rows, bilinear.scores(fitted, query).train.mean(0))


def test_the_cheap_order_gives_the_dense_scores(fitted, query) -> None:
    whole, spans, items = bilinear.prepare(fitted, query), by_span(query, events=7), [88, 0, 41]

    found = part_scores(fitted, whole, spans, items=items)
    prepared = prepare_parts(fitted, whole, spans)

    assert found.items == tuple(fitted.index.ids["train"][place] for place in items)
    assert (found.parts, found.wholes) == (spans.ids, spans.owners)
    assert agree(found.train, dense(fitted, prepared).mean(0)[:, items])
    assert agree(found.placebo, dense(fitted, prepared, "placebo").mean((0, 2)))
    np.testing.assert_allclose(found.excess[0], found.train[0] - found.placebo[0])


def test_output_terms_and_learning_rates_weigh_parts_as_they_weigh_wholes(
    index, world, query
) -> None:
    terms = {part: torch.linspace(0.2, 0.9, len(index.ids[part])) for part in ("train", "placebo")}
    checkpoints = [
        dataclasses.replace(each, learning_rate=0.1 * number)
        for number, each in enumerate(world.checkpoints, start=1)
    ]
    options = ScoringOptions(by_learning_rate=True)
    fitted = bilinear.fit(index, world.task, checkpoints, options, output_terms=terms)
    whole, spans = bilinear.prepare(fitted, query), by_span(query, events=7)

    found = part_scores(fitted, whole, spans, items=range(90))

    assert agree(added_up(found.train, found.wholes)[1], dense(fitted, whole).mean(0))
    assert agree(
        added_up(found.placebo, found.wholes)[1], dense(fitted, whole, "placebo").mean((0, 2))
    )


def test_the_excess_of_a_work_over_all_parts_is_the_works_evidence(fitted, query) -> None:
    index = fitted.index
    scores = bilinear.scores(fitted, query)
    evidence = gather(
        scored(scores.train, index.owners["train"]),
        scored(scores.placebo, index.owners["placebo"]),
        EvidenceOptions(replicates=20),
    )
    items = [i for i, owner in enumerate(index.owners["train"]) if owner == "w001"]
    weights = null_weights(evidence.null, index.owners["placebo"])

    whole, events = bilinear.prepare(fitted, query), by_event(query)
    found = part_scores(fitted, whole, events, items=items, placebo_weights=weights)

    expected = next(work.mean for work in evidence.works if work.work == "w001")
    assert weights.sum() == pytest.approx(1.0)
    assert found.excess.sum() == pytest.approx(expected, rel=1e-4)


def test_works_of_unequal_length_are_averaged_as_the_null_averages_them() -> None:
    random = np.random.default_rng(3)
    works = [f"p{work:02d}" for work in range(42) for _ in range(1 + work % 5)]
    drift = np.arange(1, len(works) + 1) / 50
    scores = random.normal(size=(1, 1, len(works))) + drift
    train = scored(np.zeros((1, 1, 1)), ["w"])
    evidence = gather(train, scored(scores, works), EvidenceOptions(replicates=20))

    weights = null_weights(evidence.null, works)

    assert weights @ scores[0, 0] == pytest.approx(evidence.null.mean)
    assert scores.mean() != pytest.approx(evidence.null.mean, rel=1e-3)


def test_events_of_a_copied_passage_find_the_row_it_was_copied_from(fitted, world) -> None:
    copied = world.train.tensors["tokens"][[60]].clone()
    copied[:, : SPAN // 2] = world.placebo.tensors["tokens"][:1, : SPAN // 2]
    query = make_rows(copied, "t", 1)

    found = part_scores(
        fitted, bilinear.prepare(fitted, query), by_span(query, events=SPAN // 2), items=[60]
    )

    before, after = found.excess[:, 0]
    assert after > 3 * abs(before)


def test_parts_are_named_after_their_row_and_leave_it_as_it_is(query) -> None:
    spans = by_span(query, events=10)

    assert spans.ids[:4] == ("t000@0/0", "t000@0/1", "t000@0/2", "t000@1/0")
    assert spans.owners[:4] == ("t000@0", "t000@0", "t000@0", "t000@1")
    assert torch.equal(spans.tensors["tokens"][0], query.tensors["tokens"][0])
    assert spans.tensors["mask"][1].nonzero().flatten().tolist() == list(range(10, 20))
    assert spans.tensors["mask"].dtype == query.tensors["mask"].dtype


def test_events_that_are_labelled_nowhere_are_in_no_part(query) -> None:
    labels = torch.full((2, SPAN), NOWHERE)
    labels[0, 3] = 5
    labels[1, SPAN - 1] = 1  # padding

    parts = by_label(query, labels)

    assert parts.ids == ("t000@0/5",)
    assert parts.tensors["mask"].sum() == 1


def test_weights_of_a_mask_are_kept(query) -> None:
    weighed = dataclasses.replace(
        query, tensors={**query.tensors, "mask": query.tensors["mask"] * 0.5}
    )

    parts = by_span(weighed, events=SPAN)

    assert parts.tensors["mask"].sum() == pytest.approx(0.5 * (2 * SPAN - 5))


def test_parts_of_another_query_and_cosines_are_refused(index, world, query, fitted) -> None:
    whole = bilinear.prepare(fitted, query)
    cosines = bilinear.fit(
        index, world.task, world.checkpoints, ScoringOptions(gram=None, cosine=True)
    )

    with pytest.raises(BadRows, match="'w000@0' is not among the wholes"):
        part_scores(fitted, whole, by_event(world.train.take([0])), items=[0])
    with pytest.raises(ValueError, match="cosines of parts"):
        prepare_parts(cosines, whole, by_event(query))
    with pytest.raises(ValueError, match="a span of 0 events"):
        by_span(query, events=0)
