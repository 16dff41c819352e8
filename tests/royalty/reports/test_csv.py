import csv
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from royalty.money import Money, parse_micros
from royalty.reports.csv import COLUMNS, period_csv, statement_csv
from tests.royalty.statements import statement

FIXED = (
    "statement_id,line_no,usage_period,territory,service_tier,commercial_model,use_type,track_id,"
    "isrc,iswc,title,artist,isni,party_ipi,right,plays,pool_id,pool_micros,rule,share_ppb,share_lo,"
    "share_hi,interest_ppm,interest_version,gross,deductions,fx_rate_id,net,currency,adjustment_of,"
    "posting_id,posting_hash,"
)


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_the_detail_is_the_file_that_was_agreed(golden) -> None:
    assert golden("statement_2026-10.csv", statement_csv(statement()))


def test_the_fixed_columns_come_first_and_stay_in_order() -> None:
    header = statement_csv(statement()).decode().split("\n")[0]

    assert header.startswith(FIXED)
    assert header == ",".join(COLUMNS)


def test_a_reader_gets_back_every_line_to_the_micro() -> None:
    drawn = statement()

    rows = read(statement_csv(drawn))

    assert [parse_micros(row["net"]) for row in rows] == [line.net.micros for line in drawn.lines]
    assert [parse_micros(row["gross"]) + parse_micros(row["deductions"]) for row in rows] == [
        parse_micros(row["net"]) for row in rows
    ]
    assert [(row["recording_id"], row["posting_id"], row["artist"]) for row in rows] == [
        (line.recording, line.posting, line.artist) for line in drawn.lines
    ]


@given(title=st.text(st.characters(codec="utf-8"), max_size=20), micros=st.integers(0, 10**15))
def test_any_title_and_amount_survive_the_round_trip(title, micros) -> None:
    drawn = statement()
    net = Money(micros, "EUR")
    line = replace(
        drawn.lines[0], title=title, gross=net, deductions=net - net, net=net, low=net, high=net
    )

    (row,) = read(
        statement_csv(replace(drawn, lines=(line,), earned=net, closing=_closing(drawn, net)))
    )

    safe = f"'{title}" if title[:1] in {"=", "+", "-", "@", "\t", "\r"} else title
    assert (row["title"], parse_micros(row["net"])) == (safe, micros)


def test_no_spreadsheet_takes_a_name_for_a_formula() -> None:
    drawn = statement()
    line = replace(drawn.lines[0], artist='=HYPERLINK("http://example.org")', title="@SUM(A1)")
    earned = line.net

    (row,) = read(
        statement_csv(replace(drawn, lines=(line,), earned=earned, closing=_closing(drawn, earned)))
    )

    assert (row["artist"], row["title"]) == ('\'=HYPERLINK("http://example.org")', "'@SUM(A1)")


def test_a_period_holds_the_statements_in_order_under_one_header() -> None:
    ann, zoe = replace(statement(), id="2026-10/ann"), replace(statement(), id="2026-10/zoe")

    content = period_csv([zoe, ann])

    assert content == statement_csv(ann) + statement_csv(zoe).split(b"\n", 1)[1]


def test_a_statement_without_lines_is_a_header() -> None:
    drawn = statement()
    empty = replace(
        drawn, lines=(), earned=Money(0, "EUR"), closing=_closing(drawn, Money(0, "EUR"))
    )

    assert read(statement_csv(empty)) == []


def _closing(drawn, earned):
    return drawn.closing - drawn.earned + earned
