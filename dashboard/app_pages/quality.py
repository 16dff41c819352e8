"""Quality answers whether the scores behind the money can be trusted, and how far."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import charts, components, reads
from dashboard.components import plain
from dashboard.evaluations import (
    Document,
    Evaluated,
    Figure,
    figures,
    latest,
    levels,
    one,
    paying,
)
from royalty.errors import NotReady

NGRAM = "ngram"
SHOWN = {NGRAM: "n-gram overlap"}
ARTISTS = 30  # drawn; the table has all
WHAT = {
    "lds": "**LDS**: the model is trained again on many halves of the data. For each query the "
    "scores of what a half kept are added up, and these sums are ranked against how likely the "
    "retrained models find the query. 1 is perfect, 0 is chance. The **ceiling** is what perfect "
    "scores would reach, since training itself is noisy. **n-gram overlap** knows nothing of the "
    "model: it is the row to beat.",
    "informativeness": "**I** compares what the scores say of an artist with what leaving the "
    "artist out of training did, over all queries. Near 1, one unit more of evidence is one unit "
    "more of truth, so paying by it is fair; near 0 the evidence is noise. All artists share one "
    "unit, fitted on these queries: I says how an artist differs from the others.",
    "coverage": "**Coverage**: in worlds where the truth is known, how many of the intervals "
    "stated at 90 % hold it. 80 to 97 % is the aim.",
    "removal": "**Removal**: what ranks highest is left out and the model trained again. The "
    "figure is what a track's log-likelihood lost, in nats; random removal stands beside it.",
    "planted": "**Planted copies**: a copy must rank its original first. It tests retrieval: "
    "finding copies says nothing of broad influence.",
    "sanity": "**Sanity**: scores must depend on what the model has learnt, and queries must have "
    "favourites of their own.",
}
MISSING = {
    "lds": "evaluate lds --by item",
    "informativeness": "evaluate informativeness",
    "coverage": "evaluate coverage",
    "removal": "evaluate removal",
    "planted": "evaluate planted",
    "sanity": "evaluate sanity",
}


def show() -> None:
    """Draw what was evaluated; where nothing was, the command that does it."""
    found = latest(reads.evaluations(reads.place()))
    if found is None:
        raise NotReady("nothing was evaluated yet; run 'tantieme evaluate lds'")
    _headline(found)
    _lds(found)
    _informativeness(found)
    left, right = st.columns(2, gap="large")
    with left:
        _coverage(found)
        _sanity(found)
    with right:
        _rows(found, "removal", "Is what ranks highest missed?")
        _rows(found, "planted", "Do copies find their originals?")


def _headline(found: Evaluated) -> None:
    """One number first: the LDS of the method that pays, by artist where that was measured."""
    by = next((by for by in ("artist", "item") if by in found.lds), None)
    if by is None:
        components.headline("How well scores foretell retraining", "not measured")
        components.empty("no LDS was measured of this run; run 'tantieme evaluate lds'")
        return
    document = found.lds[by]
    first, method = levels(document)[0], paying(document)
    figure = one(figures(document, "LDS"), method, first)
    assert figure is not None
    components.headline(f"How well scores foretell retraining, by {by}", f"LDS {figure.shown}")
    facts = {
        "Interval": f"{figure.interval}, {100 * (figure.confidence or 0):.0f} %",
        "Queries": first,
        "Truth": figure.note,
        "Method": method,
        "Run": found.run,
        "Measured": document["made_at"][:10],
    }
    st.markdown("  ·  ".join(f":gray[{name}] {plain(value)}" for name, value in facts.items()))
    for sentence in document["sentences"]:
        st.markdown(plain(sentence))


def _lds(found: Evaluated) -> None:
    st.header("Methods side by side", anchor=False)
    st.caption(WHAT["lds"])
    for by in ("artist", "item"):
        if by not in found.lds:
            _missing("lds", f"evaluate lds --by {by}")
            continue
        for level in levels(found.lds[by]):
            _level(found.lds[by], level)


def _level(document: Document, level: str) -> None:
    """Draw the methods at one level, the ceiling as a line, and all figures as a table."""
    st.subheader(f"By {level}", anchor=False)
    shown = [each for each in figures(document, "LDS") if each.of == level]
    ceiling = one(figures(document, "ceiling"), paying(document), level)
    best = max(shown, key=lambda each: each.value or -1)
    st.altair_chart(
        charts.estimates(
            [_point(each, _name(each.method)) for each in shown],
            axis="LDS",
            mark=ceiling.value if ceiling else None,
            mark_label=f"ceiling {ceiling.shown}" if ceiling else "",
        ),
        alt=f"{_name(best.method)} reaches the highest LDS by {level}, {best.shown}",
    )
    columns = {
        "LDS / ceiling": figures(document, "LDS / ceiling"),
        "More than n-gram overlap": figures(document, "difference"),
    }
    table = pd.DataFrame(
        {
            "Method": _name(each.method),
            "LDS": each.shown,
            "90 % interval": each.interval,
            **{name: _both(one(own, each.method, level)) for name, own in columns.items()},
        }
        for each in shown
    )
    components.table(table, alt=f"LDS of each method by {level}")
    if ceiling is None or ceiling.value is None:
        st.caption("No ceiling: it needs retrainings at two seeds or more.")


def _informativeness(found: Evaluated) -> None:
    st.header("Artist by artist", anchor=False)
    document = found.kind("informativeness")
    if document is None:
        _missing("informativeness")
        return
    st.caption(WHAT["informativeness"])
    method = paying(document)
    known = [each for each in figures(document, "I") if each.method == method]
    drawn = [each for each in known if each.value is not None][:ARTISTS]
    if drawn:
        st.altair_chart(
            charts.estimates(
                [_point(each, each.of) for each in drawn],
                axis="Informativeness I",
                mark=1.0,
                mark_label="fair",
            ),
            alt=f"Informativeness of {len(drawn)} artists by {method}",
        )
    for sentence in document["sentences"]:
        st.markdown(plain(sentence))
    with st.expander("All artists"):
        components.table(_artists(document, method, known), alt="Informativeness of every artist")


def _artists(document: Document, method: str, known: Sequence[Figure]) -> pd.DataFrame:
    names = {"SNR": "SNR", "Spearman": "Spearman", "Truth repeats": "reliability of the truth"}
    others = {shown: figures(document, name) for shown, name in names.items()}
    return pd.DataFrame(
        {
            "Artist": each.of,
            "I": each.shown,
            "95 % interval": each.interval,
            **{name: _shown(one(own, method, each.of)) for name, own in others.items()},
        }
        for each in known
    )


def _coverage(found: Evaluated) -> None:
    st.header("Do stated intervals hold?", anchor=False)
    document = found.kind("coverage")
    if document is None:
        _missing("coverage")
        return
    st.caption(WHAT["coverage"])
    table = pd.DataFrame(
        {
            "World": each.of,
            "Intervals of shares that hold": f"{100 * (each.value or 0):.0f} %",
            "95 % interval": each.interval,
        }
        for each in figures(document, "shares covered")
        if each.value is not None
    )
    components.table(table, alt="How many intervals of shares hold the truth, world by world")


def _sanity(found: Evaluated) -> None:
    st.header("Are the scores about the model?", anchor=False)
    document = found.kind("sanity")
    if document is None:
        _missing("sanity")
        return
    st.caption(WHAT["sanity"])
    for verdict in document["verdicts"]:
        said = "Sound" if verdict["passed"] else "Fails"
        colour = "green" if verdict["passed"] else "red"
        st.markdown(f":{colour}-badge[{said}] {plain(verdict['sentence'])}")


def _rows(found: Evaluated, kind: str, title: str) -> None:
    """Draw a smaller check: its rows, and what they mean."""
    st.header(title, anchor=False)
    document = found.kind(kind)
    if document is None:
        _missing(kind)
        return
    st.caption(WHAT[kind])
    for sentence in document["sentences"]:
        st.markdown(plain(sentence))
    table = pd.DataFrame(
        {
            "Of": " · ".join(filter(None, (_name(row["method"]), row["of"]))),
            "Figure": row["figure"],
            "Value": "–" if row["value"] is None else f"{row['value']:.2f}",  # noqa: RUF001
            "Note": row["note"],
        }
        for row in document["rows"]
    )
    with st.expander("All figures"):
        components.table(table, alt=title)


def _missing(kind: str, command: str | None = None) -> None:
    words = reads.place().command(command or MISSING[kind])
    st.markdown(":gray[Not measured yet:]")
    st.code(words, language=None)


def _point(each: Figure, label: str) -> charts.Point:
    value = each.value or 0.0
    return charts.Point(
        label=label,
        value=value,
        low=value if each.low is None else each.low,
        high=value if each.high is None else each.high,
        shown=each.shown,
        interval=each.interval,
        kind="unattributed" if each.method == NGRAM else "attributed",
    )


def _name(method: str) -> str:
    return SHOWN.get(method, method)


def _shown(figure: Figure | None) -> str:
    return "–" if figure is None else figure.shown  # noqa: RUF001


def _both(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"  # noqa: RUF001
    return figure.shown if figure.low is None else f"{figure.shown} ({figure.interval})"


show()
