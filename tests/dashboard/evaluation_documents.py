"""Evaluation documents as `tantieme evaluate` writes them, of figures made up."""

from dataclasses import replace
from typing import Any

import numpy as np

from attribution.evaluation.coverage import Coverage
from attribution.evaluation.estimate import Estimate
from attribution.evaluation.informativeness import GroupInformativeness, Informativeness
from attribution.evaluation.lds import Difference, Lds
from attribution.evaluation.report import Evaluation
from attribution.evaluation.sanity import Collapse, Randomised
from cli.jobs.evaluation_files import Judged, document_of
from cli.jobs.evaluation_picture import Picture

LEVELS = ("generated", "held-out")


def estimate(value: float, level: float = 0.90) -> Estimate:
    return Estimate(value=value, low=value - 0.08, high=value + 0.08, level=level)


def lds(value: float, ceiling: float = 0.88) -> Lds:
    return Lds(
        estimate=estimate(value),
        ceiling=estimate(ceiling),
        relative=estimate(value / ceiling),
        per_query=np.array([value]),
        undefined=0,
        size_alone=0.2,
        subsets=64,
        seeds=3,
    )


def judged(kind: str, evaluations: dict[str, Evaluation], **more: Any) -> dict[str, Any]:
    document = document_of(
        Judged(
            kind=kind,
            run=more.pop("run", "r01"),
            about={"paying": "default", **more.pop("about", {})},
            evaluations=evaluations,
            sentences=more.pop("sentences", (f"What {kind} means.",)),
            picture=Picture(title="", figures=()),
            extra=more.pop("extra", {}),
        )
    )
    return {**document, "made_at": more.pop("made_at", "2026-11-03T10:00:00Z")}


def lds_document(by: str, value: float, **more: Any) -> dict[str, Any]:
    levels = [f"{by}, {each}" for each in LEVELS]
    gain = Difference(estimate=estimate(0.11), undefined=0)
    methods = {
        "ngram": Evaluation(about={}, lds=dict.fromkeys(levels, lds(value - 0.11))),
        "default": Evaluation(
            about={},
            lds=dict.fromkeys(levels, lds(value)),
            differences=dict.fromkeys(levels, gain),
        ),
    }
    return judged("lds", methods, about={"by": by}, **more)


def artist(name: str, value: float) -> GroupInformativeness:
    return GroupInformativeness(
        group=name,
        informativeness=estimate(value, 0.95),
        gain=estimate(0.5),
        snr=estimate(2.5),
        spearman=0.71,
        mean_square_error=1.0,
        jackknife_error=0.1,
        jackknife_low=0.0,
        jackknife_high=1.0,
        reliability=0.83,
        queries=59,
        undefined=0,
    )


def informativeness_document() -> dict[str, Any]:
    groups = (artist("ann", 1.04), artist("ben", 0.42))
    found = Informativeness(groups=groups, scale=1.0, fitted=True, seeds=5)
    silent = replace(
        groups[1], group="cho", informativeness=replace(estimate(0.0), value=np.nan, low=np.nan)
    )
    found = replace(found, groups=(*groups, silent))
    return judged(
        "informativeness",
        {"default": Evaluation(about={}, informativeness=found)},
        extra={"names": {"ann": "Ann *Aalto*", "ben": "Ben Brandt", "cho": "Cho Chen"}},
    )


def coverage_document() -> dict[str, Any]:
    found = Coverage(
        world="as assumed",
        stated=0.90,
        shares=estimate(0.89, 0.95),
        effects=estimate(0.9),
        found=estimate(0.4),
        noise_cleared=0.4,
        noise_paid=0.009,
        unattributed=0.3,
        worlds=40,
    )
    return judged("coverage", {"": Evaluation(about={}, coverage=(found,))}, run="")


def sanity_document() -> dict[str, Any]:
    collapse = Collapse(
        first_direction=0.6,
        overlap=0.7,
        overlap_by_chance=0.1,
        most_frequent=0.9,
        most_frequent_row=3,
        k=10,
        queries=12,
        undefined=0,
    )
    found = Evaluation(
        about={},
        randomised=Randomised(correlation=estimate(0.12), undefined=0),
        collapse=collapse,
    )
    return judged("sanity", {"default": found})


def every_document() -> list[dict[str, Any]]:
    return [
        lds_document("artist", 0.71),
        lds_document("item", 0.36),
        informativeness_document(),
        coverage_document(),
        sanity_document(),
    ]
