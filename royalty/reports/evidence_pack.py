"""The evidence pack: all that one payee's statement rests on, in one zip that anyone can check.

It holds the payee's own money and recordings only; of a track's other shares it has the sum. Equal
input gives equal bytes: files are stored in order of their names, without a time. What checks it,
`royalty.reports.pack_verify`, is in it as `verify.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files as resources
from typing import Any

from royalty.ledger import payable
from royalty.reports.csv import no_formula, statement_csv
from royalty.reports.json import statement_json, written
from royalty.reports.pack_verify import COLUMNS, MANIFEST, SCHEMA, archive
from royalty.statement import Statement

Json = Mapping[str, Any]
Row = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A leaf of a period's Merkle tree, and the hashes from it to the root."""

    place: int  # among the leaves, from 0
    leaf: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """All postings of a period on one payee's account, and what they come to, with proofs."""

    root: str
    leaves: int  # of the period
    postings: tuple[Proof, ...]
    pools: tuple[Proof, ...]  # the postings that divided what lines are of
    account: Proof  # opening, closing, how many postings, which rows of the division


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What attribution found, and what can be heard of it; of own recordings only."""

    tracks: Sequence[Json]  # references: id, title, provenance, hashes
    evidence: Json  # by track: interval, null, spread between members
    passages: Sequence[Json]  # where they met, with the clips that sound them
    clips: Mapping[str, bytes]  # by name in the pack
    quality: Json  # how good attribution was measured to be


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that goes into a pack."""

    statement: Statement
    proofs: Proofs
    shares: Sequence[Row]  # as `COLUMNS` has them
    allocations: Sequence[Row]  # the same
    found: Found
    rests_on: Json  # provider, runs, checkpoints, options, snapshots
    code_version: str


def evidence_pack(contents: Contents) -> bytes:
    """Write a pack. Its statement's root has to be that of the proofs."""
    assert contents.statement.root == contents.proofs.root, "the proofs are of another root"
    members = _members(contents)
    manifest = _manifest(contents, members)
    return archive({**members, MANIFEST: manifest})


def _members(contents: Contents) -> dict[str, bytes]:
    found = contents.found
    return {
        "README.txt": _readme(contents.statement),
        "allocations.csv": _table("allocations.csv", contents.allocations),
        "evidence/passages.json": written({"schema": SCHEMA, "passages": list(found.passages)}),
        "evidence/tracks.json": written(found.evidence),
        "ledger.json": written(_ledger(contents.statement, contents.proofs)),
        "quality.json": written(found.quality),
        "shares.csv": _table("shares.csv", contents.shares),
        "statement.csv": statement_csv(contents.statement),
        "statement.json": statement_json(contents.statement),
        "tracks/references.json": written({"schema": SCHEMA, "tracks": list(found.tracks)}),
        "verify.py": _resource("pack_verify.py"),
        **found.clips,
    }


def _manifest(contents: Contents, members: Mapping[str, bytes]) -> bytes:
    statement = contents.statement
    return written(
        {
            "schema": SCHEMA,
            "payee": {"id": statement.payee, "name": statement.payee_name},
            "period": str(statement.period),
            "currency": statement.currency,
            "root": statement.root,
            "closed_at": statement.closed_at,
            "code_version": contents.code_version,
            "rests_on": contents.rests_on,
            "files": {name: sha256(content).hexdigest() for name, content in members.items()},
        }
    )


def _ledger(statement: Statement, proofs: Proofs) -> Json:
    return {
        "schema": SCHEMA,
        "account": payable(statement.payee),
        "period": str(statement.period),
        "currency": statement.currency,
        "root": proofs.root,
        "leaves": proofs.leaves,
        "opening": statement.opening.json,
        "closing": statement.closing.json,
        "account_leaf": _proof(proofs.account),
        "pools": [_proof(each) for each in proofs.pools],
        "postings": [_proof(each) for each in proofs.postings],
    }


def _proof(proof: Proof) -> Json:
    return {"place": proof.place, "leaf": proof.leaf, "path": list(proof.path)}


def _readme(statement: Statement) -> bytes:
    text = _resource("pack_readme.txt").decode()
    named = {"name": statement.payee_name, "period": statement.period, "root": statement.root}
    return text.format_map(named).encode()


def _table(name: str, rows: Iterable[Row]) -> bytes:
    columns, text = COLUMNS[name], io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: no_formula(row[name]) for name in columns} for row in rows)
    return text.getvalue().encode()


@cache
def _resource(name: str) -> bytes:
    return resources(__package__).joinpath(name).read_bytes()
