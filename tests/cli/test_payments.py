import csv
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from cli.jobs import paying
from cli.main import main
from db.books import payments
from tests.cli.conftest import Ran, Tantieme

FILES = {
    "catalogue/recordings.csv": (
        "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\nr1,,One,ann,,,,,\n"
    ),
    "catalogue/parties.csv": "id,name,kind,ipi,isni,payee\nann,=Ann,artist,,,\n",
    "catalogue/interests.csv": (
        "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n"
        "recording,r1,master,ann,1000000,,,\n"
    ),
    "shares.csv": (
        "track,recording,share_ppb,low_ppb,high_ppb,provider\ng1,r1,1000000000,,,example\n"
    ),
    "usage.csv": "period,listener,track,source,territory,plays\n2026-10,u1,g1,app,DE,8\n",
    "revenue.csv": (
        "period,listener,source,territory,currency,net\n2026-10,u1,app,DE,EUR,200.00\n"
    ),
    "rates.csv": "day,base,quote,rate\n2026-11-02,EUR,USD,0.92\n",
}
TERMS = (
    "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
    "valid_from,valid_to\nann,1000000,120.00,100000,{minimum},300000,{currency},,\n"
)
DAY = ("--on", "2026-11-20")
ID = "2026-11/ann/1"

World = Callable[..., Tantieme]


@pytest.fixture(autouse=True)
def _at_the_end_of_november(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, date(2026, 11, 30))


def set_clock(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    for module in (paying, payments):
        monkeypatch.setattr(module, "today", lambda: day)


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October closed, made once: ann earned 200.00; 10 % are kept back and 120.00 recouped."""
    folder = tmp_path_factory.mktemp("october")
    steps = [["init"], ["catalogue", "import", folder / "catalogue"]]
    steps += [[kind, "import", folder / f"{kind}.csv"] for kind in ("shares", "usage", "revenue")]
    write(folder, minimum="40.00", currency="EUR")
    for step in [*steps, ["close", "2026-10"]]:
        assert main(["--home", str(folder / "home"), *map(str, step)]) == 0
    return folder


@pytest.fixture
def oracle_r(october: Path, tantieme: Tantieme, tmp_path: Path) -> World:
    """What October left payable, 60.00, is to be paid by these terms."""
    shutil.copytree(october, tmp_path, dirs_exist_ok=True)

    def agreed(*, minimum: str = "40.00", currency: str = "EUR") -> Tantieme:
        write(tmp_path, minimum=minimum, currency=currency)
        ran = tantieme("catalogue", "import", tmp_path / "catalogue")
        assert ran.code == 0, ran.err
        return tantieme

    return agreed


def write(folder: Path, *, minimum: str, currency: str) -> None:
    terms = TERMS.format(minimum=minimum, currency=currency)
    for name, text in {**FILES, "catalogue/terms.csv": terms}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def pay(tantieme: Tantieme, *more: str) -> Ran:
    ran = tantieme("pay", "2026-10", *DAY, "--as", "Mara", *more)
    assert ran.code == 0, ran.err
    return ran


def payment_file(tmp_path: Path) -> bytes:
    return (tmp_path / "home" / "reports" / "2026-10" / "payments.csv").read_bytes()


def listed(tantieme: Tantieme) -> list[dict[str, object]]:
    return json.loads(tantieme("payment", "list", "--json").out)["payments"]


def test_oracle_r_under_a_minimum_of_50_all_is_carried(oracle_r: World, tmp_path: Path) -> None:
    tantieme = oracle_r(minimum="50.00")

    document = json.loads(pay(tantieme, "--json").out)

    assert document["payments"] == []
    assert document["carried"] == [
        {
            "payee": "ann",
            "name": "=Ann",
            "balance": {"micros": 60_000_000, "currency": "EUR"},
            "why": "€42.00 after tax is under the minimum payment of €50.00",
        }
    ]
    assert listed(tantieme) == []
    assert payment_file(tmp_path) == b"payment,payee,name,currency,amount,reference\n"


def test_oracle_r_over_a_minimum_of_40_42_is_paid_once(oracle_r: World, tmp_path: Path) -> None:
    tantieme = oracle_r()

    first = pay(tantieme)
    written = payment_file(tmp_path)
    again = pay(tantieme)

    heading, row = (line.split() for line in first.out.splitlines())
    assert heading == ["payee", "gross", "withheld", "paid", "payment"]
    assert row == ["ann", "€60.00", "€18.00", "€42.00", ID]
    assert "1 payment made on 2026-11-20, in the books of 2026-11" in first.err
    assert "No payments made" in again.err
    assert payment_file(tmp_path) == written
    assert list(csv.DictReader(written.decode().splitlines())) == [
        {
            "payment": ID,
            "payee": "ann",
            "name": "'=Ann",
            "currency": "EUR",
            "amount": "42.00",
            "reference": f"royalties {ID}",
        }
    ]


def test_oracle_r_in_dollars_38_64_at_the_latest_rate(oracle_r: World, tmp_path: Path) -> None:
    tantieme = oracle_r(currency="USD")

    without = pay(tantieme)
    tantieme("fx", "import", tmp_path / "rates.csv")
    document = json.loads(pay(tantieme, "--json").out)

    assert "there is no rate from EUR to USD on or before the day" in " ".join(without.out.split())
    [paid] = document["payments"]
    assert paid["gross"] == {"micros": 60_000_000, "currency": "EUR"}
    assert paid["paid"] == {"micros": 38_640_000, "currency": "USD"}
    assert paid["fx_rate"] == "2026-11-02/EUR/USD"
    assert b"USD,38.64," in payment_file(tmp_path)
    assert pay(tantieme).out == ""


def test_a_dry_run_says_the_same_and_pays_nothing(oracle_r: World, tmp_path: Path) -> None:
    tantieme = oracle_r()

    dry = pay(tantieme, "--dry-run", "--json")

    assert not (tmp_path / "home" / "reports").exists()
    assert listed(tantieme) == []
    assert pay(tantieme, "--json").out == dry.out.replace('"dry_run": true', '"dry_run": false')


def test_a_failed_payment_leaves_the_file_and_is_paid_anew(oracle_r: World, tmp_path: Path) -> None:
    tantieme = oracle_r()
    pay(tantieme)

    failed = tantieme("payment", "fail", ID, "--note", "account closed", "--as", "Mo")
    again = json.loads(pay(tantieme, "--json").out)

    assert "Payment 2026-11/ann/1 is failed; it is payable again." in failed.err
    assert [each["id"] for each in again["payments"]] == ["2026-11/ann/2"]
    assert payment_file(tmp_path).decode().count("\n") == 2
    assert [(each["id"], each["state"]) for each in listed(tantieme)] == [
        (ID, "failed"),
        ("2026-11/ann/2", "sent"),
    ]


def test_a_payment_is_confirmed_then_returned(oracle_r: World) -> None:
    tantieme = oracle_r()
    pay(tantieme)

    early = tantieme("payment", "return", ID)
    confirmed = tantieme("payment", "confirm", ID, "--on", "2026-11-23")
    twice = tantieme("payment", "confirm", ID)
    dry = tantieme("payment", "return", ID, "--dry-run")
    before = listed(tantieme)
    returned = tantieme("payment", "return", ID, "--on", "2026-11-30")

    assert (early.code, confirmed.code, twice.code, dry.code, returned.code) == (3, 0, 0, 0, 0)
    assert "cannot be returned: the bank has not said anything of it yet" in early.err
    assert "is confirmed already; nothing changed" in twice.err
    assert "would be returned" in dry.err
    assert [each["state"] for each in before] == ["confirmed"]
    assert listed(tantieme)[0]["events"] == [
        {"event": "confirmed", "day": "2026-11-23", "note": ""},
        {"event": "returned", "day": "2026-11-30", "note": ""},
    ]


def test_only_the_payees_asked_for_are_paid(oracle_r: World) -> None:
    tantieme = oracle_r()

    unknown = tantieme("pay", "2026-10", "--payee", "nobody", *DAY)

    assert unknown.code == 3
    assert "there is no payee 'nobody'" in unknown.err
    assert len(json.loads(pay(tantieme, "--payee", "ann", "--json").out)["payments"]) == 1


def test_an_open_month_and_a_day_in_a_closed_one_are_refused(oracle_r: World) -> None:
    tantieme = oracle_r()

    open_month = tantieme("pay", "2026-11")
    closed_day = tantieme("pay", "2026-10", "--on", "2026-10-31")

    assert (open_month.code, closed_day.code) == (3, 3)
    assert "period 2026-11 is not closed; run 'tantieme close 2026-11'" in open_month.err
    assert "2026-10-31 is in a closed month; pay on 2026-11-01 or later" in closed_day.err


def test_a_month_closed_early_is_paid_on_the_first_day_of_the_next_and_it_is_said(
    oracle_r: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tantieme = oracle_r()
    ahead = "2026-11 has not begun: what is paid in its books is dated its first day"
    assert ahead not in tantieme("pay", "2026-10", "--dry-run").err

    set_clock(monkeypatch, date(2026, 10, 25))
    early = tantieme("pay", "2026-10", "--as", "Mara")
    late = tantieme("payment", "confirm", ID, "--on", "2026-11-02")
    confirmed = tantieme("payment", "confirm", ID)

    assert "1 payment made on 2026-11-01, in the books of 2026-11" in early.err
    assert ahead in early.err
    assert (late.code, "2026-11-02 has not come: today is 2026-10-25" in late.err) == (3, True)
    assert confirmed.code == 0


def test_killed_before_the_file_is_written_it_is_written_by_the_next_run(
    oracle_r: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tantieme = oracle_r()

    def killed(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(paying, "payments_csv", killed)
        assert tantieme("pay", "2026-10", *DAY).code == 130
    assert len(listed(tantieme)) == 1

    pay(tantieme)

    assert len(listed(tantieme)) == 1
    assert payment_file(tmp_path).decode().count(ID) == 2
