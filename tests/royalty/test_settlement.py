from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from royalty.ledger import Transaction
from royalty.money import Money
from royalty.period import Period
from royalty.settlement import Earnings, Settlement, Standing, agreements_on, by_kind, settle
from royalty.terms import Terms

OCTOBER = Period(2026, 10)
NONE = Standing(advanced={}, unrecouped={}, reserves=())
ANN = ("ann", "ann")
R = Terms(party="ann", reserve_ppm=100_000, advance_micros=120_000_000)


def earned(micros: Mapping[tuple[str, str], int], period: Period = OCTOBER) -> Earnings:
    return Earnings(period=period, currency="EUR", micros=micros)


def moved(transactions: Sequence[Transaction]) -> dict[str, int]:
    """Sum postings by account: debits positive."""
    sums: defaultdict[str, int] = defaultdict(int)
    for each in transactions:
        for posting in each.postings:
            sums[posting.account] += posting.amount.micros
    return dict(sums)


def standing_after(transactions: Sequence[Transaction]) -> Standing:
    """What the books would hold after these transactions."""
    advanced, unrecouped = defaultdict(int), defaultdict(int)
    for each in transactions:
        for posting in each.postings:
            if posting.account.startswith("advance.unrecouped."):
                name = posting.account.removeprefix("advance.unrecouped.")
                unrecouped[name] += posting.amount.micros
                if each.kind == "advance":
                    advanced[each.key.rpartition("/")[2]] += posting.amount.micros
    undone = {each.reverses for each in transactions}
    reserves = [each for each in transactions if each.kind == "reserve" and each.key not in undone]
    return Standing(advanced=advanced, unrecouped=unrecouped, reserves=reserves)


def test_oracle_r_200_earned_20_kept_120_recouped_60_payable() -> None:
    posted = settle(earned({ANN: 200_000_000}), [R], NONE)

    assert [each.key for each in posted] == [
        "2026-10/advance/ann",
        "2026-10/reserve/ann",
        "2026-10/recoupment/ann",
    ]
    assert {each.effective_on for each in posted} == {date(2026, 10, 31)}
    assert moved(posted) == {
        "cash": -120_000_000,
        "advance.unrecouped.ann": 0,
        "reserve.ann": -20_000_000,
        "payable.ann": 140_000_000,  # a debit: of the 200.00 earned, 60.00 stay payable
    }


def test_what_settles_a_month_is_summed_by_kind_in_its_order() -> None:
    october = settle(earned({ANN: 200_000_000}), [R], NONE)
    standing = standing_after(october)
    november = settle(
        earned({ANN: 10, ("bob", "bob"): 20}, Period(2027, 10)),
        [R, replace(R, party="bob", advance_micros=0)],
        standing,
    )

    assert by_kind([]) == []
    assert [(each.kind, each.amount.micros) for each in by_kind(october)] == [
        ("advance", 120_000_000),
        ("reserve", 20_000_000),
        ("recoupment", 120_000_000),
    ]
    assert by_kind(november) == [
        Settlement(kind="reversal", transactions=1, amount=Money(20_000_000, "EUR")),
        Settlement(kind="reserve", transactions=2, amount=Money(3, "EUR")),
    ]


def test_what_an_advance_leaves_is_recouped_in_the_months_after_and_never_twice() -> None:
    agreement = replace(R, reserve_ppm=0)
    first = settle(earned({ANN: 50_000_000}), [agreement], NONE)
    second = settle(
        earned({ANN: 100_000_000}, Period(2026, 11)), [agreement], standing_after(first)
    )
    third = settle(
        earned({ANN: 100_000_000}, Period(2026, 12)),
        [agreement],
        standing_after([*first, *second]),
    )

    assert moved(first)["payable.ann"] == 50_000_000
    assert [each.key for each in second] == ["2026-11/recoupment/ann"]
    assert moved(second)["payable.ann"] == 70_000_000
    assert third == []


def test_an_advance_is_paid_out_in_the_month_in_which_its_agreement_begins() -> None:
    later = replace(R, valid_from=date(2026, 10, 31))

    assert settle(earned({}, Period(2026, 9)), [later], NONE) == []
    assert [each.kind for each in settle(earned({}), [later], NONE)] == ["advance"]


def test_only_what_a_renewed_agreement_adds_is_paid_out_again() -> None:
    ended = replace(R, valid_to=date(2026, 10, 1))
    renewed = replace(R, valid_from=date(2026, 10, 1), advance_micros=30_000_000)
    before = Standing(advanced={"ann": 120_000_000}, unrecouped={}, reserves=())

    [advance] = settle(earned({}), [ended, renewed], before)

    assert moved([advance]) == {"cash": -30_000_000, "advance.unrecouped.ann": 30_000_000}


def test_an_advance_that_was_lowered_takes_nothing_back() -> None:
    before = Standing(advanced={"ann": 200_000_000}, unrecouped={"ann": 0}, reserves=())

    assert settle(earned({}), [R], before) == []


def test_parties_of_one_name_recoup_together_in_order_of_party() -> None:
    """By hand: 100 are owed; ann has 40 - 4 kept back = 36, bea 80; bea gives the other 64."""
    shared = [
        Terms(party="bea", recoupment="duo", advance_micros=30_000_000),
        Terms(party="ann", recoupment="duo", advance_micros=70_000_000, reserve_ppm=100_000),
    ]
    month = earned({("bea", "lab"): 80_000_000, ANN: 40_000_000})

    posted = settle(month, shared, NONE)

    assert [each.key for each in posted] == [
        "2026-10/advance/ann",
        "2026-10/advance/bea",
        "2026-10/reserve/ann",
        "2026-10/recoupment/ann",
        "2026-10/recoupment/bea",
    ]
    assert moved(posted) == {
        "cash": -100_000_000,
        "advance.unrecouped.duo": 0,
        "reserve.ann": -4_000_000,
        "payable.ann": 40_000_000,
        "payable.lab": 64_000_000,
    }


def test_a_party_that_two_payees_were_paid_for_has_one_transaction_of_a_kind() -> None:
    agreement = replace(R, advance_micros=15_000_000)
    posted = settle(earned({ANN: 10_000_000, ("ann", "lab"): 20_000_000}), [agreement], NONE)

    _, reserve, recoupment = posted

    assert moved([reserve]) == {
        "payable.ann": 1_000_000,
        "reserve.ann": -1_000_000,
        "payable.lab": 2_000_000,
        "reserve.lab": -2_000_000,
    }
    assert moved([recoupment]) == {
        "payable.ann": 9_000_000,
        "payable.lab": 6_000_000,
        "advance.unrecouped.ann": -15_000_000,
    }


def test_a_reserve_is_released_once_when_it_is_old_enough_and_recoups_too() -> None:
    agreement = replace(R, advance_micros=0, reserve_months=2)
    posted = settle(earned({ANN: 200_000_000}), [agreement], NONE)
    by_month = {}
    for month in (Period(2026, 11), Period(2026, 12), Period(2027, 1)):
        by_month[month] = settle(earned({}, month), [agreement], standing_after(posted))
        posted += by_month[month]

    [released] = by_month[Period(2026, 12)]
    assert by_month[Period(2026, 11)] == by_month[Period(2027, 1)] == []
    assert (released.kind, released.reverses) == ("reversal", "2026-10/reserve/ann")
    assert moved([released]) == {"payable.ann": -20_000_000, "reserve.ann": 20_000_000}
    assert moved(posted)["reserve.ann"] == 0


def test_what_is_released_recoups_an_advance() -> None:
    kept = settle(earned({ANN: 200_000_000}), [replace(R, advance_micros=0)], NONE)
    agreement = replace(R, reserve_months=1)
    november = settle(earned({}, Period(2026, 11)), [agreement], standing_after(kept))

    assert [each.kind for each in november] == ["advance", "reversal", "recoupment"]
    assert moved(november)["advance.unrecouped.ann"] == 100_000_000


def test_without_an_agreement_a_reserve_lasts_a_year_and_nothing_is_kept_back() -> None:
    kept = settle(earned({ANN: 200_000_000}), [replace(R, advance_micros=0)], NONE)
    standing = standing_after(kept)

    assert settle(earned({ANN: 5}, Period(2027, 9)), [], standing) == []
    assert len(settle(earned({ANN: 5}, Period(2027, 10)), [], standing)) == 1


def test_a_part_of_a_micro_is_not_kept_back() -> None:
    [reserve] = settle(earned({ANN: 19}), [replace(R, advance_micros=0)], NONE)

    assert moved([reserve]) == {"payable.ann": 1, "reserve.ann": -1}


def test_where_more_was_taken_away_than_earned_nothing_is_kept_back_nor_recouped() -> None:
    assert [each.kind for each in settle(earned({ANN: -5_000_000}), [R], NONE)] == ["advance"]


def test_the_worldwide_agreement_of_the_day_is_the_partys_own() -> None:
    german = Terms(party="ann", territory="DE", reserve_ppm=1)
    worldwide = Terms(party="ann", reserve_ppm=2, valid_to=date(2026, 10, 2))
    french = Terms(party="ann", territory="FR", reserve_ppm=3)
    agreements = [german, worldwide, french]

    assert agreements_on(agreements, date(2026, 10, 1))["ann"] == worldwide
    assert agreements_on(agreements, date(2026, 10, 2))["ann"] == german


PARTIES = ("ann", "bea", "cyd")
AGREEMENTS = st.lists(
    st.builds(
        Terms,
        party=st.sampled_from(PARTIES),
        advance_micros=st.integers(0, 10**9),
        reserve_ppm=st.integers(0, 10**6),
        reserve_months=st.integers(0, 3),
        recoupment=st.sampled_from([None, "duo"]),
    ),
    max_size=3,
    unique_by=lambda each: each.party,
)
MONTHS = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from(PARTIES), st.sampled_from(["ann", "lab"])),
        st.integers(-(10**9), 10**9),
    ),
    max_size=5,
)


def settled(agreements: Sequence[Terms], months: Sequence[Mapping[tuple[str, str], int]]):
    """Settle month after month, each on what those before left in the books."""
    posted: list[Transaction] = []
    for number, micros in enumerate(months):
        month = earned(micros, Period(2027, 1 + number))
        posted += settle(month, agreements, standing_after(posted))
    return posted


@given(AGREEMENTS, MONTHS)
def test_nothing_is_negative_and_no_advance_is_recouped_twice(agreements, months) -> None:
    posted = settled(agreements, months)
    sums = moved(posted)

    assert all(sums[account] >= 0 for account in sums if account.startswith("advance."))
    assert all(sums[account] <= 0 for account in sums if account.startswith("reserve."))
    for each in posted:
        if each.kind in {"reserve", "recoupment"}:
            payable = [p.amount.micros for p in each.postings if p.account.startswith("payable.")]
            assert min(payable) > 0
    assert len({each.key for each in posted}) == len(posted)
    if months:
        assert -sums.get("cash", 0) == sum(each.advance_micros for each in agreements)


@given(AGREEMENTS, MONTHS)
def test_every_micro_off_an_account_is_kept_back_or_has_recouped(agreements, months) -> None:
    posted = settled(agreements, months)
    sums, standing = moved(posted), standing_after(posted)
    off = sum(micros for account, micros in sums.items() if account.startswith("payable."))
    kept = sum(-micros for account, micros in sums.items() if account.startswith("reserve."))

    assert off == kept + sum(standing.advanced.values()) - sum(standing.unrecouped.values())


@given(AGREEMENTS, MONTHS, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_changes_nothing(agreements, months, random) -> None:
    posted = settled(agreements, months)
    random.shuffle(agreements)
    shuffled = [dict(random.sample(sorted(each.items()), len(each))) for each in months]

    assert settled(agreements, shuffled) == posted


@given(AGREEMENTS, MONTHS)
def test_recoupment_takes_no_more_than_a_month_left(agreements, months) -> None:
    """For each account: recouped <= what was earned and released, less what was kept back."""
    posted: list[Transaction] = []
    for number, micros in enumerate(months):
        now = settle(earned(micros, Period(2027, 1 + number)), agreements, standing_after(posted))
        posted += now
        for payee in ("ann", "lab"):
            gains = sum(max(0, amount) for (_, to), amount in micros.items() if to == payee)
            assert moved(now).get(f"payable.{payee}", 0) <= gains


def test_another_currencys_reserve_is_released_and_recoups_nothing() -> None:
    [kept] = settle(
        Earnings(period=OCTOBER, currency="USD", micros={ANN: 100}),
        [replace(R, advance_micros=0)],
        NONE,
    )
    standing = Standing(advanced={}, unrecouped={"ann": 500}, reserves=[kept])
    monthly = [Terms(party="ann", reserve_months=1)]
    november = settle(earned({}, Period(2026, 11)), monthly, standing)

    assert [posting.amount for posting in november[0].postings] == [
        Money(-10, "USD"),
        Money(10, "USD"),
    ]
    assert len(november) == 1


def test_a_party_without_an_agreement_recoups_nothing_even_of_its_own_name() -> None:
    shared = Terms(party="ann", advance_micros=20_000_000, recoupment="bob")

    posted = settle(earned({("bob", "bob"): 8_000_000}), [shared], NONE)

    assert [each.key for each in posted] == ["2026-10/advance/ann"]


def test_what_was_taken_away_under_another_payee_is_less_to_keep_back_and_to_recoup() -> None:
    # Ann is paid through adm by now; of an earlier month 3 were taken back from ann herself.
    nothing = settle(earned({ANN: -3_000_000, ("ann", "adm"): 3_000_000}), [R], NONE)
    some = settle(earned({ANN: -3_000_000, ("ann", "adm"): 13_000_000}), [R], NONE)

    assert [each.key for each in nothing] == ["2026-10/advance/ann"]
    assert moved(some)["reserve.adm"] == -1_000_000
    assert moved(some)["payable.adm"] == 10_000_000


def test_an_agreement_that_joins_others_later_is_not_paid_its_advance_again() -> None:
    october = settle(earned({ANN: 3_000_000}), [replace(R, reserve_ppm=0)], NONE)
    joined = [replace(R, reserve_ppm=0, recoupment="duo"), Terms(party="bea", recoupment="duo")]

    november = settle(
        earned({ANN: 5_000_000, ("bea", "bea"): 7_000_000}, OCTOBER.next),
        joined,
        standing_after(october),
    )

    assert [each.key for each in november] == ["2026-11/recoupment/ann"]
    assert moved(november) == {"payable.ann": 5_000_000, "advance.unrecouped.ann": -5_000_000}
