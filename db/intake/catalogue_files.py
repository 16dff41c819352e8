"""A catalogue's folder: CSV files into recordings, parties, interests and terms, faults listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TypeVar, cast

from db.intake import agreements, identifiers
from db.intake.agreements import Agreements
from db.intake.faults import printable, shown
from db.intake.rows import Row, one_of, read_id, read_rows, read_territory, read_text, whole_number
from royalty.catalogue import PPM, RIGHTS, WORLDWIDE, Interest, Party, Recording, Right
from royalty.errors import Problem
from royalty.terms import Terms

Noun = TypeVar("Noun", Recording, Party, Interest, Terms)

FILES = ("recordings.csv", "parties.csv", "interests.csv", "terms.csv")
RECORDING = (
    "id", "isrc", "title", "artist", "work", "iswc", "file", "licensed_from", "licensed_to",
)  # fmt: skip
PARTY = ("id", "name", "kind", "ipi", "isni", "payee")
INTEREST = (
    "subject", "subject_id", "right", "party", "ppm", "territory", "valid_from", "valid_to",
)  # fmt: skip

# What no two rows of a file may both be about.
_SAME = {
    Recording: "id",
    Party: "id",
    Interest: "subject, right, party, territory and valid_from",
    Terms: "party, territory and valid_from",
}
_RIGHT_OF = {"recording": "master", "work": "publishing"}
_NAME_BYTES_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFiles:
    """A catalogue's folder as read: values, where each stood, and every fault within it."""

    recordings: tuple[Recording, ...]
    parties: tuple[Party, ...]
    interests: tuple[Interest, ...]
    terms: tuple[Terms, ...]
    problems: tuple[Problem, ...]
    places: Mapping[Hashable, tuple[str, int]]  # value → file, row

    def problem(self, value: Hashable, column: str | None, message: str) -> Problem:
        """Say what is wrong with a value, where it stands."""
        source, row = self.places[value]
        return Problem(source, row, column, printable(message))


@dataclass(slots=True)
class _Reader:
    """One folder being read."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    places: dict[Hashable, tuple[str, int]] = field(default_factory=dict)

    def read(
        self,
        name: str,
        columns: Sequence[str],
        make: Callable[[Row], Noun],
        optional: Sequence[str] = (),
    ) -> tuple[Noun, ...]:
        """Read one file. Values of faulty rows are kept, since other files may refer to them."""
        values: list[Noun] = []
        first: dict[Hashable, int] = {}
        for row in read_rows(self.folder / name, columns, self.problems, optional):
            before = len(self.problems)
            value = make(row)
            if value not in self.places:  # a row that is there already has that one fault only
                values.append(value)
                self.places[value] = (row.source, row.number)
            if len(self.problems) > before:  # what the row is about may not be what it says
                continue
            about = first.setdefault(_key(value), row.number)
            if about != row.number:
                row.fault(None, f"overlaps row {about}: same {_SAME[type(value)]}")
        return tuple(values)

    def read_if_there(
        self,
        name: str,
        columns: Sequence[str],
        make: Callable[[Row], Noun],
        optional: Sequence[str] = (),
    ) -> tuple[Noun, ...]:
        """Read one file that need not be there."""
        there = (self.folder / name).exists()
        return self.read(name, columns, make, optional) if there else ()


def read_catalogue(folder: Path) -> CatalogueFiles:
    """Read a catalogue's folder: what it has of the four files; faults are collected.

    Artists, parties, payees and subjects may be named in other ways than by their ids.
    """
    reader = _Reader(folder)
    if not any((folder / name).exists() for name in FILES):
        reader.problems.append(Problem(str(folder), None, None, f"has none of {', '.join(FILES)}"))
    recordings = reader.read_if_there("recordings.csv", RECORDING, _recording)
    parties = reader.read_if_there("parties.csv", PARTY, _party)
    interests = reader.read_if_there("interests.csv", INTEREST, _interest)
    agreed = Agreements()
    columns, optional = agreements.COLUMNS, agreements.OPTIONAL
    terms = reader.read_if_there("terms.csv", columns, agreed.read, optional)
    files = CatalogueFiles(
        recordings=recordings,
        parties=parties,
        interests=interests,
        terms=terms,
        problems=tuple(reader.problems),
        places=reader.places,
    )
    said = _without_faulty(files)
    across = (
        *_two_iswcs(said),
        *_more_than_all(said),
        *agreed.faults(said.terms, files.problem),
    )
    return replace(files, problems=files.problems + across)


def _without_faulty(files: CatalogueFiles) -> CatalogueFiles:
    """Leave out the rows with a fault, whose cells are not what they say."""
    faulty = {(problem.source, problem.row) for problem in files.problems}

    def fine(values: Iterable[Noun]) -> tuple[Noun, ...]:
        return tuple(value for value in values if files.places[value] not in faulty)

    return replace(
        files,
        recordings=fine(files.recordings),
        interests=fine(files.interests),
        terms=fine(files.terms),
    )


def _recording(row: Row) -> Recording:
    licensed_from, licensed_to = row.days("licensed_from", "licensed_to")
    return Recording(
        id=(name := row.id("id")),
        title=row.text("title"),
        artist=row.text("artist"),
        work=row.maybe("work", read_id) or name,
        isrc=row.maybe("isrc", identifiers.read_isrc),
        iswc=row.maybe("iswc", identifiers.read_iswc),
        file=row.maybe("file", _read_file),
        licensed_from=licensed_from,
        licensed_to=licensed_to,
    )


def _party(row: Row) -> Party:
    return Party(
        id=(name := row.id("id")),
        name=row.text("name"),
        kind=row.text("kind"),
        payee=row.maybe("payee", read_text) or name,
        ipi=row.maybe("ipi", identifiers.read_ipi),
        isni=row.maybe("isni", identifiers.read_isni),
    )


def _interest(row: Row) -> Interest:
    subject = row.given("subject", one_of(*_RIGHT_OF), "recording")
    right = row.given("right", one_of(*RIGHTS), _RIGHT_OF[subject])
    if right != _RIGHT_OF[subject]:
        row.fault("right", f"a {subject} has a {_RIGHT_OF[subject]} right, not {right}")
    valid_from, valid_to = row.days("valid_from", "valid_to")
    return Interest(
        subject="work" if subject == "work" else "recording",
        subject_id=row.text("subject_id"),
        right=cast("Right", right),
        party=row.text("party"),
        ppm=row.given("ppm", whole_number(1, PPM), 1),
        territory=row.maybe("territory", read_territory) or WORLDWIDE,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _read_file(text: str) -> str:
    """Read the name of a file inside the folder; a link out of it is found when it is opened."""
    parts = PurePosixPath(read_text(text)).parts
    if text.startswith("/") or ".." in parts or "\\" in text:
        raise ValueError(f"'{shown(text)}' lies outside the imported folder")
    if any(len(part.encode()) > _NAME_BYTES_MAX for part in parts):
        raise ValueError(f"'{shown(text)}' is too long a name for a file")
    return text


def _key(value: Recording | Party | Interest | Terms) -> Hashable:
    """Return what `_SAME` says in words."""
    match value:
        case Recording() | Party():
            return value.id
        case Interest():
            return (value.subject, value.subject_id, value.party, value.territory, value.valid_from)
        case Terms():
            return (value.party, value.territory, value.valid_from)


def _two_iswcs(files: CatalogueFiles) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for each in files.recordings:
        if each.iswc and first.setdefault(each.work, each.iswc) != each.iswc:
            message = f"work {each.work} has ISWC {first[each.work]} in another row"
            yield files.problem(each, "iswc", message)


def _more_than_all(files: CatalogueFiles) -> Iterator[Problem]:
    """Find interests that on some day add up to more than the whole."""
    together: defaultdict[Hashable, list[Interest]] = defaultdict(list)
    for each in files.interests:
        together[each.subject, each.subject_id, each.territory].append(each)
    for interests in together.values():
        for each in interests:
            begin = each.valid_from or date.min
            held = sum(other.ppm for other in interests if other.holds_on(begin))
            if held > PPM:
                yield files.problem(each, "ppm", _too_much(each, held))


def _too_much(each: Interest, held: int) -> str:
    since = f" from {each.valid_from}" if each.valid_from else ""
    return f"interests in {each.subject} {each.subject_id} add up to {held} ppm{since}"
