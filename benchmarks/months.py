"""Synthetic months with the skew of real ones, as Parquet files that DuckDB writes.

Everything is a hash of its place and the seed, so that the same size gives the same rows on every
machine, whatever the number of threads. Shapes: plays of listeners are log-normal, those of tracks
follow Zipf and Mandelbrot's law, tracks have 10 shares on average (if no other size is asked for)
and 50 at most, a dozen pools
differ in size, some listeners paid and played nothing and some played and paid nothing, some
tracks have no shares, some recordings no licence, some rights gaps, or a set of their own in one
territory, and some parties a rate below the whole.
"""

# ruff: noqa: S608 - queries are put together from our own words
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

PERIOD = "2026-10"
PROVIDER = "synthetic"
SOURCES = ("app", "web", "radio")
FEES_MICROS = (6_990_000, 4_990_000, 600_000)  # of a listener, by source
TERRITORIES = ("DE", "FR", "US", "JP")
CURRENCY = "EUR"
ROYALTY_RATE_PPM = 650_000
PUBLISHING_PPM = 500_000
PLAYS_A_ROW = 6  # on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many there are of everything in a month."""

    rows: int  # of usage, before pairs are summed
    listeners: int = 1_000_000
    tracks: int = 1_000_000
    recordings: int = 200_000
    payees: int = 100_000
    shares: int = 10  # of a track, on average; 50 at most


@dataclass(frozen=True, slots=True)
class Month:
    """A folder with the files of a month; months of one world share all but usage."""

    directory: Path
    rows: int

    def file(self, name: str) -> Path:
        """Return one of `usage revenue shares recordings interests parties`."""
        of = f"-{self.rows}" if name == "usage" else ""
        return self.directory / f"{name}{of}.parquet"


def write_month(directory: Path, size: Size, *, seed: int = 0, threads: int = 2) -> Month:
    """Write a month's files into a folder; those that are there already stay."""
    month = Month(directory, size.rows)
    directory.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": threads, "memory_limit": "4GB"}) as connection:
        connection.execute(f"set temp_directory = '{directory / 'spill'}'")
        connection.execute(_uniform(seed))
        for name, query in _queries(size).items():
            _write(connection, query, month.file(name))
    return month


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    if path.exists():
        return
    part = path.with_suffix(".part")
    connection.execute(f"copy ({query}) to '{part}' (format parquet, compression zstd)")
    part.replace(path)


def _uniform(seed: int) -> str:
    """Define `u(i, what)`: uniform between 0 and 1, of the place and the purpose alone."""
    return (  # hashed twice: what is hashed beside a constant goes with what is beside another
        f"create macro u(i, what) as "
        f"((hash(xor(hash(i), hash(what || {seed}))) >> 11)::double + 0.5) / {2**53}::double"
    )


def _queries(size: Size) -> dict[str, str]:
    return {
        "usage": _usage(size),
        "revenue": _revenue(size),
        "shares": _shares(size),
        "recordings": _recordings(size),
        "interests": _interests(size),
        "parties": _parties(size),
    }


def _usage(size: Size) -> str:
    """Draw rows by listener and track: a listener's weight is exp(1.2 z), z normal.

    Drawn in proportion to such a weight, z is normal around 1.2, and its quantile (by a logistic
    approximation) says who it is. A track's weight is 1 / (rank + 100): the first of a million
    has a thousandth of all plays.
    """
    drawn = f"""
        select i, 1.2 + sqrt(-2 * ln(u(i, 'size'))) * cos(2 * pi() * u(i, 'turn')) as z,
            100 * pow({size.tracks / 100 + 1}, u(i, 'track')) - 100 as rank
        from range({size.rows}) as rows(i)"""
    quantile = "1 / (1 + exp(-1.5976 * z - 0.07056 * z * z * z))"
    placed = f"""
        select i, least(floor(rank)::bigint, {size.tracks - 1}) as track,
            least({size.listeners - 1}, floor({size.listeners} * {quantile})::bigint) as listener,
            -floor(ln(u(i, 'plays')) * {PLAYS_A_ROW - 0.5})::bigint as plays
        from ({drawn})"""
    return f"""
        select '{PERIOD}' as period, {_id("u", "listener", size.listeners)} as listener,
            {_id("t", "track", size.tracks)} as track, {_pool("listener")},
            plays, floor(plays * u(i, 'active'))::bigint as active
        from ({placed})"""


def _revenue(size: Size) -> str:
    """Give listeners a net fee by source; 4 % bring nothing, and 2 % more never play."""
    fee = f"{list(FEES_MICROS)}[list_position({list(SOURCES)}, source)]"
    return f"""
        select '{PERIOD}' as period, listener, '' as track, source, territory,
            '{CURRENCY}' as currency, ({fee} * (0.5 + u(i, 'fee')))::bigint as net_micros
        from (select i, {_id("u", "i", size.listeners, beyond=True)} as listener, {_pool("i")}
            from range({size.listeners + size.listeners // 50}) as listeners(i))
        where u(i, 'pays') > 0.04 order by listener"""


def _shares(size: Size) -> str:
    """Give 99 % of tracks 1 to 50 recordings, geometric, and an unattributed part."""
    beyond = f"floor(-{size.shares - 0.4} * ln(u(i, 'shares')))::bigint"  # the first
    named = f"""
        select i, floor({size.recordings} * pow(u([i, j], 'recording'), 2))::bigint as recording,
            sum(1 + floor(-1e6 * ln(u([i, j], 'share')))::bigint)::bigint as weight
        from (select i, unnest(range(1 + least(49, {beyond}))) as j
            from range({size.tracks}) as tracks(i) where u(i, 'shared') > 0.01)
        group by all"""
    part = "(1e9 * (0.4 + 0.6 * u(i, 'attributed')))::bigint"
    weighed = f"""
        select i, recording, divide(weight * {part},
            sum(weight) over (partition by i)::bigint) as ppb
        from ({named})"""
    rows = f"""
        select i, 'r' || lpad(recording::varchar, {_width(size.recordings)}, '0') as recording, ppb
        from weighed
        union all select i, null, 1000000000 - sum(ppb)::bigint from weighed group by i"""
    return f"""
        with weighed as ({weighed})
        select '{PROVIDER}' as provider, {_id("t", "i", size.tracks)} as track, recording,
            ppb as share_ppb, (ppb * 0.7)::bigint as low_ppb,
            least(1000000000, (ppb * 1.4)::bigint) as high_ppb
        from ({rows}) where ppb > 0 order by track, recording"""


def _recordings(size: Size) -> str:
    """Make five recordings of four works; 3 % are not licensed."""
    width, parties = _width(size.recordings), _parties_of(size)
    return f"""
        select 'r' || lpad(i::varchar, {width}, '0') as recording,
            'w' || lpad((i * 4 // 5)::varchar, {width}, '0') as work,
            {_id("p", f"floor({parties} * pow(u(i, 'artist'), 2))::bigint", parties)} as artist,
            u(i, 'licensed') > 0.03 as licensed
        from range({size.recordings}) as recordings(i) order by recording"""


def _interests(size: Size) -> str:
    """Give each right 1 to 3 parties; 2 % none, 10 % a gap, and 5 % another set in Germany."""
    width, parties = _width(size.recordings), _parties_of(size)
    party = f"floor({parties} * pow(u(key, 'party'), 2))::bigint + j * {parties // 3}"
    subjects = f"""
        select i, 'recording' as subject, 'master' as of_right, 'r' as letter
        from range({size.recordings}) as recordings(i) where u(i, 'held') > 0.02
        union all select i, 'work', 'publishing', 'w'
        from range({-(-size.recordings * 4 // 5)}) as works(i) where u(i, 'held') > 0.02"""
    sets = f"""
        select *, 'WW' as territory from ({subjects})
        union all select *, 'DE' from ({subjects}) where u(i, 'german') < 0.05"""
    counted = f"""
        select *, [i::varchar, of_right, territory] as key,
            1 + floor(3 * pow(u(key, 'parties'), 2))::bigint as m,
            case when u(key, 'gap') < 0.1 then 500000 + (499999 * u(key, 'held'))::bigint
            else 1000000 end as held
        from ({sets})"""
    return f"""
        select subject, letter || lpad(i::varchar, {width}, '0') as subject_id, of_right as "right",
            {_id("p", party, parties)} as party,
            (held * (j + 1) * (2 * m - j) // (m * (m + 1))
                - held * j * (2 * m - j + 1) // (m * (m + 1)))::bigint as ppm, territory
        from (select *, unnest(range(m)) as j from ({counted}))
        order by subject, subject_id, territory, party"""


def _parties(size: Size) -> str:
    """Let every eleventh party be paid through another, and give a fifth a rate below the whole."""
    parties = _parties_of(size)
    payee = f"case when i < {size.payees} then i else i * 7 % {size.payees} end"
    return f"""
        select {_id("p", "i", parties)} as party, {_id("p", payee, parties)} as payee,
            case when u(i, 'terms') < 0.2 then 500000 + 50000 * floor(10 * u(i, 'rate'))::bigint
            else 1000000 end as rate_ppm
        from range({parties}) as parties(i) order by party"""


def _parties_of(size: Size) -> int:
    return size.payees + size.payees // 10


def _pool(listener: str) -> str:
    """Place a listener in one of the dozen pools, the first of which has 29 % of listeners."""
    place = f"floor(12 * pow(u({listener}, 'pool'), 2))::bigint"
    return (
        f"{list(SOURCES)}[1 + {place} % 3] as source, "
        f"{list(TERRITORIES)}[1 + {place} // 3] as territory"
    )


def _id(letter: str, place: str, count: int, *, beyond: bool = False) -> str:
    """Name a place; names are dealt out so that their order says nothing of the weight."""
    dealt = f"(({place}) * 1000003 % {count})"
    if beyond:
        dealt = f"(case when ({place}) < {count} then {dealt} else ({place}) end)"
    return f"'{letter}' || lpad({dealt}::varchar, {_width(count) + 1}, '0')"


def _width(count: int) -> int:
    return len(str(count - 1))
