"""Streamed track: what a generated track earned where it was distributed, by its own shares."""

from __future__ import annotations

from dataclasses import dataclass

from ibis import Table

from royalty.rules.arithmetic import carried
from royalty.rules.facts import Facts
from royalty.rules.per_generation import booked


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedTrack:
    """The rule has no options; the rate is the source's, in workspace.toml."""


def streamed_track(facts: Facts, _options: StreamedTrack) -> Table:
    """Give each track its part of the income that a service reports for it.

    R(g) = rate * income of g, with the rate agreed for distributed output. Nobody's plays are
    needed. Income of no track that is named waits in suspense, unmatched.
    """
    return carried(booked(facts))
