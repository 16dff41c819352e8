from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royalty.allocation import (
    COLUMNS,
    Allocation,
    AllocationOptions,
    Rights,
    TrackRevenue,
    allocate,
    to_table,
)
from royalty.division import divide, settle
from royalty.errors import Conflict, NotFound, NothingToDivideAmong
from royalty.shares import Share
from royalty.summary import summarise
from royalty.terms import Terms
from tests import oracle
from tests.oracle import PPB, PPM
from tests.royalty.worlds import (
    CHAIN,
    FIRST,
    divided,
    interest,
    pool_of,
    recording,
    rights,
    share,
    sharings,
)

TODAY = AllocationOptions(on=FIRST)
RECORDINGS = ("r1", "r2", "r3")


def revenue(**micros):
    return {track: TrackRevenue(micros=each, plays=7) for track, each in micros.items()}


def holders(**parties):
    """A catalogue of recordings, each wholly held by one party: r1="ann"."""
    return Rights(
        recordings={name: recording(name) for name in parties},
        interests=[interest(name, party) for name, party in parties.items()],
        payees={party: party for party in parties.values()},
    )


def paid(rows):
    return {name: amount.micros for name, amount in summarise(rows, "EUR").payees.items()}


# The one rounding.


def test_a_hundred_cents_over_thirds_leave_no_residue() -> None:
    assert divide(100, [1, 1, 1]) == [34, 33, 33]


@given(whole=st.integers(-(10**20), 10**20), weights=st.lists(st.integers(0, 10**12), min_size=1))
def test_parts_sum_to_the_whole_and_each_is_within_one_of_its_ideal(whole, weights) -> None:
    weights[0] += 1

    parts = divide(whole, weights)

    assert sum(parts) == whole
    assert all(
        abs(part * sum(weights) - whole * weight) < sum(weights)
        for part, weight in zip(parts, weights, strict=True)
    )
    assert parts == oracle.hamilton(whole, weights)


@given(
    whole=st.integers(0, 10**12),
    weights=st.lists(st.integers(1, 10**9), min_size=1, max_size=6, unique=True),
    random=st.randoms(),
)
def test_permuting_payees_permutes_amounts_but_for_ties(whole, weights, random) -> None:
    order = list(range(len(weights)))
    random.shuffle(order)
    parts = divide(whole, weights)

    permuted = divide(whole, [weights[i] for i in order])

    assert all(abs(permuted[place] - parts[i]) <= 1 for place, i in enumerate(order))


@given(weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=6), times=st.integers(1, 9))
def test_only_proportions_matter(weights, times) -> None:
    weights[0] += 1

    assert divide(10**9, [each * times for each in weights]) == divide(10**9, weights)


@pytest.mark.parametrize("weights", [[], [0], [0, 0]])
def test_money_without_anybody_to_divide_it_among_is_refused(weights) -> None:
    with pytest.raises(NothingToDivideAmong):
        divide(100, weights)


def test_a_negative_weight_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="negative"):
        divide(100, [2, -1])


# What a rule's floors leave.


def quotas(*rows):
    names = ("track", "micros", "remainder")
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    return pa.table(dict(zip(names, map(list, columns), strict=True)))


def test_the_largest_remainders_get_what_the_floors_leave_and_ties_go_by_id() -> None:
    rule = quotas(("c", 3, 700_000), ("a", 1, 300_000), ("b", 2, 700_000), ("d", 0, 300_000))

    assert settle(rule, 8) == {"a": 1, "b": 3, "c": 4, "d": 0}
    assert settle(quotas(("b", 1, 500_000), ("a", 1, 500_000)), 3) == {"a": 2, "b": 1}


def test_a_track_without_a_part_gets_nothing_of_what_is_left() -> None:
    assert settle(quotas(("a", 0, 0), ("b", 1, 10), ("c", 0, 0)), 3) == {"a": 0, "b": 3, "c": 0}


def test_nothing_played_settles_nothing() -> None:
    assert settle(quotas(), 5 * PPM) == {}


@pytest.mark.parametrize("pool_micros", [99, 103, 10**7])
def test_the_quotas_of_another_pool_are_refused(pool_micros) -> None:
    rule = quotas(("a", 50, 500_000), ("b", 50, 500_000))

    if pool_micros == 103:  # a rule may lose this much only over very many plays
        assert settle(rule, pool_micros) == {"a": 52, "b": 51}
    else:
        with pytest.raises(Conflict, match="the rule divided another pool"):
            settle(rule, pool_micros)


# From tracks to parties.


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("pro_rata", {"ann": 1_866_667, "bob": 6_533_333, "cy": 5_600_000}),
        ("user_centric", {"ann": 3_733_333, "bob": 6_066_667, "cy": 4_200_000}),
    ],
)
def test_the_worked_chain_pays_everybody_to_the_micro(rule, expected) -> None:
    shares = {
        "g1": [share("i1", 666_666_667), share("i2", 333_333_333), share(None, 0)],
        "g2": [share("i2", 500_000_000), share("i3", 500_000_000), share(None, 0)],
    }
    tracks = revenue(**divided(rule, CHAIN))

    rows = allocate(
        pool_of(CHAIN.pool), tracks, shares, holders(i1="ann", i2="bob", i3="cy"), TODAY
    )

    assert paid(rows) == expected


@settings(max_examples=80)
@given(
    micros=st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(0, 10**12)),
    one=sharings(RECORDINGS),
    other=sharings(RECORDINGS[:2]),
    held=rights(RECORDINGS),
    parity=st.tuples(st.sampled_from(["DE", "FR", "US"]), st.sampled_from([0, 150_000, PPM])),
)
def test_an_allocation_agrees_with_the_slow_twin_and_conserves_the_pool(
    micros, one, other, held, parity
) -> None:
    elsewhere, publishing_ppm = parity
    micros = micros if sum(micros.values()) else {}
    pool = pool_of(sum(micros.values()) or 5, territory=elsewhere)
    options = AllocationOptions(on=FIRST, publishing_ppm=publishing_ppm)
    shares = {"A": one, "B": other}

    rows = allocate(pool, revenue(**micros), shares, held, options)

    expected = oracle.allocate(pool, micros, shares, held, options)
    found = oracle.Ends()
    for row in rows:
        found[row.track, row.recording, row.right, row.party, row.kind] += row.micros
    assert +found == expected
    assert sum(row.micros for row in rows) == pool.amount.micros
    assert all(row.low_micros <= row.micros <= row.high_micros for row in rows)
    assert all(
        (row.payee is not None) == (row.kind in {"attributed", "unattributed"}) for row in rows
    )


def test_the_unattributed_part_is_divided_once_equally_among_licensed_works() -> None:
    held = Rights(
        recordings={
            "r1": recording("r1", "w1"),
            "r2": recording("r2", "w1"),
            "r3": recording("r3", "w2"),
            "gone": recording("gone", "w3", licensed_to=FIRST),
        },
        interests=[interest("r1", "ann"), interest("r2", "bob"), interest("r3", "cy")],
        payees={},
    )
    shares = {track: [share("r1", 400_000_000), share(None, 600_000_000)] for track in ("A", "B")}

    rows = allocate(pool_of(2000), revenue(A=1000, B=1000), shares, held, TODAY)

    assert paid(rows) == {"ann": 400 + 400 + 300, "bob": 300, "cy": 600}
    assert summarise(rows, "EUR").unattributed_micros == 1200
    assert {(row.track, row.recording) for row in rows if row.kind == "unattributed"} == {
        ("", "r1"),
        ("", "r2"),
        ("", "r3"),
    }


def test_what_is_divided_equally_is_as_uncertain_as_what_is_unattributed() -> None:
    shares = {
        "A": [
            Share(recording="r1", ppb=400_000_000, low_ppb=200_000_000, high_ppb=500_000_000),
            Share(recording=None, ppb=600_000_000, low_ppb=500_000_000, high_ppb=800_000_000),
        ]
    }

    rows = allocate(pool_of(1000), revenue(A=1000), shares, holders(r1="ann", r2="bob"), TODAY)
    equally = [row for row in rows if row.kind == "unattributed"]

    assert [(row.low_micros, row.micros, row.high_micros) for row in equally] == [
        (250, 300, 400),
        (250, 300, 400),
    ]


def test_a_recording_that_is_not_licensed_on_the_day_earns_nothing() -> None:
    held = holders(r1="ann", r2="bob")
    held.recordings["r1"] = recording("r1", licensed_from=date(2026, 10, 2))
    shares = {"A": [share("r1", PPB), share(None, 0)]}

    rows = allocate(pool_of(1000), revenue(A=1000), shares, held, TODAY)

    assert paid(rows) == {"bob": 1000}
    assert [row.kind for row in rows] == ["unattributed"]


def test_money_that_nobody_may_have_waits_in_suspense() -> None:
    shares = {"A": [share("r1", PPB), share(None, 0)], "B": [share("r2", PPB), share(None, 0)]}
    held = Rights(
        recordings={"r1": recording("r1"), "r2": recording("r2")},
        interests=[interest("r1", "ann", 600_000)],
        payees={},
    )

    rows = allocate(pool_of(3000), revenue(A=1000, B=1000, C=1000), shares, held, TODAY)
    summary = summarise(rows, "EUR")

    assert paid(rows) == {"ann": 600}
    assert summary.suspense == {"unclaimed": 400 + 1000, "unmatched": 1000}


def test_a_pool_without_plays_waits_in_suspense_unmatched() -> None:
    (row,) = allocate(pool_of(1000), {}, {}, holders(r1="ann"), TODAY)

    assert (row.kind, row.micros, row.track, row.payee) == ("suspense_unmatched", 1000, "", None)


def test_without_a_licensed_work_unattributed_money_waits_in_suspense() -> None:
    rows = allocate(
        pool_of(1000),
        revenue(A=1000),
        {"A": [share(None, PPB)]},
        Rights(recordings={}, interests=[], payees={}),
        TODAY,
    )

    assert summarise(rows, "EUR").suspense == {"unclaimed": 0, "unmatched": 1000}


def test_terms_below_one_leave_the_rest_of_that_partys_gross_to_the_platform() -> None:
    held = Rights(
        recordings={"r1": recording("r1")},
        interests=[interest("r1", "ann", 500_000), interest("r1", "bob", 500_000)],
        payees={"bob": "agency"},
        terms=[
            Terms(party="ann", royalty_rate_ppm=100_000, valid_to=FIRST),
            Terms(party="ann", royalty_rate_ppm=800_000, valid_from=FIRST),
        ],
    )

    rows = allocate(
        pool_of(1000), revenue(A=1000), {"A": [share("r1", PPB), share(None, 0)]}, held, TODAY
    )

    assert paid(rows) == {"agency": 500, "ann": 400}
    assert summarise(rows, "EUR").platform_micros == 100
    assert [(row.party, row.payee) for row in rows if row.kind == "platform"] == [("ann", None)]


def test_parity_divides_a_recordings_money_between_master_and_publishing() -> None:
    held = Rights(
        recordings={"r1": recording("r1", "w1")},
        interests=[
            interest("r1", "label", 800_000),
            interest("r1", "artist", 200_000),
            interest("w1", "writer", 425_000, right="publishing"),
            interest("w1", "administrator", 75_000, right="publishing"),
            interest("w1", "other", 500_000, right="publishing"),
        ],
        payees={},
    )
    half = AllocationOptions(on=FIRST, publishing_ppm=500_000)

    rows = allocate(
        pool_of(1000_000_000),
        revenue(A=1000_000_000),
        {"A": [share("r1", PPB), share(None, 0)]},
        held,
        half,
    )

    assert paid(rows) == {
        "administrator": 37_500_000,
        "artist": 100_000_000,
        "label": 400_000_000,
        "other": 250_000_000,
        "writer": 212_500_000,
    }


def test_an_interest_for_the_territory_replaces_the_worldwide_set() -> None:
    held = holders(r1="ann")
    local = interest("r1", "bob", 700_000, territory="DE")
    held = Rights(recordings=held.recordings, interests=[*held.interests, local], payees={})
    shares = {"A": [share("r1", PPB), share(None, 0)]}

    in_germany = allocate(pool_of(1000, "DE"), revenue(A=1000), shares, held, TODAY)
    in_france = allocate(pool_of(1000, "FR"), revenue(A=1000), shares, held, TODAY)

    assert paid(in_germany) == {"bob": 700}
    assert paid(in_france) == {"ann": 1000}


def test_an_interval_on_the_share_is_carried_to_the_amount() -> None:
    shares = {"A": [share("r1", 500_000_000, 300_000_000, 900_000_000), share(None, 500_000_000)]}
    held = holders(r1="ann", r2="bob")
    held = Rights(
        recordings=held.recordings,
        interests=[interest("r1", "ann", 500_000), interest("r2", "bob")],
        payees={},
    )

    rows = allocate(pool_of(1001), revenue(A=1001), shares, held, TODAY)
    ann = next(row for row in rows if row.kind == "attributed")

    assert (ann.low_micros, ann.micros, ann.high_micros) == (150, 251, 450)


def test_a_share_of_an_unknown_recording_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match=r"recording 'lost'.*catalogue import"):
        allocate(pool_of(1), revenue(A=1), {"A": [share("lost", PPB)]}, holders(r1="ann"), TODAY)


def test_interests_beyond_the_whole_are_refused_by_name() -> None:
    held = holders(r1="ann")
    held = Rights(
        recordings=held.recordings, interests=[*held.interests, interest("r1", "bob", 1)], payees={}
    )

    with pytest.raises(Conflict, match="master right of r1 sum to 1000001 ppm"):
        allocate(pool_of(1), revenue(A=1), {"A": [share("r1", PPB)]}, held, TODAY)


def test_tracks_that_do_not_sum_to_the_pool_are_refused() -> None:
    with pytest.raises(Conflict, match="carry 999 micros and the pool has 1000"):
        allocate(pool_of(1000), revenue(A=999), {"A": [share("r1", PPB)]}, holders(r1="ann"), TODAY)


# As a snapshot.


@settings(max_examples=30)
@given(one=sharings(RECORDINGS), held=rights(RECORDINGS))
def test_a_table_of_allocations_has_the_agreed_columns_and_reads_back(one, held) -> None:
    rows = allocate(pool_of(10**6), revenue(A=10**6), {"A": one}, held, TODAY)

    table = to_table(rows)

    assert ",".join(table.column_names) == (
        "pool,track,recording,work,right,party,payee,kind,plays,share_ppb,low_ppb,high_ppb,"
        "interest_ppm,micros,low_micros,high_micros"
    )
    assert [Allocation(**row) for row in table.to_pylist()] == rows


def test_an_empty_table_keeps_its_columns() -> None:
    assert to_table([]).column_names == list(COLUMNS)


@settings(max_examples=50)
@given(one=sharings(RECORDINGS), other=sharings(RECORDINGS), held=rights(RECORDINGS))
def test_a_summary_adds_up_to_the_pool(one, other, held) -> None:
    rows = allocate(
        pool_of(3 * 10**6),
        revenue(A=10**6, B=10**6, C=10**6),
        {"A": one, "B": other},
        held,
        TODAY,
    )

    summary = summarise(rows, "EUR")

    payees = sum(amount.micros for amount in summary.payees.values())
    assert payees + sum(summary.suspense.values()) + summary.platform_micros == 3 * 10**6
    assert sum(total.amount.micros for total in summary.totals) == 3 * 10**6
    tracked = sum(amount.micros for amount in summary.recordings.values())
    assert tracked + summary.unattributed_micros + summary.suspense["unmatched"] == 3 * 10**6
