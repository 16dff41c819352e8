import json

import pytest

from tests.cli.conftest import EXAMPLE


def micros(document: dict, rule: str) -> dict[str, int]:
    return {p["id"]: p["amount"]["micros"] for p in document["rules"][rule]["payees"]}


def test_both_rules_divide_the_pool_to_the_micro(example) -> None:
    document = json.loads(example("payouts", "2026-10", "--compare", "--json").out)

    assert document["schema"] == 1
    assert document["pool"] == {"micros": 20_000_000, "currency": "EUR"}
    for rule in ("pro_rata", "user_centric"):
        assert sum(micros(document, rule).values()) == 20_000_000


def test_amounts_are_the_ones_computed_by_hand(example) -> None:
    document = json.loads(example("payouts", "2026-10", "--compare", "--json").out)

    # pro rata: g1 4.00, g2 11.00, g3 5.00; user centric: g1 8.00, g2 2.00 + 20/3, g3 10/3.
    # Unattributed (15 %, 20 %, 30 %) is divided equally among the three works.
    assert micros(document, "pro_rata") == {
        "ann": 2_400_000 + 1_433_334,
        "bob": 1_000_000 + 5_500_000 + 1_433_333,
        "cy": 3_300_000 + 3_500_000 + 1_433_333,
    }
    user_centric = micros(document, "user_centric")
    assert user_centric["ann"] == pytest.approx(
        4_800_000 + (1_200_000 + 1_733_333 + 1_000_000) / 3, abs=1
    )


def test_the_interval_holds_the_amount(example) -> None:
    document = json.loads(example("payouts", "2026-10", "--json").out)

    for payee in document["rules"]["pro_rata"]["payees"]:
        low, amount, high = (payee[key]["micros"] for key in ("low", "amount", "high"))
        assert low < amount < high


def test_the_document_has_the_keys_that_others_read(example) -> None:
    document = json.loads(example("payouts", "2026-10", "--rule", "user-centric", "--json").out)
    rule = document["rules"]["user_centric"]

    assert set(document) == {"schema", "period", "pool", "rules"}
    assert set(rule) == {"payees", "unattributed", "suspense", "idle"}
    assert set(rule["payees"][0]) == {"id", "name", "amount", "low", "high"}


def test_a_preview_can_be_computed_again_with_the_same_bytes(example) -> None:
    first = example("payouts", "2026-10", "--compare", "--json")

    assert example("payouts", "2026-10", "--compare", "--json").out == first.out


def test_a_dry_run_of_closing_posts_nothing(example) -> None:
    ran = example("close", "2026-10", "--dry-run")

    assert "Would post 2 transactions; nothing was written" in ran.err
    assert example("statement", "bob", "2026-10").code == 3


def test_an_unknown_rule_names_those_there_are(example) -> None:
    ran = example("payouts", "2026-10", "--rule", "winner-takes-all")

    assert ran.code == 2
    assert "pro-rata, user-centric" in ran.err


def test_a_month_without_revenue_says_which_command_to_run(example) -> None:
    ran = example("payouts", "2026-09")

    assert ran.code == 3
    assert "tantieme usage import" in ran.err


def test_closing_posts_once_and_for_good(example) -> None:
    first, again = example("close", "2026-10"), example("close", "2026-10")

    assert (first.code, again.code) == (0, 0)
    assert "is closed" in first.err
    assert "already closed" in again.err


def test_closing_by_another_rule_is_refused(example) -> None:
    example("close", "2026-10", "--rule", "pro-rata")

    ran = example("close", "2026-10", "--rule", "user-centric")

    assert ran.code == 3
    assert "2026-10 is closed" in ran.err


def test_a_closed_month_still_compares_the_rules(example) -> None:
    before = example("payouts", "2026-10", "--compare", "--json")
    example("close", "2026-10")

    assert example("payouts", "2026-10", "--compare", "--json").out == before.out


def test_a_closed_month_compares_even_what_was_never_previewed(example) -> None:
    example("close", "2026-10")

    document = json.loads(example("payouts", "2026-10", "--compare", "--json").out)

    assert sum(micros(document, "user_centric").values()) == 20_000_000


def test_a_payee_paid_under_one_rule_only_is_shown_under_both(tantieme, tmp_path) -> None:
    files = {
        "shares": "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
        "g1,r1,1000000000,,,p\ng3,r3,1000000000,,,p\n",
        "usage": "period,listener,track,source,territory,plays\n"
        "2026-10,paying,g3,app,DE,1\n2026-10,free,g1,app,DE,3\n",
        "revenue": "period,listener,source,territory,currency,net\n"
        "2026-10,paying,app,DE,EUR,8.00\n",
    }
    tantieme("init")
    tantieme("catalogue", "import", EXAMPLE)
    for kind, content in files.items():
        (tmp_path / f"{kind}.csv").write_text(content)
        tantieme(kind, "import", tmp_path / f"{kind}.csv")

    rows = {
        line.split()[0]: line.split()
        for line in tantieme("payouts", "2026-10", "--compare").out.splitlines()
        if line
    }

    assert rows["Ann"][1:4] == ["€6.00", "€0.00", "-€6.00"]
    assert rows["Cy"][1:4] == ["€2.00", "€8.00", "€6.00"]


def test_plays_where_nothing_came_in_are_pointed_out(example, tmp_path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("period,listener,track,source,territory,plays\n2026-10,u8,g1,app,FR,40\n")
    example("usage", "import", more)

    ran = example("payouts", "2026-10")

    assert "40 plays from app in FR have no revenue there to divide" in ran.err
