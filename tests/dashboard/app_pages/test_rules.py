from dataclasses import replace
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import bands, reads, wording
from db.queries import EVERYONE, Band, Difference, Earnings, Payout
from royalty.concentration import concentration
from royalty.money import MICROS, Money
from royalty.rules import RULES
from tests.dashboard.app_pages.alts import alts
from tests.dashboard.conftest import CLOSED, OpenPage, texts

BLEND = "pro_rata:0.5+user_centric:0.5"


def paid(where: reads.Place, rule: str) -> dict[str, Money]:
    return {payee.name: payee.amount for payee in payout(where, rule).payees}


def payout(where: reads.Place, rule: str) -> Payout:
    return reads.payout(EVERYONE, where, CLOSED, rule)


def earned(where: reads.Place, rule: str) -> Earnings:
    return reads.earnings(EVERYONE, where, CLOSED, rule)


def differences(where: reads.Place, first: str, second: str) -> dict[str, Difference]:
    two = payout(where, first), payout(where, second)
    found = reads.differences(EVERYONE, where, (two[0].snapshot, two[1].snapshot), two)
    names = {payee.id: payee.name for each in two for payee in each.payees}
    return {names[each.payee]: each for each in found}


def unfold(app: AppTest, what: str = "to_the_micro") -> AppTest:
    app.session_state[what] = True
    return app.run()


def cells(money: Money) -> str:
    return f"+{money.decimal}" if money.micros > 0 else money.decimal


def test_the_first_number_is_what_gainers_would_gain(
    open_page: OpenPage, where: reads.Place
) -> None:
    found = differences(where, "pro_rata", "user_centric").values()
    gains = [each.amount.micros for each in found if each.amount.micros > 0]

    app = open_page("rules")

    assert not app.exception
    assert app.title[0].value == Money(sum(gains), "EUR").rounded
    assert f"**{len(gains)}** of {len(found)} payees gain" in texts(app)
    assert "by user centric instead of pro rata" in app.caption[0].value


def test_the_address_chooses_both_rules(open_page: OpenPage, where: reads.Place) -> None:
    app = open_page("rules", rule="training_fee", other="pro_rata")

    table = unfold(app).dataframe[0].value.set_index("Payee")

    assert list(table.columns)[:2] == ["Training fee, EUR", "Pro rata, EUR"]
    for name, amount in paid(where, "training_fee").items():
        assert table["Training fee, EUR"][name] == amount.decimal


def test_a_rule_never_stands_beside_itself(open_page: OpenPage) -> None:
    app = open_page("rules", rule="user_centric", other="user_centric")

    first, second = (box for box in app.selectbox if box.key in {"rule_picker", "other_picker"})

    assert first.value == "user_centric"
    assert second.value == "pro_rata"
    assert "User centric" not in second.options


def test_the_table_has_both_amounts_and_the_difference_to_the_micro(
    open_page: OpenPage, where: reads.Place
) -> None:
    one, other = paid(where, "pro_rata"), paid(where, "user_centric")
    found = differences(where, "pro_rata", "user_centric")

    table = unfold(open_page("rules")).dataframe[0].value.set_index("Payee")

    assert set(table.index) == {*one, *other} == set(found)
    for name, row in table.iterrows():
        each = found[str(name)]
        assert each.amount == other[str(name)] - one[str(name)]
        assert row["Pro rata, EUR"] == one[str(name)].decimal
        assert row["User centric, EUR"] == other[str(name)].decimal
        assert [row["Difference"], row["Low"], row["High"]] == [
            cells(each.amount),
            cells(each.low),
            cells(each.high),
        ]


def test_two_rules_say_what_they_do_and_what_they_have_and_lack(open_page: OpenPage) -> None:
    said = texts(open_page("rules"))

    assert wording.HOLDS in said
    for rule in ("pro_rata", "user_centric"):
        assert wording.SENTENCES[rule] in said
        for colour, names in zip(("primary", "gray"), wording.properties(rule), strict=True):
            for name in names:
                assert f":{colour}-badge[{wording.MEANINGS[name][0]}]" in said.replace("\\", "")


def test_concentration_is_measured_over_everybody_whom_some_rule_pays(
    open_page: OpenPage, where: reads.Place
) -> None:
    everybody = ("Ann Aalto", "Ben Brandt", "Cho Chen")

    table = open_page("rules").dataframe[1].value.set_index("Rule")

    assert set(table.index) == {
        wording.rule_name(rule) for rule in reads.standing(EVERYONE, where, CLOSED).computed
    }
    for rule in ("pro_rata", "user_equal", "training_fee"):
        amounts = paid(where, rule)
        found = concentration(
            [amounts[name].micros if name in amounts else 0 for name in everybody]
        )
        row = table.loc[wording.rule_name(rule)]
        assert row["Gini"] == f"{found.gini:.3f}"
        assert row["Largest"] == f"{found.largest:.1%}".replace("%", " %")


def test_all_stored_rules_stand_in_one_table(open_page: OpenPage, where: reads.Place) -> None:
    computed = reads.standing(EVERYONE, where, CLOSED).computed

    table = unfold(open_page("rules"), "by_every_rule").dataframe[2].value.set_index("Payee")

    assert set(table.columns) == {wording.rule_name(rule) for rule in computed}
    for rule in computed:
        for name, amount in paid(where, rule).items():
            assert table[wording.rule_name(rule)][name] == amount.decimal


def test_every_rule_is_held_against_every_property(open_page: OpenPage) -> None:
    table = open_page("rules").table[0].value

    assert list(table.index) == [word for word, _ in wording.MEANINGS.values()]
    for rule, each in RULES.items():
        ticked = {word for word, shown in table[wording.rule_name(rule)].items() if shown == "✓"}
        assert ticked == {wording.MEANINGS[name][0] for name in each.has}


def test_the_preview_of_a_blend_is_linear_and_stored_nowhere(
    open_page: OpenPage, where: reads.Place
) -> None:
    before = reads.standing(EVERYONE, where, CLOSED).computed
    one, other = paid(where, "pro_rata"), paid(where, "user_centric")

    app = open_page("rules")
    app.slider[0].set_value(20).run()
    table = unfold(app, "of_the_preview").dataframe[2].value.set_index("Payee")

    assert not app.exception
    assert "Preview, not stored" in texts(app)
    for name, row in table.iterrows():
        exact = (80 * one[str(name)].micros + 20 * other[str(name)].micros) // 100
        assert row["Preview"] in {Money(exact + more, "EUR").rounded for more in (0, 1)}
    reads.periods.clear()
    assert reads.standing(EVERYONE, where, CLOSED).computed == before


@pytest.mark.parametrize(("status", "offered"), [("open", True), ("closed", False)])
def test_an_open_month_names_the_command_that_stores_the_blend(
    open_page: OpenPage, where: reads.Place, status: str, offered: bool
) -> None:
    rows = [replace(row, status=status) for row in reads.periods(EVERYONE, where)]
    with patch("dashboard.reads.periods", return_value=rows):
        app = open_page("rules")

    commands = [code.value for code in app.code]
    assert (f"tantieme payouts 2026-10 --rule {BLEND}" in commands) == offered


def test_a_blend_is_named_explained_and_not_blended_again(
    open_page: OpenPage, where: reads.Place
) -> None:
    rows = [replace(row, computed=("pro_rata", BLEND)) for row in reads.periods(EVERYONE, where)]
    stored = {rule: earned(where, rule) for rule in ("pro_rata", "user_centric")}

    def read(*asked: object) -> Earnings:
        rule = str(asked[-1])
        return replace(stored.get(rule, stored["user_centric"]), rule=rule)

    with (
        patch("dashboard.reads.periods", return_value=rows),
        patch("dashboard.reads.earnings", side_effect=read),
    ):
        app = open_page("rules")

    said = texts(app)
    assert not app.exception
    assert "Pro rata 50 % + user centric 50 %" in said
    assert "Of every pool, 50 % by pro rata and 50 % by user centric." in said
    assert "a blend already" in said
    assert said.count("Not shown") == said.count("Lacks") == 1
    assert not app.slider


def test_one_rule_alone_names_the_command_for_the_others(
    open_page: OpenPage, where: reads.Place
) -> None:
    rows = [replace(row, computed=("pro_rata",)) for row in reads.periods(EVERYONE, where)]
    with patch("dashboard.reads.periods", return_value=rows):
        app = open_page("rules")

    assert not app.exception
    assert "tantieme payouts 2026-10 --compare" in [code.value for code in app.code]
    assert wording.SENTENCES["pro_rata"] in texts(app)


def test_a_month_without_a_payout_names_the_command(open_page: OpenPage) -> None:
    app = open_page("rules", period="2026-11")

    assert not app.exception
    assert [code.value for code in app.code] == ["tantieme payouts 2026-11 --compare"]


def test_a_month_in_which_nobody_earned_anything_says_so(
    open_page: OpenPage, where: reads.Place
) -> None:
    nothing = replace(earned(where, "pro_rata"), payees=(), payee_count=0)
    with (
        patch("dashboard.reads.earnings", return_value=nothing),
        patch("dashboard.reads.differences_of", return_value=()),
    ):
        app = open_page("rules")

    assert not app.exception
    assert "Neither rule pays anybody" in texts(app)


def test_bands_say_who_gains_and_loses_by_how_much_they_are_paid(
    open_page: OpenPage, where: reads.Place
) -> None:
    one, other = paid(where, "pro_rata"), paid(where, "user_centric")
    less = Money(sum(each.micros for name, each in one.items() if name != "Cho Chen"), "EUR")
    more = other["Cho Chen"] - one["Cho Chen"]

    app = open_page("rules")
    table = app.dataframe[0].value.set_index("Paid by pro rata")

    takeaway = alts(app)[2]
    assert f"payees paid €1 to €10 gain most, {more.rounded_signed}, and payees paid" in takeaway
    assert takeaway in texts(app)
    assert list(table.index) == ["€1 to €10", "€10 to €100"]
    assert list(table["Payees"]) == ["1", "2"]
    assert (list(table["Gain"]), list(table["Lose"])) == (["1", "0"], ["0", "2"])
    assert list(table["Pro rata, EUR"]) == [one["Cho Chen"].decimal, less.decimal]
    assert table["User centric, EUR"]["€1 to €10"] == other["Cho Chen"].decimal
    assert table["Difference, EUR"]["€1 to €10"] == more.decimal
    assert list(table["Change"]) == ["+47.1 %", "-14.9 %"]


@pytest.mark.parametrize(
    ("amounts", "name", "change"),
    [
        ((0, 1, 0, 5), "nothing", ""),
        ((1, MICROS, 4, 4), "below €1", "0.0 %"),
        ((MICROS, 10 * MICROS, 2_000_000, 1_000_000), "€1 to €10", "-50.0 %"),
        ((10**10, 10**11, 10**10, 10**10 + 1), "€10,000 to €100,000", "< 0.1 %"),
        ((10**18, None, 10**18, 10**18), "€1,000,000,000,000 or more", "0.0 %"),
    ],
)
def test_a_band_is_named_by_its_ends(
    amounts: tuple[int, int | None, int, int], name: str, change: str
) -> None:
    low, below, first, second = (each if each is None else Money(each, "EUR") for each in amounts)
    nobody = Money(0, "EUR")
    band = Band(
        low=low, below=below, payees=1, gaining=0, losing=0, first=first, second=second,
        gained=nobody,
    )  # fmt: skip

    assert (bands.named(band), bands.signed_percent(band)) == (name, change)
