import csv
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from royalty.money import Money, parse_micros
from royalty.reports.csv import COLUMNS, period_csv, statement_csv
from royalty.statement import Line, Statement, make_statement
from tests.royalty.statements import heading, movements, statement

FIXED = (
    "statement_id,line_no,usage_period,territory,service_tier,commercial_model,use_type,track_id,"
    "isrc,iswc,title,artist,isni,party_ipi,right,plays,pool_id,pool_micros,rule,share_ppb,share_lo,"
    "share_hi,interest_ppm,interest_version,gross,deductions,fx_rate_id,net,currency,adjustment_of,"
    "posting_id,posting_hash,"
)


MOVEMENTS = len(movements())


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def with_line(line: Line) -> Statement:
    return make_statement(heading(line.net.micros), [line])


def test_the_detail_is_the_file_that_was_agreed(golden) -> None:
    assert golden("statement_2026-10.csv", statement_csv(statement()))


def test_the_fixed_columns_come_first_and_stay_in_order() -> None:
    header = statement_csv(statement()).decode().split("\n")[0]

    assert header.startswith(FIXED)
    assert header == ",".join(COLUMNS)
    assert COLUMNS[-1] == "root"


def test_a_reader_gets_back_every_line_to_the_micro() -> None:
    drawn = statement()

    rows = read(statement_csv(drawn))[:-MOVEMENTS]

    assert [parse_micros(row["net"]) for row in rows] == [line.net.micros for line in drawn.lines]
    assert [parse_micros(row["gross"]) + parse_micros(row["deductions"]) for row in rows] == [
        parse_micros(row["net"]) for row in rows
    ]
    assert [(row["recording_id"], row["posting_id"], row["artist"]) for row in rows] == [
        (line.recording, line.posting, line.artist) for line in drawn.lines
    ]


@given(title=st.text(st.characters(codec="utf-8"), max_size=20), micros=st.integers(0, 10**15))
def test_any_title_and_amount_survive_the_round_trip(title, micros) -> None:
    net = Money(micros, "EUR")
    line = replace(
        statement().lines[0],
        title=title,
        gross=net,
        deductions=net - net,
        net=net,
        low=net,
        high=net,
    )

    (row,) = read(statement_csv(with_line(line)))

    safe = f"'{title}" if title[:1] in {"=", "+", "-", "@", "\t", "\r"} else title
    assert (row["title"], parse_micros(row["net"])) == (safe, micros)


def test_no_spreadsheet_takes_a_name_for_a_formula() -> None:
    line = replace(
        statement().lines[0], artist='=HYPERLINK("http://example.org")', title="@SUM(A1)"
    )

    (row,) = read(statement_csv(with_line(line)))

    assert (row["artist"], row["title"]) == ('\'=HYPERLINK("http://example.org")', "'@SUM(A1)")
    assert "'=old enough" in {each["why"] for each in read(statement_csv(statement()))}


def test_movements_follow_the_lines_and_all_rows_add_up_to_what_the_account_moved_by() -> None:
    drawn = statement()

    rows = read(statement_csv(drawn))

    assert [row["kind"] for row in rows[-MOVEMENTS:]] == [each.term for each in drawn.movements]
    assert sum(parse_micros(row["net"]) for row in rows) == (
        drawn.closing.micros - drawn.opening.micros
    )
    assert [int(row["line_no"]) for row in rows] == list(range(1, len(rows) + 1))


def test_a_movement_names_what_it_corrects_and_leaves_other_cells_empty() -> None:
    row, *_, paid = read(statement_csv(statement()))[-MOVEMENTS:]

    assert row["adjustment_of"] == "2026-09/allocation/2026-09/app/DE/EUR"
    assert (row["usage_period"], row["booking_period"]) == ("2026-09", "2026-10")
    assert (row["net"], row["what"]) == ("-0.000011", "correction, of 2026-09")
    assert (row["gross"], row["deductions"], row["track_id"], row["basis"]) == ("", "", "", "")
    assert paid["fx_rate_id"] == "2026-10-30/USD/EUR"


def test_every_row_carries_the_root_and_every_line_its_basis() -> None:
    rows = read(statement_csv(statement()))

    assert {row["root"] for row in rows} == {"ab" * 32}
    assert {row["basis"] for row in rows[:-MOVEMENTS]} == {"modelled", "terms"}
    assert {row["track_revenue"] for row in rows if row["track_id"]} == {"0.700001", "0.299999"}


def test_a_period_holds_the_statements_in_order_under_one_header() -> None:
    ann, zoe = replace(statement(), id="2026-10/ann"), replace(statement(), id="2026-10/zoe")

    content = period_csv([zoe, ann])

    assert content == statement_csv(ann) + statement_csv(zoe).split(b"\n", 1)[1]


def test_a_statement_without_lines_is_a_header() -> None:
    assert read(statement_csv(make_statement(heading(), []))) == []
