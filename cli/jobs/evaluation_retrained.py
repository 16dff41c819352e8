"""Evaluations that train again: LDS, informativeness, removal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import Estimate
from attribution.evaluation.informativeness import (
    Informativeness,
    effects,
    estimates,
    informativeness,
)
from attribution.evaluation.lds import Difference, Lds, lds, lds_difference
from attribution.evaluation.plan import BankPlan, Drawing, by_group, by_item, without
from attribution.evaluation.queries import with_queries
from attribution.evaluation.removal import Arm, Removal, RemovalOptions, removal, removal_plan
from attribution.evaluation.report import Evaluation
from cli.jobs.evaluation import By, Kind, Scored, Subject
from cli.jobs.evaluation_files import Judged
from cli.jobs.evaluation_picture import Picture
from cli.jobs.evaluation_wording import interval
from cli.jobs.evidence import PAYING
from cli.method_options import NGRAM
from royalty.errors import NotReady

_REPEATS = 0.5  # reliability: below it, most of the truth is chance


def lds_plan(subject: Subject, by: By, drawing: Drawing) -> BankPlan:
    """Plan retrainings on half of the items, or on half of the artists."""
    if by == "item":
        return by_item(len(subject.train), drawing)
    return by_group(subject.artists, drawing)


def judge_lds(
    subject: Subject, by: By, bank: Bank, scored: Scored, kinds: Sequence[Kind]
) -> Judged:
    """Judge every method by one bank, on each kind of query that the subject has."""
    levels = {f"{by}, {kind}": places for kind in kinds if (places := subject.places(kind))}
    evaluations = {method: _lds_of(method, scored, bank, levels) for method in scored}
    first = next(iter(levels))
    ceiling = next(iter(evaluations.values())).lds[first].ceiling.value
    return Judged(
        kind="lds",
        run=subject.run,
        about=_about(subject, bank, by=by, queries=" ".join(kinds), methods=" ".join(scored)),
        evaluations=evaluations,
        sentences=tuple(_lds_sentence(level, evaluations) for level in levels),
        picture=Picture(
            title=f"LDS by {by}, 90 % intervals",
            figures=("LDS",),
            mark=None if np.isnan(ceiling) else ceiling,
            mark_label=f"ceiling ({first})",
        ),
    )


def without_artists(subject: Subject, seeds: int, most: int | None = None) -> BankPlan:
    """Plan leaving out one artist after another: those with the most rows first, or all."""
    rows = Counter(subject.artists)
    chosen = sorted(rows, key=lambda artist: (-rows[artist], artist))[:most]
    places = np.array(subject.artists)
    removed = {artist: np.flatnonzero(places == artist) for artist in chosen}
    return without(removed, rows=len(subject.train), seeds=np.arange(seeds))


def judge_informativeness(
    subject: Subject, bank: Bank, scored: Scored, kinds: Sequence[Kind]
) -> Judged:
    """Hold what methods say of each artist against what leaving the artist out did."""
    places = [place for kind in kinds for place in subject.places(kind)]
    actual = effects(with_queries(bank, places))
    found = {
        method: informativeness(estimates(each[places], subject.artists, actual.groups), actual)
        for method, each in scored.items()
    }
    about = _about(subject, bank, queries=" ".join(kinds), methods=" ".join(scored))
    return Judged(
        kind="informativeness",
        run=subject.run,
        about=about,
        evaluations={
            method: Evaluation(about={"method": method}, informativeness=each)
            for method, each in found.items()
        },
        sentences=tuple(_informative_sentence(m, each) for m, each in found.items()),
        picture=Picture(
            title="Informativeness I of each artist, 95 % intervals",
            figures=("I",),
            mark=1.0,
            mark_label="1: paying by it is fair",
        ),
        extra={"names": {name: subject.artist_names[name] for name in actual.groups}},
    )


def plan_removal(
    subject: Subject, scored: Scored, by: By, tracks: int, options: RemovalOptions
) -> BankPlan:
    """Plan removals for the first tracks of the run, one arm a method."""
    places = removal_places(subject, tracks)
    labels = subject.artists if by == "artist" else None
    return removal_plan({m: each[places] for m, each in scored.items()}, labels, options)


def removal_places(subject: Subject, tracks: int) -> list[int]:
    """Choose the tracks. Raises `NotReady` where the run has none."""
    places = subject.places("generated")[:tracks]
    if not places:
        raise NotReady(f"run {subject.run} has no tracks; run 'tantieme generate' first")
    return places


def judge_removal(subject: Subject, by: By, bank: Bank, tracks: int) -> Judged:
    """Sum up what removing did, arm by arm."""
    found = removal(with_queries(bank, removal_places(subject, tracks)))
    return Judged(
        kind="removal",
        run=subject.run,
        about=_about(subject, bank, by=by, tracks=str(found.queries)),
        evaluations={"": Evaluation(about={}, removal={by: found})},
        sentences=(_removal_sentence(by, found),),
        picture=Picture(
            title="What tracks lost, in nats, when what ranks highest was left out of training",
            figures=tuple(f"{arm.name}: nats lost" for arm in found.arms),
        ),
    )


def _lds_of(
    method: str, scored: Scored, bank: Bank, levels: Mapping[str, Sequence[int]]
) -> Evaluation:
    found, differences = {}, {}
    for level, places in levels.items():
        judged, own = with_queries(bank, places), scored[method][places]
        found[level] = lds(own, judged)
        if NGRAM in scored and method != NGRAM:
            differences[level] = lds_difference(own, scored[NGRAM][places], judged)
    return Evaluation(about={"method": method}, lds=found, differences=differences)


def _lds_sentence(level: str, evaluations: Mapping[str, Evaluation]) -> str:
    method = PAYING if PAYING in evaluations else next(iter(evaluations))
    found: Lds = evaluations[method].lds[level]
    said = (
        f"{level.capitalize()}: {method} foretells retraining with an LDS of "
        f"{interval(found.estimate)}, where 1 is perfect and 0 is chance"
    )
    if not np.isnan(found.ceiling.value):
        said += f"; nothing could reach more than {found.ceiling.value:.2f} on so noisy a truth"
    difference = evaluations[method].differences.get(level)
    return f"{said}. {_against(difference)}".strip()


def _against(difference: Difference | None) -> str:
    if difference is None:
        return ""
    found = difference.estimate
    size = interval(found)
    if found.low > 0:
        return f"That is more than n-gram overlap reaches, by {size}."
    if found.high < 0:
        return f"n-gram overlap foretells more, by {interval(_negated(found))}."
    return f"It cannot be told apart from n-gram overlap: the difference is {size}."


def _negated(found: Estimate) -> Estimate:
    return Estimate(value=-found.value, low=-found.high, high=-found.low, level=found.level)


def _informative_sentence(method: str, found: Informativeness) -> str:
    known = [g for g in found.groups if not np.isnan(g.informativeness.low)]
    if not known:
        return f"{method}: too few queries for intervals; nothing can be said of any artist."
    above = sum(g.informativeness.low > 0 for g in known)
    one = sum(g.informativeness.low <= 1 <= g.informativeness.high for g in known)
    noise = sum(g.reliability < _REPEATS for g in found.groups)
    said = (
        f"{method}: what is said of {above} of {len(found.groups)} artists surely moves with what "
        f"they did (I above 0); for {one} the interval holds an I of 1."
    )
    doubt = f" Of {noise} the truth itself hardly repeats from seed to seed: trust no figure there."
    return said + (doubt if noise else "")


def _removal_sentence(by: By, found: Removal) -> str:
    arms = {arm.name: arm for arm in found.arms}
    return (
        f"Leaving out what ranks highest, by {by}: "
        + "; ".join(_missed(arm) for name, arm in arms.items() if name != "random")
        + "."
    )


def _missed(arm: Arm) -> str:
    sure = arm.beyond_random > 2 * arm.beyond_random_error
    verdict = "more than by chance" if sure else "no more than by chance"
    return (
        f"by {arm.name} it is missed {verdict} "
        f"({arm.beyond_random:+.2f} ± {arm.beyond_random_error:.2f} nats beyond random)"
    )


def _about(subject: Subject, bank: Bank, **asked: str) -> dict[str, str]:
    return {
        **asked,
        "bank": bank.sha256,
        "paying": PAYING,
        **subject.identity,
    }
