import json
import re

import pytest

from tests.cli.conftest import EXAMPLE, Tantieme


def ids(example: Tantieme, kind: str) -> list[str]:
    document = json.loads(example(kind, "show", "--json").out)
    assert document["schema"] == 1
    return [row["id"] for row in document[kind]]


@pytest.mark.parametrize("kind", ["usage", "revenue"])
def test_what_was_imported_is_withdrawn_and_imported_again(example: Tantieme, kind: str) -> None:
    before = example("payouts", "2026-10", "--json").out
    [id_] = ids(example, kind)

    rehearsed = example(kind, "withdraw", id_[:12], "--reason", "wrong app", "--dry-run")
    assert (rehearsed.code, example("payouts", "2026-10", "--json").out) == (0, before)
    assert "would be withdrawn; nothing was written" in rehearsed.err
    ran = example(kind, "withdraw", id_[:12], "--reason", "wrong app", "--as", "kim")

    assert ran.code == 0, ran.err
    assert re.search(r"\d rows of 2026-10 from .*\.csv are withdrawn", ran.err)
    assert "withdrawn: wrong app" in example(kind, "show").out
    assert example("payouts", "2026-10").code == 3
    assert example(kind, "withdraw", id_[:12], "--reason", "again").code == 3

    again = example(kind, "import", EXAMPLE / f"{kind}.csv")
    assert f"imported as {id_[:12]}" in again.err
    assert example("payouts", "2026-10", "--json").out == before


def test_each_month_of_a_file_has_an_id_of_its_own(example: Tantieme, tmp_path) -> None:
    both = tmp_path / "both.csv"
    both.write_text(
        "period,listener,track,source,territory,plays\n"
        "2026-09,u1,g1,app,DE,3\n2026-11,u1,g1,app,DE,3\n"
    )

    said = example("usage", "import", both).err

    printed = re.findall(r"[0-9a-f]{12}", said)
    assert len(set(printed)) == 2
    for period, id_ in zip(("2026-09", "2026-11"), printed, strict=True):
        assert example("usage", "show", period).out.count(id_) == 1
    assert example("usage", "withdraw", printed[1], "--reason", "not yet").code == 0
    assert "withdrawn" not in example("usage", "show", "2026-09").out


def test_the_list_says_what_a_closed_month_was_closed_with(example: Tantieme) -> None:
    assert "open" in example("usage", "show").out
    example("close", "2026-10")
    [id_] = ids(example, "usage")

    ran = example("usage", "withdraw", id_, "--reason", "wrong app")

    assert "closed" in example("usage", "show").out
    assert ran.code == 3
    assert "2026-10 was closed with it" in ran.err


def test_a_reason_is_asked_for(example: Tantieme) -> None:
    assert example("usage", "withdraw", "abc").code == 2
    assert example("usage", "withdraw", "abc", "--reason", " ").code == 2


def test_without_any_the_list_says_so(example: Tantieme) -> None:
    assert "No revenue came in for 2026-11" in example("revenue", "show", "2026-11").err
