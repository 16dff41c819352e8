"""Who moved most by each rule, as the command found it: on the page, and to whom."""

import json
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from cli.main import main
from dashboard import reads, wording
from db.queries import EVERYONE, Viewer
from royalty.money import Money
from royalty.rules import RULES
from tests.dashboard.conftest import CLOSED, OpenPage, texts

LISTENERS = {"lea", "max", "mia", "sam"}
COMMAND = f"tantieme audit {CLOSED} rules"


@pytest.fixture(scope="module")
def judged(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small workspace after the command."""
    copy = tmp_path_factory.mktemp("judged") / "home"
    shutil.copytree(home, copy)
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("TANTIEME_DATABASE_URL", raising=False)
        assert main(["--home", str(copy), *COMMAND.split()[1:]]) == 0
    return copy


@pytest.fixture
def kept(judged: Path, where: reads.Place, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """What the command kept of that workspace, which is the one that pages open."""
    monkeypatch.setenv("TANTIEME_HOME", str(judged))
    return judged / "reports" / str(CLOSED) / "audit_rules.json"


@pytest.fixture
def rules(kept: Path) -> dict:
    return json.loads(kept.read_bytes())["rules"]


def movers(app: AppTest) -> dict[str, dict[str, str]]:
    """The page's table, by rule."""
    table = next(each.value for each in app.dataframe if "Most moved, EUR" in each.value)
    return table.set_index("Rule").to_dict("index")


def everything(app: AppTest) -> set[str]:
    """Every word and cell of a page."""
    cells = (str(cell) for each in app.dataframe for cell in each.value.to_numpy().ravel())
    tiles = (f"{each.label} {each.value} {each.delta}" for each in app.metric)
    return {*texts(app).split(), *cells, *(word for tile in tiles for word in tile.split())}


def test_the_page_has_what_the_command_found_of_every_rule(open_page: OpenPage, rules) -> None:
    app = open_page("audit")
    found, most = movers(app), rules["pro_rata"]["moved"]

    assert not app.exception
    assert COMMAND not in [code.value for code in app.code]
    assert app.metric[0].label == "Most that one listener moved by pro rata"
    assert app.metric[0].value == Money(most["change"]["micros"], "EUR").rounded != "€0.00"
    assert list(found) == [wording.rule_name(rule) for rule in RULES if rules[rule]["moved"]]
    assert app.metric[0].delta == f"{most['fees']:.2f} times their fee"
    row = found["Pro rata"]
    assert row["Most moved, EUR"] == Money(most["change"]["micros"], "EUR").decimal
    assert (row["Of whose money"], most["payee"]) == ("Ann Aalto", "ann")
    assert (row["Their fee, EUR"], row["Times the fee"]) == ("9.990000", f"{most['fees']:.2f}")
    assert row["Listeners tried"] == "all 3"
    assert found["Training fee"]["Of whose money"] == "nobody"


def test_listeners_stand_under_the_pseudonyms_of_the_list_below(open_page: OpenPage, rules) -> None:
    app = open_page("audit", who="true")
    heaviest = reads.heaviest(EVERYONE, reads.place(), CLOSED)
    by_listener = dict(
        zip(("lea", "max", "mia"), (each.pseudonym for each in heaviest), strict=True)
    )

    for rule, each in rules.items():
        if each["moved"] and each["moved"]["change"]["micros"]:
            row = movers(app)[wording.rule_name(rule)]
            assert row["By listener"] == by_listener[each["moved"]["listener"]]
    assert not LISTENERS & everything(app)


def test_an_accountant_is_shown_amounts_and_no_listener(open_page: OpenPage, rules) -> None:  # noqa: ARG001
    with patch("dashboard.identity.viewer", return_value=Viewer("accountant", None)):
        app = open_page("audit")

    assert "By listener" not in movers(app)["Pro rata"]
    assert movers(app)["Pro rata"]["Of whose money"] == "Ann Aalto"
    words = everything(app)
    assert not {each.pseudonym for each in reads.heaviest(EVERYONE, reads.place(), CLOSED)} & words


@pytest.mark.parametrize(("kind", "there"), [("usage", False), ("shares", True)])
def test_what_is_of_other_plays_is_left_out_and_named(
    open_page: OpenPage, kept: Path, kind: str, there: bool
) -> None:
    before = kept.read_bytes()
    document = json.loads(before)
    document["inputs"][kind] = ["0" * 64]
    kept.write_text(json.dumps(document), encoding="utf-8")
    try:
        app = open_page("audit")
    finally:
        kept.write_bytes(before)

    # Shares that are given once a month is closed are not of it.
    assert (COMMAND not in [code.value for code in app.code]) == there
    assert (len(app.metric) == 1) == there
    assert ("came in after it was worked out" in texts(app)) != there


def test_in_a_month_that_nobody_played_in_nobody_moved_anything(
    open_page: OpenPage, where: reads.Place
) -> None:
    there = reads.inputs(EVERYONE, where, CLOSED)
    inputs = {"usage": there.usage, "revenue": there.revenue}
    nothing = {"inputs": inputs, "provider": "tantieme", "moved": {}}
    with patch("dashboard.reads.movers", return_value=nothing):
        app = open_page("audit")

    assert "Nobody played anything." in texts(app)
