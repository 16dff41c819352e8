import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.bank import Bank, read_bank
from benchmarks.measured import STAGES, Scores
from benchmarks.picture import LABELS, PLOT, TOP
from benchmarks.report import Entry, document, machine, markdown, picture, ratios, table
from tests.benchmarks.tiny_bank import ITEMS, QUERIES

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def bank(bank_directory: Path) -> Bank:
    return read_bank(bank_directory)


def entry(name: str, *, slower: float = 1.0, seed: int = 0) -> Entry:
    seconds = dict.fromkeys(STAGES, 2.0 * slower)
    scores = np.random.default_rng(seed).normal(size=(QUERIES, ITEMS)).astype(np.float32)
    measured = Scores(train=scores, seconds=seconds, stored=ITEMS * 500, checkpoints=2)
    return Entry(name=name, says=f"{name} & Co", measured=(measured, 0.01))


def failed(name: str) -> Entry:
    return Entry(name=name, says=name, measured=None, fault="LinAlgError: singular")


def test_a_document_is_json_without_nan(bank: Bank) -> None:
    found = document(bank, [entry("compressed"), failed("peer")])

    text = json.dumps(found, allow_nan=False)

    assert json.loads(text)["methods"][1]["fault"] == "LinAlgError: singular"


def test_bytes_and_training_steps_are_per_item(bank: Bank) -> None:
    method = document(bank, [entry("compressed")])["methods"][0]

    assert method["megabytes_per_1000"] == pytest.approx(0.5)
    assert method["features_in_steps"] == pytest.approx(2.0 / (0.01 * ITEMS * 2))
    assert method["up_to_scores"] == pytest.approx(6.0)


def test_ratios_are_in_each_process_s_own_training_steps(bank: Bank) -> None:
    ours, peer = document(bank, [entry("compressed"), entry("peer", slower=6.0)])["methods"]
    peer["training_step"] *= 2  # its process was half as fast
    peer["features_in_steps"] /= 2

    assert ratios(peer, ours) == pytest.approx((3.0, 3.0, 3.0))


def test_tables_show_every_method_that_ran_and_name_those_that_failed(bank: Bank) -> None:
    found = document(bank, [entry("compressed"), entry("rival", slower=3.0), failed("broken")])

    text = markdown(found)

    value = found["methods"][0]["lds"]["all"]["artist, generated"]["value"]
    assert f"{value:.3f}" in text
    assert "3.0 · 3.0 · 3.0" in text
    assert "- broken: LinAlgError: singular" in text
    assert machine()["torch"] in text


def test_without_truth_there_is_only_cost(bank: Bank) -> None:
    found = document(bank, [entry("compressed")])
    found |= {"ceiling": {}, "subsets": {}}
    found["methods"][0]["lds"] = {"all": {}, "chosen": {}, "reported": {}}

    assert "LDS" not in markdown(found)
    assert "Cost" in markdown(found)


def test_a_table_is_aligned() -> None:
    lines = table(["a", "long head"], [["wide cell", "1"]]).splitlines()

    assert lines == [
        "| a         | long head |",
        "| --------- | --------- |",
        "| wide cell | 1         |",
    ]


def test_the_picture_is_svg_with_a_lane_a_method_best_first(bank: Bank) -> None:
    entries = [entry("one", seed=1), entry("two", seed=2), failed("broken")]
    found = document(bank, entries)
    tree = ET.fromstring(picture(found))
    words = [text.text for text in tree.iter(f"{SVG}text")]
    means = {
        m["says"]: np.mean([e["value"] for e in m["lds"]["all"].values()])
        for m in found["methods"][:2]
    }
    best, worst = sorted(means, key=means.get, reverse=True)

    assert words.index("ceiling") < words.index(best) < words.index(worst)
    assert "broken" not in words
    assert "one & Co" in words


def test_a_dot_stands_where_its_value_is_on_the_scale(bank: Bank) -> None:
    found = document(bank, [entry("one", seed=1)])
    tree = ET.fromstring(picture(found))
    places = {
        text.text: float(text.get("x"))
        for text in tree.iter(f"{SVG}text")
        if text.get("text-anchor") == "middle"
    }
    per_unit = (places["0.1"] - places["0.0"]) / 0.1
    circles = [c for c in tree.iter(f"{SVG}circle") if float(c.get("cy")) > TOP]  # no legend
    dots = [float(circle.get("cx")) for circle in circles]
    value = found["methods"][0]["lds"]["all"]["artist, generated"]["value"]

    assert any(abs(x - (places["0.0"] + per_unit * value)) < 0.2 for x in dots)
    assert all(LABELS <= x <= LABELS + PLOT for x in dots)
