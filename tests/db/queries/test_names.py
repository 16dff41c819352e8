from pathlib import Path

from db import queries
from db.engine import Books
from db.intake import aliases, corrections
from db.queries import EVERYONE


def write(folder: Path, *rows: str) -> Path:
    path = folder / "file.csv"
    path.write_text("\n".join([*rows, ""]))
    return path


def test_aliases_are_listed_by_noun_with_whom_they_mean(catalogued: Books, tmp_path: Path) -> None:
    rows = ("noun,alias,id", "recording,Boats,r2", "party,Robert,bob", "party,Annie,ann")
    aliases.record(catalogued, write(tmp_path, *rows))

    found = queries.aliases(EVERYONE, catalogued)

    assert [(row.noun, row.alias, row.id, row.name) for row in found] == [
        ("party", "Annie", "ann", "Ann"),
        ("party", "Robert", "bob", "Bob"),
        ("recording", "Boats", "r2", "Paper Boats"),
    ]
    assert len({row.recorded_at for row in found}) == 1


def test_corrections_are_listed_as_they_were_made(catalogued: Books, tmp_path: Path) -> None:
    header = "noun,id,field,value,reason"
    for name in ("Rob", "Bob"):
        corrections.correct(catalogued, write(tmp_path, header, f"party,bob,name,{name},asked"))

    found = queries.corrections(EVERYONE, catalogued)

    assert [(row.before, row.after) for row in found] == [("Bob", "Rob"), ("Rob", "Bob")]
