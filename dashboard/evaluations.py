"""What `tantieme evaluate` found, as the Quality page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of one method. Without an interval, its ends are None."""

    method: str
    of: str  # what it is about: "artist, generated", an artist's name, a kind of copy, a world
    value: float | None  # None: undefined
    low: float | None
    high: float | None
    confidence: float | None
    note: str

    @property
    def shown(self) -> str:
        """Write the value."""
        return "–" if self.value is None else f"{self.value:.2f}"  # noqa: RUF001

    @property
    def interval(self) -> str:
        """Write the interval."""
        if self.low is None or self.high is None:
            return "–"  # noqa: RUF001
        return f"{self.low:.2f} to {self.high:.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The latest document of each kind about one run; LDS by item and by artist are two kinds."""

    run: str
    lds: Mapping[str, Document]  # by "artist", "item"
    others: Mapping[str, Document]  # by kind

    def kind(self, name: str) -> Document | None:
        """Return one of the others."""
        return self.others.get(name)


def latest(documents: Sequence[Document]) -> Evaluated | None:
    """Choose what to show of documents, the latest first: all about the run last judged by LDS."""
    judged = [each for each in documents if each["run"]]
    about = next((each for each in judged if each["kind"] == "lds"), next(iter(judged), None))
    if about is None and not documents:
        return None
    run = about["run"] if about else ""
    lds: dict[str, Document] = {}
    others: dict[str, Document] = {}
    for each in documents:
        if each["run"] in {run, ""}:
            kept, key = (
                (lds, each["about"]["by"]) if each["kind"] == "lds" else (others, each["kind"])
            )
            kept.setdefault(key, each)
    return Evaluated(run=run, lds=lds, others=others)


def figures(document: Document, figure: str) -> list[Figure]:
    """Take every row with a figure of this name, artists by their names."""
    names: Mapping[str, str] = document.get("names", {})
    keys = ("method", "value", "low", "high", "confidence", "note")
    return [
        Figure(of=names.get(row["of"], row["of"]), **{key: row[key] for key in keys})
        for row in document["rows"]
        if row["figure"] == figure
    ]


def levels(document: Document) -> list[str]:
    """Name what LDS was taken of, in order: the run's own tracks first."""
    return list(dict.fromkeys(each.of for each in figures(document, "LDS")))


def paying(document: Document) -> str:
    """Name the method to put first: the one that pays, else the first there is."""
    methods = [row["method"] for row in document["rows"]]
    wanted: str = document["about"].get("paying", "")
    return wanted if wanted in methods else methods[0]


def one(found: Sequence[Figure], method: str, of: str) -> Figure | None:
    """Find one method's figure of one thing."""
    return next((each for each in found if (each.method, each.of) == (method, of)), None)
