from dataclasses import replace

import pytest

from cli.statements import LINES_MAX, print_statement
from royalty.money import Money
from royalty.statement import Line, Statement, make_statement
from tests.royalty.statements import heading, movement, statement


def printed(drawn: Statement, capsys: pytest.CaptureFixture[str]) -> str:
    print_statement(drawn)
    return capsys.readouterr().out


def rows(out: str) -> dict[str, str]:
    """The sum's rows: what they are called, and their last word."""
    return {line[:20].strip(): line.split()[-1] for line in out.splitlines() if line.strip()}


def test_opening_becomes_closing_by_rows_that_add_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawn = statement()

    found = rows(printed(drawn, capsys))

    assert found["opening"] == "€5.00"
    assert found["earned"] == str(drawn.earned)
    assert found["platform's part"] == str(drawn.deductions)
    assert (found["net, master"], found["net, publishing"]) == tuple(
        map(str, drawn.net_by_right.values())
    )
    assert (found["held"], found["released"]) == ("-€0.000005", "€0.000002")
    assert (found["paid"], found["closing"]) == ("-€0.000013", str(drawn.closing))


def test_movements_notes_and_the_root_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(statement(), capsys)

    assert "Usage of 2026-09, 2026-10; booked in 2026-10; closed at 2026-11-02T08:00:00Z" in out
    assert "correction, of 2026-09" in out
    assert "2026-09/allocation/2026-09/app/DE/EUR" in out
    assert "- 'Title of r2' (r2) earned nothing: its licence ended." in out
    assert f"root {'ab' * 32}\nKeep the root: 'tantieme verify --root ROOT'" in out


def test_a_statement_without_a_root_names_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert "root" not in printed(replace(statement(), root=None), capsys)


def test_a_few_lines_are_all_printed(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = statement(moved=[])

    out = printed(drawn, capsys)

    assert out.count("app DE") == len(drawn.lines)
    assert "export" not in out
    assert "'tantieme trail 2026-10/agency/#'" in out


def many() -> list[Line]:
    """More lines than are printed, each with a net of its own, and four that terms divided."""
    modelled, *_ = (line for line in statement().lines if line.basis == "modelled")
    equal, *_ = (line for line in statement().lines if line.basis == "terms")

    def worth(line: Line, micros: int) -> Line:
        net = Money(micros, "EUR")
        none = Money(0, "EUR")
        return replace(line, gross=net, deductions=none, net=net, low=net, high=net)

    tracks = [worth(modelled, 1000 * n) for n in range(1, LINES_MAX + 3)]
    return [*tracks, *(worth(equal, n) for n in (5, 6, 7, 8))]


def test_of_many_lines_the_largest_are_printed_and_the_rest_is_summed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = many()
    micros = sum(line.net.micros for line in lines)

    out = printed(make_statement(heading(micros), lines), capsys)

    assert f"the largest {LINES_MAX} of {LINES_MAX + 2} lines" in out
    assert "€0.042000" in out
    assert "€0.002000" not in out
    assert out.count("modelled") == LINES_MAX + 1  # and once where the word is explained
    assert "and 2 more, €0.003000 together" in out
    assert "€0.000026" in out  # the four that were divided equally
    assert "'tantieme export 2026-10 --payee agency --format csv' writes all 46 lines." in out


def test_an_account_that_only_moved_says_that_nothing_was_earned(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = printed(make_statement(heading(-5), [], [movement("paid", -5)]), capsys)

    assert "Nothing was earned in this month." in out
    assert "By its shares' intervals" not in out


def test_an_interval_of_one_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_statement(statement(), one_run=True)

    assert "By its shares' intervals, within one run, earned lies" in capsys.readouterr().out
    assert "within one run" not in printed(statement(), capsys)
