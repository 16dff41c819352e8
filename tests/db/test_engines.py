import errno
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import prod
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.months import Size, write_month
from benchmarks.workspaces import write_workspace
from cli.jobs.dividing import divide
from cli.jobs.month import Month, open_month
from cli.workspace import Workspace
from db import engines, snapshots
from royalty.errors import NotReady
from royalty.period import Period
from royalty.rules import RULES, Facts
from royalty.rules.arithmetic import FINE, WIDE, exact_sum, proportion, quotient, whole
from tests import oracle
from tests.cli.conftest import Tantieme, example, imported_example, tantieme
from tests.oracle import World
from tests.royalty.rules.dividing import facts_of

__all__ = ["example", "imported_example", "tantieme"]  # fixtures of the command line's tests

# Two threads, and a Java that starts fast rather than runs fast.
SPARK = (
    "spark://local[2]?spark.driver.memory=2g&spark.sql.shuffle.partitions=2"
    "&spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
)
INT64_MAX = 2**63 - 1
WHERE = pytest.mark.parametrize("engine", ["duckdb", "spark"], indirect=True)


@pytest.fixture(scope="module")
def spark() -> Iterator[ibis.BaseBackend]:
    missing = [] if os.environ.get("JAVA_HOME") or shutil.which("java") else ["a Java runtime"]
    try:
        import pyspark  # noqa: F401
    except ImportError:
        missing.append("pyspark")
    if missing:
        message = f"this needs {' and '.join(missing)}; run 'make test' as root, or see .ci/system"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    backend = engines.connect(SPARK)
    yield backend
    backend.disconnect()
    engines.connect.cache_clear()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> ibis.BaseBackend:
    return request.getfixturevalue("spark") if request.param == "spark" else engines.connect()


def number(chance: random.Random, bits: int) -> int:
    """Of any length, or at a bound where a guess by floats would go wrong."""
    return chance.choice(
        [
            chance.getrandbits(chance.randint(1, bits)),
            2 ** chance.randint(0, bits) - chance.randint(0, 1),
            10 ** chance.randint(0, int(bits * 0.301)),
        ]
    )


def divided_as_python_does(
    engine: ibis.BaseBackend, rows: list[tuple[int, ...]], divide: Callable[..., ibis.Value]
) -> None:
    kind = pa.int64() if divide is whole else pa.decimal128(38, 0)
    names = "abc"[: len(rows[0])]
    columns = [pa.array(map(Decimal, each)).cast(kind) for each in zip(*rows, strict=True)]
    table = ibis.memtable(pa.table(columns, names=[*names]))

    found = engine.to_pyarrow(table.mutate(floor=divide(*(table[name] for name in names))))

    wrong = [
        row
        for row in zip(*(found[name].to_pylist() for name in (*names, "floor")), strict=True)
        if int(row[-1]) != prod(map(int, row[:-2])) // int(row[-2])
    ]
    assert not wrong[:3]
    assert len(found) == len(rows)


@WHERE
def test_whole_divides_any_two_int64_as_python_does(engine: ibis.BaseBackend) -> None:
    chance = random.Random(4)
    rows = []
    for _ in range(10_000):
        divisor = max(1, number(chance, 62))
        rows.append((number(chance, 62), divisor))
        below = INT64_MAX // divisor * divisor  # the last multiple, and its neighbours
        rows.append((min(INT64_MAX, max(0, below - chance.randint(-1, 1))), divisor))

    divided_as_python_does(engine, rows, whole)


@WHERE
def test_a_proportion_is_exact_up_to_products_of_126_bits(engine: ibis.BaseBackend) -> None:
    chance = random.Random(5)
    rows: list[tuple[int, int, int]] = []
    while len(rows) < 20_000:
        of = max(1, number(chance, 105))
        amount = number(chance, 105) * of + chance.choice([0, -1, 1, of - 1, chance.randrange(of)])
        part = number(chance, 20)
        amount = chance.choice([amount, number(chance, 105)])
        if 0 <= amount < 10**38 and amount * part < 2**126 and amount * part // of < 10**32:
            rows.append((amount, part, of))

    divided_as_python_does(engine, rows, proportion)


@WHERE
def test_a_quotient_below_ten_to_the_fifteenth_is_exact(engine: ibis.BaseBackend) -> None:
    chance = random.Random(6)
    rows = []
    while len(rows) < 20_000:
        divisor = chance.choice([10**18, 10**27, max(1, number(chance, 100))])
        floor = chance.choice([10**15 - 1, number(chance, 49)])
        rest = chance.choice([0, 1, divisor - 1, chance.randrange(divisor)])
        dividend = floor * divisor + min(rest, divisor - 1)
        if dividend < 2**126 and floor < 10**15:
            rows.append((dividend, divisor))

    divided_as_python_does(engine, rows, quotient)


@WHERE
def test_a_division_may_stand_in_a_join_and_in_an_order(engine: ibis.BaseBackend) -> None:
    table = ibis.memtable(pa.table({"plays": [9, 4, 7]}))
    halves = ibis.memtable(pa.table({"half": [2, 3]}))

    joined = table.join(halves, whole(table.plays, 2) == halves.half)
    ordered = joined.order_by(whole(joined.plays, 3), "plays")

    assert engine.to_pyarrow(ordered)["plays"].to_pylist() == [4, 7]


@WHERE
def test_a_sum_beyond_int64_is_an_error_unless_it_is_wide(engine: ibis.BaseBackend) -> None:
    table = ibis.memtable(pa.table({"micros": pa.array([INT64_MAX, 1])}))

    wide = engine.to_pyarrow(table.agg(micros=table.micros.cast(WIDE).sum()))

    assert wide["micros"].to_pylist() == [2**63]
    with pytest.raises(Exception, match=r"(?i)overflow|failed to cast|out of range"):
        engine.to_pyarrow(table.agg(micros=exact_sum(table.micros)))


@WHERE
def test_text_and_what_is_missing_come_back_as_they_were_in_code_point_order(
    engine: ibis.BaseBackend, tmp_path: Path
) -> None:
    rows = pa.table(
        {
            "track": ["", "Z", "a", "é", "\uffff", "😀", None],
            "micros": pa.array([2**62 + 1, None, 0, 1, 2, 3, 4], pa.int64()),
            "licensed": [True, False, None, True, True, True, True],
        }
    )
    pq.write_table(rows.take([5, 2, 6, 0, 3, 1, 4]), tmp_path / "rows.parquet")

    stored = engine.read_parquet(str(tmp_path / "rows.parquet")).order_by("track")
    held = ibis.memtable(rows).join(stored.select("track"), "track").order_by("track")

    assert engine.to_pyarrow(stored).equals(rows)
    assert held.cache().to_pyarrow().sort_by("track").equals(rows.slice(0, 6))


def test_settings_of_the_engine_stand_in_its_url() -> None:
    settings = engines.connect("duckdb?threads=1&memory_limit=123MiB").settings

    assert (settings["threads"], settings["memory_limit"]) == ("1", "123.0 MiB")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://host", "'postgres://host' is no engine; name duckdb, spark://HOST:PORT"),
        ("duckdb?colour=red", "DuckDB does not take these settings: .*colour"),
        ("duckdb?threads", "settings stand as NAME=VALUE"),
    ],
)
def test_what_is_no_engine_is_refused(url: str, message: str) -> None:
    with pytest.raises(NotReady, match=message):
        engines.connect(url)


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (duckdb.OutOfMemoryException("could not allocate block of size 2.0 KiB"), "of memory;"),
        (duckdb.OutOfMemoryException("failed to offload: max_temp_directory_size"), "disk to"),
        (duckdb.IOException("Could not write file: No space left on device"), "disk to"),
        (duckdb.IOException("Could not read file: Permission denied"), ""),
        (ValueError("no space"), ""),
    ],
)
def test_what_duckdb_ran_out_of_is_said_with_the_settings_that_help(
    error: Exception, lacks: str
) -> None:
    said = engines.shortage(error)

    assert bool(said) == bool(lacks)
    assert lacks in said
    assert not said or ("memory_limit=" in said and "temp_directory=" in said)


def test_a_full_disk_is_no_bug_of_ours() -> None:
    assert "the disk is full" in engines.shortage(OSError(errno.ENOSPC, "No space left on device"))
    assert not engines.shortage(OSError(errno.EACCES, "Permission denied"))


@pytest.mark.parametrize("master", ["127.0.0.1:1", "nohost.invalid:7077", "nohost", "127.0.0.1:x"])
def test_a_cluster_that_nobody_answers_for_is_refused_at_once(
    master: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark = pytest.importorskip("db.spark", reason="this needs pyspark")
    monkeypatch.setattr(spark, "_require_java", lambda: None)
    monkeypatch.setattr(spark, "launch_gateway", lambda *_: pytest.fail("Spark was started"))

    with pytest.raises(NotReady, match=f"no Spark cluster answers at spark://{master} .*HOST:PORT"):
        engines.connect(f"spark://{master}")


def test_without_pyspark_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "db.spark", raising=False)
    monkeypatch.delattr("db.spark", raising=False)
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(NotReady, match=r"Spark needs the package.*pip install 'tantieme\[spark\]'"):
        engines.connect("spark://local[1]")


def test_without_java_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(NotReady, match="apt-get install default-jre-headless"):
        engines.connect("spark://local[1]")


WORLD = World(
    plays={
        ("ann", "t1"): 3,
        ("ann", "t2"): 4,
        ("bob", "t2"): 7,
        ("cas", "t3"): 1,
        ("ann", "t3"): 0,
    },
    fees={"ann": 9_990_001, "bob": 4_990_007, "dee": 5_000_003},
    rate_ppm=650_001,
    active={("bob", "t2"): 5},
)


@WHERE
@pytest.mark.parametrize("rule", ["user_centric", "artist_centric"])
def test_a_rule_gives_what_the_oracle_gives(engine: ibis.BaseBackend, rule: str) -> None:
    facts = Facts(**{name: ibis.memtable(table) for name, table in facts_of([WORLD]).items()})

    rows = engine.to_pyarrow(RULES[rule].divide(facts, RULES[rule].options())).to_pylist()

    found = {row["track"]: row["micros"] + Fraction(row["remainder"], FINE) for row in rows}
    assert found == {f"0.{track}": part for track, part in oracle.floored(rule, WORLD).items()}


def test_the_command_divides_by_the_engine_it_is_told(example: Tantieme) -> None:
    usual = example("payouts", "2026-10", "--json")
    told = example("payouts", "2026-10", "--json", "--engine", "duckdb?threads=1")
    unknown = example("payouts", "2026-10", "--engine", "dukdb")

    assert (usual.code, told.code) == (0, 0), usual.err
    assert told.out == usual.out
    assert unknown.code == 3
    assert "'dukdb' is no engine" in unknown.err


CHOSEN = {
    "pro_rata": {"minimum_plays": 400, "minimum_listeners": 60},
    "artist_centric": {
        "listener_plays": 50,
        "how": "normalise",
        "order": "boost_first",
        "artist_plays": 100,
        "artist_listeners": 20,
        "artist_boost": 3,
        "active_boost": 4,
    },
    "hybrid": {"informativeness_ppm": 333_333, "base": "user_centric"},
}


def month_of(folder: Path, size: Size) -> Workspace:
    """A synthetic month, part of whose revenue is booked against tracks."""
    month = write_month(folder / "month", size)
    tracks = pq.read_table(month.file("usage"), columns=["track"])["track"].unique().to_pylist()
    revenue = pq.read_table(month.file("revenue"))
    booked = pa.array(["" if n % 5 else tracks[n % len(tracks)] for n in range(len(revenue))])
    place = revenue.column_names.index("track")
    pq.write_table(revenue.set_column(place, "track", booked), month.file("revenue"))
    return write_workspace(folder / "home", month)


def opened(workspace: Workspace, url: str, **settings: object) -> Month:
    month = Period(2026, 10)
    return open_month(
        workspace.books(), replace(workspace.settings(), **settings), month, engine=url
    )


def the_same_division(rule: str, *months: Month) -> None:
    first, second = (divide(month, rule) for month in months)
    rows, others = (
        snapshots.run(each.rows).sort_by([(name, "ascending") for name in each.rows.columns])
        for each in (first, second)
    )

    assert len(rows) > 100
    assert rows.equals(others)
    assert first.summary == second.summary
    assert first.tracks == second.tracks


@pytest.mark.full
@pytest.mark.usefixtures("spark")
def test_spark_divides_a_month_into_the_same_integers_by_every_rule(tmp_path: Path) -> None:
    size = Size(rows=200_000, listeners=20_000, tracks=2_000, recordings=1_000, payees=500)
    workspace = month_of(tmp_path, size)
    usual = [opened(workspace, url) for url in ("duckdb", SPARK)]
    chosen = [
        opened(workspace, url, rules=CHOSEN, pool_by_territory=False) for url in ("duckdb", SPARK)
    ]

    for rule in RULES:
        the_same_division(rule, *usual)
    for rule in CHOSEN:
        the_same_division(rule, *chosen)
