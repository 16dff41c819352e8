"""Write the demonstration's folders: real works as MIDI, with illustrative rights and terms.

What comes out is what any user brings: `recordings.csv` and its companions beside the music. The
import then reads them as it would read anybody's.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attribution.music.midi import UnreadableMusic, write_midi
from attribution.music.scores import parse_corpus
from cli.output import Report
from db.intake.agreements import COLUMNS as TERMS
from db.intake.catalogue_files import INTEREST, PARTY, RECORDING
from royalty.catalogue import PPM
from royalty.errors import BadInput, Problem

SECONDS_MAX = 60.0  # of each work
Row = Mapping[str, str]
Work = dict[str, str]  # a row of data/corpus.csv


def write_folders(
    data: Path, works: Sequence[Work], by_role: Mapping[str, Path], report: Report
) -> None:
    """Write a folder for the works to train on and one for the placebos; what is there stays."""
    _write_music({_music_file(by_role[work["role"]], work): work for work in works}, report)
    for role, folder in by_role.items():
        chosen = [work for work in works if work["role"] == role]
        _write_table(folder / "recordings.csv", RECORDING, map(_recording, chosen))
        parties = _parties(data, chosen)
        _write_table(folder / "parties.csv", PARTY, parties)
    trained = [work for work in works if work["role"] == "train"]
    _write_table(by_role["train"] / "interests.csv", INTEREST, _interests(data, trained))
    _write_table(by_role["train"] / "terms.csv", TERMS, read_table(data / "terms.csv"))


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file of the demonstration's own."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _music_file(folder: Path, work: Row) -> Path:
    return folder / "music" / f"{work['recording']}.mid"


def _write_music(files: Mapping[Path, Row], report: Report) -> None:
    """Parse what is not there yet, in parallel, and write it as MIDI."""
    missing = {work["corpus_path"]: path for path, work in files.items() if not path.exists()}
    if not missing:
        return
    for folder in {path.parent for path in missing.values()}:
        folder.mkdir(parents=True, exist_ok=True)
    parsed = parse_corpus(sorted(missing), seconds_max=SECONDS_MAX, progress=report)
    faults = [
        Problem(path, None, None, str(found))
        for path, found in parsed.items()
        if isinstance(found, UnreadableMusic)
    ]
    if faults:
        raise BadInput(faults)
    for corpus_path, notes in parsed.items():
        assert not isinstance(notes, UnreadableMusic)
        draft = missing[corpus_path].with_suffix(".part")
        write_midi(notes, draft)
        draft.replace(missing[corpus_path])


def _recording(work: Row) -> Row:
    return {
        "id": work["recording"],
        "title": work["title"],
        "artist": work["artist"],
        "work": work["work"],
        "file": f"music/{work['recording']}.mid",
    }


def _parties(data: Path, works: Sequence[Row]) -> list[Row]:
    """List the parties that these works need: their artists, and who else holds interests."""
    artists = {work["artist"]: work["composer"] for work in works}
    others = read_table(data / "parties.csv")
    rows = [
        {"id": id_, "name": name, "kind": "composer", "payee": id_} for id_, name in artists.items()
    ]
    return sorted([*rows, *others], key=lambda row: row["id"])


def _interests(data: Path, works: Sequence[Row]) -> Iterator[Row]:
    """Give master and publishing to the artist, less what others hold."""
    held: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in read_table(data / "rights.csv"):
        held[row["artist"], row["right"]][row["party"]] = int(row["ppm"])
    subjects = {("recording", work["recording"], "master"): work["artist"] for work in works}
    subjects |= {("work", work["work"], "publishing"): work["artist"] for work in works}
    for (subject, id_, right), artist in sorted(subjects.items()):
        others = held[artist, right]
        for party, ppm in [(artist, PPM - sum(others.values())), *sorted(others.items())]:
            yield {
                "subject": subject,
                "subject_id": id_,
                "right": right,
                "party": party,
                "ppm": str(ppm),
                "territory": "WW",
            }


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
