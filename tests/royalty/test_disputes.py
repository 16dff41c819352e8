from royalty.disputes import LARGEST, Found, by_exact, found_in, read_summary, side_by_side
from royalty.money import Money
from royalty.shares import Share
from royalty.statement import Line


def line(recording: str = "r1", share_ppb: int = 600_000_000) -> Line:
    """One line of a statement, of ten euros."""
    money = Money(10_000_000, "EUR")
    return Line(
        id="2026-10/ann/1",
        kind="attributed",
        pool="2026-10/app/DE/EUR",
        pool_amount=money,
        source="app",
        territory="DE",
        track="t1" if share_ppb else "",
        recording=recording,
        work="w1",
        party="ann",
        right="master",
        plays=1,
        share_ppb=share_ppb,
        low_ppb=share_ppb,
        high_ppb=share_ppb,
        interest_ppm=1_000_000,
        gross=money,
        deductions=Money(0, "EUR"),
        net=money,
        low=money,
        high=money,
        rule="pro_rata",
    )


def share(recording: str | None, ppb: int, spread: int = 0) -> Share:
    return Share(recording=recording, ppb=ppb, low_ppb=ppb - spread, high_ppb=ppb + spread)


def found(*shares: Share, method: str = "default-2") -> Found:
    rest = 10**9 - sum(each.ppb for each in shares)
    return Found(method=method, mapping="gated-1", index="i1", shares=(*shares, share(None, rest)))


PAID = found(share("r1", 600_000_000, 100), share("r2", 100_000_000))
EXACT = found(share("r1", 300_000_000, 50), share("r3", 500_000_000), method="ekfac-2")


def test_what_was_found_is_read_back_from_what_was_written() -> None:
    assert read_summary(PAID.summary) == PAID
    assert read_summary(EXACT.summary).unattributed == share(None, 200_000_000)


def test_an_evidence_file_is_read_with_all_its_shares() -> None:
    row = {"share_ppb": 7, "low_ppb": 6, "high_ppb": 8}
    document = {
        "method": "ekfac-2",
        "mapping": "gated-1",
        "index": "i1",
        "works": [],
        "recordings": [{"id": "r1", "name": "Title", "artist": "Ann", **row}],
        "unattributed": row,
    }

    read = found_in(document)

    assert read.shares == (
        Share(recording="r1", ppb=7, low_ppb=6, high_ppb=8),
        Share(recording=None, ppb=7, low_ppb=6, high_ppb=8),
    )


def test_what_is_disputed_stands_first_beside_the_largest_of_both() -> None:
    rows = side_by_side(PAID, EXACT, ["r2"])

    assert [(row.recording, row.disputed) for row in rows] == [
        ("r2", True),
        ("r1", False),
        ("r3", False),
    ]
    assert [(row.paid.ppb, row.exact.ppb) for row in rows] == [
        (100_000_000, 0),
        (600_000_000, 300_000_000),
        (0, 500_000_000),
    ]


def test_a_recording_that_neither_names_is_shown_where_it_is_disputed() -> None:
    [first, *_] = side_by_side(PAID, EXACT, ["r9"])

    assert (first.recording, first.paid.high_ppb, first.exact.high_ppb) == ("r9", 0, 0)


def test_only_the_largest_stand_beside() -> None:
    many = found(*(share(f"r{n}", 10_000_000 - n) for n in range(2 * LARGEST)))

    assert [row.recording for row in side_by_side(many, many, [])] == [
        f"r{n}" for n in range(LARGEST)
    ]


def test_a_line_follows_the_exact_share_in_proportion() -> None:
    [restated] = by_exact([line()], EXACT)

    assert restated.exact == Money(5_000_000, "EUR")
    assert (restated.low.micros, restated.high.micros) == (4_999_999, 5_000_000)
    assert (restated.line, restated.net) == ("2026-10/ann/1", Money(10_000_000, "EUR"))


def test_a_line_of_what_is_exactly_nothing_comes_to_nothing() -> None:
    [restated] = by_exact([line("r2", 100_000_000)], EXACT)

    assert restated.exact.micros == restated.high.micros == 0


def test_unattributed_lines_follow_no_share() -> None:
    assert by_exact([line(share_ppb=0)], EXACT) == []
