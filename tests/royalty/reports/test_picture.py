from dataclasses import replace

import pytest

from royalty.money import Money, total
from royalty.reports.picture import by_recording, by_track
from royalty.statement import Line, Statement, make_statement
from tests.royalty.statements import heading, statement


def line(track: str, recording: str, micros: int, **more: object) -> Line:
    net = Money(micros, "EUR")
    same = {"gross": net, "deductions": net - net, "net": net, "low": net - net, "high": net + net}
    names = {"title": f"Title of {recording}", "artist": "Ann", "track_plays": 7}
    facts = {"track": track, "recording": recording, **names, **same, **more}
    return replace(statement().lines[0], **facts)


def of(*lines: Line) -> Statement:
    said = heading(sum(line.net.micros for line in lines), payee_name="Ann")
    return make_statement(said, lines)


DRAWN = of(
    line("g1", "r1", 40),
    line("g2", "r1", 5, right="publishing"),
    line("g1", "r2", 30, artist="Bob"),
    line("g1", "r3", 20),
    line("g1", "r4", 10),
    line("", "r1", 7, kind="unattributed"),
)


def test_the_largest_come_first_then_the_others_then_what_was_divided_equally() -> None:
    bars = by_recording(DRAWN, top=2)

    assert [(bar.label, bar.net.micros, bar.kind) for bar in bars] == [
        ("Title of r1", 45, "named"),
        ("Title of r2, Bob", 30, "named"),
        ("2 more, together", 30, "others"),
        ("divided equally among works", 7, "equal"),
    ]


def test_a_track_has_its_plays() -> None:
    assert [(bar.label, bar.net.micros) for bar in by_track(DRAWN, top=1)] == [
        ("g1, 7 plays", 100),
        ("1 more, together", 5),
        ("divided equally among works", 7),
    ]


@pytest.mark.parametrize("bars", [by_recording, by_track])
@pytest.mark.parametrize("drawn", [DRAWN, statement()])
def test_all_bars_add_up_to_what_was_earned_and_its_interval(bars, drawn) -> None:
    for name, wanted in (("net", drawn.earned), ("low", drawn.low), ("high", drawn.high)):
        assert total((getattr(bar, name) for bar in bars(drawn, top=1)), "EUR") == wanted


def test_a_recording_without_a_title_goes_by_its_id() -> None:
    (bar,) = by_recording(of(line("g1", "r1", 1, title="", artist="")))

    assert bar.label == "r1"
