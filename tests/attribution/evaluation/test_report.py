import json

import numpy as np
import pytest

from attribution.evaluation.coverage import coverage
from attribution.evaluation.estimate import Resampling
from attribution.evaluation.informativeness import Effects, informativeness
from attribution.evaluation.lds import lds, lds_difference
from attribution.evaluation.planted import retrieval
from attribution.evaluation.removal import removal
from attribution.evaluation.report import Evaluation, as_document, as_table, plain
from attribution.evaluation.sanity import collapse, randomised
from attribution.evaluation.simulation import Simulation
from attribution.evidence import EvidenceOptions
from attribution.files import json_bytes
from tests.attribution.evaluation.retraining_world import bank_of

KEYS = {"section", "of", "figure", "value", "low", "high", "confidence", "note"}
QUICK = Resampling(replicates=20)


@pytest.fixture(scope="module")
def evaluation():
    random = np.random.default_rng(0)
    scores, masks = random.normal(size=(4, 6)), random.random((9, 6)) < 0.6
    masks[:, 0] = True
    bank = bank_of(masks, random.normal(size=(9, 2, 4)))
    names = ("full", "ours:0", "random:0")
    removed = bank_of([[1, 1], [0, 1], [1, 0]], random.normal(size=(3, 5, 1)), "removal", names)
    effects = Effects(groups=("Bach", "Mozart"), values=random.normal(size=(2, 4, 2)))
    small = Simulation(works=20, with_effect=3)
    return Evaluation(
        about={"method": "made up", "bank": bank.sha256},
        lds={"item": lds(scores, bank, QUICK), "artist": lds(scores * np.nan, bank, QUICK)},
        differences={"item": lds_difference(scores, -scores, bank, QUICK)},
        informativeness=informativeness(scores[:, :2], effects),
        removal={"item": removal(removed)},
        planted={"exact": retrieval(scores, np.eye(4, 6, dtype=bool))},
        randomised=randomised(scores, scores, QUICK),
        collapse=collapse(scores, k=2),
        coverage=(coverage(small, worlds=2, options=EvidenceOptions(replicates=50)),),
    )


def test_the_document_is_json_without_what_json_has_not(evaluation):
    document = as_document(evaluation)
    text = json.dumps(document, allow_nan=False)

    assert json.loads(text) == document
    assert document["schema"] == 1
    assert document["about"] == {"method": "made up", "bank": ""}
    assert set(document) == {"schema", "about", "rows", "verdicts", "details"}
    assert json_bytes(document) == json_bytes(as_document(evaluation))


def test_every_section_has_rows_with_the_same_keys(evaluation):
    rows = as_document(evaluation)["rows"]

    assert all(set(row) == KEYS for row in rows)
    assert list(dict.fromkeys(row["section"] for row in rows)) == [
        "LDS",
        "informativeness",
        "removal",
        "planted copies",
        "sanity",
        "coverage",
    ]


def test_rows_say_what_was_found_and_of_what(evaluation):
    rows = {(row["section"], row["of"], row["figure"]): row for row in as_table(evaluation)}
    item = rows["LDS", "item", "LDS"]

    assert item["value"] == evaluation.lds["item"].estimate.value
    assert (item["low"], item["confidence"]) == (evaluation.lds["item"].estimate.low, 0.9)
    assert item["note"] == "9 subsets, 2 seeds each"
    assert ("informativeness", "Mozart", "SNR") in rows
    assert "over 5 seeds, 1 queries" in rows["removal", "item", "ours: nats lost"]["note"]


def test_what_is_undefined_is_null_and_said(evaluation):
    document = as_document(evaluation)
    row = next(r for r in document["rows"] if (r["of"], r["figure"]) == ("artist", "LDS"))

    assert row["value"] is None
    assert row["low"] is None
    assert row["note"].endswith("4 queries undefined")
    assert document["details"]["lds"]["artist"]["per_query"] == [None] * 4


def test_verdicts_are_sentences(evaluation):
    checks = {each["check"]: each for each in as_document(evaluation)["verdicts"]}

    assert checks["randomised model"]["passed"] is False  # the same scores twice
    assert checks["column collapse"]["sentence"].endswith(".")


def test_what_was_not_measured_stays_empty():
    document = as_document(Evaluation(about={"method": "none"}))

    assert document["rows"] == document["verdicts"] == []
    assert document["details"]["informativeness"] is None


def test_numbers_of_numpy_become_plain():
    found = plain({1: np.float32(0.5), "b": (np.inf, np.int64(3), np.bool_(True)), "c": None})

    assert found == {"1": 0.5, "b": [None, 3, True], "c": None}
    assert [type(each) for each in found["b"]] == [type(None), int, bool]
