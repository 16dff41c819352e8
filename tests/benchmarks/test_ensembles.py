from xml.etree import ElementTree as ET

import numpy as np
import pytest

from attribution.task import Checkpoint
from benchmarks.ensembles import (
    KINDS,
    Part,
    _over_runs,
    markdown,
    picture,
    recipes,
    variants,
)

SVG = "{http://www.w3.org/2000/svg}"


def row(kind, says, value):
    cells = ("artist, generated", "artist, held-out")
    return {
        "kind": kind,
        "says": says,
        "members": 3,
        "lds": {cell: {"value": value} for cell in cells},
        "training": 20.0,
        "indexing": 4.0,
        "asking": 0.0,
        "megabytes_per_1000": 8.2,
    }


@pytest.fixture
def document():
    rows = [row(KINDS[0], "1 run", 0.4), row(KINDS[1], "1 x 3 masks", 0.5)]
    return {"methods": {"TRAK": rows, "our default": rows[:1]}}


@pytest.mark.parametrize("method", recipes())
def test_no_two_variants_of_a_method_are_called_alike(method):
    found = list(variants(recipes()[method][0]))

    assert len({variant.says for variant in found}) == len(found) > 10
    assert {variant.kind for variant in found} <= set(KINDS)


def test_members_of_a_run_are_added_up_and_runs_averaged():
    chosen = [member("a"), member("b"), member("a")]
    parts = [part(1), part(10), part(100)]

    assert _over_runs(chosen, parts).tolist() == [[(101 + 10) / 2]]


def member(run):
    return Checkpoint(name="c", sha256="0", load=lambda: None, run=run)


def part(value):
    return Part(scores=np.full((1, 1), value, np.float32), seconds=0.0, asking=0.0, stored=0)


def test_the_table_has_a_line_for_each_ensemble_and_the_mean_of_its_cells(document):
    lines = markdown(document).splitlines()

    assert len(lines) == 5
    assert len({line.count("|") for line in lines}) == 1
    assert lines[3] == ("| TRAK | 1 x 3 masks | 3 | 0.500 | 0.500 | 0.500 | 20 | 4 | 0 | 8.2 |")


def test_the_picture_shows_every_ensemble_against_every_cost(document):
    drawn = ET.fromstring(picture(document))
    marks = [mark for mark in drawn.iter() if mark.find(f"{SVG}title") is not None]
    said = [mark.find(f"{SVG}title").text for mark in marks if mark is not drawn]

    assert said == ["TRAK, 1 run", "TRAK, 1 x 3 masks", "our default, 1 run"] * 3
    higher, lower = marks[2], marks[1]
    assert float(higher.get("cy")) < float(lower.get("cy"))
