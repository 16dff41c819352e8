"""An evidence pack, and what checks it: any change is found, and a forgery by the root."""

import ast
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty import lines, merkle
from royalty.division import divide
from royalty.money import Money
from royalty.reports import pack_verify
from royalty.reports.csv import COLUMNS as DETAIL
from royalty.reports.evidence_pack import Proofs, evidence_pack
from royalty.reports.pack_verify import (
    COLUMNS,
    MANIFEST,
    Checked,
    archive,
    check,
    merkle_holds,
    said,
)
from royalty.statement import Line, Statement
from tests.royalty import statements
from tests.royalty.reports.packs import Row, allocations, evidence, row_text, sealed, written

EVIDENCE = evidence()
PACK = evidence_pack(EVIDENCE)
ROOT = EVIDENCE.proofs.root
TRUE = statements.statement()
ROWS = allocations(TRUE.payee)


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as zip_:
        return {name: zip_.read(name) for name in zip_.namelist()}


FILES = unzipped(PACK)
TITLE = json.loads(FILES["statement.json"])["lines"][0]["title"].encode()
Document = dict[str, Any]


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., Checked]:
    """Check a pack's bytes."""

    def run(content: bytes, *given: str) -> Checked:
        path = tmp_path / "pack.zip"
        path.write_bytes(content)
        return check(path, *given)

    return run


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def changed(name: str, change: Callable[[Document], object]) -> bytes:
    """Change a document, and hash everything anew."""
    document = json.loads(FILES[name])
    change(document)
    return sealed({**FILES, name: written(document)})


def test_a_pack_holds_by_itself_and_by_what_is_given(checked) -> None:
    alone = checked(PACK)
    given = checked(PACK, ROOT, alone.manifest_sha256)

    assert alone.faults == given.faults == []
    assert alone.root == ROOT
    assert "WARNING: NO ROOT WAS GIVEN" in said(alone)
    assert "NOT CHECKED" in said(alone)
    assert "WARNING" not in said(given)
    assert "NOT CHECKED" not in said(given)


def test_the_same_evidence_gives_the_same_bytes_that_any_zip_reader_reads() -> None:
    archive_ = zipfile.ZipFile(io.BytesIO(PACK))

    assert evidence_pack(evidence()) == PACK
    assert archive_.testzip() is None
    assert archive_.namelist() == sorted(archive_.namelist())
    assert {each.date_time for each in archive_.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert archive(FILES) == PACK


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_a_changed_byte_of_any_file_is_found_in_zip_and_folder(
    name: str, part: float, checked, tmp_path: Path
) -> None:
    place = int(part * (len(FILES[name]) - 1))
    files = {**FILES, name: flipped(FILES[name], place)}
    for each, content in files.items():
        path = tmp_path / "folder" / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    # In the folder nothing but the manifest's hash tells of a manifest that says other things.
    manifest = checked(PACK).manifest_sha256
    raw = PACK.index(FILES[name]) + place
    for found in (
        checked(archive(files), ROOT, manifest),
        checked(flipped(PACK, raw), ROOT),
        check(tmp_path / "folder", ROOT, manifest),
    ):
        assert found.faults
    if name != MANIFEST:
        assert any(name in fault for fault in checked(flipped(PACK, raw)).faults)


def test_a_changed_byte_around_the_files_is_found(checked) -> None:
    inside = set()
    for content in FILES.values():
        begin = PACK.index(content)
        inside |= set(range(begin, begin + len(content)))
    around = [place for place in range(len(PACK)) if place not in inside]

    # The first four say that it is a zip at all.
    missed = [place for place in around[4::23] if not checked(flipped(PACK, place)).faults]

    assert len(around) > 1000
    assert missed == []
    with pytest.raises(pack_verify.NotAPack, match="neither a folder nor a zip"):
        checked(flipped(PACK, 0))


def deflated(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def twice() -> bytes:
    one = archive({"quality.json": FILES["quality.json"]})
    return one[: one.index(b"PK\1\2")] + PACK


def many() -> bytes:
    """Write more files than a zip can count."""
    singles = (archive({f"f{n}.txt": b""}) for n in range(70_000))
    return b"".join(each[: each.index(b"PK\1\2")] for each in singles)


@pytest.mark.parametrize(
    "content",
    [
        PACK + b"\0",
        PACK + PACK,
        PACK[:-1],
        PACK[: len(PACK) // 2],
        twice(),
        deflated(FILES),
        deflated({"bomb.txt": bytes(5_000_000)}),
        archive({**FILES, "extra.txt": b"more"}),
        sealed({**FILES, "../../up.txt": b"more"}),
        archive({name: FILES[name] for name in sorted(FILES)[1:]}),
        archive({}) + PACK,
        many(),
    ],
)
def test_another_zip_of_the_same_or_other_files_is_found(content: bytes, checked) -> None:
    try:
        assert checked(content).faults
    except pack_verify.NotAPack as refused:
        assert "is no evidence pack" in str(refused)  # noqa: PT017  either will do


def test_what_is_missing_or_more_is_named(checked) -> None:
    files = {**FILES, "extra.txt": b"more"}
    del files["quality.json"]

    assert checked(archive(files)).faults == [
        "files: extra.txt is no part of the pack",
        "files: quality.json is missing",
    ]


def forged() -> bytes:
    """Write a pack of a statement by which every amount is more, with a tree of its own."""

    def more(amount: Money) -> Money:
        return Money(amount.micros + 10, "EUR")

    true = statements.statement()
    lines = tuple(
        replace(line, gross=more(line.gross), net=more(line.net), high=more(line.high))
        for line in true.lines
    )
    closing = true.closing + Money(10 * len(lines), "EUR")
    rows = [
        {**row, "micros": row["micros"] + 10, "high_micros": row["high_micros"] + 10}
        if row["kind"] != "platform"
        else row
        for row in allocations(true.payee)
    ]
    return evidence_pack(evidence(replace(true, lines=lines, closing=closing), rows))


def test_a_forgery_that_agrees_with_itself_is_found_by_the_root_alone(checked) -> None:
    alone, given = checked(forged()), checked(forged(), ROOT)

    assert alone.faults == []
    assert "proves little" in said(alone)
    assert len(given.faults) == 1
    assert "root: the pack has root" in given.faults[0]


def test_a_forged_root_leads_nowhere(checked) -> None:
    files = {
        name: content.replace(checked(forged()).root.encode(), ROOT.encode())
        for name, content in unzipped(forged()).items()
    }

    found = checked(sealed(files), ROOT)

    assert found.faults
    assert all("does not lead to the root" in fault for fault in found.faults)


def test_what_no_posting_fixes_is_fixed_by_the_manifest(checked) -> None:
    def less(document: Document) -> None:
        document["tracks"][0]["null"]["mean"] = 0.5

    content = changed("evidence/tracks.json", less)

    assert checked(content, ROOT).faults == []
    [fault] = checked(content, ROOT, checked(PACK).manifest_sha256).faults
    assert fault.startswith("manifest: ")


def under_the_root(
    statement: Statement,
    rows: Sequence[Row] | None = None,
    true: Proofs = EVIDENCE.proofs,
    **proofs: object,
) -> bytes:
    """Write a pack of a false statement with the true leaves and paths, all else hashed anew."""
    statement, proven = replace(statement, root=true.root), replace(true, **proofs)
    return evidence_pack(replace(evidence(statement, rows), statement=statement, proofs=proven))


def left_out(end: str) -> bytes:
    """Leave out what was paid, and move one end of the account to match."""
    moved = TRUE.movements[-1].amount
    other = getattr(TRUE, end) + (moved if end == "opening" else -moved)
    statement = replace(TRUE, movements=TRUE.movements[:-1], **{end: other})
    return under_the_root(statement, postings=EVIDENCE.proofs.postings[:-1])


def ends_moved() -> bytes:
    """Have the account open and close a micro higher."""
    ends = {end: getattr(TRUE, end) + Money(1, "EUR") for end in ("opening", "closing")}
    return under_the_root(replace(TRUE, **ends))


def otherwise(name: str, by: Mapping[str, int]) -> bytes:
    """Change a column of rows, and what lines say by it, by the rows' numbers."""

    def more(line: Line, said: str) -> object:
        value, number = getattr(line, said), by.get(line.allocation, 0)
        return Money(value.micros + number, "EUR") if isinstance(value, Money) else value + number

    rows = [{**row, name: row[name] + by.get(row["allocation"], 0)} for row in ROWS]
    lines = [
        replace(line, **{said: more(line, said) for said in SAID_BY[name]}) for line in TRUE.lines
    ]
    return under_the_root(replace(TRUE, lines=tuple(lines)), rows)


def gross_for_net() -> bytes:
    """Say that terms kept nothing, and that net was all there was."""
    rows = [row for row in ROWS if row["kind"] != "platform"]
    lines = tuple(replace(line, gross=line.net, deductions=Money(0, "EUR")) for line in TRUE.lines)
    return under_the_root(replace(TRUE, lines=lines), rows)


SAID_BY = {"micros": ("gross", "net"), "low_micros": ("low",), "share_ppb": ("share_ppb",)}
FORGED = {
    "a posting left out, opening moved": left_out("opening"),
    "a posting left out, closing moved": left_out("closing"),
    "both ends moved": ends_moved(),
    "a micro moved between lines of a posting": otherwise("micros", {"a#8": -1, "a#10": 1}),
    "a wider interval": otherwise("low_micros", {"a#8": -1}),
    "a share": otherwise("share_ppb", {"a#8": 1, "a#10": 1, "a#11": 1}),
    "nothing deducted": gross_for_net(),
}


@pytest.mark.parametrize("what", FORGED)
def test_money_other_than_at_closing_fails_by_the_root_however_it_is_hashed(
    what: str, checked
) -> None:
    found = checked(FORGED[what], ROOT)

    assert found.faults
    assert all(fault.startswith("whole: ") for fault in found.faults), found.faults


@pytest.mark.parametrize("what", FORGED)
def test_an_account_s_leaf_that_is_written_to_match_leads_nowhere(what: str, checked) -> None:
    files = unzipped(FORGED[what])
    statement, ledger = (json.loads(files[name]) for name in ("statement.json", "ledger.json"))
    rows = pack_verify.Pack(files).rows("allocations.csv")
    leaf = json.loads(ledger["account_leaf"]["leaf"])
    texts = sorted(row_text(row) for row in rows)
    leaf |= {f"{end}_micros": statement[end]["micros"] for end in ("opening", "closing")}
    leaf |= {"postings": len(ledger["postings"]), "rows": len(texts)}
    leaf |= {"rows_sha256": sha256(b"".join(texts)).hexdigest()}
    ledger["account_leaf"]["leaf"] = json.dumps(leaf, sort_keys=True, separators=(",", ":"))

    [fault] = checked(sealed({**files, "ledger.json": written(ledger)}), ROOT).faults

    assert re.fullmatch(r"merkle: the leaf at place \d+ does not lead to the root", fault)


def test_postings_that_cancel_each_other_are_not_left_out(checked) -> None:
    both = [statements.movement("reserved", micros) for micros in (4, -4)]
    true = evidence(statements.statement(moved=[*statements.movements(), *both])).proofs
    content = under_the_root(TRUE, true=true, postings=true.postings[:-2])

    count = len(true.postings)
    assert checked(content, true.root).faults == [
        f"whole: postings: {count} at closing, and here {count - 2}"
    ]


def test_rows_of_one_number_are_not_one_row(checked) -> None:
    others = tuple(line for line in TRUE.lines if line.allocation != "a#1")
    rows = [{**row, "allocation": "a#3"} if row["allocation"] == "a#1" else row for row in ROWS]
    closing = TRUE.closing - TRUE.lines[6].net

    found = checked(under_the_root(replace(TRUE, lines=others, closing=closing), rows))

    assert any("has other rows than the statement has lines" in each for each in found.faults)


def test_lines_of_one_number_are_not_one_line(checked) -> None:
    rows = [{**row, "allocation": "a#1"} for row in ROWS]
    lines = tuple(replace(line, allocation="a#1") for line in TRUE.lines)

    found = checked(under_the_root(replace(TRUE, lines=lines), rows))

    assert "division: two rows of allocations.csv have one number" in found.faults


@pytest.mark.parametrize("name", ["amounts.csv", "statement.pdf", "tracks/owed.txt"])
def test_a_file_more_is_found_however_well_it_is_hashed(name: str, checked) -> None:
    found = checked(sealed({**FILES, name: b"owed: 99999"}), ROOT)

    assert found.faults == [f"files: {name} is no part of the pack"]


def test_names_that_a_spreadsheet_would_calculate_are_hashed_as_they_are(checked) -> None:
    rows = [{**row, "track": row["track"] and f"={row['track']}"} for row in ROWS]
    lines = tuple(replace(line, track=line.track and f"={line.track}") for line in TRUE.lines)
    named = evidence(replace(TRUE, lines=lines), rows)

    assert checked(evidence_pack(named), named.proofs.root).faults == []


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_a_column_more_is_found(name: str, checked) -> None:
    rows = csv.reader(io.StringIO(FILES[name].decode(), newline=""))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*row, "1.000000"] for row in rows)

    found = checked(sealed({**FILES, name: text.getvalue().encode()}), ROOT)

    assert any(f"{name} has other columns" in fault for fault in found.faults)


def test_an_amount_stands_under_the_term_of_its_posting(checked) -> None:
    *others, paid = TRUE.movements
    other = replace(TRUE, movements=(*others, replace(paid, term="withheld")))

    assert checked(under_the_root(other), ROOT).faults == [
        "postings: movement 15 is none of withheld, but of paid"
    ]


def test_what_a_pool_held_is_what_was_divided(checked) -> None:
    def of(micros: int) -> Statement:
        pool = Money(micros, "EUR")
        return replace(TRUE, lines=tuple(replace(line, pool_amount=pool) for line in TRUE.lines))

    for content in (
        under_the_root(of(1_000_001)),
        under_the_root(TRUE, pools=()),
        under_the_root(of(0), pools=()),
    ):
        found = checked(content, ROOT)
        assert len(found.faults) == len(TRUE.lines)
        assert all("says of its pool another amount" in fault for fault in found.faults)


@given(st.lists(st.integers(0, 10**9), min_size=1).filter(any), st.integers(0, 10**12))
def test_it_divides_as_the_books_do(weights: list[int], whole: int) -> None:
    assert pack_verify.divided(whole, weights) == divide(whole, weights)


def test_what_terms_kept_is_divided_among_rows_of_one_recording_in_their_order() -> None:
    about = dict.fromkeys(COLUMNS["allocations.csv"], "0")
    rows = [
        {**about, "allocation": "3", "kind": "unattributed", "micros": "1"},
        {**about, "allocation": "2", "kind": "platform", "micros": "3"},
        {**about, "allocation": "1", "kind": "fixed", "micros": "1"},
    ]

    assert pack_verify.deductions(rows) == {"1": 2, "3": 1}


def one_more(amount: Document) -> None:
    amount["micros"] += 1


def deduct_more(document: Document) -> None:
    """Have terms keep a micro more of a gross that is a micro more."""
    for each in (document["lines"][0], document):
        one_more(each["gross"])
        each["deductions"]["micros"] -= 1


def as_float(document: Document) -> None:
    """Write a sum as a number that is equal to it, and is no whole one."""
    document["earned"]["micros"] = float(document["earned"]["micros"])


def drop(name: str, place: int) -> Callable[[Document], object]:
    return lambda document: document[name].pop(place)


CHANGES: dict[str, tuple[str, Callable[[Document], object], str]] = {
    "a line's net": ("statement.json", lambda d: one_more(d["lines"][0]["net"]), "statement"),
    "a deduction": ("statement.json", deduct_more, "division"),
    "a line's share": ("statement.json", lambda d: d["lines"][0].update(share_ppb=1), "shares"),
    "the sum earned": ("statement.json", lambda d: one_more(d["earned"]), "statement"),
    "the sum by right": (
        "statement.json",
        lambda d: one_more(d["net_by_right"]["master"]),
        "statement",
    ),
    "the opening": ("statement.json", lambda d: one_more(d["opening"]), "statement"),
    "a movement": ("statement.json", lambda d: one_more(d["movements"][0]["amount"]), "postings"),
    "no movement": ("statement.json", drop("movements", -1), "postings"),
    "no line": ("statement.json", drop("lines", -1), "division"),
    "a right": ("statement.json", lambda d: d["lines"][0].update(right="other"), "postings"),
    "a float": ("statement.json", as_float, "statement"),
    "another payee": ("statement.json", lambda d: d["payee"].update(id="eve"), "heading"),
    "both ends": (
        "ledger.json",
        lambda d: [one_more(d["opening"]), one_more(d["closing"])],
        "heading",
    ),
    "no posting": ("ledger.json", drop("postings", 0), "account"),
    "a posting twice": (
        "ledger.json",
        lambda d: d["postings"].insert(0, d["postings"][0]),
        "merkle",
    ),
    "a leaf": (
        "ledger.json",
        lambda d: d["postings"][0].update(leaf=d["postings"][1]["leaf"]),
        "merkle",
    ),
    "a path": ("ledger.json", lambda d: d["postings"][0]["path"].pop(), "merkle"),
    "no path at all": ("ledger.json", lambda d: d["postings"][0].update(path=None), "merkle"),
    "an account": ("ledger.json", lambda d: d.update(account="payable.eve"), "account"),
    "a currency": (MANIFEST, lambda d: d.update(currency="USD"), "heading"),
    "a schema": (MANIFEST, lambda d: d.update(schema=1), "files"),
    "a pool's leaf": ("ledger.json", lambda d: d["pools"][0].update(leaf="{}"), "merkle"),
    "another's leaf": (
        "ledger.json",
        lambda d: d.update(account_leaf=d["postings"][0]),
        "whole",
    ),
    "a currency of a line": (
        "statement.json",
        lambda d: d["lines"][0].update(currency="USD"),
        "statement",
    ),
    "a net of a movement": (
        "statement.json",
        lambda d: d["movements"][0].update(net=d["opening"]),
        "statement",
    ),
    "a sum of no name": ("statement.json", lambda d: d.update(due=d["opening"]), "statement"),
    "an amount in words": (
        "statement.json",
        lambda d: d["closing"].update(decimal="99.00"),
        "statement",
    ),
    "a gross told": ("statement.json", lambda d: one_more(d["lines"][1]["high"]), "detail"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_document_is_found_however_well_it_is_hashed(what: str, checked) -> None:
    name, change, where = CHANGES[what]

    found = checked(changed(name, change))

    assert any(fault.startswith(f"{where}: ") for fault in found.faults), found.faults


@pytest.mark.parametrize(
    ("name", "old", "new", "where"),
    [
        ("allocations.csv", b",attributed,", b",fixed,", "division"),
        ("allocations.csv", b",platform,", b",attributed,", "division"),
        ("shares.csv", b"600000000", b"600000001", "shares"),
        ("statement.csv", b"2026-10/agency,2,", b"2026-10/agency,3,", "detail"),
        ("statement.csv", TITLE, b"Another's", "detail"),
        ("statement.csv", b",0.189000,", b",0.190000,", "detail"),
        ("statement.csv", b",0.226800,", b",0.226801,", "detail"),
        ("statement.csv", b"line_no,", b"net,", "detail"),
        ("allocations.csv", b",low_ppb,", b",micros,", "division"),
        ("allocations.csv", b"a#1,", b"a#3,", "division"),
        ("statement.json", b'"schema": 1,', b'"schema": 1, "schema": 1,', "files"),
        ("statement.json", b"{\n", b"{ \n", "files"),
        ("quality.json", b"{\n", b"[" * 100_000 + b"{\n", "files"),
    ],
)
def test_a_changed_text_is_found_however_well_it_is_hashed(
    name: str, old: bytes, new: bytes, where: str, checked
) -> None:
    assert old in FILES[name]

    found = checked(sealed({**FILES, name: FILES[name].replace(old, new, 1)}))

    assert any(fault.startswith(f"{where}: ") for fault in found.faults), found.faults


def test_a_name_commands_no_terminal(checked) -> None:
    told = said(checked(changed(MANIFEST, lambda d: d["payee"].update(name="\x1b[2J\nholds"))))

    assert "\x1b" not in told
    assert "\nholds, " not in told


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_paths_hold_as_they_do_in_the_books(count: int) -> None:
    leaves = [b"%d" % n for n in range(count)]
    root, paths = merkle.root(leaves), merkle.paths(map(merkle.hashed, leaves), range(count))
    for place, path in enumerate(paths):
        for at, of in ((place, count), (place + 1, count), (place, count + 1), (place, 0)):
            same = merkle.holds(leaves[place], at, of, path, root)
            assert merkle_holds(leaves[place], (at, of), path, root) == same
        assert not merkle_holds(b"other", (place, count), path, root)
        assert not merkle_holds(leaves[place], (place, count), [*path, root], root)


def test_files_have_the_columns_that_the_check_knows() -> None:
    assert COLUMNS["statement.csv"] == DETAIL
    assert sorted(COLUMNS["allocations.csv"]) == sorted(["allocation", *lines.SCHEMA.names])


def test_the_check_needs_nothing_but_python() -> None:
    tree = ast.parse(FILES["verify.py"])
    named = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]

    assert FILES["verify.py"] == Path(pack_verify.__file__).read_bytes()
    assert named
    assert {str(name).split(".")[0] for name in named} <= sys.stdlib_module_names


@pytest.mark.parametrize("unpacked", [False, True])
def test_it_runs_alone_from_the_folder_or_on_the_zip(unpacked: bool, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(PACK)) as zip_:
        zip_.extractall(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pack.zip").write_bytes(PACK)
    here = [] if unpacked else [tmp_path / "pack.zip"]
    command = [sys.executable, "-I", tmp_path / "out" / "verify.py", *here, "--root"]

    def run(root: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, root], cwd=tmp_path / "empty", capture_output=True, text=True, check=False
        )

    sound, other = run(ROOT.upper()), run(ROOT[::-1])

    assert (sound.returncode, other.returncode) == (0, 5)
    assert (sound.stderr, other.stderr) == ("", "")
    assert "FAILED" not in sound.stdout
    assert "FAILED       the root in the pack is the one that was given" in other.stdout


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pack_verify.NotAPack, match=r"there is no manifest\.json"):
        check(tmp_path)
    (tmp_path / MANIFEST).symlink_to(__file__)
    with pytest.raises(pack_verify.NotAPack, match="no plain file"):
        check(tmp_path)
    assert pack_verify.main([str(tmp_path)]) == 5
    assert pack_verify.main([str(tmp_path / "missing")]) == 5


def test_nothing_of_others_is_in_it() -> None:
    text = b"".join(FILES[name] for name in ("ledger.json", "shares.csv", "allocations.csv"))

    assert b"payable.cy" not in text
    assert b",r2," not in text
    assert b"pool.x" not in text
