import csv
import io
import json
from datetime import date
from pathlib import Path

from cli.workspace import Workspace
from db.books.ledger import post
from royalty.ledger import Posting, Transaction
from royalty.money import Money, parse_micros
from royalty.period import Period
from tests.cli.conftest import EXAMPLE

NOVEMBER = Period(2026, 11)


def test_a_statement_adds_up_to_what_the_payout_said(closed) -> None:
    document = json.loads(closed("payouts", "2026-10", "--json").out)
    owed = {p["id"]: p["amount"] for p in document["rules"]["pro_rata"]["payees"]}

    statement = json.loads(closed("statement", "bob", "2026-10", "--json").out)

    assert statement["closing"] == owed["bob"]
    assert sum(line["net"]["micros"] for line in statement["lines"]) == owed["bob"]["micros"]


def test_a_statement_of_an_open_month_says_to_close_it(example) -> None:
    ran = example("statement", "bob", "2026-10")

    assert ran.code == 3
    assert "tantieme close 2026-10" in ran.err


def test_exports_have_the_same_bytes_twice_and_every_line(closed, tmp_path: Path) -> None:
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path in paths:
        assert closed("export", "2026-10", "--format", "csv", "--output", path).code == 0
    one, two = (path.read_bytes() for path in paths)
    rows = list(csv.DictReader(io.StringIO(one.decode())))

    assert one == two
    assert sum(parse_micros(row["net"]) for row in rows) == 20_000_000


def test_an_export_has_what_only_moved_and_adds_up_to_the_accounts(closed, tmp_path: Path) -> None:
    sides = (("payable.bob", 7), ("reserve.bob", -7))
    kept = Transaction(
        kind="reserve",
        key="2026-11/reserve/bob",
        period=NOVEMBER,
        effective_on=date(2026, 11, 30),
        postings=tuple(Posting(account=each, amount=Money(n, "EUR")) for each, n in sides),
        memo="kept back",
    )
    post(Workspace(home=tmp_path / "home").books(), [kept])
    for noun, row in {"usage": "g1,app,DE,1", "revenue": "app,DE,EUR,10"}.items():
        header = (EXAMPLE / f"{noun}.csv").read_text(encoding="utf-8").splitlines()[0]
        path = tmp_path / f"{noun}.csv"
        path.write_text(f"{header}\n2026-11,listener-1,{row}\n", encoding="utf-8")
        assert closed(noun, "import", path).code == 0
    assert closed("close", "2026-11").code == 0
    path = tmp_path / "november.csv"

    closed("export", "2026-11", "--payee", "bob", "--format", "csv", "--output", path)
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    owed = json.loads(closed("statement", "bob", "2026-11", "--json").out)

    assert [row["kind"] for row in rows if not row["basis"]] == ["reserved"]
    moved = sum(parse_micros(row["net"]) for row in rows)
    assert moved == owed["closing"]["micros"] - owed["opening"]["micros"]
    assert {row["root"] for row in rows} == {owed["root"]}
    assert "kept back" in closed("statement", "bob", "2026-11").out
    assert closed("trail", rows[-1]["statement_id"] + "/" + rows[-1]["line_no"]).code == 0


def test_a_trail_walks_from_a_line_to_the_share_and_its_provider(closed) -> None:
    ran = closed("trail", "2026-10/bob/2", "--json")
    steps = [step["step"] for step in json.loads(ran.out)["steps"]]

    assert steps[:2] == ["line", "posting"]
    assert {"allocation", "share", "recording"} <= set(steps)


def test_a_trail_of_imported_shares_misses_no_evidence(closed) -> None:
    ran = closed("trail", "2026-10/bob/2")

    assert "file: none here: these shares were imported from 'example'" in ran.out
    assert "is not there" not in ran.out
    assert closed("verify").code == 0


def test_a_trail_of_nothing_is_refused(closed) -> None:
    assert closed("trail", "2026-10/bob/99").code == 3


def test_the_month_conserves_money_to_the_micro(closed) -> None:
    audit = json.loads(closed("audit", "2026-10", "--json").out)

    assert audit["holds"]
    assert audit["revenue"]["micros"] == 20_000_000
    assert audit["difference"]["micros"] == 0


def test_a_month_in_two_currencies_has_two_identities(closed, tmp_path: Path) -> None:
    sides = [("payable.bob", 5, "EUR"), ("exchange", -5, "EUR")]
    sides += [("exchange", 6, "USD"), ("cash", -6, "USD")]
    paid = Transaction(
        kind="payment",
        key="payment/2026-11/bob/1",
        period=NOVEMBER,
        effective_on=date(2026, 11, 3),
        postings=tuple(Posting(account=a, amount=Money(n, c)) for a, n, c in sides),
    )
    post(Workspace(home=tmp_path / "home").books(), [paid])

    audit = json.loads(closed("audit", "2026-11", "--json").out)
    printed = closed("audit", "2026-11").out

    assert [each["currency"] for each in audit["currencies"]] == ["EUR", "USD"]
    assert audit["holds"]
    assert [each["parts"]["exchanged"]["micros"] for each in audit["currencies"]] == [5, -6]
    assert "conservation of 2026-11 in USD" in printed


def test_verification_finds_a_changed_snapshot_and_ends_with_5(closed, tmp_path: Path) -> None:
    sound = closed("verify")
    snapshot = min((tmp_path / "home" / "snapshots").glob("*.parquet"))
    snapshot.write_bytes(snapshot.read_bytes()[:-1] + b"!")

    broken = closed("verify")

    assert sound.code == 0
    assert broken.code == 5
    assert snapshot.stem in broken.out
