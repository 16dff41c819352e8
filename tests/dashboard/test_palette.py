"""The colours of `config.toml` and of the charts, held against what people can tell apart.

Contrast is that of WCAG 2.2. Colour-blind sight is simulated by the matrices of Machado, Oliveira
and Fernandes (2009), at full severity, over linear RGB; how far apart two colours then look is the
distance in OKLab (Ottosson 2020), where black and white are 1 apart.
"""

import itertools
import tomllib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from dashboard import charts
from tests.dashboard.browsing import APP

THEME = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text())["theme"]
SCHEMES = ["light", "dark"]
READABLE = 4.5
CAPTION = 0.6  # how much of the text's colour Streamlit's captions are
APART = 0.1
SIGHTS = {
    "all": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

Colour = npt.NDArray[np.float64]


def encoded(name: str) -> Colour:
    return np.array([int(name[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def linear(colour: Colour) -> Colour:
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def contrast(one: Colour, other: Colour) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    darker, lighter = sorted(float(weights @ linear(each)) for each in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def apart(one: str, other: str, sight: npt.NDArray[np.float64]) -> float:
    seen = [np.clip(sight @ linear(encoded(each)), 0, 1) for each in (one, other)]
    places = [TO_LAB @ np.cbrt(TO_LMS @ each) for each in seen]
    return float(np.linalg.norm(places[0] - places[1]))


def texts(scheme: str) -> Iterator[tuple[str, Colour, Colour]]:
    """Every colour of text with every paper that it stands on."""
    colours = THEME[scheme]
    text = encoded(colours["textColor"])
    for paper in ("backgroundColor", "secondaryBackgroundColor"):
        below = encoded(colours[paper])
        yield f"text on {paper}", text, below
        yield f"caption on {paper}", CAPTION * text + (1 - CAPTION) * below, below
        yield f"code on {paper}", encoded(colours["codeTextColor"]), below
    below = encoded(colours["backgroundColor"])
    for name in ("primaryColor", "linkColor"):
        yield name, encoded(colours[name]), below
    yield "chart", encoded(charts.INK[scheme]), below
    yield "axis", encoded(charts.MUTED[scheme]), below
    yield "info", encoded(colours["blueTextColor"]), encoded(colours["blueBackgroundColor"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_can_be_read_on_its_paper(scheme: str) -> None:
    found = {name: contrast(one, other) for name, one, other in texts(scheme)}

    assert {name: each for name, each in found.items() if each < READABLE} == {}


def test_contrast_is_that_of_the_definition() -> None:
    assert contrast(encoded("#000000"), encoded("#FFFFFF")) == pytest.approx(21)
    assert contrast(encoded("#777777"), encoded("#FFFFFF")) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_of_charts_are_told_apart_by_those_who_see_fewer(scheme: str, sight: str) -> None:
    palette = THEME[scheme].get("chartCategoricalColors", THEME["chartCategoricalColors"])
    below, _, above = charts.HEAT[scheme]
    pairs = [*itertools.combinations(palette, 2), (below, above)]

    close = {pair: each for pair in pairs if (each := apart(*pair, SIGHTS[sight])) < APART}
    assert close == {}


def test_red_and_green_look_alike_to_those_who_lack_green() -> None:
    red, green = "#C05038", "#7C7A20"

    assert apart(red, green, SIGHTS["no green"]) < APART < apart(red, green, SIGHTS["all"])
