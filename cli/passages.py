"""What `tantieme attribute --passages` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cli.output import print_json, print_table


def print_passages(documents: Sequence[Mapping[str, Any]], *, json_: bool) -> None:
    """Print the strongest passages of each track, or with `json_` the whole matrices."""
    for document in documents:
        if json_:
            print_json(dict(document))
        else:
            _print_strongest(document)


def _print_strongest(document: Mapping[str, Any]) -> None:
    names = {each["id"]: each for each in document["recordings"]}
    print_table(
        f"{document['track']}\nWhich passage came from where, by score above the placebos: a "
        "description, without an interval; nobody is paid by it",
        [">track", ">recording", "title", "artist", ">score"],
        [
            [
                _between(each["track_ms"]),
                _between(each["recording_ms"]),
                names[each["recording"]]["title"],
                names[each["recording"]]["artist"],
                f"{each['score']:.2f}",
            ]
            for each in document["strongest"]
        ],
    )
    click.echo()


def _between(ends_ms: tuple[int, int]) -> str:
    return " to ".join(f"{ms // 60_000}:{ms % 60_000 / 1000:04.1f}" for ms in ends_ms)
