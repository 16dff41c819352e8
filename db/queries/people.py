"""Who may look: the people that a workspace lists, as viewers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from db.queries.viewer import Viewer
from royalty.access import FILE, Access, Person, read_access
from royalty.errors import BadInput, Problem


def access(home: Path) -> Access | None:
    """Read who may see what of a workspace; None where it has no `access.toml`.

    Raises `BadInput` with every fault in it.
    """
    path = home / FILE
    if not path.exists():
        return None
    found = path.stat()
    return _read(path, (found.st_mtime_ns, found.st_size))


def viewer_of(listed: Access, claims: Mapping[str, Any]) -> Viewer | None:
    """Say who signed in with these claims of an identity token; None: nobody who is listed."""
    person = listed.find(claims)
    return None if person is None else _viewer(person)


def _viewer(person: Person) -> Viewer:
    parties = None if person.sees_all else person.parties
    return Viewer(person.name, parties, listeners=person.role == "auditor")


@lru_cache(maxsize=4)
def _read(path: Path, _as_of: tuple[int, int]) -> Access:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput([Problem(str(path), None, None, f"is no UTF-8 text: {error}")]) from None
    return read_access(text, str(path))
