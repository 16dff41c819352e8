"""What `tantieme attribute --compare-mappings` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cli.output import percent, print_json, print_table
from royalty.division import PPB

if TYPE_CHECKING:
    from cli.jobs.mappings import ComparedMappings
    from royalty.comparison import Mapped, Paid

ARTISTS_SHOWN = 12
MEANING = """\
Moved: of all there is to pay, what another recording, or another artist, would get than by gated.
Gini and Atkinson: 0 where all recordings get the same, near 1 where one gets all. The unattributed
part is in all of it, divided equally among works, as payouts do. Only gated and gated_shrunk ask
whether a work stands out from works that were never trained on; the others pay noise as well.
"""


def print_compared(found: ComparedMappings, *, json_: bool) -> None:
    """Print every mapping beside `gated`: a document, or two tables and what they mean."""
    if json_:
        print_json(_document(found))
        return
    weighed = "weighed by their plays" if found.by_plays else "weighed alike"
    count = len(found.weights)
    title = f"What each mapping would pay for {count} track{'s' * (count > 1)}, {weighed}:"
    columns = ("unattributed", "Gini", "top 1 %", "top 10 %", "largest", "Atkinson")
    moved = (">moved", ">by artist")
    print_table(title, ["mapping", *(f">{each}" for each in columns), *moved], _mappings(found))
    click.echo(f"\n{MEANING}")
    _print_band(found)
    for each in found.paid:
        if each.refused:
            click.echo(f"{each.mapping} pays nothing here: {each.refused}.")


def _mappings(found: ComparedMappings) -> list[tuple[str, ...]]:
    return [
        (
            each.mapping,
            percent(float(each.unattributed)),
            *_measures(found.recordings[each.mapping]),
            percent(found.recordings[each.mapping].moved),
            percent(found.artists[each.mapping].moved),
        )
        for each in found.paid
        if not each.refused
    ]


def _measures(compared: Mapped) -> tuple[str, ...]:
    measured = compared.concentration
    return (
        f"{measured.gini:.3f}",
        percent(measured.top_1_percent),
        percent(measured.top_10_percent),
        percent(measured.largest),
        f"{measured.atkinson:.3f}",
    )


def _print_band(found: ComparedMappings) -> None:
    """Print what the choice decides for each artist: the least and the most by any mapping."""
    shown = found.largest_first[:ARTISTS_SHOWN]
    print_table(
        "What that decides for an artist:",
        ["artist", ">gated", ">least", "by", ">most", "by"],
        [(found.names[artist], *_band(found, artist)) for artist in shown],
    )
    hidden = len(found.largest_first) - len(shown)
    click.echo(f"{f'and {hidden} more artists, in --json' if hidden else ''}\n")


def _band(found: ComparedMappings, artist: str) -> tuple[str, ...]:
    parts = {name: float(each.parts[artist]) for name, each in found.artists.items()}
    least, most = min(parts, key=parts.__getitem__), max(parts, key=parts.__getitem__)
    return percent(parts["gated"]), percent(parts[least]), least, percent(parts[most]), most


def _document(found: ComparedMappings) -> dict[str, Any]:
    return {
        "schema": 1,
        "weights": "plays" if found.by_plays else "equal",
        "tracks": [{"id": track, "weight": weight} for track, weight in found.weights.items()],
        "mappings": [_mapping(found, each) for each in found.paid],
        "artists": [
            {
                "id": artist,
                "name": found.names[artist],
                "share_ppb": {
                    name: round(each.parts[artist] * PPB) for name, each in found.artists.items()
                },
            }
            for artist in found.largest_first
        ],
    }


def _mapping(found: ComparedMappings, paid: Paid) -> dict[str, Any]:
    named = {"mapping": paid.mapping, "version": paid.version, "refused": paid.refused}
    if paid.refused:
        return named | {"unattributed_ppb": None, "recordings": None, "artists": None}
    return named | {
        "unattributed_ppb": round(paid.unattributed * PPB),
        "recordings": _measured(found.recordings[paid.mapping]),
        "artists": _measured(found.artists[paid.mapping]),
    }


def _measured(compared: Mapped) -> dict[str, Any]:
    return {**asdict(compared.concentration), "moved": compared.moved}
