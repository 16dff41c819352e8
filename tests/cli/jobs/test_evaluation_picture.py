from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from cli.jobs.evaluation_picture import Bar, Picture, draw

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = Picture(title="LDS & more", figures=("LDS",), mark=0.9, mark_label="ceiling")
BARS = [
    Bar(label="default", value=0.6, low=0.5, high=0.7),
    Bar(label="<ngram>", value=-0.2),
]


def drawn(picture=PICTURE, bars=BARS):
    return ET.fromstring(draw(picture, bars))


def test_every_bar_has_its_name_and_figure():
    words = [each.text for each in drawn().iter(f"{SVG}text")]

    assert {"default", "<ngram>", "0.6", "-0.2", "ceiling", "LDS & more"} <= set(words)


def test_bars_are_as_long_as_their_figures_and_start_at_nothing():
    _, positive, negative = drawn().iter(f"{SVG}rect")  # the first is the paper
    ends = [float(positive.get("x")), float(negative.get("x")) + float(negative.get("width"))]

    assert ends[0] == pytest.approx(ends[1], abs=0.2)
    assert float(positive.get("width")) / float(negative.get("width")) == pytest.approx(3, abs=0.02)


def test_only_what_has_an_interval_has_a_line():
    lines = [each for each in drawn().iter(f"{SVG}line") if each.get("y1") == each.get("y2")]

    assert len(lines) == 1


def test_a_wild_interval_does_not_crush_the_rest():
    wild = [*BARS, Bar(label="wild", value=0.1, low=-900.0, high=900.0)]
    rect = list(drawn(bars=wild).iter(f"{SVG}rect"))[1]

    assert float(rect.get("width")) > 40


@pytest.mark.parametrize("most", [0.003, 0.7, 12.0, 4100.0])
def test_a_scale_of_any_size_has_a_few_round_ticks(most):
    bars = [Bar(label="a", value=most)]
    texts = list(drawn(Picture(title="", figures=()), bars).iter(f"{SVG}text"))
    ticks = [float(each.text) for each in texts if each.get("text-anchor") == "middle"]

    assert 3 <= len(ticks) <= 12
    assert all(a < b for a, b in pairwise(ticks))
