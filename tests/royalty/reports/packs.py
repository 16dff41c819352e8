"""A small evidence pack, of the statement that names everything a statement can name."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from royalty import lines, merkle
from royalty.reports.evidence_pack import Contents, Found, Proof, Proofs
from royalty.reports.pack_verify import MANIFEST, archive
from royalty.statement import Statement
from tests.royalty import statements

PPB = 1_000_000_000
OTHERS = 5  # postings of other accounts before and after the payee's
KINDS = {
    "adjustments": "adjustment",
    "recouped": "recoupment",
    "reserved": "reserve",
    "withheld": "withholding",
    "paid": "payment",
}
Row = Mapping[str, object]


def leaf(account: str, micros: int, kind: str, **more: object) -> bytes:
    said = {
        "account": account,
        "amount_micros": micros,
        "currency": "EUR",
        "effective_on": "2026-10-31",
        "key": f"2026-10/{kind}",
        "kind": kind,
        "line": 1,
        "period": "2026-10",
        "pool": None,
        "right": None,
        **{name: value for name, value in more.items() if value is not None or name != "fx_rate"},
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaves(statement: Statement) -> list[bytes]:
    """Write what is posted on the payee's account, as its statement tells."""
    account = f"payable.{statement.payee}"
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for line in statement.lines:
        sums[line.pool, line.right] -= line.net.micros
    earned = [
        leaf(account, micros, "allocation", pool=pool, right=right)
        for (pool, right), micros in sorted(sums.items())
    ]
    moved = [
        leaf(
            account,
            -each.amount.micros,
            "reversal" if each.amount.micros > 0 else KINDS[each.term],
            pool=each.pool,
            right=each.right,
            effective_on=str(each.effective_on),
            fx_rate=each.fx_rate,
        )
        for each in statement.movements
    ]
    return earned + moved


def account_leaf(statement: Statement, rows: Sequence[Row], postings: int) -> bytes:
    """Write what a payee's account opened and closed at, and which rows it was allotted."""
    texts = sorted(row_text(row) for row in rows)
    said = {
        "account": f"payable.{statement.payee}",
        "closing_micros": statement.closing.micros,
        "currency": "EUR",
        "opening_micros": statement.opening.micros,
        "period": "2026-10",
        "postings": postings,
        "rows": len(texts),
        "rows_sha256": sha256(b"".join(texts)).hexdigest(),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def row_text(row: Row) -> bytes:
    """Write a row of a division as its hash is over it."""
    texts = [str(row[name] or "") for name in lines.TEXTS]
    numbers = [str(row[name]) for name in (*lines.SHARE, "interest_ppm", *lines.AMOUNTS)]
    return (",".join([*(f"{len(text)}:{text}" for text in texts), *numbers]) + "\n").encode()


def proofs_of(statement: Statement, rows: Sequence[Row]) -> Proofs:
    """Prove a statement's account in a month with others before it, between and after it."""
    before = [leaf("pool.x", n, "revenue") for n in range(OTHERS)]
    amounts = {line.pool: line.pool_amount.micros for line in statement.lines}
    pools = [
        leaf(f"pool.{id_}", micros * sign, kind, pool=id_)
        for id_, micros in amounts.items()
        for kind, sign in (("allocation", 1), ("revenue", -1))
    ]
    mine = leaves(statement)
    between = [leaf("cash", n, "payment") for n in range(OTHERS)]
    all_ = [*before, *pools, *mine, *between, account_leaf(statement, rows, len(mine)), b"{}"]
    paths = merkle.paths(map(merkle.hashed, all_), range(len(all_)))
    proven = [
        Proof(place=n, leaf=all_[n].decode(), path=path)
        for n, path in enumerate(paths)
        if n >= OTHERS
    ]
    return Proofs(
        root=merkle.root(all_),
        leaves=len(all_),
        pools=tuple(proven[: len(pools)]),
        postings=tuple(proven[len(pools) : len(pools) + len(mine)]),
        account=proven[-2],
    )


def shares(statement: Statement) -> list[dict[str, object]]:
    own = {
        (line.track, line.recording): (line.share_ppb, line.low_ppb, line.high_ppb)
        for line in statement.lines
        if line.track
    }
    names = ("share_ppb", "low_ppb", "high_ppb")
    rows: list[dict[str, object]] = [
        {"track": track, "whose": "own", "recording": recording} | dict(zip(names, of, strict=True))
        for (track, recording), of in own.items()
    ]
    for track in sorted({track for track, _ in own}):
        left = PPB - sum(of[0] for (each, _), of in own.items() if each == track)
        rest = {"recording": None, "share_ppb": left, "low_ppb": None, "high_ppb": None}
        rows.append({"track": track, "whose": "others", **rest})
    return rows


def allocations(payee: str) -> list[Row]:
    return [
        {"allocation": key, **{name: getattr(row, name) for name in lines.SCHEMA.names}}
        for key, row in statements.rows().items()
        if row.payee == payee or row.kind == "platform"
    ]


def evidence(statement: Statement | None = None, rows: Sequence[Row] | None = None) -> Contents:
    statement = statement or statements.statement()
    rows = allocations(statement.payee) if rows is None else rows
    proofs = proofs_of(statement, rows)
    return Contents(
        statement=replace(statement, root=proofs.root),
        proofs=proofs,
        shares=shares(statement),
        allocations=rows,
        found=Found(
            tracks=[{"id": "g1", "title": "One"}],
            evidence={"schema": 1, "tracks": [{"track": "g1", "null": {"mean": 2.5}}]},
            passages=[],
            clips={"tracks/passage-01.wav": b"RIFF" + bytes(range(256))},
            quality={"schema": 1, "measured": [], "why_not": "nobody measured it"},
        ),
        rests_on={"provider": "ours", "runs": []},
        code_version="0.1.0",
    )


def sealed(files: dict[str, bytes]) -> bytes:
    """Hash files anew, as a forger would, and zip them."""
    manifest = json.loads(files[MANIFEST])
    others = {name: content for name, content in files.items() if name != MANIFEST}
    manifest["files"] = {name: sha256(content).hexdigest() for name, content in others.items()}
    return archive({**others, MANIFEST: written(manifest)})


def written(document: object) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
