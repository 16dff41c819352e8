import json

import pytest

from dashboard import reads
from dashboard.evaluations import figures, latest, levels, one, paying
from tests.dashboard.evaluation_documents import (
    coverage_document,
    every_document,
    informativeness_document,
    lds_document,
)


def test_nothing_evaluated_is_none() -> None:
    assert latest([]) is None


def test_the_latest_of_each_kind_is_shown_and_lds_by_level() -> None:
    new, old = lds_document("artist", 0.7), lds_document("artist", 0.2)
    found = latest([new, lds_document("item", 0.3), old])

    assert found is not None
    assert found.lds["artist"] is new
    assert set(found.lds) == {"artist", "item"}


def test_only_the_run_last_judged_is_shown_beside_what_is_of_no_run() -> None:
    found = latest(
        [
            informativeness_document() | {"run": "r02"},
            lds_document("artist", 0.7),
            informativeness_document(),
            coverage_document(),
        ]
    )

    assert found is not None
    assert found.run == "r01"
    assert found.kind("informativeness")["run"] == "r01"
    assert found.kind("coverage") is not None
    assert found.kind("removal") is None


def test_figures_carry_names_intervals_and_what_is_undefined() -> None:
    ann, ben, cho = figures(informativeness_document(), "I")

    assert (ann.of, ann.shown, ann.interval) == ("Ann *Aalto*", "1.04", "0.96 to 1.12")
    assert ben.confidence == 0.95
    assert (cho.value, cho.shown, cho.interval) == (None, "–", "–")  # noqa: RUF001


def test_levels_come_in_order_and_the_paying_method_first() -> None:
    document = lds_document("item", 0.3)
    found = figures(document, "LDS")

    assert levels(document) == ["item, generated", "item, held-out"]
    assert paying(document) == "default"
    assert paying({**document, "about": {"paying": "other"}}) == "ngram"
    assert one(found, "default", "item, held-out").value == pytest.approx(0.3)
    assert one(found, "trak", "item, held-out") is None


def test_documents_of_a_workspace_come_latest_first(tmp_path) -> None:
    folder = tmp_path / "evaluation"
    (folder / "bank-1").mkdir(parents=True)
    for place, document in enumerate(every_document()):
        dated = document | {"made_at": f"2026-11-0{place + 1}T00:00:00Z"}
        (folder / f"{document['id']}.json").write_text(json.dumps(dated), encoding="utf-8")

    found = reads.evaluations(reads.Place(str(tmp_path), None))

    assert [each["kind"] for each in found][:2] == ["sanity", "coverage"]
    assert reads.evaluations(reads.Place(str(tmp_path / "none"), None)) == []
