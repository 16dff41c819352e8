"""The root that a closing prints, months in order, and what a kept root proves later."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Tantieme
from tests.cli.test_variance import two_months

__all__ = ["two_months"]


@pytest.fixture
def root(closed: Tantieme) -> str:
    """What is kept of October, as closing it again says."""
    printed = closed("close", "2026-10").out.split()
    assert printed[0] == "root"
    return printed[1]


def tamper(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as books:
        books.execute("drop trigger posting_update_never")
        books.execute("update posting set account = 'payable.eve' where account = 'payable.bob'")


def test_a_kept_root_names_its_month(closed: Tantieme, root: str) -> None:
    found = closed("verify", "--root", root.upper())
    document = json.loads(closed("verify", "--root", root, "--json").out)

    assert found.code == 0
    assert "2026-10 has that root: its money is what it was closed with." in found.out
    assert document == {"schema": 1, "root": root, "holds": True, "period": "2026-10"}
    assert closed("verify").code == 0
    assert closed("close", "2026-10").out == f"root {root}\n"


def test_a_kept_root_tells_of_postings_that_were_changed(
    closed: Tantieme, root: str, tmp_path: Path
) -> None:
    tamper(tmp_path)

    found, all_ = closed("verify", "--root", root), closed("verify")

    assert (found.code, all_.code) == (5, 5)
    assert "2026-10 was closed with that root; its money was changed since." in found.out
    assert f"period 2026-10 was closed with root {root}; it has root" in all_.out


def test_a_root_of_no_month_ends_with_5(closed: Tantieme, root: str) -> None:
    other = root[::-1]

    found = closed("verify", "--root", other)
    document = json.loads(closed("verify", "--root", other, "--json").out)

    assert found.code == 5
    assert f"No closed month has root {other}" in found.out
    assert document == {"schema": 1, "root": other, "holds": False, "period": None}


@pytest.mark.parametrize("root", ["", "abc", "g" * 64, "0" * 65])
def test_what_is_no_root_is_misuse(tantieme: Tantieme, root: str) -> None:
    ran = tantieme("verify", "--root", root)

    assert ran.code == 2
    assert "64 hexadecimal digits" in ran.err


def test_months_close_in_order(two_months: Tantieme) -> None:
    for dry in ((), ("--dry-run",)):
        early = two_months("close", "2026-11", *dry)
        assert early.code == 3
        assert "run 'tantieme close 2026-10' first" in early.err
    assert two_months("close", "2026-10").code == 0
    assert two_months("close", "2026-11").code == 0

    late = two_months("close", "2026-09", "--dry-run")

    assert late.code == 3
    assert "period 2026-11 is closed, and months close in order" in late.err
