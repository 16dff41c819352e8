import importlib
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pyarrow.parquet as pq
import pytest

from benchmarks.curves import Curve, curves
from benchmarks.divided import OURS, by_tantieme, home_of
from benchmarks.floats import PEERS
from benchmarks.months import PUBLISHING_PPM, ROYALTY_RATE_PPM, Month, Size, write_month
from benchmarks.payouts import RULES, difference, exponents, markdown, misses, picture, ratios
from benchmarks.workspaces import write_workspace

SIZE = Size(rows=3000, listeners=300, tracks=80, recordings=60, payees=25)
SVG = "{http://www.w3.org/2000/svg}"
Paid = dict[tuple[str, str, str], float]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    return write_month(tmp_path_factory.mktemp("month"), SIZE)


@pytest.fixture(scope="module")
def worked(month: Month) -> Month:
    write_workspace(home_of(month), month)
    return month


def rows(month: Month, name: str) -> list[dict]:
    return pq.read_table(month.file(name)).to_pylist()


def exactly(month: Month, rule: str) -> dict[tuple[str, str, str], Fraction]:
    """The division in fractions, as slowly and plainly as can be: (source, territory, payee)."""
    tracks = tracks_exactly(month, rule)
    works = defaultdict(list)
    for each in rows(month, "recordings"):
        if each["licensed"]:
            works[each["work"]].append(each["recording"])
    work_of = {recording: work for work, held in works.items() for recording in held}
    money, common = defaultdict(Fraction), defaultdict(Fraction)
    for share in rows(month, "shares"):
        for pool in {pool for pool, _ in tracks}:
            part = tracks.get((pool, share["track"]), 0) * Fraction(share["share_ppb"], 10**9)
            if share["recording"] in work_of:
                money[pool, share["recording"]] += part
            else:
                common[pool] += part
    for pool, amount in common.items():
        for recording, work in work_of.items():
            money[pool, recording] += amount / len(works) / len(works[work])
    return payees_exactly(month, money, work_of)


def tracks_exactly(month: Month, rule: str) -> dict:
    fees, plays, heard = (defaultdict(Fraction) for _ in range(3))
    for each in rows(month, "revenue"):
        pool = each["source"], each["territory"]
        fees[pool, each["listener"]] += Fraction(each["net_micros"] * ROYALTY_RATE_PPM, 10**6)
    usage = rows(month, "usage")
    for each in usage:
        pool = each["source"], each["territory"]
        heard[pool, each["listener"]] += each["plays"]
        plays[pool, each["track"]] += each["plays"]
    pro_rata = {who: fee for who, fee in fees.items() if rule == "pro_rata" or who not in heard}
    tracks, takings, totals = (defaultdict(Fraction) for _ in range(3))
    for (pool, _), fee in pro_rata.items():
        takings[pool] += fee
    for (pool, _), count in plays.items():
        totals[pool] += count
    for (pool, track), count in plays.items():
        tracks[pool, track] += takings[pool] * count / totals[pool]
    for each in usage if rule == "user_centric" else ():
        pool = each["source"], each["territory"]
        who = pool, each["listener"]
        tracks[pool, each["track"]] += fees[who] * each["plays"] / heard[who]
    return tracks


def payees_exactly(month: Month, money: dict, work_of: dict) -> dict:
    held = defaultdict(list)
    for each in rows(month, "interests"):
        held[each["right"], each["subject_id"], each["territory"]].append(each)
    parties = {each["party"]: each for each in rows(month, "parties")}
    paid = defaultdict(Fraction)
    for ((source, territory), recording), amount in money.items():
        for right, subject, ppm in (
            ("master", recording, 10**6 - PUBLISHING_PPM),
            ("publishing", work_of[recording], PUBLISHING_PPM),
        ):
            own = held.get((right, subject, territory)) or held[right, subject, "WW"]
            for each in own:
                party = parties[each["party"]]
                part = Fraction(ppm * each["ppm"] * party["rate_ppm"], 10**18)
                paid[source, territory, party["payee"]] += amount * part
    return paid


def by_payee(table: object) -> Paid:
    names = ("source", "territory", "payee")
    return {tuple(row[name] for name in names): row["micros"] for row in table.to_pylist()}


def test_a_month_is_the_same_however_many_threads_wrote_it(month: Month, tmp_path: Path) -> None:
    again = write_month(tmp_path, SIZE, threads=1)
    other = write_month(tmp_path / "other", SIZE, seed=1)

    for name in ("usage", "revenue", "shares", "recordings", "interests", "parties"):
        assert rows(again, name) == rows(month, name)
    assert rows(other, "usage") != rows(month, "usage")


def test_shares_of_a_track_are_the_whole_and_at_most_fifty_recordings(month: Month) -> None:
    shares = defaultdict(list)
    for each in rows(month, "shares"):
        shares[each["track"]].append(each)

    assert all(sum(each["share_ppb"] for each in mine) == 10**9 for mine in shares.values())
    assert all(
        sum(each["recording"] is not None for each in mine) <= 50 for mine in shares.values()
    )
    assert all(
        0 <= each["low_ppb"] <= each["share_ppb"] <= each["high_ppb"] <= 10**9
        for mine in shares.values()
        for each in mine
    )


def test_a_larger_month_has_the_skew_that_it_states(tmp_path: Path) -> None:
    size = Size(rows=200_000, listeners=4000, tracks=4000, recordings=2000, payees=500)
    path = write_month(tmp_path, size).file("usage")
    by = "select {0}, sum(plays) as plays from '{1}' group by 1 order by 2 desc"
    listeners = duckdb.sql(by.format("listener", path)).fetchall()
    tracks = duckdb.sql(by.format("track", path)).fetchall()
    plays = [count for _, count in listeners]
    pairs = duckdb.sql(f"select count(distinct (listener, track)) from '{path}'").fetchall()

    assert sum(plays) / size.rows == pytest.approx(6, rel=0.02)
    assert 1.5 < (sum(plays) / size.listeners) / plays[size.listeners // 2] < 3  # exp(0.72) = 2.05
    assert tracks[0][1] > 20 * tracks[len(tracks) // 2][1]
    assert pairs[0][0] > 0.9 * size.rows  # what draws listeners says nothing of tracks


def test_interests_leave_gaps_and_never_pass_the_whole(month: Month) -> None:
    sums = defaultdict(int)
    for each in rows(month, "interests"):
        sums[each["right"], each["subject_id"], each["territory"]] += each["ppm"]

    assert max(sums.values()) == 10**6
    assert min(sums.values()) < 10**6
    assert {territory for *_, territory in sums} == {"WW", "DE"}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_divides_as_fractions_do(month: Month, peer: str, rule: str) -> None:
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed; it is of the extra 'peers'")
    paid, exact = by_payee(PEERS[peer](month, rule)), exactly(month, rule)

    assert paid.keys() == exact.keys()
    assert paid == pytest.approx({who: float(each) for who, each in exact.items()}, rel=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_ours_divides_as_fractions_do_and_loses_nothing(worked: Month, rule: str) -> None:
    found, lost = by_tantieme(worked, rule)
    paid, exact = by_payee(found), exactly(worked, rule)

    assert lost == 0
    assert paid.keys() == exact.keys()
    # A micro for each of at most eight postings of a payee in a pool, and one for the tracks.
    assert all(abs(paid[who] - exact[who]) <= 9 for who in exact)


def division(method: str, *, rows: int, seconds: float, **more: object) -> dict:
    return {
        "method": method, "rule": "pro_rata", "rows": rows, "wall_seconds": seconds,
        "cpu_seconds": seconds, "peak_mb": 100.0, "spilled_mb": None,
        "lost_micros": 0 if method == OURS else None, "fault": "",
    } | more  # fmt: skip


def document(*divisions: dict, of_all_money: float = 1e-9) -> dict:
    off = {"rule": "pro_rata", "peer": "polars", "of_all_money": of_all_money, "of_a_payee": 1e-7}
    return {
        "machine": {
            "cores": 2,
            "memory_gb": 8,
            "threads": 2,
            "engine_memory": "3GB",
            "duckdb": "2",
        },
        "divisions": list(divisions),
        "differences": [off | {"rows": size} for size in sorted({d["rows"] for d in divisions})],
    }


def test_ours_is_held_against_the_faster_peer_that_came_to_an_end() -> None:
    found = document(
        division(OURS, rows=10, seconds=3.0),
        division("polars", rows=10, seconds=2.0),
        division("pandas", rows=10, seconds=0.1, fault="MemoryError"),
    )

    assert ratios(found) == [
        {"rule": "pro_rata", "rows": 10, "wall_seconds": 1.5, "cpu_seconds": 1.5}
    ]
    assert misses(found) == []
    assert "failed: MemoryError" in markdown(found)
    assert "All met." in markdown(found)


def test_growth_is_the_slope_between_sizes() -> None:
    found = document(*(division(OURS, rows=10**n, seconds=4.0**n) for n in (1, 2, 3)))

    assert exponents(found, OURS, "pro_rata") == pytest.approx([0.602, 0.602], abs=1e-3)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"cpu_seconds": 3.1}, "1.6 times"),
        ({"peak_mb": 6001.0}, "peak of 6001 MB"),
        ({"lost_micros": 1}, "1 micros"),
        ({"fault": "OutOfMemory"}, "ours failed, OutOfMemory"),
    ],
)
def test_what_misses_its_mark_is_said(more: dict, says: str) -> None:
    found = document(
        division(OURS, rows=10, seconds=2.0) | more, division("polars", rows=10, seconds=2.0)
    )

    assert len(misses(found)) == 1
    assert says in misses(found)[0]


def test_totals_that_differ_are_said(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    for path, micros in ((ours, "3000000"), (theirs, "3000003.0")):
        values = f"select 'app' as source, 'DE' as territory, 'p' as payee, {micros} as micros"
        duckdb.sql(values).write_parquet(str(path))
    found = difference(ours, theirs)

    assert found == {"of_all_money": pytest.approx(1e-6), "of_a_payee": pytest.approx(1e-6)}
    assert misses(document(division(OURS, rows=1, seconds=1.0), of_all_money=2e-6))


def test_the_picture_is_svg_with_a_panel_a_rule_and_figure() -> None:
    done = [division(OURS, rows=10**n, seconds=float(n)) for n in (6, 7, 8)]
    tree = ET.fromstring(picture(document(*done)))
    words = [text.text for text in tree.iter(f"{SVG}text")]

    assert [word for word in words if ":" in word] == [
        "pro_rata: CPU seconds",
        "user_centric: CPU seconds",
        "pro_rata: peak MB",
        "user_centric: peak MB",
    ]
    assert len(list(tree.iter(f"{SVG}circle"))) == 1 + 2 * len(done)  # the legend and the points


def test_curves_stand_where_their_values_are() -> None:
    curve = Curve(name="a & b", colour="#000000", points=[(10.0, 1.0), (100.0, 10.0)])
    tree = ET.fromstring(curves([("one", [curve])]))
    (_, *dots) = tree.iter(f"{SVG}circle")

    assert [(float(d.get("cx")), float(d.get("cy"))) for d in dots] == [(60, 260), (360, 60)]
