"""Who may see what: the people that a workspace's `access.toml` lists, and what became of them.

Somebody is known by a verified e-mail address or by the subject that the identity provider gives.
Whoever is not listed sees nothing.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from royalty.errors import BadInput, Problem
from royalty.suppression import LEAST

FILE = "access.toml"  # of a workspace
LOCAL = ("localhost", "127.0.0.1", "::1")  # addresses at which only this machine can ask
Role = Literal["payee", "manager", "accountant", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
OF_PARTIES: tuple[Role, ...] = ("payee", "manager")  # who see the money of the parties named
_PERSON = ("email", "subject", "role", "parties")
_WHOLE = ("people", "ask", "k")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in: as whom they are known, and what they may see."""

    email: str = ""  # in small letters; empty where they are known by their subject
    subject: str = ""
    role: Role
    parties: frozenset[str] = frozenset()  # whose money a payee or a manager sees

    @property
    def name(self) -> str:
        """What they are called in a refusal."""
        return self.email or self.subject

    @property
    def sees_all(self) -> bool:
        """Whether everybody's money is shown to them."""
        return self.role not in OF_PARTIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What `access.toml` says."""

    people: Sequence[Person] = ()
    ask: str = ""  # whom somebody asks who is not listed
    k: int = LEAST  # fewer listeners than these are not told apart to payees

    def find(self, claims: Mapping[str, Any]) -> Person | None:
        """Find who signed in by the claims of their identity token; None: not listed.

        An address counts only where the provider says that it verified it.
        """
        verified = claims.get("email_verified") is True
        email = str(claims.get("email", "")).lower() if verified else ""
        subject = str(claims.get("sub", ""))
        return next(
            (
                each
                for each in self.people
                if (each.email and each.email == email)
                or (each.subject and each.subject == subject)
            ),
            None,
        )


def read_access(text: str, source: str = FILE) -> Access:
    """Read `access.toml`. Raises `BadInput` with every fault in it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput([Problem(source, None, None, f"cannot be read: {error}")]) from None
    problems = [Problem(source, None, name, message) for name, message in _faults(document)]
    if problems:
        raise BadInput(problems)
    people = tuple(_person(each) for each in document.get("people", []))
    return Access(people=people, ask=document.get("ask", ""), k=document.get("k", LEAST))


def _person(said: Mapping[str, Any]) -> Person:
    return Person(
        email=said.get("email", "").strip().lower(),
        subject=said.get("subject", "").strip(),
        role=said["role"],
        parties=frozenset(said.get("parties", ())),
    )


def _faults(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((key, "is not a setting") for key in document if key not in _WHOLE)
    if not isinstance(document.get("ask", ""), str):
        yield "ask", "must be a name in quotes"
    least = document.get("k", LEAST)
    if not isinstance(least, int) or isinstance(least, bool) or least < 1:
        yield "k", "must be a whole number of listeners, at least 1"
    people = document.get("people", [])
    if not isinstance(people, list) or not all(isinstance(each, dict) for each in people):
        yield "people", "must be tables, each headed [[people]]"
        return
    for number, said in enumerate(people, 1):
        for fault in _faults_of(said):
            yield f"people {number}", fault
    known = Counter(_known_as(each, key) for each in people for key in _PERSON[:2])
    for name in sorted(name for name, count in known.items() if name and count > 1):
        yield "people", f"'{name}' is listed more than once"


def _known_as(said: Mapping[str, Any], key: str) -> str:
    """Say as whom a person is known; small letters make no difference in an address."""
    name = str(said.get(key, "")).strip()
    return name.lower() if key == "email" else name


def _faults_of(said: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with one person."""
    yield from (f"'{key}' is not known of people" for key in said if key not in _PERSON)
    names = [said[key] for key in _PERSON[:2] if key in said]
    if len(names) != 1 or not isinstance(names[0], str) or not names[0].strip():
        yield "must have an email or a subject, one of them"
    role, parties = said.get("role"), said.get("parties", [])
    if role not in ROLES:
        yield f"role must be one of {', '.join(ROLES)}"
    if not isinstance(parties, list) or not all(
        isinstance(each, str) and each.strip() for each in parties
    ):
        yield "parties must be a list of ids in quotes"
    elif role in OF_PARTIES and not parties:
        yield f"a {role} must have parties, whose money they see"
    elif role in ROLES and role not in OF_PARTIES and parties:
        yield f"an {role} sees everybody's money; leave parties out"
