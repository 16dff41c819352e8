import csv
import io
import json
from itertools import groupby
from pathlib import Path

import pytest

from cli.jobs import exporting
from cli.reports import FORMATS, REPORTS
from royalty.money import parse_micros
from tests.cli.conftest import EXAMPLE

PAYEES = ("ann", "bob", "cy")


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def written(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "home" / "reports" / "2026-10"


@pytest.mark.parametrize(("report", "format_"), sorted(exporting.DOCUMENTS))
def test_every_document_is_written_and_has_the_same_bytes_twice(
    closed, reports: Path, report: str, format_: str
) -> None:
    payee = ("--payee", "ann") if (report, format_) in exporting.OF_ONE else ()
    command = ("export", "2026-10", "--report", report, "--format", format_, *payee)

    first = closed(*command)
    once = written(reports)
    again = closed(*command)

    assert (first.code, again.code) == (0, 0), first.err
    assert once == written(reports)
    assert once
    assert all(once.values())
    assert not [name for name in once if name.endswith(".part")]


def test_the_choices_are_the_documents_and_no_others() -> None:
    assert {report for report, _ in exporting.DOCUMENTS} == set(REPORTS)
    assert {format_ for _, format_ in exporting.DOCUMENTS} == set(FORMATS)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--report", "pools", "--format", "rdr"), "not written as rdr, but as csv, json"),
        (("--report", "suspense", "--format", "csv", "--payee", "ann"), "of all payees together"),
        (("--format", "evidence"), "name one with --payee"),
    ],
)
def test_a_document_that_is_none_is_refused_with_what_there_is(
    closed, reports: Path, options: tuple[str, ...], why: str
) -> None:
    ran = closed("export", "2026-10", *options)

    assert ran.code == 2
    assert why in ran.err
    assert not reports.exists()


@pytest.mark.parametrize("format_", ["csv", "pdf", "rdr"])
def test_a_dry_run_names_the_file_and_writes_nothing(closed, reports: Path, format_: str) -> None:
    ran = closed("export", "2026-10", "--format", format_, "--dry-run")

    named = {"csv": reports / "statements.csv", "pdf": f"3 files in {reports / 'pdf'}"}
    assert f"{named.get(format_, '6 files in')}" in ran.err
    assert "would be written; nothing was." in ran.err
    assert not reports.exists()


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_an_open_month_and_an_unknown_payee_are_refused(closed, dry: tuple[str, ...]) -> None:
    of_open = closed("export", "2026-11", "--report", "pools", "--format", "csv", *dry)
    of_nobody = closed("export", "2026-10", "--payee", "nix", "--format", "pdf", *dry)

    assert (of_open.code, of_nobody.code) == (3, 3)
    assert "tantieme close 2026-11" in of_open.err
    assert "no payee 'nix'" in of_nobody.err


def test_many_files_go_into_the_folder_that_was_named_and_one_is_the_file(
    closed, tmp_path: Path
) -> None:
    closed("export", "2026-10", "--format", "rdr", "--payee", "ann", "--output", tmp_path / "out")
    closed("export", "2026-10", "--format", "pdf", "--payee", "ann", "--output", tmp_path / "a.pdf")

    closed(
        "export", "2026-10", "--report", "pools", "--format", "csv", "--output", tmp_path / "out"
    )

    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["ann.details.tsv", "ann.summary.tsv", "pools.csv"]
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_every_micro_of_every_pool_is_accounted_for(closed, reports: Path) -> None:
    closed("export", "2026-10", "--report", "pools", "--format", "csv")

    *pools, whole = read(reports / "pools.csv")
    assert [row["difference"] for row in (*pools, whole)] == ["0.000000", "0.000000"]
    assert whole["revenue"] == whole["payees"] == "20.000000"
    assert (pools[0]["pool"], pools[0]["unattributed"]) == ("2026-10/app/DE/EUR", "4.300000")


def test_money_that_came_in_another_currency_is_reconciled_at_its_rate(
    example, tmp_path: Path
) -> None:
    files = {
        "revenue": "period,listener,source,territory,currency,net\n2026-10,u3,app,US,USD,10\n",
        "usage": "period,listener,track,source,territory,plays\n2026-10,u3,g3,app,US,4\n",
        "fx": "day,base,quote,rate\n2026-10-30,USD,EUR,0.9\n",
    }
    settings = tmp_path / "home" / "workspace.toml"
    settings.write_text(settings.read_text().replace('currency = ""', 'currency = "EUR"'))
    for what, text in files.items():
        (tmp_path / f"{what}.csv").write_text(text)
        assert example(what, "import", tmp_path / f"{what}.csv").code == 0
    assert example("close", "2026-10").code == 0
    example("export", "2026-10", "--report", "pools", "--format", "csv", "--output", tmp_path / "p")

    _, dollars, whole = read(tmp_path / "p")

    assert (dollars["came"], dollars["came_currency"]) == ("10.000000", "USD")
    assert (dollars["revenue"], dollars["currency"]) == ("9.000000", "EUR")
    assert dollars["fx_rate_id"] == "2026-10-30/USD/EUR"
    assert (dollars["difference"], whole["difference"]) == ("0.000000", "0.000000")
    assert (whole["came"], whole["revenue"]) == ("", "29.000000")


def test_an_account_ends_where_the_statement_does(closed, reports: Path) -> None:
    assert closed("pay", "2026-10", "--payee", "bob", "--on", "2026-11-20").code == 0
    for noun, row in {"usage": "g1,app,DE,1", "revenue": "app,DE,EUR,10"}.items():
        header = (EXAMPLE / f"{noun}.csv").read_text(encoding="utf-8").splitlines()[0]
        path = reports.parent / f"{noun}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{header}\n2026-11,listener-1,{row}\n", encoding="utf-8")
        assert closed(noun, "import", path).code == 0
    assert closed("close", "2026-11").code == 0

    closed("export", "2026-11", "--report", "account", "--format", "csv")
    rows = read(reports.parent / "2026-11" / "account.csv")

    for payee, mine in groupby(rows, lambda row: row["payee"]):
        last = list(mine)[-1]
        owed = json.loads(closed("statement", payee, "2026-11", "--json").out)
        assert parse_micros(last["balance"]) == owed["closing"]["micros"]
    whats = [row["what"] for row in rows if row["payee"] == "bob"]
    assert whats == ["earnings", "payment", "earnings"]
    closed("export", "2026-11", "--report", "account", "--payee", "bob", "--format", "csv")
    alone = read(reports.parent / "2026-11" / "account-bob.csv")
    assert alone == [row for row in rows if row["payee"] == "bob"]


def test_the_payment_file_is_the_one_that_paying_wrote(closed, reports: Path) -> None:
    assert closed("pay", "2026-10", "--on", "2026-11-20").code == 0
    paid = (reports / "payments.csv").read_bytes()
    assert b"7.93" in paid

    closed("export", "2026-10", "--report", "payments", "--format", "csv")
    closed("export", "2026-10", "--report", "payments", "--format", "json")

    assert (reports / "payments.csv").read_bytes() == paid
    rows = json.loads((reports / "payments.json").read_bytes())["rows"]
    assert [row["payee"] for row in rows] == list(PAYEES)


def test_rules_are_compared_with_the_one_that_closed_the_month(closed, reports: Path) -> None:
    closed("export", "2026-10", "--report", "rules", "--format", "csv")
    rows = read(reports / "rules.csv")
    compared = json.loads(closed("payouts", "2026-10", "--json", "--rule", "user-centric").out)
    owed = {p["id"]: p["amount"]["micros"] for p in compared["rules"]["user_centric"]["payees"]}

    by = {(row["rule"], row["payee"]): row for row in rows}
    assert rows[0]["rule"] == "pro_rata"
    for payee in PAYEES:
        one, other = by["pro_rata", payee], by["user_centric", payee]
        difference = parse_micros(other["amount"]) - parse_micros(one["amount"])
        assert parse_micros(other["amount"]) == owed[payee]
        assert parse_micros(other["difference"]) == difference
        assert parse_micros(other["difference_low"]) <= difference
        assert difference <= parse_micros(other["difference_high"])
    assert by["user_centric", ""]["moved"] == "2.277777"
    assert float(by["user_centric", ""]["gini"]) < float(by["pro_rata", ""]["gini"])


def test_what_waits_is_aged_on_the_last_day_of_the_month(closed, reports: Path) -> None:
    closed("hold", "bob", "--amount", "1.00", "--reason", "whose is it?", "--as", "kim")

    closed("export", "2026-10", "--report", "suspense", "--format", "json")

    document = json.loads((reports / "suspense.json").read_bytes())
    assert document["title"] == "Suspense by age on 2026-10-31"
    assert document["rows"] == []


@pytest.mark.parametrize("format_", ["csv", "pdf", "evidence"])
def test_a_place_that_is_no_folder_is_refused_in_words(
    closed, tmp_path: Path, format_: str
) -> None:
    (tmp_path / "file").write_text("kept")

    ran = closed(
        "export", "2026-10", "--payee", "bob", "--format", format_,
        "--output", tmp_path / "file" / "bob.out",
    )  # fmt: skip

    assert ran.code == 3
    assert "cannot be written" in ran.err
    assert (tmp_path / "file").read_text() == "kept"
