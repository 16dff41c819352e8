"""A small evidence pack, of the statement that names everything a statement can name."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from hashlib import sha256

from royalty import lines, merkle
from royalty.reports.evidence_pack import Contents, Found, Proof, Proofs
from royalty.reports.pack_verify import MANIFEST, archive
from royalty.statement import Statement
from tests.royalty import statements

PPB = 1_000_000_000
OTHERS = 5  # postings of other accounts before and after the payee's


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
            "adjustment",
            pool=each.pool,
            right=each.right,
            effective_on=str(each.effective_on),
            fx_rate=each.fx_rate,
        )
        for each in statement.movements
    ]
    return earned + moved


def proofs_of(mine: list[bytes]) -> Proofs:
    before = [leaf("pool.x", n, "revenue") for n in range(OTHERS)]
    all_ = [*before, *mine, *(leaf("cash", n, "payment") for n in range(OTHERS))]
    places = range(OTHERS, OTHERS + len(mine))
    postings = tuple(
        Proof(place=n, leaf=all_[n].decode(), path=merkle.path(all_, n)) for n in places
    )
    return Proofs(root=merkle.root(all_), leaves=len(all_), postings=postings)


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


def allocations(payee: str) -> list[dict[str, object]]:
    return [
        {"allocation": key, **{name: getattr(row, name) for name in lines.SCHEMA.names}}
        for key, row in statements.rows().items()
        if row.payee == payee or row.kind == "platform"
    ]


def evidence(statement: Statement | None = None) -> Contents:
    statement = statement or statements.statement()
    proofs = proofs_of(leaves(statement))
    return Contents(
        statement=replace(statement, root=proofs.root),
        proofs=proofs,
        shares=shares(statement),
        allocations=allocations(statement.payee),
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
