"""Check an evidence pack with nothing but Python 3.10 or newer.

    python verify.py [PACK] [--root ROOT] [--manifest HASH]

PACK is the zip, or the folder that it was unpacked into: without it, the folder of this file. ROOT
is what the platform printed when it closed the month, HASH that of the manifest it wrote, which
this prints; both are to come to you another way than with the pack. ROOT fixes the payee's
money: postings, opening, closing and lines; HASH every byte. Ends with 0 where all holds, else
with 5.

A forger can write a pack anew with other amounts, so that every check but these two holds, and this
file with it: take it from where you trust it. `tantieme verify PACK` runs the same code.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import struct
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

SCHEMA = 2
FAILED = 5  # the exit code
BYTES_MAX = 1 << 30  # of a pack
FILES_MAX = 1000
MANIFEST = "manifest.json"
WHOLE_PPB = 1_000_000_000  # of a track
TERMS = ("adjustments", "recouped", "reserved", "withheld", "paid")

Files = Mapping[str, bytes]
Document = dict[str, Any]

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_DATE = 1 << 5 | 1  # the first of January 1980, before which a zip knows no day
_CLIP = re.compile(r"(tracks|recordings)/[A-Za-z0-9_-]+\.wav")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how text begins that a spreadsheet calculates
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_UNREADABLE = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError,
    RecursionError, csv.Error,
)  # fmt: skip

PROVES = """\
What this proves: with the root that the platform printed when it closed the month, that this is the
payee's money of that month, all of it and to the micro, as it was closed: opening, each posting,
each line with its gross, deductions, interval and share, and closing; with the hash of the manifest
that it wrote, that not a byte was changed.
What it does not prove: that the shares are the truth. Without the manifest's hash, nor what was
found in tracks and by what, titles, plays and what a track brought in all, others' shares, and what
notes and movements say in words."""
UNANCHORED = """\
WARNING: NO ROOT WAS GIVEN. That a pack agrees with itself proves little: whoever writes one can
write one with other amounts that agrees with itself as well. Give --root the root that the platform
printed when it closed the month, from a source other than this pack."""


class NotAPack(Exception):
    """What was given cannot be read as a pack at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, and what was wrong with it."""

    what: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found of a pack."""

    about: str  # whose pack of which month it says it is
    manifest_sha256: str
    root: str  # the one in the pack
    given: frozenset[str]  # of root and manifest, what was given from outside
    checks: tuple[Check, ...]

    @property
    def faults(self) -> list[str]:
        """Everything that does not hold."""
        return [f"{each.what}: {fault}" for each in self.checks for fault in each.faults]


@dataclass(frozen=True)
class Pack:
    """The files of a pack, and the documents among them that are held against one another."""

    files: Files

    @cached_property
    def manifest(self) -> Document:
        """What the pack is of, and what it holds."""
        return _json(self.files, MANIFEST)

    @cached_property
    def statement(self) -> Document:
        """What the payee was told."""
        return _json(self.files, "statement.json")

    @cached_property
    def ledger(self) -> Document:
        """The postings, each with its path to the root."""
        return _json(self.files, "ledger.json")

    @cached_property
    def postings(self) -> list[Document]:
        """What the leaves of the postings say."""
        return [_leaf(posting["leaf"]) for posting in self.ledger["postings"]]

    def rows(self, name: str) -> list[dict[str, str]]:
        """Read the rows of a CSV file, which has the columns that it is to have and no others."""
        header, *rows = csv.reader(io.StringIO(self.files[name].decode(), newline=""))
        if tuple(header) != COLUMNS[name]:
            raise ValueError(f"{name} has other columns")
        return [dict(zip(header, row, strict=True)) for row in rows]

    def micros(self, amount: Document) -> int:
        """Read an amount of the pack's currency, which says nothing else."""
        if set(amount) != {"micros", "currency"}:
            raise ValueError("an amount has other keys than micros and currency")
        if amount["currency"] != self.manifest["currency"]:
            raise ValueError(f"an amount is in {amount['currency']}")
        return _whole(amount["micros"])


def check(path: Path, root: str | None = None, manifest: str | None = None) -> Checked:
    """Check a pack, a zip or a folder. Raises `NotAPack` where there is nothing to check.

    `root` is the Merkle root of its month, `manifest` the SHA-256 of its manifest, both as the
    platform says them and not as the pack does.
    """
    files, outside = read_pack(path)
    pack = Pack(files)
    checks = [_checked("files", lambda: [*outside, *_listed(pack)])]
    if not checks[0].faults:
        checks += [_checked(what, partial(of, pack)) for what, of in CHECKS.items()]
    checks.append(_checked("root", lambda: _anchored(pack, root)))
    written = sha256(files.get(MANIFEST, b"")).hexdigest()
    checks.append(_checked("manifest", lambda: _same("manifest", written, manifest)))
    about, inside = _about(pack)
    return Checked(
        about=about,
        manifest_sha256=written,
        root=inside,
        given=frozenset(
            name for name, each in (("root", root), ("manifest", manifest)) if each is not None
        ),
        checks=tuple(checks),
    )


def said(checked: Checked) -> str:
    """Write what was found, for people."""
    about, root = _plain(checked.about), _plain(checked.root)
    lines = [about, f"manifest {checked.manifest_sha256}", f"root     {root}", ""]
    for each in checked.checks:
        skipped = each.what in {"root", "manifest"} - checked.given
        mark = "FAILED" if each.faults else "NOT CHECKED" if skipped else "holds"
        lines += [
            f"{mark:<13}{WORDS[each.what]}",
            *(f"{'':<13}{_plain(fault)}" for fault in each.faults),
        ]
    proven = (PROVES, "" if "root" in checked.given else UNANCHORED)
    after = (_faulty(checked),) if checked.faults else proven
    return "\n".join([*lines, *(f"\n{each}" for each in after if each)])


def _faulty(checked: Checked) -> str:
    """Say what a fault means: the pack may be whole, and only not the one that was asked for."""
    wrong = {each.what for each in checked.checks if each.faults}
    if wrong <= {"root", "manifest"}:
        return (
            "The pack agrees with itself, and is not the one that was asked for: compare what was "
            "given with the statement, with what closing printed, or with what the platform says."
        )
    count = len(checked.faults)
    return f"This pack is not what was written: {count} fault{'s' * (count != 1)}."


def document(checked: Checked) -> Document:
    """Write what was found, for programs."""
    return {
        "holds": not checked.faults,
        "root": checked.root,
        "given": sorted(checked.given),
        "manifest_sha256": checked.manifest_sha256,
        "faults": checked.faults,
    }


# --- The archive.


def archive(files: Files) -> bytes:
    """Write files as a zip: stored, in order of names, without a time; the same bytes always."""
    body, directory = bytearray(), bytearray()
    for name, content in sorted(files.items()):
        named, size = name.encode("ascii"), len(content)
        told = (20, 0, 0, 0, _DATE, crc32(content), size, size, len(named), 0)
        place = (0, 0, 0, 0o100644 << 16, len(body))
        directory += _CENTRAL.pack(b"PK\1\2", 3 << 8 | 20, *told, *place) + named
        body += _LOCAL.pack(b"PK\3\4", *told) + named + content
    sizes = (len(files), len(files), len(directory), len(body))
    return bytes(body + directory + _END.pack(b"PK\5\6", 0, 0, *sizes, 0))


def read_pack(path: Path) -> tuple[Files, list[str]]:
    """Read the files of a zip or of a folder, and say what is wrong outside of them."""
    if path.is_dir():
        return _unpacked(path), []
    if path.stat().st_size > BYTES_MAX:
        raise NotAPack(f"{path} is larger than a pack can be")
    content = path.read_bytes()
    if not content.startswith(b"PK\3\4"):
        raise NotAPack(f"{path} is no evidence pack: it is neither a folder nor a zip")
    files, faults = _extracted(content)
    if not faults and archive(files) != content:
        faults = ["the zip around the files is not as it was written"]
    return files, faults


def _extracted(content: bytes) -> tuple[Files, list[str]]:
    """Cut stored files out of a zip, one after the other; nothing is unpacked, nothing grows.

    One that is there twice, or is not stored, shows when the zip is written again.
    """
    files: dict[str, bytes] = {}
    at = 0
    try:
        while content[at : at + 4] == b"PK\3\4" and len(files) <= FILES_MAX:
            *_, size, _, length, _ = _LOCAL.unpack_from(content, at)
            at += _LOCAL.size
            name = content[at : at + length].decode("ascii")
            at += length + size
            files[name] = content[at - size : at]
    except (struct.error, UnicodeDecodeError):
        return files, ["the zip is damaged"]
    return files, []


def _unpacked(folder: Path) -> Files:
    """Read the files of a folder. Raises `NotAPack` on links and on what is too large."""
    if not (folder / MANIFEST).is_file():
        raise NotAPack(f"{folder} is no evidence pack: there is no {MANIFEST} in it")
    files: dict[str, bytes] = {}
    left = BYTES_MAX
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise NotAPack(f"{path} is no plain file, and a pack has none but these")
        if path.is_file():
            left -= path.stat().st_size
            if left < 0 or len(files) > FILES_MAX:
                raise NotAPack(f"{folder} is larger than a pack can be")
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


# --- What is checked. Each yields what is wrong; what cannot be read is a fault, too.


def _checked(what: str, faults: Callable[[], Iterable[str]]) -> Check:
    try:
        return Check(what=what, faults=tuple(faults()))
    except _UNREADABLE as fault:
        return Check(what=what, faults=(f"cannot be read: {type(fault).__name__} {fault}",))


def _listed(pack: Pack) -> Iterator[str]:
    """Hold every file against the manifest."""
    files, manifest = pack.files, pack.manifest
    listed: dict[str, str] = manifest["files"]
    if manifest["schema"] != SCHEMA:
        yield (
            f"the pack is of schema {manifest['schema']}, and this reads schema {SCHEMA}: "
            "the version of Tantieme that wrote it checks it"
        )
    for name in sorted({*listed, *files} - {MANIFEST}):
        if name not in files:
            yield f"{name} is missing"
        elif name not in listed or (name not in DOCUMENTS and not _CLIP.fullmatch(name)):
            yield f"{name} is no part of the pack"
        elif sha256(files[name]).hexdigest() != listed[name]:
            yield f"{name} was changed: its hash is not the one in the manifest"
        elif name.endswith(".json"):
            _json(files, name)


def _heading(pack: Pack) -> Iterator[str]:
    """Have all documents be of one payee, period, currency and root."""
    manifest, statement, ledger = pack.manifest, pack.statement, pack.ledger
    for name in ("payee", "period", "currency", "root"):
        if manifest[name] != statement[name]:
            yield f"manifest.json and statement.json have another {name}"
    for name in ("period", "currency", "root"):
        if manifest[name] != ledger[name]:
            yield f"manifest.json and ledger.json have another {name}"
    if ledger["account"] != f"payable.{manifest['payee']['id']}":
        yield f"the postings are those of {ledger['account']}"
    for name in ("opening", "closing"):
        if ledger[name] != statement[name]:
            yield f"statement.json and ledger.json have another {name}"


def _proven(pack: Pack) -> Iterator[str]:
    """Lead every leaf to the root: the postings', the pools' and the account's."""
    ledger = pack.ledger
    places = [_whole(posting["place"]) for posting in ledger["postings"]]
    if any(place >= after for place, after in pairwise(places)):
        yield "the postings do not stand one after the other"
    count = _whole(ledger["leaves"])
    for each in (*ledger["postings"], *ledger["pools"], ledger["account_leaf"]):
        place = _whole(each["place"])
        if not merkle_holds(each["leaf"].encode(), (place, count), each["path"], ledger["root"]):
            yield f"the leaf at place {place} does not lead to the root"


def _complete(pack: Pack) -> Iterator[str]:
    """Hold the account's leaf against all that the pack has of the account, however it is told."""
    ledger = pack.ledger
    rows = sorted(_written(row) for row in pack.rows("allocations.csv"))
    here = {
        **{name: ledger[name] for name in ("account", "currency", "period")},
        "opening_micros": pack.micros(ledger["opening"]),
        "closing_micros": pack.micros(ledger["closing"]),
        "postings": len(ledger["postings"]),
        "rows": len(rows),
        "rows_sha256": sha256(b"".join(rows)).hexdigest(),
    }
    closed = _leaf(ledger["account_leaf"]["leaf"])
    for name in sorted({*here, *closed}):
        if here.get(name) != closed.get(name):
            yield f"{name}: {closed.get(name)} at closing, and here {here.get(name)}"


def _moved(pack: Pack) -> Iterator[str]:
    """Have the postings be the account's, of the month, and lead from opening to closing."""
    ledger = pack.ledger
    for posting in pack.postings:
        for name in ("account", "period", "currency"):
            if posting[name] != ledger[name]:
                yield f"a posting is of {name} {posting[name]}, not {ledger[name]}"
    moved = -sum(_whole(posting["amount_micros"]) for posting in pack.postings)
    owed = pack.micros(ledger["closing"]) - pack.micros(ledger["opening"])
    if owed != moved:
        yield f"postings come to {moved} micros, and closing less opening to {owed}"


def _added(pack: Pack) -> Iterator[str]:
    """Add up a statement: each line, every sum over them, and the account."""
    yield from _formed(pack.statement)
    statement, lines = pack.statement, pack.statement["lines"]
    numbered = [_whole(each["number"]) for each in [*lines, *statement["movements"]]]
    if numbered != [*range(1, len(numbered) + 1)]:
        yield "lines and movements are not numbered from 1"
    for line in lines:
        names = ("gross", "deductions", "low", "net", "high")
        gross, deductions, low, net, high = (pack.micros(line[name]) for name in names)
        if net != gross + deductions or not low <= net <= high:
            yield f"line {line['number']} does not add up, or is outside its interval"
    for name, micros in _sums(pack).items():
        if pack.micros(statement[name]) != micros:
            yield f"{name} is not what it sums, {micros} micros"
    by_right = _by((line["right"], pack.micros(line["net"])) for line in lines)
    if {right: pack.micros(net) for right, net in statement["net_by_right"].items()} != by_right:
        yield "what was earned by each right is not what the lines come to"


def _formed(statement: Document) -> Iterator[str]:
    """Have a statement, its lines and its movements say what ours say, and nothing beside."""
    for what, each in (
        ("statement", statement),
        *(("line", each) for each in statement["lines"]),
        *(("movement", each) for each in statement["movements"]),
    ):
        if set(each) != KEYS[what]:
            yield f"{what} {each.get('number', statement['statement'])} has other keys than ours"


def _sums(pack: Pack) -> dict[str, int]:
    """Sum what a statement states sums of; closing, too, which its terms must lead to."""
    lines, moved = pack.statement["lines"], pack.statement["movements"]
    amounts = [(each["term"], pack.micros(each["amount"])) for each in moved]
    sums = {
        name: sum(pack.micros(line["net" if name == "earned" else name]) for line in lines)
        for name in ("gross", "deductions", "earned", "low", "high")
    }
    terms = {term: sum(micros for of, micros in amounts if of == term) for term in TERMS}
    closing = pack.micros(pack.statement["opening"]) + sums["earned"] + sum(terms.values())
    back = sum(micros for of, micros in amounts if of == "reserved" and micros > 0)
    return {**sums, **terms, "released": back, "closing": closing}


def _posted(pack: Pack) -> Iterator[str]:
    """Hold lines and movements against the postings, each to the micro."""
    lines, movements = pack.statement["lines"], pack.statement["movements"]
    earned = [each for each in pack.postings if each["kind"] == "allocation"]
    others = [each for each in pack.postings if each["kind"] != "allocation"]
    explained = _by(((line["pool"], line["right"]), pack.micros(line["net"])) for line in lines)
    posted = _by(((each["pool"], each["right"]), -_whole(each["amount_micros"])) for each in earned)
    for key in sorted({*explained, *posted}, key=str):
        if explained.get(key, 0) != posted.get(key, 0):
            yield f"the lines of {key[0]}, {key[1]}, do not come to what was posted"
    if len(movements) != len(others):
        yield f"there are {len(movements)} movements, and {len(others)} postings for them"
    for movement, posting in zip(movements, others, strict=False):
        said = [movement[name] for name in ("pool", "right", "effective_on", "fx_rate")]
        there = [posting.get(name) for name in ("pool", "right", "effective_on", "fx_rate")]
        if said != there or pack.micros(movement["amount"]) != -_whole(posting["amount_micros"]):
            yield f"movement {movement['number']} is not what was posted"
        term = _TERM_OF.get(posting["kind"], "adjustments")
        if posting["kind"] != _UNDOES and movement["term"] != term:
            yield f"movement {movement['number']} is none of {movement['term']}, but of {term}"


def _of_pools(pack: Pack) -> Iterator[str]:
    """Hold what lines say of their pools against what was posted when these were divided."""
    held: dict[str, int] = {}
    for each in pack.ledger["pools"]:
        posting = _leaf(each["leaf"])
        if posting["kind"] == "allocation" and posting["account"] == f"pool.{posting['pool']}":
            held[posting["pool"]] = _whole(posting["amount_micros"])
    for line in pack.statement["lines"]:
        known = line["pool"] in held or not pack.micros(line["net"])
        if not known or pack.micros(line["pool_amount"]) != held.get(line["pool"], 0):
            yield f"line {line['number']} says of its pool another amount than was divided"


def _detailed(pack: Pack) -> Iterator[str]:
    """Hold the CSV detail against the statement, cell by cell."""
    rows = pack.rows("statement.csv")
    stated = [*pack.statement["lines"], *pack.statement["movements"]]
    if len(rows) != len(stated):
        yield f"statement.csv has {len(rows)} rows, and the statement {len(stated)}"
    for row, each in zip(rows, stated, strict=False):
        if row != _told(pack, each):
            yield f"row {row['line_no']} of statement.csv is not that of the statement"


def _told(pack: Pack, each: Document) -> dict[str, str]:
    """Write a line or a movement as a row of the CSV detail."""
    said = {
        **{name: pack.statement[name] for name in _OF_ALL},
        "usage_period": pack.statement["period"],
        **each,
        "kind": each.get("kind", each.get("term")),
        "net": each.get("net", each.get("amount")),
        "pool_micros": pack.micros(each["pool_amount"]) if "pool_amount" in each else None,
    }
    return {
        column: _decimal(pack.micros(said[name]))
        if column in _AMOUNTS and said.get(name) is not None
        else _cell(said.get(name))
        for column, name in _TOLD.items()
    }


def _allocated(pack: Pack) -> Iterator[str]:
    """Hold each line against the row of the division that it came from, and what terms kept."""
    rows = pack.rows("allocations.csv")
    paid = {row["allocation"]: row for row in rows if row["kind"] != "platform"}
    lines, deducted = pack.statement["lines"], deductions(rows)
    named = [row["allocation"] for row in rows if row["kind"] != "platform"]
    if len({row["allocation"] for row in rows}) != len(rows):
        yield "two rows of allocations.csv have one number"
    if sorted(named) != sorted(line["allocation"] for line in lines):
        yield "allocations.csv has other rows than the statement has lines"
    for line in lines:
        row = paid.get(line["allocation"], {})
        amounts = {name: str(pack.micros(line[name])) for name in _MICROS}
        said = {name: _cell(line[name]) for name in _ALLOCATED} | amounts
        there = {name: row.get(name) for name in _ALLOCATED}
        if said != there | {name: row.get(column) for name, column in _MICROS.items()}:
            yield f"line {line['number']} is not what its row in allocations.csv says"
        if pack.micros(line["deductions"]) != -deducted.get(line["allocation"], 0):
            yield f"of line {line['number']} another amount is deducted than terms kept"


def deductions(rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """Divide what terms kept of a recording among its rows, in proportion to what these bring."""
    kept: defaultdict[tuple[str, ...], int] = defaultdict(int)
    paid: defaultdict[tuple[str, ...], list[Mapping[str, str]]] = defaultdict(list)
    for row in sorted(rows, key=_order):
        if row["kind"] == "platform":
            kept[_of(row)] += int(row["micros"])
        else:
            paid[_of(row)].append(row)
    found: dict[str, int] = {}
    for about, mine in paid.items():
        weights = [int(row["micros"]) for row in mine]
        parts = divided(kept[about], weights if any(weights) else [1] * len(weights))
        found |= {row["allocation"]: part for row, part in zip(mine, parts, strict=True)}
    return found


def _order(row: Mapping[str, str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _TEXTS), tuple(int(row[name]) for name in _NUMBERS)


def divided(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide an integer by largest remainder: floors, then one each, ties to the earlier."""
    ideal = [divmod(whole * weight, sum(weights)) for weight in weights]
    parts = [floor for floor, _ in ideal]
    for place in sorted(range(len(parts)), key=lambda i: -ideal[i][1])[: whole - sum(parts)]:
        parts[place] += 1
    return parts


def _shared(pack: Pack) -> Iterator[str]:
    """Have the shares of each track be a whole, and the lines be of them."""
    rows = pack.rows("shares.csv")
    stated = {(row["track"], row["recording"]): row for row in rows if row["recording"]}
    for track, ppb in _by((row["track"], int(row["share_ppb"])) for row in rows).items():
        if ppb != WHOLE_PPB:
            yield f"the shares of {track} come to {ppb} of {WHOLE_PPB} parts"
    for line in pack.statement["lines"]:
        row = stated.get((_cell(line["track"]), _cell(line["recording"])), {})
        names = ("share_ppb", "low_ppb", "high_ppb")
        if line["track"] and any(row.get(name) != str(line[name]) for name in names):
            yield f"line {line['number']} is by a share that shares.csv does not have"


def _anchored(pack: Pack, root: str | None) -> Iterator[str]:
    """Hold the pack's root against the one that was given from outside."""
    return _same("root", pack.manifest["root"] if root is not None else "", root)


def _same(what: str, here: str, given: str | None) -> Iterator[str]:
    if given is not None and here != given.lower():
        yield f"the pack has {what} {here}, and not the one given, {given.lower()}"


WORDS = {
    "files": "the files are those in the manifest, and there is nothing else",
    "heading": "all documents are of one payee, month, currency and root",
    "merkle": "all leaves lead to the root in the pack by their paths",
    "whole": "opening, closing, postings and rows are, in number too, what the root is over",
    "account": "the postings lead from opening to closing",
    "statement": "the statement adds up: lines, movements, every sum",
    "postings": "lines and movements are what was posted, to the micro",
    "pools": "what lines say their pools held is what was divided",
    "detail": "the CSV detail is that of the statement",
    "division": "each line is its row of the division, less what terms kept",
    "shares": "the shares of each track are a whole, and the lines are by them",
    "root": "the root in the pack is the one that was given",
    "manifest": "the manifest is the one that was given",
}
CHECKS: dict[str, Callable[[Pack], Iterator[str]]] = {
    "heading": _heading,
    "merkle": _proven,
    "whole": _complete,
    "account": _moved,
    "statement": _added,
    "postings": _posted,
    "pools": _of_pools,
    "detail": _detailed,
    "division": _allocated,
    "shares": _shared,
}
_ALLOCATED = (
    "kind", "pool", "track", "recording", "work", "party", "right", "plays",
    "share_ppb", "low_ppb", "high_ppb", "interest_ppm",
)  # fmt: skip
_TEXTS = ("pool", "track", "recording", "work", "right", "party", "payee", "kind")
_NUMBERS = (
    "share_ppb", "low_ppb", "high_ppb", "interest_ppm", "micros", "low_micros", "high_micros",
)  # fmt: skip
_OF_ALL = ("statement", "currency", "rule_version", "booking_period", "root")
_TOLD = {  # by a column of the CSV detail; some are always empty
    "statement_id": "statement", "line_no": "number", "usage_period": "usage_period",
    "territory": "territory", "service_tier": "", "commercial_model": "", "use_type": "",
    "track_id": "track", "isrc": "isrc", "iswc": "iswc", "title": "title", "artist": "artist",
    "isni": "artist_isni", "party_ipi": "party_ipi", "right": "right", "plays": "plays",
    "pool_id": "pool", "pool_micros": "pool_micros", "rule": "rule", "share_ppb": "share_ppb",
    "share_lo": "low_ppb", "share_hi": "high_ppb", "interest_ppm": "interest_ppm",
    "interest_version": "", "gross": "gross", "deductions": "deductions", "fx_rate_id": "fx_rate",
    "net": "net", "currency": "currency", "adjustment_of": "adjusts", "posting_id": "posting",
    "posting_hash": "posting_hash", "recording_id": "recording", "work_id": "work",
    "party_id": "party", "kind": "kind", "source": "source", "net_lo": "low", "net_hi": "high",
    "allocation_id": "allocation", "rule_version": "rule_version", "basis": "basis",
    "track_plays": "track_plays", "track_revenue": "track_revenue", "what": "what", "why": "why",
    "effective_on": "effective_on", "booking_period": "booking_period", "root": "root",
}  # fmt: skip
KEYS = {  # of a statement, its lines and its movements
    "statement": frozenset((
        "schema", "statement", "payee", "period", "booking_period", "usage_periods", "currency",
        "rule", "rule_version", "provider", "runs", "opening", "gross", "deductions", "earned",
        "low", "high", "adjustments", "recouped", "reserved", "released", "withheld", "paid",
        "closing", "net_by_right", "root", "notes", "lines", "movements",
    )),
    "line": frozenset((
        "number", "id", "kind", "pool", "pool_amount", "source", "territory", "track", "recording",
        "work", "title", "artist", "isrc", "iswc", "party", "party_ipi", "artist_isni", "right",
        "plays", "share_ppb", "low_ppb", "high_ppb", "interest_ppm", "gross", "deductions", "net",
        "low", "high", "rule", "posting", "posting_hash", "allocation", "track_plays",
        "track_revenue", "fx_rate", "basis",
    )),
    "movement": frozenset((
        "number", "id", "term", "what", "why", "posting", "posting_hash", "adjusts",
        "usage_period", "effective_on", "right", "pool", "amount", "fx_rate",
    )),
}  # fmt: skip
DOCUMENTS = frozenset((
    "README.txt", "allocations.csv", "evidence/passages.json", "evidence/tracks.json",
    "ledger.json", "manifest.json", "quality.json", "shares.csv", "statement.csv",
    "statement.json", "tracks/references.json", "verify.py",
))  # fmt: skip
_AMOUNTS = ("gross", "deductions", "net", "net_lo", "net_hi", "track_revenue")
COLUMNS = {
    "allocations.csv": ("allocation", *_TEXTS, "plays", *_NUMBERS),
    "shares.csv": ("track", "whose", "recording", "share_ppb", "low_ppb", "high_ppb"),
    "statement.csv": tuple(_TOLD),
}
_TERM_OF = {  # by the kind of a transaction; of all others but what undoes one: adjustments
    "recoupment": "recouped", "reserve": "reserved", "withholding": "withheld", "payment": "paid",
}  # fmt: skip
_UNDOES = "reversal"
_ABOUT = ("pool", "track", "recording", "right", "party")
_MICROS = {"net": "micros", "low": "low_micros", "high": "high_micros"}


# --- Reading.


def merkle_holds(leaf: bytes, place: tuple[int, int], path: Sequence[str], root: str) -> bool:
    """Tell whether a leaf stands at a place among so many leaves that have this root.

    Hashed as in RFC 6962, section 2.1: SHA-256 of 0x00 and a leaf, of 0x01 and two nodes; what is
    left over at a level goes up unchanged.
    """
    at, last = place[0], place[1] - 1
    top, siblings = sha256(b"\0" + leaf).digest(), [bytes.fromhex(each) for each in path]
    if not 0 <= at <= last:
        return False
    while last:
        if at ^ 1 <= last:
            if not siblings:
                return False
            sibling = siblings.pop(0)
            top = sha256(b"\1" + (sibling + top if at & 1 else top + sibling)).digest()
        at, last = at >> 1, last >> 1
    return top.hex() == root and not siblings


def _json(files: Files, name: str) -> Document:
    """Read a document; one that is not written as ours are could say two things at once."""
    document: Document = json.loads(files[name])
    if (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode() != files[name]:
        raise ValueError(f"{name} is not written as a pack's documents are")
    return document


def _leaf(text: str) -> Document:
    said: Document = json.loads(text)
    if json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) != text:
        raise ValueError("a posting is not written as leaves are")
    return said


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{number!r} is no whole number")
    return number


def _decimal(micros: int) -> str:
    """Write micros as decimal text, `-12.352891`."""
    whole, part = divmod(abs(micros), 1_000_000)
    return f"{'-' * (micros < 0)}{whole}.{part:06}"


def _cell(value: object) -> str:
    """Write a value as a cell of our CSV files has it: no text there is a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _bare(cell: str) -> str:
    """Read a text out of a cell of our CSV files."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def _written(row: Mapping[str, str]) -> bytes:
    """Write a row of the division as it is hashed: texts after their lengths, then numbers."""
    texts = [_bare(row[name]) for name in _TEXTS]
    cells = [*(f"{len(text)}:{text}" for text in texts), *(row[name] for name in _NUMBERS)]
    return (",".join(cells) + "\n").encode()


def _of(row: Mapping[str, str]) -> tuple[str, ...]:
    """Say what an amount is about."""
    return tuple(row[name] for name in _ABOUT)


def _plain(text: str) -> str:
    """Leave out what a terminal would obey, or a line that a forger would write for us."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _by(amounts: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    sums: defaultdict[Any, int] = defaultdict(int)
    for key, amount in amounts:
        sums[key] += amount
    return dict(sums)


def _about(pack: Pack) -> tuple[str, str]:
    """Say whose pack it says it is, and under which root."""
    try:
        manifest = pack.manifest
        about = f"evidence pack of {manifest['payee']['name']}, {manifest['period']}"
        return about, str(manifest["root"])
    except _UNREADABLE:
        return "evidence pack whose manifest cannot be read", ""


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not of 64 hexadecimal digits")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the pack that is named; return the exit code."""
    parser = argparse.ArgumentParser(description="Check an evidence pack.")
    parser.add_argument("pack", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--root", type=_hash, help="what the platform printed at close")
    parser.add_argument("--manifest", type=_hash, help="the hash of the manifest it wrote")
    given = parser.parse_args(arguments)
    try:
        checked = check(given.pack, given.root, given.manifest)
    except (NotAPack, OSError) as fault:
        sys.stdout.write(f"{fault}\n")
        return FAILED
    sys.stdout.write(f"{said(checked)}\n")
    return FAILED if checked.faults else 0


if __name__ == "__main__":
    sys.exit(main())
