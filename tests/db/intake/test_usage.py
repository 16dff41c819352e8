import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from db import queries, schema, snapshots
from db.engine import Books, reading
from db.intake import usage
from db.queries import EVERYONE
from royalty.errors import BadInput, PeriodClosed
from royalty.rules.arithmetic import LISTENER_PLAYS_MAX, PLAYS_MAX
from tests.db.world import NOVEMBER, OCTOBER

HEADER = "period,listener,track,source,territory,plays\n"


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "usage.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def faults(refused: pytest.ExceptionInfo[BadInput]) -> list[tuple[int | None, str | None]]:
    return [(problem.row, problem.field) for problem in refused.value.problems]


def test_usage_of_several_periods_becomes_a_snapshot_each(books: Books, tmp_path: Path) -> None:
    path = write(
        tmp_path, "2026-11,u1,t1,app,DE,3", "2026-10, u1 ,t1,app,DE,1", "2026-10,u2,t1,app,DE,0"
    )

    receipt = usage.record(books, path)

    assert receipt.rows == {"2026-10": 2, "2026-11": 1}
    [sha256] = queries.inputs(EVERYONE, books, OCTOBER).usage
    assert snapshots.read(books, sha256).to_pylist()[0] == {
        "period": "2026-10",
        "listener": "u1",
        "track": "t1",
        "source": "app",
        "territory": "DE",
        "plays": 1,
        "active": 0,
    }
    assert len(queries.inputs(EVERYONE, books, NOVEMBER).usage) == 1


def test_every_fault_is_listed_and_nothing_is_imported(books: Books, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "2026-10,u1,t1,app,DE,3",
        "2026-13,,t/1,a pp,de,-3",
        "2026-10,u1",
        "",
        "2026-10,u1,t1,app,DE,4",
        "2026-10,u2,t1,app,DE,1.5",
    )

    with pytest.raises(BadInput) as refused:
        usage.record(books, path)

    assert faults(refused) == [
        *[(3, field) for field in ("listener", "period", "plays", "source", "territory", "track")],
        (4, None),
        (6, None),
        (7, "plays"),
    ]
    assert refused.value.problems[0].source == str(path)
    with reading(books) as connection:
        assert connection.execute(select(schema.period)).all() == []
    assert not (books.home / "snapshots").exists()


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("period,listener,track,source,territory\n", "plays: the column is missing"),
        (HEADER.replace("plays", "plays,mood"), "mood: is no column"),
        (HEADER.replace("plays", "plays,plays"), "plays: the column is there twice"),
    ],
)
def test_other_columns_are_faults(books: Books, tmp_path: Path, header: str, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        usage.record(books, write(tmp_path, header=header))


def test_a_file_that_cannot_be_read_is_a_fault(books: Books, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        usage.record(books, tmp_path / "nothing.csv")
    with pytest.raises(BadInput, match="has no rows"):
        usage.record(books, write(tmp_path))

    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"2026-10,\xff,t1,app,DE,1\n")

    with pytest.raises(BadInput, match="row 2, listener: '\ufffd' is not an id"):
        usage.record(books, tmp_path / "latin.csv")


def test_the_same_content_again_changes_nothing(books: Books, tmp_path: Path) -> None:
    first = usage.record(books, write(tmp_path, "2026-10,u1,t1,app,DE,3", "2026-10,u2,t1,app,DE,3"))
    again = usage.record(books, write(tmp_path, "2026-10,u2,t1,app,DE,3", "2026-10,u1,t1,app,DE,3"))

    assert not first.already
    assert again.already
    assert again.snapshot == first.snapshot
    assert len(queries.inputs(EVERYONE, books, OCTOBER).usage) == 1


def test_a_key_that_came_in_before_from_another_file_would_count_twice(
    books: Books, tmp_path: Path
) -> None:
    usage.record(books, write(tmp_path, "2026-10,u1,t1,app,DE,3"))

    with pytest.raises(BadInput, match=r"row 3: .* came in before") as refused:
        usage.record(books, write(tmp_path, "2026-10,u1,t2,app,DE,3", "2026-10,u1,t1,app,DE,5"))

    assert faults(refused) == [(3, None)]


def test_more_usage_of_an_open_period_comes_beside(books: Books, tmp_path: Path) -> None:
    usage.record(books, write(tmp_path, "2026-10,u1,t1,app,DE,3"))
    usage.record(books, write(tmp_path, "2026-10,u1,t2,app,DE,3"))

    assert len(queries.inputs(EVERYONE, books, OCTOBER).usage) == 2


def test_a_dry_run_judges_and_writes_nothing(books: Books, tmp_path: Path) -> None:
    receipt = usage.record(books, write(tmp_path, "2026-10,u1,t1,app,DE,3"), dry_run=True)

    assert receipt.rows == {"2026-10": 1}
    assert queries.periods(EVERYONE, books) == []
    assert not (books.home / "snapshots").exists()


def test_rows_of_another_period_than_the_one_asked_for_are_faults(
    books: Books, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="'2026-11' is not 2026-10"):
        usage.record(books, write(tmp_path, "2026-11,u1,t1,app,DE,3"), period=OCTOBER)


def test_a_closed_period_refuses_new_usage(closed: Books, tmp_path: Path) -> None:
    path = write(tmp_path, "2026-10,u9,t1,app,DE,3", "2026-11,u9,t1,app,DE,3")

    with pytest.raises(PeriodClosed, match="period 2026-10 is closed; "):
        usage.record(closed, path)

    assert queries.inputs(EVERYONE, closed, NOVEMBER).usage == []


def test_late_usage_of_a_closed_period_is_kept_beside_what_it_was_closed_with(
    closed: Books, tmp_path: Path
) -> None:
    path = write(tmp_path, "2026-10,u9,t1,app,DE,3")

    receipt = usage.record(closed, path, late=True)

    assert receipt.late
    assert usage.record(closed, path).already  # however it is asked for again
    assert len(queries.inputs(EVERYONE, closed, OCTOBER).usage) == 1
    with reading(closed) as connection:
        [late] = connection.execute(select(schema.late_input)).all()
    assert (late.period, late.kind, late.snapshot) == ("2026-10", "usage", receipt.snapshot)
    assert late.source == str(path)


@pytest.mark.parametrize(
    "row",
    ["2026-10,u9,t1,app,DE,4", "2026-10,u1,t1,app,DE,4"],
    ids=["in a late file", "in the month itself"],
)
def test_late_usage_that_came_in_before_would_count_twice(
    closed: Books, tmp_path: Path, row: str
) -> None:
    usage.record(closed, write(tmp_path, "2026-10,u9,t1,app,DE,3"), late=True)

    with pytest.raises(BadInput, match=r"row 2: its .* came in before"):
        usage.record(closed, write(tmp_path, row), late=True)


def test_late_usage_is_bounded_with_all_that_came_before(closed: Books, tmp_path: Path) -> None:
    usage.record(closed, write(tmp_path, f"2026-10,u9,t1,app,DE,{LISTENER_PLAYS_MAX}"), late=True)

    with pytest.raises(BadInput, match="row 2, plays: with all that came in"):
        usage.record(closed, write(tmp_path, "2026-10,u9,t2,app,DE,1"), late=True)


def test_what_comes_late_for_an_open_period_is_a_fault(closed: Books, tmp_path: Path) -> None:
    path = write(tmp_path, "2026-10,u9,t1,app,DE,3", "2026-11,u9,t1,app,DE,3")

    with pytest.raises(BadInput, match="'2026-11' is not closed; import") as refused:
        usage.record(closed, path, late=True)

    assert faults(refused) == [(3, "period")]
    with reading(closed) as connection:
        assert connection.execute(select(schema.late_input)).all() == []


def test_late_usage_in_a_dry_run_is_judged_and_not_kept(closed: Books, tmp_path: Path) -> None:
    path = write(tmp_path, "2026-10,u9,t1,app,DE,3")

    assert not usage.record(closed, path, late=True, dry_run=True).already
    assert not usage.record(closed, path, late=True).already


def test_a_closed_period_names_the_way_in_for_what_is_late(closed: Books, tmp_path: Path) -> None:
    with pytest.raises(PeriodClosed, match="'tantieme usage import FILE --late'"):
        usage.record(closed, write(tmp_path, "2026-10,u9,t1,app,DE,3"))


def test_a_row_has_at_most_the_plays_that_can_be_divided(books: Books, tmp_path: Path) -> None:
    usage.record(books, write(tmp_path, f"2026-10,u1,t1,app,DE,{LISTENER_PLAYS_MAX}"), dry_run=True)

    with pytest.raises(BadInput, match="row 2, plays: '10000001' is not a whole number from 0 to"):
        usage.record(books, write(tmp_path, f"2026-10,u1,t1,app,DE,{LISTENER_PLAYS_MAX + 1}"))


def test_columns_without_text_are_faults(books: Books, tmp_path: Path) -> None:
    names = HEADER.strip().split(",")
    columns = {name: pa.array([[1]] if name == "plays" else [{"a": 1}]) for name in names}
    pq.write_table(pa.table(columns), tmp_path / "usage.parquet")

    with pytest.raises(
        BadInput, match=r"plays: a column of type list<.*> cannot be read"
    ) as refused:
        usage.record(books, tmp_path / "usage.parquet")

    assert faults(refused) == [(None, name) for name in sorted(names)]


def test_parquet_and_tables_are_judged_like_csv(books: Books, tmp_path: Path) -> None:
    rows = [["2026-10", "u1", "t1", "app", "DE", plays] for plays in (3, -1)]
    columns = dict(zip(HEADER.strip().split(","), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "usage.parquet")

    with pytest.raises(BadInput) as refused:
        usage.record(books, tmp_path / "usage.parquet")

    assert faults(refused) == [(2, None), (2, "plays")]

    receipt = usage.record_table(books, pa.table(columns).slice(0, 1), "a simulation")

    assert receipt.rows == {"2026-10": 1}


def test_a_hundred_thousand_rows_take_seconds_even_when_all_are_wrong(
    books: Books, tmp_path: Path
) -> None:
    rows = [f"2026-10,u{i // 10},t{i % 10},app,DE,{i % 9}" for i in range(100_000)]
    began = time.process_time()
    usage.record(books, write(tmp_path, *rows))
    with pytest.raises(BadInput) as refused:
        usage.record(books, write(tmp_path, *(row.replace("DE", "Germany") for row in rows)))

    assert len(refused.value.problems) == 100_000
    assert time.process_time() - began < 10


def test_plays_that_were_asked_for_are_kept_beside_all_plays(books: Books, tmp_path: Path) -> None:
    header = HEADER.replace("plays", "plays,active")
    path = write(tmp_path, "2026-10,u1,t1,app,DE,3,2", "2026-10,u2,t1,app,DE,3,", header=header)

    receipt = usage.record(books, path)

    kept = snapshots.read(books, receipt.snapshot or "")
    assert list(zip(kept["plays"].to_pylist(), kept["active"].to_pylist(), strict=True)) == [
        (3, 2),
        (3, 0),
    ]


def test_more_cannot_have_been_asked_for_than_was_played(books: Books, tmp_path: Path) -> None:
    header = HEADER.replace("plays", "active,plays")
    path = write(tmp_path, "2026-10,u1,t1,app,DE,4,3", "2026-10,u2,t1,app,DE,-1,x", header=header)

    with pytest.raises(BadInput, match="row 2, active: '4' is more than the plays") as refused:
        usage.record(books, path)

    assert faults(refused) == [(2, "active"), (3, "active"), (3, "plays")]


def test_nothing_comes_in_for_a_month_that_has_not_begun(books: Books, tmp_path: Path) -> None:
    path = write(tmp_path, "2026-11,u1,t1,app,DE,3", "2026-12,u1,t1,app,DE,3")

    with pytest.raises(
        BadInput, match="row 3, period: '2026-12' is a period that has not begun"
    ) as refused:
        usage.record(books, path)

    assert faults(refused) == [(3, "period")]


def test_what_a_spreadsheet_would_run_comes_in_as_text(books: Books, tmp_path: Path) -> None:
    receipt = usage.record(books, write(tmp_path, "2026-10,=cmd|'C'!A0,@t,app,DE,3"))

    assert snapshots.read(books, receipt.snapshot or "")["track"].to_pylist() == ["@t"]


def test_a_long_or_unprintable_cell_is_shown_in_part(books: Books, tmp_path: Path) -> None:
    path = write(tmp_path, f"2026-10,{'x' * 5000},t1,app,DE,3", "2026-10,u\x1b[2J,t1,app,DE,3")

    with pytest.raises(BadInput, match=r"row 3, listener: 'u\\x1b\[2J' is not an id") as refused:
        usage.record(books, path)

    assert len(refused.value.problems[0].message) < 200


def refusal(books: Books, path: Path) -> str:
    """Import, be refused for one fault, and find that nothing changed."""
    with reading(books) as connection:
        before = connection.execute(select(schema.period_input)).all()
    with pytest.raises(BadInput) as refused:
        usage.record(books, path)
    with reading(books) as connection:
        assert connection.execute(select(schema.period_input)).all() == before
    [problem] = refused.value.problems
    return str(problem).removeprefix(f"{path}, ")


def test_a_listeners_plays_add_up_to_what_can_be_divided(books: Books, tmp_path: Path) -> None:
    most = LISTENER_PLAYS_MAX
    path = write(
        tmp_path, "2026-10,u0,g1,app,DE,1", f"2026-10,u1,g2,app,FR,{most}", "2026-10,u1,g1,app,DE,1"
    )

    assert refusal(books, path) == (
        "row 3, plays: with all that came in for the period, plays of source app and listener u1 "
        "are 10,000,001, and rules are exact up to 10,000,000; correct them, or put some under a "
        "source of their own"
    )

    other = ("2026-10,u1,g1,web,DE,1", "2026-11,u1,g1,app,DE,1", "2026-10,u2,g1,app,DE,1")
    assert not usage.record(books, write(tmp_path, f"2026-10,u1,g2,app,DE,{most}", *other)).already


def test_plays_are_added_to_those_that_came_in_before(books: Books, tmp_path: Path) -> None:
    usage.record(books, write(tmp_path, f"2026-10,u1,g1,app,DE,{LISTENER_PLAYS_MAX}"))
    usage.record(books, write(tmp_path, "2026-10,u1,g2,app,DE,0", "2026-10,u2,g2,app,DE,9"))

    said = refusal(books, write(tmp_path, "2026-10,u3,g1,app,DE,1", "2026-10,u1,g3,app,DE,1"))

    assert "row 3, plays" in said
    assert "listener u1 are 10,000,001" in said


def test_a_sources_plays_add_up_to_what_can_be_divided(books: Books, tmp_path: Path) -> None:
    most, each = PLAYS_MAX, LISTENER_PLAYS_MAX
    rows = [f"2026-10,u{i},g1,app,{'DE' if i % 2 else 'FR'},{each}" for i in range(most // each)]
    usage.record(books, write(tmp_path, *rows))

    said = refusal(books, write(tmp_path, "2026-10,v,g1,web,DE,1", "2026-10,v,g1,app,DE,1"))

    assert said.startswith("row 3, plays: ")
    assert "of source app are 3,000,000,001, and" in said


@pytest.mark.parametrize("unseen", ["\u200b", "\u202e", "\ufeff", "\u00ad"])
def test_an_id_has_no_character_that_is_not_seen(books: Books, tmp_path: Path, unseen: str) -> None:
    path = write(tmp_path, "2026-10,u1,g1,app,DE,1", f"2026-10,u{unseen}1,g1,app,DE,1")

    said = refusal(books, path)

    assert f", with an unseen U+{ord(unseen):04X}, is not an id" in said
    assert said.isprintable()


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_than_a_comma_is_one_fault(
    books: Books, tmp_path: Path, mark: str, word: str
) -> None:
    path = write(tmp_path, "2026-10;u1;g1;app;DE;1,5", header=HEADER.replace(",", mark))

    assert refusal(books, path) == (
        f"row 1: columns are separated by {word}; separate them by commas"
    )
