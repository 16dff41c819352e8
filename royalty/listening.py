"""Who played whom in a month, in arrays: what the statistics of fairness look at.

Rows are listeners, columns tracks or payees. Plays are counts, money is micros, both as floats:
these are statistics, and nothing here is paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from royalty.catalogue import PPM

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Played:
    """One pool: its plays, what listeners paid, and to whom a track's money goes."""

    plays: csr_array  # (listener, track)
    fees: Floats  # (listener,) gross; who paid and played nothing has no plays
    rate: float
    parts: csr_array  # (track, payee): the part of a track's money that becomes the payee's

    @cached_property
    def plays_of(self) -> Floats:
        """How much each listener played: (listener,)."""
        return np.asarray(self.plays.sum(axis=1), dtype=np.float64)

    @cached_property
    def streams(self) -> Floats:
        """Plays of each payee, counted by the payee's part of the track: (payee,)."""
        tracks = np.asarray(self.plays.sum(axis=0), dtype=np.float64)
        return self.paid(tracks[None]).ravel()

    @property
    def pool(self) -> float:
        """What is divided."""
        return float(self.rate * self.fees.sum())

    @property
    def idle(self) -> float:
        """Of which, from those who played nothing."""
        return float(self.rate * self.fees[self.plays_of == 0].sum())

    def paid(self, tracks: csr_array | Floats) -> Floats:
        """Turn anything by track (row, track) into the same by payee (row, payee)."""
        paid = tracks @ self.parts
        return paid if isinstance(paid, np.ndarray) else np.asarray(paid.toarray())


@dataclass(frozen=True, kw_only=True)
class Listening:
    """A month's pools over the same listeners and payees."""

    currency: str
    listeners: Sequence[str]  # in order; everybody who played or paid
    payees: Sequence[str]
    pools: Sequence[Played]

    @cached_property
    def plays_of(self) -> Floats:
        """How much each listener played in all pools: (listener,)."""
        return _added(pool.plays_of for pool in self.pools)

    @cached_property
    def fees(self) -> Floats:
        """What each listener paid, gross, in all pools: (listener,)."""
        return _added(pool.fees for pool in self.pools)

    @property
    def heaviest(self) -> NDArray[np.int64]:
        """Places of all listeners who played anything, the heaviest first."""
        order = np.argsort(-self.plays_of, kind="stable")
        return order[: np.count_nonzero(self.plays_of)]

    @property
    def streams(self) -> dict[str, float]:
        """Plays of each payee, counted by the payee's part of each track's money."""
        sums = _added(pool.streams for pool in self.pools)
        return dict(zip(self.payees, sums.tolist(), strict=True))

    def streams_of(self, payee: str) -> Floats:
        """Each listener's streams of one payee: (listener,)."""
        place = self.payees.index(payee)
        return _added(_column(pool, place) for pool in self.pools)


def _added(arrays: Iterable[Floats]) -> Floats:
    added: Floats = np.sum([*arrays], axis=0)
    return added


def _column(pool: Played, place: int) -> Floats:
    return np.asarray(pool.plays @ pool.parts[:, [place]].toarray()[:, 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The tables that a month's listening is read from, of all its pools."""

    usage: pa.Table  # pool, listener, track, plays
    revenue: pa.Table  # pool, listener, net_micros
    parts: pa.Table  # pool, track, payee, part: of what the track earns, by shares, rights, terms
    rates_ppm: Mapping[Any, int]  # by pool


def listen(month: Month, currency: str) -> Listening:
    """Bring a month into arrays. What stands in several rows is added up."""
    usage, revenue = month.usage, month.revenue
    listeners = _names(usage["listener"], revenue["listener"])
    tracks, payees = _names(usage["track"]), _names(month.parts["payee"])
    return Listening(
        currency=currency,
        listeners=listeners.to_pylist(),
        payees=payees.to_pylist(),
        pools=[*_pools(month, (listeners, tracks, payees))],
    )


def _names(*columns: pa.ChunkedArray) -> pa.Array:
    chunks = [chunk for column in columns for chunk in column.cast(pa.string()).chunks]
    names = pc.unique(pa.chunked_array(chunks, pa.string())).drop_null()
    return names.sort()


def _pools(month: Month, names: tuple[pa.Array, pa.Array, pa.Array]) -> Iterator[Played]:
    listeners, tracks, payees = names
    for pool, rate_ppm in month.rates_ppm.items():
        usage, revenue, parts = (
            table.filter(pc.equal(table["pool"], pool))
            for table in (month.usage, month.revenue, month.parts)
        )
        paid = revenue["net_micros"].to_numpy().astype(np.float64)
        yield Played(
            plays=_matrix(usage, "plays", {"listener": listeners, "track": tracks}),
            fees=_added_by(_places(revenue["listener"], listeners), paid, len(listeners)),
            rate=rate_ppm / PPM,
            parts=_matrix(parts, "part", {"track": tracks, "payee": payees}),
        )


def _matrix(table: pa.Table, values: str, axes: Mapping[str, pa.Array]) -> csr_array:
    places = [_places(table[name], names) for name, names in axes.items()]
    numbers = table[values].to_numpy().astype(np.float64)
    return csr_array((numbers, tuple(places)), shape=tuple(map(len, axes.values())))


def _places(column: pa.ChunkedArray, names: pa.Array) -> NDArray[np.int64]:
    found = pc.index_in(column.cast(pa.string()), value_set=names)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _added_by(places: NDArray[np.int64], numbers: Floats, size: int) -> Floats:
    # Of no rows at all, bincount makes integers.
    return np.bincount(places, weights=numbers, minlength=size).astype(np.float64)
