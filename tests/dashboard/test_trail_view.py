import pytest

from dashboard.trail_view import MEANINGS, stated


@pytest.mark.parametrize(
    ("name", "fact", "said"),
    [
        ("share_ppb", 316_000_000, {"share": "31.6 %"}),
        ("interest_ppm", 1_000_000, {"interest": "100.0 %"}),
        ("rate_ppb", 1_082_500_000, {"rate": "1.082500000"}),
        ("plays", 70_363, {"plays": "70,363"}),
        ("plays", None, {}),
        ("memo", "", {}),
        ("title", "Low *Tide* $1", {"title": r"Low \*Tide\* \$1"}),
        ("hash", "ab" * 32, {"hash": f"`{'ab' * 12}…`"}),
        ("deductions", 0, {"deductions": "0"}),
    ],
)
def test_a_fact_is_written_as_people_read_it(
    name: str, fact: str | int | None, said: dict[str, str]
) -> None:
    assert stated({name: fact}) == said


def test_every_step_that_can_come_says_what_it_is() -> None:
    steps = "line posting allocation share evidence run recording transaction restatement"
    steps += " difference hold finding payment event rate movement"

    assert set(steps.split()) == set(MEANINGS)
