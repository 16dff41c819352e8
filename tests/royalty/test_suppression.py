from dataclasses import replace

from royalty.money import Money
from royalty.statement import Line
from royalty.suppression import few_listeners, suppress

EUROS = Money(0, "EUR")
LINE = Line(
    kind="attributed", pool="de", pool_amount=EUROS, source="app", territory="DE", track="t1",
    recording="r1", work="w1", party="ann", right="master", plays=40, share_ppb=1, low_ppb=1,
    high_ppb=1, interest_ppm=1, gross=EUROS, deductions=EUROS, net=EUROS, low=EUROS, high=EUROS,
    rule="pro_rata", track_plays=43,
)  # fmt: skip


def test_a_cell_is_small_below_k_and_not_at_k() -> None:
    counted = {("t1", "de"): 5, ("t1", "fr"): 4, ("t2", "de"): 1}

    assert few_listeners(counted, 5) == {("t1", "fr"), ("t2", "de")}
    assert few_listeners(counted, 1) == frozenset()


def test_plays_of_few_are_left_out_and_so_is_the_sum_that_would_give_them_away() -> None:
    lines = [LINE, replace(LINE, pool="fr", plays=3), replace(LINE, track="t2", track_plays=40)]

    told = suppress(lines, frozenset({("t1", "fr")}))

    assert [(line.plays, line.track_plays) for line in told] == [(40, None), (None, None), (40, 40)]
    assert [line.net for line in told] == [line.net for line in lines]


def test_the_same_cell_is_left_out_of_every_line_of_it() -> None:
    several = [LINE, replace(LINE, recording="r2"), replace(LINE, party="bob")]

    assert {line.plays for line in suppress(several, frozenset({("t1", "de")}))} == {None}
