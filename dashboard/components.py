"""Pieces that the pages share: pickers, tiles, links, and what to show where there is nothing."""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from dashboard import reads
from dashboard.wording import rule_name
from db.queries import PeriodRow
from royalty.division import PPB
from royalty.errors import NotReady, RoyaltyError
from royalty.money import MICROS, Money
from royalty.period import Period
from royalty.reports import explained
from royalty.reports.csv import no_formula

_MARKDOWN = re.compile(r"([\\`*_\[\]{}<>$~#|:])")
_COMMAND = re.compile(r"'(tantieme [^']+)'")
month = explained.month


def days(period: Period) -> str:
    """Write the days a period covers: `1-31 October 2026`."""
    return f"1–{calendar.monthrange(period.year, period.month)[1]} {month(period)}"  # noqa: RUF001


def percent(part: int, whole: int = PPB) -> str:
    """Write a part of a whole to a tenth of a percent, half up; `< 0.1 %` is not nothing."""
    if whole == 0:
        return "–"  # noqa: RUF001
    tenths = (2000 * part + whole) // (2 * whole)
    if part > 0 and tenths == 0:
        return "< 0.1 %"
    return f"{tenths // 10}.{tenths % 10} %"


def percent_range(low_ppb: int, high_ppb: int) -> str:
    """Write an interval of shares."""
    return f"{percent(low_ppb).removesuffix(' %')} – {percent(high_ppb)}"  # noqa: RUF001


def signed(money: Money) -> str:
    """Write a difference to the micro, with its sign."""
    return f"+{money.decimal}" if money.micros > 0 else money.decimal


def signed_cents(money: Money) -> str:
    """Write a difference to the cent, with its sign."""
    return money.rounded_signed


def place(money: Money) -> float:
    """Return where an amount lies on an axis; never a figure to read."""
    return money.micros / MICROS


def money_range(low: Money, high: Money) -> str:
    """Write an interval of amounts, to the cent."""
    return f"{low.rounded} – {high.rounded}"  # noqa: RUF001


def clock(duration_ms: int) -> str:
    """Write a duration as a player does: `1:05`."""
    minutes, seconds = divmod(duration_ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def seconds(ends_ms: tuple[int, int]) -> tuple[int, int]:
    """Widen a stretch of music to whole seconds, one at least: what a player can play."""
    start = ends_ms[0] // 1000
    return start, max(-(-ends_ms[1] // 1000), start + 1)


def stretch(ends_ms: tuple[int, int]) -> str:
    """Write a stretch of music as it is played: `0:30 - 0:32`."""
    start, end = seconds(ends_ms)
    return f"{clock(1000 * start)} – {clock(1000 * end)}"  # noqa: RUF001


def distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Give ids the names people know, with the id behind a name that two of them have."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} · {key}" for key, name in names.items()}


def choose_period(rows: Sequence[PeriodRow]) -> None:
    """Draw the one period control; every page reads it by `chosen_period`."""
    with st.sidebar:
        if rows:
            st.selectbox(
                "Period",
                [str(row.period) for row in rows],
                key="period",
                bind="query-params",
                persist_state="session",
            )
            row = next(row for row in rows if str(row.period) == st.session_state["period"])
            st.caption(_standing(row))


def chosen_period() -> Period:
    """Return the period of the sidebar. Raises `NotReady`, with what fills it, where none is."""
    name = st.session_state.get("period")
    if name is None:
        raise NotReady(
            "no month has usage or revenue yet; run 'tantieme demo', "
            "or 'tantieme usage import FILE' and 'tantieme revenue import FILE'"
        )
    return Period.parse(name)


def choose(name: str, label: str, names: Mapping[str, str]) -> str:
    """Draw a picker whose choice stands in the address as an id, and return the id.

    Binding the widget would put the label there, which is long and can change.
    """
    wanted = asked(name)
    chosen = wanted if wanted is not None and wanted in names else next(iter(names))
    labels = distinct(names)
    st.session_state[f"{name}_picker"] = st.session_state[f"{name}_last"] = chosen
    st.selectbox(
        label,
        list(labels),
        format_func=labels.__getitem__,
        key=f"{name}_picker",
        on_change=_remember,
        args=(name,),
    )
    return chosen


def asked(name: str) -> str | None:
    """Return the id that the address names or, without one, the last that was chosen."""
    found = st.query_params.get(name) or st.session_state.get(f"{name}_last")
    return None if found is None else str(found)


def plain(text: str) -> str:
    """Keep what people typed from being read as Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)


def link(page: str, label: str, **parameters: str) -> None:
    """Draw a link to another page. The bound period follows by itself; named, it comes twice."""
    shown = f":primary[{plain(label)}]"
    st.page_link(f"app_pages/{page}.py", label=shown, query_params=parameters)


def headline(above: str, figure: str) -> None:
    """Draw the one thing a page is about, with what it is above it."""
    with st.container(gap=None):
        st.caption(above)
        st.title(figure, anchor=False)


def player(
    audio_sha256: str | None, title: str, command: str, ends_ms: tuple[int, int] | None = None
) -> None:
    """Draw a player of a recording or track, of one stretch of it where `ends_ms` are given.

    Where there is no sound, name the `tantieme` command that renders it.
    """
    sound = reads.audio(reads.place(), audio_sha256)
    if sound is None:
        st.caption(
            f"No sound was rendered; `tantieme {command}` renders it where fluidsynth is installed."
        )
    elif ends_ms is None:
        st.audio(sound, alt=title)
    else:
        start, end = seconds(ends_ms)
        alt = f"{title}, {stretch(ends_ms)}"
        st.audio(sound, start_time=start, end_time=end, alt=alt)


def share_tile(label: str, part: Money, of: tuple[Money, str], *, why: str, since: str) -> None:
    """Draw a tile with an amount, what part of a whole it is, and how it changed, if that is known.

    The whole comes with what it is called.
    """
    whole, name = of
    st.metric(
        label,
        part.rounded,
        f"{percent(part.micros, whole.micros)} of {name}",
        delta_color="off",
        delta_arrow="off",
        delta_description=since or None,
        help=why,
        border=True,
    )


def since(now: Money, before: Money, period: Period) -> str:
    """Say how an amount differs from that of an earlier month; nothing in another currency."""
    if before.currency != now.currency:
        return ""
    return f"{signed_cents(now - before)} since {calendar.month_name[period.month]}"


def count_tile(label: str, count: int, note: str) -> None:
    """Draw a tile with a number of things."""
    st.metric(label, f"{count:,}", note, delta_color="off", delta_arrow="off", border=True)


def table(rows: pd.DataFrame, *, alt: str) -> None:
    """Draw a table of a name and figures; figures are text and stand on the right."""
    right = st.column_config.TextColumn(alignment="right")
    st.dataframe(
        rows, hide_index=True, column_config=dict.fromkeys(rows.columns[1:], right), alt=alt
    )


def csv(rows: pd.DataFrame) -> bytes:
    """Write a table as CSV; text that a spreadsheet would take for a formula is kept from it."""
    text: str = rows.map(no_formula).to_csv(index=False, lineterminator="\n")
    return text.encode()


def download(rows: Callable[[], pd.DataFrame], what: str, name: str) -> None:
    """Offer rows as a file of that name; they are made once somebody asks for it."""
    st.download_button(
        f"Download {what} as CSV",
        lambda: csv(rows()),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        on_click="ignore",
        icon=":material/download:",
    )


def pager(name: str, count: int, size: int) -> int:
    """Draw a control for the pages of a list; return how many rows come before the chosen one."""
    pages = max(1, -(-count // size))
    number = st.pagination(pages, key=f"{name}_page") if pages > 1 else 1
    first = (min(number, pages) - 1) * size
    if count:
        st.caption(f"{first + 1:,} to {min(first + size, count):,} of {count:,}")
    return first


def matrix(marks: pd.DataFrame, *, alt: str) -> None:
    """Draw marks by row and column: all rows at once, and headings that wrap."""
    st.table(marks, border="horizontal", alt=alt)


def chips(names: Sequence[str], colour: str) -> None:
    """Draw words as chips, in one of Streamlit's colours."""
    st.markdown(" ".join(f":{colour}-badge[{plain(name)}]" for name in names))


@contextmanager
def refusals() -> Iterator[None]:
    """Show what is missing, and the command that makes it, in place of what it prevented."""
    try:
        yield
    except RoyaltyError as refusal:
        empty(str(refusal))


def empty(message: str) -> None:
    """Say why there is nothing to see, and name each command that fills it."""
    sentence = message[:1].upper() + message[1:]
    st.info(_COMMAND.sub(r"`\1`", sentence).removesuffix(".") + ".")
    for command in _COMMAND.findall(message):
        st.code(command, language=None)


def _standing(row: PeriodRow) -> str:
    if row.status == "closed":
        return f"Closed, by {rule_name(row.rule or '').lower()}. Its figures are final."
    return "Open. Its figures are a preview."


def _remember(name: str) -> None:
    st.query_params[name] = st.session_state[f"{name}_picker"]
