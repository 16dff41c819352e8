"""The methods by name, and the options that `tantieme attribute` and `tantieme index` share."""

from __future__ import annotations

import math

import click

METHODS = (  # a test holds them to `attribution.methods.recipes`, which help need not load
    "default",
    "quick",
    "thorough",
    "ekfac",
    "trak",
    "logra",
    "tracin",
    "graddot",
    "gradcos",
)
NGRAM = "ngram"  # overlap of what is played: the row to beat
SIMILARITY = "similarity"  # of the model's hidden states
ALIKE = (NGRAM, SIMILARITY)  # which ask nothing of training, and pay nobody
COUNT = click.IntRange(min=1)


class Positive(click.FloatRange):
    """A number above 0 that is neither infinite nor 'nan', which no range would refuse."""

    def __init__(self) -> None:
        """Leave 0 out."""
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number, or say what it has to be."""
        number: float = super().convert(value, param, ctx)  # type: ignore[arg-type]  # or a text
        if not math.isfinite(number):
            self.fail(f"{value} is no number above 0 to reckon with.", param, ctx)
        return number


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them, each as `of` has it."""

    name = "numbers"

    def __init__(self, of: click.ParamType[float]) -> None:
        """Say what each of them is."""
        self.of = of

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Read each number, or say which one is none."""
        if isinstance(value, tuple):
            return value
        return tuple(self.of.convert(part, param, ctx) for part in str(value).split(","))


POSITIVE = Positive()
method_option = click.option(
    "--method",
    type=click.Choice(METHODS),
    default="default",
    show_default=True,
    metavar="NAME",
    help="By which method.",
)
runs_option = click.option(
    "--run", "runs", multiple=True, help="Of which run; repeatable.  [default: the only one]"
)
damping_option = click.option(
    "--damping", type=POSITIVE, help="Of the whitening, instead of the method's own."
)
kept_option = click.option(
    "--kept", type=COUNT, help="Numbers of a row, instead of the method's own."
)
side_option = click.option(
    "--side", type=COUNT, help="Of a random sketch, for methods that draw one."
)
ridge_option = click.option(
    "--ridge", type=POSITIVE, help="Of the Gram, instead of the method's own."
)
