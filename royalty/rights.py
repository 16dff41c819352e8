"""Who holds what on the day a month is divided: rights and terms, brought into three tables.

What is joined and summed for every recording and territory is numbered first, as names are slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from ibis import Table

from royalty.catalogue import PPM, RIGHTS, WORLDWIDE
from royalty.errors import Conflict
from royalty.ledger import KINDS

Run = Callable[[Table], pa.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the books have for the day, as tables; the catalogue is without placebos."""

    recordings: pa.Table  # recording, artist, work, licensed, why (not: null where licensed)
    interests: pa.Table  # right, subject, territory, party, ppm
    payees: pa.Table  # party, payee
    rates: pa.Table  # party, territory, rate_ppm: as `royalty.terms.rates`


RIGHTS_SCHEMAS = {
    "recordings": pa.schema(
        [
            *(pa.field(name, pa.string()) for name in ("recording", "artist", "work")),
            pa.field("licensed", pa.bool_()),
            pa.field("why", pa.string()),
        ]
    ),
    "interests": pa.schema(
        [
            *(pa.field(name, pa.string()) for name in ("right", "subject", "territory", "party")),
            pa.field("ppm", pa.int64()),
        ]
    ),
    "payees": pa.schema([pa.field(name, pa.string()) for name in ("party", "payee")]),
    "rates": pa.schema(
        [
            *(pa.field(name, pa.string()) for name in ("party", "territory")),
            pa.field("rate_ppm", pa.int64()),
        ]
    ),
}
# `number`: where a recording stands in order of ids; pieces: how many of its work are licensed.
RECORDINGS = pa.schema(
    [
        *RIGHTS_SCHEMAS["recordings"].remove(4),  # without `why`
        *(pa.field(name, pa.int64()) for name in ("pieces", "number")),
    ]
)
# Where money ends: a payee and a right. Payee '' is nobody, right '' none. Ends are numbered in the
# order of payees, then of rights.
ENDS = pa.schema([("end", pa.int32()), ("payee", pa.string()), ("right", pa.string())])
NOBODY = 0  # the end without a payee and a right
# What reaches an end is weight / 10**18 of the money of the recording with that number: the right's
# part times the interest times the rate. `kind`, a place in `KINDS`, is null where a payee gets it
# and else says why nobody does: terms leave it to the platform, or no party holds it.
CLAIMS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("territory", "party")),
        *(pa.field(name, pa.int64()) for name in ("number", "interest_ppm", "weight")),
        pa.field("end", pa.int32()),
        pa.field("kind", pa.int8()),
    ]
)
_RIGHTS = ("", *RIGHTS)
_PLATFORM, _UNCLAIMED = KINDS.index("platform"), KINDS.index("suspense_unclaimed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What holds on the day, as allocation takes it."""

    recordings: pa.Table  # `RECORDINGS`
    ends: pa.Table  # `ENDS`
    claims: pa.Table  # `CLAIMS`: who gets what part of a recording, by territory and right
    territories: frozenset[str]  # those with interests or rates of their own; others: WORLDWIDE
    works: int  # licensed ones


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbered:
    """Rights with numbers for names; rights by their place in `_RIGHTS`."""

    subjects: Table  # number, right, subject, right_ppm: what each recording's rights are held in
    interests: Table  # right, subject, territory, party, interest_ppm
    parties: Table  # party, payee, rate_ppm (worldwide)
    rates: Table  # party, territory, own_ppm: what holds there instead


def holdings(rights: Rights, publishing_ppm: int, run: Run) -> Holdings:
    """Look up what holds; `publishing_ppm` of every recording's money is its work's.

    Raises `Conflict` where interests come to more than the whole.
    """
    _require_no_more_than_all(rights, run)
    recordings = run(_with_pieces(ibis.memtable(rights.recordings).drop("why")))
    recordings = recordings.append_column("number", _places(len(recordings))).cast(RECORDINGS)
    parties = run(_with_terms(rights))
    payees = pa.array(sorted({"", *parties["payee"].to_pylist()}), pa.string())
    own = (rights.interests["territory"], rights.rates["territory"])
    territories = sorted({WORLDWIDE, *(name for each in own for name in each.unique().to_pylist())})
    numbered = _Numbered(
        subjects=_subjects(recordings, publishing_ppm),
        interests=_interests(rights.interests, recordings, parties["party"]),
        parties=_by_number(parties, payees),
        rates=_own_rates(rights.rates, parties["party"]),
    )
    claims = run(_claims(numbered, territories))
    names = parties["party"].take(claims["party"]).fill_null("")
    claims = claims.set_column(claims.column_names.index("party"), "party", names)
    return Holdings(
        recordings=recordings,
        ends=_ends(payees),
        claims=claims.select(CLAIMS.names).cast(CLAIMS),
        territories=frozenset(territories),
        works=len(recordings.filter(recordings["licensed"])["work"].unique()),
    )


def _require_no_more_than_all(rights: Rights, run: Run) -> None:
    subjects = ibis.memtable(rights.interests).group_by("right", "subject", "territory")
    sums = subjects.agg(ppm=lambda rows: rows.ppm.sum().cast("int64"))
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


def _with_terms(rights: Rights) -> Table:
    """List who holds anything, who is paid for it, at what worldwide rate.

    Columns are party, payee, rate_ppm; without an agreement a party earns all of its gross.
    """
    parties = ibis.memtable(rights.interests).select("party").distinct()
    payees, rates = ibis.memtable(rights.payees), ibis.memtable(rights.rates)
    rates = rates.filter(rates.territory == WORLDWIDE).drop("territory")
    rows = parties.left_join(payees, "party").drop("party_right")
    rows = rows.left_join(rates, "party").drop("party_right")
    return rows.select(
        "party",
        payee=ibis.coalesce(rows.payee, rows.party),
        rate_ppm=rows.rate_ppm.fill_null(PPM),
    ).order_by("party")


def _ends(payees: pa.Array) -> pa.Table:
    count = len(payees) * len(_RIGHTS)
    named = payees.take(pc.divide(_places(count), len(_RIGHTS)))
    rights = pa.array([*_RIGHTS] * len(payees), pa.string())
    return pa.table([_places(count), named, rights], names=ENDS.names).cast(ENDS)


def _by_number(parties: pa.Table, payees: pa.Array) -> Table:
    payee = _found(parties["payee"], payees)
    columns = [_places(len(parties)), payee, parties["rate_ppm"]]
    return ibis.memtable(pa.table(columns, names=["party", "payee", "rate_ppm"]))


def _own_rates(rates: pa.Table, parties: pa.ChunkedArray) -> Table:
    """List rates by territory, with numbers for parties; who holds nothing has none."""
    own = rates.filter(pc.not_equal(rates["territory"], WORLDWIDE))
    columns = [_found(own["party"], parties), own["territory"], own["rate_ppm"]]
    return ibis.memtable(pa.table(columns, names=["party", "territory", "own_ppm"]))


def _subjects(recordings: pa.Table, publishing_ppm: int) -> Table:
    """List what each recording's rights are held in: the recording, or its work."""
    works = _found(recordings["work"], recordings["work"].unique())
    rows = ibis.memtable(pa.table([recordings["number"], works], names=["number", "work"]))
    parity = {"master": PPM - publishing_ppm, "publishing": publishing_ppm}
    rights = [
        rows.select(
            "number",
            right=ibis.literal(_RIGHTS.index(right), "int64"),
            subject=rows.number if right == "master" else rows.work,
            right_ppm=ibis.literal(ppm, "int64"),
        )
        for right, ppm in parity.items()
        if ppm
    ]
    return ibis.union(*rights)


def _interests(interests: pa.Table, recordings: pa.Table, parties: pa.ChunkedArray) -> Table:
    """Sum what a party has of one right in one subject: of a work as publishing, else as master.

    Those in what the catalogue does not have stay without a number, and are joined to nothing.
    """
    master = pc.equal(interests["right"], "master")
    subject, works = interests["subject"], recordings["work"].unique()
    of = pc.if_else(master, _found(subject, recordings["recording"]), _found(subject, works))
    columns = {
        "right": _found(interests["right"], pa.array(_RIGHTS)),
        "subject": of,
        "territory": interests["territory"],
        "party": _found(interests["party"], parties),
        "ppm": interests["ppm"],
    }
    rows = ibis.memtable(pa.table(columns))
    keys = ("right", "subject", "territory", "party")
    return rows.group_by(keys).agg(interest_ppm=rows.ppm.sum().cast("int64"))


def _claims(rights: _Numbered, territories: list[str]) -> Table:
    """List where each right of each recording goes.

    A set of interests for the territory replaces the worldwide one.
    """
    subjects = rights.subjects.cross_join(ibis.memtable(pa.table({"territory": territories})))
    of = ["right", "subject", "territory"]
    own = rights.interests.select(of).distinct()
    where = (
        subjects.semi_join(own, of)
        .mutate(valid_in=ibis._.territory)
        .union(subjects.anti_join(own, of).mutate(valid_in=ibis.literal(WORLDWIDE)))
    )
    interests = rights.interests.rename(valid_in="territory")
    held = where.join(interests, ["right", "subject", "valid_in"])
    return _paid(held, rights).union(_unclaimed(where, held))


def _paid(held: Table, rights: _Numbered) -> Table:
    """Divide each holder's part by its terms: to its payee, and what is left to the platform."""
    rows = held.join(rights.parties, "party").left_join(rights.rates, ["party", "territory"])
    rate = ibis.coalesce(rows.own_ppm, rows.rate_ppm)
    rows = rows.mutate(rate_ppm=rate, kind=ibis.null("int8"))
    kept = rows.filter(rows.rate_ppm < PPM).mutate(
        payee=ibis.literal(0, "int64"),
        rate_ppm=PPM - rows.rate_ppm,
        kind=ibis.literal(_PLATFORM, "int8"),
    )
    return _weighed(rows).union(_weighed(kept))


def _unclaimed(where: Table, held: Table) -> Table:
    """List what no party holds of each right."""
    keys = ["territory", "number", "right"]
    sums = held.group_by(keys).agg(held_ppm=held.interest_ppm.sum().cast("int64"))
    rows = where.left_join(sums, keys).drop("territory_right", "number_right", "right_right")
    rows = rows.mutate(interest_ppm=PPM - rows.held_ppm.fill_null(0))
    gaps = rows.filter(rows.interest_ppm > 0).mutate(
        party=ibis.null("int64"),
        payee=ibis.literal(0, "int64"),
        rate_ppm=ibis.literal(PPM, "int64"),
        kind=ibis.literal(_UNCLAIMED, "int8"),
    )
    return _weighed(gaps)


def _weighed(rows: Table) -> Table:
    return rows.mutate(
        end=rows.payee * len(_RIGHTS) + rows.right,
        weight=rows.right_ppm * rows.interest_ppm * rows.rate_ppm,
    ).select(*CLAIMS.names)


def _found(names: pa.ChunkedArray, among: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Say where each name stands in a list; null where it does not."""
    return pc.index_in(names, value_set=among).cast(pa.int64())


def _places(count: int) -> pa.Array:
    return pa.array(range(count), pa.int64())
