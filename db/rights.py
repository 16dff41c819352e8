"""Who held what on a day, kept as snapshots: a month can be divided again by what held then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from db import snapshots
from db.engine import Books, writing
from db.snapshots import Encoded
from royalty.rights import RIGHTS_SCHEMAS, Rights

KINDS = {name: f"rights.{name}" for name in RIGHTS_SCHEMAS}  # table → kind of snapshot


def hashes(rights: Rights) -> dict[str, Sequence[str]]:
    """Say as what snapshots rights would be kept, by kind; nothing is written."""
    return _by_kind(_encoded(rights))


def keep(books: Books, rights: Rights) -> dict[str, Sequence[str]]:
    """Keep and register rights as snapshots; the same rights are the same ones. By kind."""
    encoded = _encoded(rights)
    for each in encoded:
        snapshots.keep(books.home, each)
    with writing(books) as connection:
        for each in encoded:
            snapshots.register(connection, each.snapshot)
    return _by_kind(encoded)


def read(books: Books, kept: Mapping[str, Sequence[str]]) -> Rights:
    """Read rights back from their snapshots, by kind. Raises `CorruptSnapshot`."""
    return Rights(**{name: snapshots.read(books, kept[kind][0]) for name, kind in KINDS.items()})


def _encoded(rights: Rights) -> list[Encoded]:
    return [snapshots.encode(kind, getattr(rights, name)) for name, kind in KINDS.items()]


def _by_kind(encoded: Iterable[Encoded]) -> dict[str, Sequence[str]]:
    return {each.snapshot.kind: [each.snapshot.sha256] for each in encoded}
