from datetime import date
from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake.withdrawals import record
from db.queries import EVERYONE
from royalty.catalogue import Withdrawal
from royalty.errors import BadInput

HEADER = "recording,use,kind,from,to,reason\n"
DAY = date(2026, 10, 1)


def write(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "withdrawals.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def refused(books: Books, folder: Path, rows: str, header: str = HEADER) -> list[str]:
    path = write(folder, rows, header)
    with pytest.raises(BadInput) as fault:
        record(books, path, name="ada")
    assert queries.withdrawals(EVERYONE, books) == []
    return [str(problem).removeprefix(f"{path}, ") for problem in fault.value.problems]


def test_a_file_withdraws_many_recordings_at_once(catalogued: Books, tmp_path: Path) -> None:
    rows = (
        "r1,,takedown,2026-10-01,,a court's order\n"
        'r2,training,opt_out,2026-10-01,2026-12-01,"by choice, for now"\n'
    )

    receipt = record(catalogued, write(tmp_path, rows), name="ada")

    assert (receipt.rows, receipt.already) == ({"recordings": 2}, False)
    facts = {"kind": "takedown", "reason": "a court's order", "valid_from": DAY}
    assert queries.withdrawals(EVERYONE, catalogued) == [
        Withdrawal(recording="r1", use="training", **facts),
        Withdrawal(recording="r1", use="output", **facts),
        Withdrawal(
            recording="r2",
            use="training",
            kind="opt_out",
            reason="by choice, for now",
            valid_from=DAY,
            valid_to=date(2026, 12, 1),
        ),
    ]
    assert record(catalogued, write(tmp_path, rows), name="ada").already


def test_a_recording_may_be_named_by_its_isrc(catalogued: Books, tmp_path: Path) -> None:
    rows = "DE-A12-26-00001,,takedown,2026-10-01,,x\n"

    record(catalogued, write(tmp_path, rows), name="ada")

    assert {each.recording for each in queries.withdrawals(EVERYONE, catalogued)} == {"r1"}


def test_what_unknown_recordings_may_be_is_written_down_to_confirm(
    catalogued: Books, tmp_path: Path
) -> None:
    said = refused(catalogued, tmp_path, "harbour-lights,,takedown,2026-10-01,,x\n")

    assert any("1 guess to confirm" in each for each in said)
    [report] = (catalogued.home / "reports").iterdir()
    assert "recording,harbour-lights,r1" in report.read_text()


def test_every_fault_of_every_row_is_listed_and_nothing_is_recorded(
    catalogued: Books, tmp_path: Path
) -> None:
    rows = (
        "r1,,takedown,2026-10-01,,one\n"
        "r1,both,takedown,2026-10-01,,two\n"
        "r1,both,takedown,2026-10-01,,one\n"
        "r9,training,takedown,soon,2026-09-01,\n"
        "r2,output,opt_out,2026-10-01,2026-09-01,one\n"
        "r2,,opt_out,2026-10-01,,one\n"
        "r2,sale,opt-out,2026-10-01,,one\n"
        "r2\n"
    )

    assert refused(catalogued, tmp_path, rows) == [
        "row 3: row 2 says otherwise of the same use from that day",
        "row 5, from: 'soon' is not a day, such as 2026-10-01",
        "row 5, reason: is empty",
        "row 5, recording: there is no recording 'r9'",
        "row 5, use: a takedown is from both uses; opt_out is from one",
        "row 6, to: 2026-09-01 is before from, 2026-10-01",
        "row 7, use: is empty",
        "row 8, kind: 'opt-out' is none of takedown, opt_out",
        "row 8, use: 'sale' is none of training, output, both",
        "row 9: has 1 cells, the header 6",
    ]


def test_a_header_that_is_not_one_is_a_fault(catalogued: Books, tmp_path: Path) -> None:
    header = HEADER.replace("reason", "why")

    assert refused(catalogued, tmp_path, "", header) == [
        "row 1, reason: the column is missing",
        "row 1, why: is no column of this file: recording, use, kind, from, to, reason",
    ]
