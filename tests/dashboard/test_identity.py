"""Who is let in, and that nobody reaches another's money."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import reads
from dashboard.identity import NotListed, SignInNeeded, admit, expired
from db.queries import EVERYONE, Viewer
from royalty.access import read_access
from tests.dashboard.conftest import APP, CLOSED, HARBOUR, OpenPage, texts

NOW = 1_800_000_000
LATER = 9_000_000_000
LISTED = """\
ask = "Rita"
[[people]]
email = "ann@example.test"
role = "payee"
parties = ["ann"]
[[people]]
email = "ben@example.test"
role = "payee"
parties = ["ben"]
[[people]]
email = "mo@example.test"
role = "manager"
parties = ["ann", "cho"]
[[people]]
email = "kim@example.test"
role = "accountant"
[[people]]
subject = "sub-ada"
role = "auditor"
"""
OWN = {"overview", "statement", "tracks", "track", "recordings"}
NOT_ANNS = ("Ben Brandt", "Cho Chen", "Kiln", "Paper Lantern", "ben-1", "cho-1")

OpenAs = Callable[..., AppTest]


def claims(name: str, **more: object) -> dict[str, Any]:
    """The claims of an identity token that has not ended."""
    address = {"email": f"{name}@example.test", "email_verified": True}
    return {"is_logged_in": True, "sub": f"sub-{name}", "exp": LATER, **address, **more}


@pytest.fixture
def listed(home: Path) -> Iterator[Path]:
    """The small workspace with people listed, for one test."""
    file = home / "access.toml"
    file.write_text(LISTED, encoding="utf-8")
    yield file
    file.unlink()


@pytest.fixture
def open_as(where: reads.Place, listed: Path) -> OpenAs:  # noqa: ARG001  they set what is read
    """Open a page as somebody who signed in."""

    def opened(name: str, page: str = "overview", **more: object) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=30)
        app.user = claims(name, **dict(more.pop("claims", {})))  # type: ignore[call-overload]
        for parameter, value in ({"period": str(CLOSED)} | more).items():
            app.query_params[parameter] = str(value)
        app.run()
        if page != "overview":
            app.switch_page(f"app_pages/{page}.py").run()
        return app

    return opened


def everything(app: AppTest) -> str:
    """All that would reach the browser: texts, tables, options, charts, as they are sent."""
    nodes = [*app.main, *app.sidebar]
    return "".join(str(each.proto) for each in nodes if getattr(each, "proto", None) is not None)


def test_people_are_let_in_as_what_they_are_listed_as() -> None:
    access = read_access(LISTED)

    def let_in(name: str) -> Viewer:
        return admit(claims(name), access, NOW)

    assert let_in("ann") == Viewer("ann@example.test", frozenset({"ann"}))
    assert let_in("mo") == Viewer("mo@example.test", frozenset({"ann", "cho"}))
    assert let_in("kim") == Viewer("kim@example.test", None)
    assert let_in("ada") == Viewer("sub-ada", None, listeners=True)


@pytest.mark.parametrize(
    ("ends", "ended"),
    [
        (NOW + 1, False),
        (NOW, True),
        (NOW - 1, True),
        (None, True),
        ("9000000000", True),
        (True, True),
        (NOW + 0.5, False),
        (float("nan"), True),
    ],
)
def test_a_sign_in_ends_when_its_token_does(ends: object, ended: bool) -> None:
    assert expired({"exp": ends}, NOW) is ended
    assert expired({}, NOW)


def test_whoever_is_signed_out_expired_or_unlisted_is_not_let_in() -> None:
    access = read_access(LISTED)

    with pytest.raises(SignInNeeded, match="Sign in to see"):
        admit({"is_logged_in": False}, access, NOW)
    with pytest.raises(SignInNeeded, match=r"ended at 08:00 UTC on 15 January 2027. Sign in again"):
        admit(claims("ann", exp=NOW), access, NOW)
    with pytest.raises(NotListed, match=r"signed in as eve@example.test, .* Ask Rita to add you"):
        admit(claims("eve"), access, NOW)
    with pytest.raises(NotListed, match=r"subject sub-ann \(ann@example.test, which nobody ver"):
        admit(claims("ann", email_verified=False), access, NOW)


def test_without_sign_in_the_sidebar_says_so_and_all_is_shown(open_page: OpenPage) -> None:
    app = open_page()

    assert "answer on this machine only" in "".join(each.value for each in app.sidebar.caption)
    assert "Ben Brandt" in everything(app)


def test_sign_in_that_is_required_and_gone_closes_the_pages(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANTIEME_SIGN_IN", "required")

    app = open_page()

    assert "sign-in is not configured" in app.info[0].value.lower()
    assert "Ben Brandt" not in everything(app)


def test_pages_open_to_others_are_closed_without_sign_in(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.identity.st.get_option", lambda _name: "0.0.0.0")

    assert "sign-in is not configured" in open_page().info[0].value.lower()


def test_whoever_is_signed_out_sees_a_way_in_and_nothing_else(open_as: OpenAs) -> None:
    app = open_as("ann", claims={"is_logged_in": False})

    assert [button.label for button in app.button] == ["Sign in"]
    assert not [each for each in ("Ann", "Ben", "€") if each in everything(app)]


def test_an_expired_session_is_refused_on_the_next_run(open_as: OpenAs) -> None:
    app = open_as("ann", "statement", payee="ann")
    assert "Ann Aalto" in everything(app)

    app.user = claims("ann", exp=NOW - 100_000_000)
    app.run()

    assert "Your sign-in ended" in app.info[0].value
    assert [button.label for button in app.button] == ["Sign in"]
    assert "Ann Aalto" not in everything(app)


def test_whoever_is_not_listed_is_told_whom_to_ask(open_as: OpenAs) -> None:
    app = open_as("eve")

    assert "Ask Rita to add you" in app.info[0].value
    assert [button.label for button in app.button] == ["Sign out"]
    assert "€" not in everything(app)


def test_a_list_with_faults_lets_nobody_in(open_as: OpenAs, listed: Path) -> None:
    listed.write_text("k = 0", encoding="utf-8")

    assert "nobody can be let in" in open_as("ann").info[0].value.lower()


@pytest.mark.parametrize("page", sorted(OWN))
def test_a_payee_sees_own_money_only(open_as: OpenAs, page: str) -> None:
    if not APP.with_name("app_pages").joinpath(f"{page}.py").exists():
        pytest.skip(f"there is no page {page}")
    app = open_as("ann", page)

    assert not app.exception
    assert not [each for each in NOT_ANNS if each in everything(app)]


def test_a_query_parameter_reaches_nobody_elses_statement(open_as: OpenAs) -> None:
    app = open_as("ann", "statement", payee="ben")

    assert "Owed to Ann Aalto" in texts(app)
    assert "Ben" not in everything(app)


def test_the_cache_shows_nobody_what_another_opened(open_as: OpenAs, open_page: OpenPage) -> None:
    for page in ("overview", "statement"):
        assert "Ben Brandt" in everything(open_as("ben", page, payee="ben"))
        assert "Ben Brandt" in everything(open_page(page))
        assert "Ben" not in everything(open_as("ann", page, payee="ben"))


def test_downloads_hold_the_statement_of_whoever_looks(
    open_as: OpenAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[bytes] = []

    def button(_label: str, data: Any, **_options: object) -> None:
        offered.append(data() if callable(data) else data)

    monkeypatch.setattr("streamlit.download_button", button)
    open_as("ann", "statement", payee="ben")

    assert offered
    assert any(b"Ann Aalto" in each or b"2026-10/ann" in each for each in offered)
    assert not [each for each in offered if b"ben-1" in each or b"2026-10/ben" in each]


def test_a_manager_chooses_among_the_payees_managed(open_as: OpenAs) -> None:
    [payee] = [each for each in open_as("mo", "statement").selectbox if each.label == "Payee"]

    assert set(payee.options) == {"Ann Aalto", "Cho Chen"}


@pytest.mark.parametrize("page", ["rules", "quality", "audit", "ledger"])
def test_pages_of_the_whole_are_refused_to_payees_and_shown_to_accountants(
    open_as: OpenAs, page: str
) -> None:
    if not APP.with_name("app_pages").joinpath(f"{page}.py").exists():
        pytest.skip(f"there is no page {page}")

    refused = open_as("mo", page)
    assert "is shown to accountants and auditors only" in refused.info[0].value
    shown = open_as("kim", page)
    assert not shown.exception
    assert "shown to accountants" not in everything(shown)


def test_who_opens_what_is_logged_once_where_people_sign_in(
    open_as: OpenAs, open_page: OpenPage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tantieme.reads")
    open_page("statement")
    assert not [each for each in caplog.records if each.name == "tantieme.reads"]

    open_as("ann", "statement").run()

    said = [each.getMessage() for each in caplog.records if each.name == "tantieme.reads"]
    assert "'ann@example.test' opened Overview" in said[0]
    assert "'ann@example.test' opened Statement" in said[-1]
    assert len(said) == len({each.partition(" ")[2] for each in said})


def test_reads_of_payees_are_narrower_than_those_of_everyone(where: reads.Place) -> None:
    ann = Viewer("ann", frozenset({"ann"}))

    assert len(reads.track(EVERYONE, where, HARBOUR).shares) == 2
    assert [each.recording for each in reads.track(ann, where, HARBOUR).shares] == ["ann-1"]
