"""Who holds what on the day a month is divided: rights and terms, brought into two tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import pyarrow as pa
from ibis import Table

from royalty.catalogue import PPM
from royalty.errors import Conflict

WORLDWIDE = "WW"
Run = Callable[[Table], pa.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the books have for the day, as tables; the catalogue is without placebos."""

    recordings: pa.Table  # recording, artist, work, licensed
    interests: pa.Table  # right, subject, territory, party, ppm
    payees: pa.Table  # party, payee
    rates: pa.Table  # party, rate_ppm: of those with terms


RIGHTS_SCHEMAS = {
    "recordings": pa.schema(
        [
            *(pa.field(name, pa.string()) for name in ("recording", "artist", "work")),
            pa.field("licensed", pa.bool_()),
        ]
    ),
    "interests": pa.schema(
        [
            *(pa.field(name, pa.string()) for name in ("right", "subject", "territory", "party")),
            pa.field("ppm", pa.int64()),
        ]
    ),
    "payees": pa.schema([pa.field(name, pa.string()) for name in ("party", "payee")]),
    "rates": pa.schema([pa.field("party", pa.string()), pa.field("rate_ppm", pa.int64())]),
}
RECORDINGS = RIGHTS_SCHEMAS["recordings"].append(pa.field("pieces", pa.int64()))
# What reaches an end is weight / 10**18: the right's part times the interest times the rate. `end`
# is empty where a payee gets it, else it says where it goes: what terms leave to the platform, and
# what no party holds.
CLAIMS = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in ("territory", "recording", "right", "party", "payee", "end")
        ),
        *(pa.field(name, pa.int64()) for name in ("interest_ppm", "weight")),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What holds on the day, as allocation takes it."""

    recordings: pa.Table  # `RECORDINGS`; pieces: licensed recordings of its work
    claims: pa.Table  # `CLAIMS`: who gets what part of a recording, by territory and right
    territories: frozenset[str]  # those with interests of their own; all others are WORLDWIDE
    works: int  # licensed ones


def holdings(rights: Rights, publishing_ppm: int, run: Run) -> Holdings:
    """Look up what holds; `publishing_ppm` of every recording's money is its work's.

    Raises `Conflict` where interests come to more than the whole.
    """
    interests = _interests(rights)
    _require_no_more_than_all(interests, run)
    recordings = ibis.memtable(rights.recordings)
    found = run(interests.select("territory").distinct())["territory"].to_pylist()
    territories = sorted({*found, WORLDWIDE})
    works = recordings.filter(recordings.licensed).select("work").distinct().count().as_table()
    return Holdings(
        recordings=run(_with_pieces(recordings)).cast(RECORDINGS),
        claims=run(_claims(rights, interests, publishing_ppm, territories)).cast(CLAIMS),
        territories=frozenset(territories),
        works=run(works).column(0)[0].as_py(),
    )


def _interests(rights: Rights) -> Table:
    """Sum what a party has of one right in one subject: of a work as publishing, else as master."""
    rows = ibis.memtable(rights.interests)
    keys = ("right", "subject", "territory", "party")
    return rows.group_by(keys).agg(interest_ppm=rows.ppm.sum().cast("int64"))


def _require_no_more_than_all(interests: Table, run: Run) -> None:
    sums = interests.group_by("right", "subject", "territory").agg(
        ppm=interests.interest_ppm.sum().cast("int64")
    )
    order = ["right", "subject", "territory"]
    for row in run(sums.filter(sums.ppm > PPM).order_by(order).limit(1)).to_pylist():
        raise Conflict(
            f"interests in the {row['right']} right of {row['subject']} sum to {row['ppm']} ppm "
            f"in {row['territory']}, more than the whole; correct interests.csv"
        )


def _with_pieces(recordings: Table) -> Table:
    licensed = recordings.filter(recordings.licensed)
    pieces = licensed.group_by("work").agg(pieces=licensed.count())
    rows = recordings.left_join(pieces, "work").drop("work_right")
    return rows.mutate(pieces=rows.pieces.fill_null(0)).order_by("recording")


def _claims(rights: Rights, interests: Table, publishing_ppm: int, territories: list[str]) -> Table:
    """List where each right of each recording goes.

    A set of interests for the territory replaces the worldwide one.
    """
    subjects = _subjects(ibis.memtable(rights.recordings), publishing_ppm)
    subjects = subjects.cross_join(ibis.memtable(pa.table({"territory": territories})))
    own = interests.select("right", "subject", "territory").distinct()
    named = subjects.semi_join(own, ["right", "subject", "territory"])
    others = subjects.anti_join(own, ["right", "subject", "territory"])
    where = named.mutate(valid_in=named.territory).union(
        others.mutate(valid_in=ibis.literal(WORLDWIDE))
    )
    held = where.join(interests.rename(valid_in="territory"), ["right", "subject", "valid_in"])
    return _paid(held, rights).union(_unclaimed(where, held))


def _subjects(recordings: Table, publishing_ppm: int) -> Table:
    """List what each recording's rights are held in: the recording, or its work."""
    parity = {"master": PPM - publishing_ppm, "publishing": publishing_ppm}
    rights = [
        recordings.select(
            "recording",
            subject=recordings.recording if right == "master" else recordings.work,
            right=ibis.literal(right),
            right_ppm=ibis.literal(ppm, "int64"),
        )
        for right, ppm in parity.items()
        if ppm
    ]
    return ibis.union(*rights) if len(rights) > 1 else rights[0]


def _paid(held: Table, rights: Rights) -> Table:
    """Divide each holder's part by its terms: to its payee, and what is left to the platform."""
    payees, rates = ibis.memtable(rights.payees), ibis.memtable(rights.rates)
    rows = held.left_join(payees, "party").drop("party_right")
    rows = rows.left_join(rates, "party").drop("party_right")
    rows = rows.mutate(
        rate_ppm=rows.rate_ppm.fill_null(PPM), payee=ibis.coalesce(rows.payee, rows.party)
    )
    kept = rows.filter(rows.rate_ppm < PPM).mutate(
        payee=ibis.literal(""), rate_ppm=PPM - rows.rate_ppm, end=ibis.literal("platform")
    )
    return _weighed(rows.mutate(end=ibis.literal(""))).union(_weighed(kept))


def _unclaimed(where: Table, held: Table) -> Table:
    """List what no party holds of each right."""
    keys = ["territory", "recording", "right"]
    sums = held.group_by(keys).agg(held_ppm=held.interest_ppm.sum().cast("int64"))
    rows = where.left_join(sums, keys).drop("territory_right", "recording_right", "right_right")
    rows = rows.mutate(interest_ppm=PPM - rows.held_ppm.fill_null(0))
    nobody = dict.fromkeys(("party", "payee"), ibis.literal(""))
    gaps = rows.filter(rows.interest_ppm > 0).mutate(
        **nobody, end=ibis.literal("suspense_unclaimed"), rate_ppm=ibis.literal(PPM, "int64")
    )
    return _weighed(gaps)


def _weighed(rows: Table) -> Table:
    weight = rows.right_ppm * rows.interest_ppm * rows.rate_ppm
    return rows.mutate(weight=weight).select(*CLAIMS.names)
