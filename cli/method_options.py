"""The methods by name, and the options that `tantieme attribute` and `tantieme index` share."""

from __future__ import annotations

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
_positive = click.FloatRange(min=0, min_open=True)
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
    "--damping", type=_positive, help="Of the whitening, instead of the method's own."
)
kept_option = click.option(
    "--kept", type=click.IntRange(min=1), help="Numbers of a row, instead of the method's own."
)
side_option = click.option(
    "--side", type=click.IntRange(min=1), help="Of a Kronecker sketch, as logra's."
)
ridge_option = click.option(
    "--ridge", type=_positive, help="Of the Gram, instead of the method's own."
)
