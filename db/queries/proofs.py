"""Proofs of an account: what leads to the root from each posting, and from what they come to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import Connection, select

from db import roots, schema
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty import merkle
from royalty.errors import Conflict, NotFound, NotReady
from royalty.ledger import payable, payee_of, pool
from royalty.movements import EARNED
from royalty.period import Period
from royalty.reports.evidence_pack import Proof, Proofs


def proofs(
    viewer: Viewer, books: Books, payee: str, period: Period, pools: Iterable[str]
) -> Proofs:
    """Prove a payee's account in a closed month, and what was divided of pools, by their ids.

    Of the account each posting in the chain's order, in the currency that the month was closed in,
    and what they come to. Raises `NotReady` where the month has no root or one over postings only,
    `NotFound` where nothing is on the account, and `Conflict` where what is in the books does not
    have the month's root.
    """
    viewer.require(payee)
    with reading(books) as connection:
        root, currency = _closed_with(connection, period)
        leaves = roots.stored_leaves(books, connection, str(period))
        hashes, noted = _noted(leaves, [payable(payee), *map(pool, pools)])
    if merkle.top(hashes) != root:
        raise Conflict(
            f"the books of {period} are not those it was closed with; run 'tantieme verify'"
        )
    proven = _proven(hashes, noted)
    mine = [
        proof
        for proof, said in proven
        if (said["account"], said["currency"]) == (payable(payee), currency)
    ]
    if not mine:
        raise NotFound(f"{payee} had nothing in {period} and was owed nothing: nothing to prove")
    return Proofs(
        root=root,
        leaves=len(hashes),
        postings=tuple(mine[:-1]),
        pools=tuple(proof for proof, said in proven if _divided(said)),
        account=mine[-1],
    )


def _closed_with(connection: Connection, period: Period) -> tuple[str, str]:
    """Read a month's root and currency. Raises `NotReady` where no account can be proven by it."""
    month, paid = schema.period, schema.payout.c
    closed = select(month.c.root, month.c.root_version, paid.currency)
    closed = closed.join(schema.payout, paid.id == month.c.payout)
    found = connection.execute(closed.where(month.c.id == str(period))).one_or_none()
    if found is None or found.root is None:
        raise NotReady(f"period {period} was closed without a root, so nothing in it can be proven")
    if found.root_version == roots.POSTINGS_ONLY:
        raise NotReady(
            f"the root of {period} is over its postings only, which proves no account: months that"
            " were closed before roots of version 2 have no evidence packs"
        )
    return found.root, found.currency


def _noted(
    leaves: Iterable[bytes], accounts: Iterable[str]
) -> tuple[list[bytes], dict[int, bytes]]:
    """Hash leaves, and keep those of some accounts, by their places."""
    begins = tuple(f'{{"account":{quoted(account)},'.encode() for account in accounts)
    hashes, noted = [], {}
    for place, leaf in enumerate(leaves):
        hashes.append(merkle.hashed(leaf))
        if leaf.startswith(begins):  # as those of accounts and of postings do
            noted[place] = leaf
    return hashes, noted


def _proven(hashes: list[bytes], noted: dict[int, bytes]) -> list[tuple[Proof, dict[str, Any]]]:
    """Lead each leaf to the root, and read what it says; that of an account is its last."""
    paths = merkle.paths(hashes, [*noted])
    return [
        (Proof(place=place, leaf=leaf.decode(), path=path), json.loads(leaf))
        for (place, leaf), path in zip(noted.items(), paths, strict=True)
    ]


def _divided(said: Mapping[str, Any]) -> bool:
    """Tell whether a leaf is of the posting by which a pool was divided."""
    return said.get("kind") == EARNED and payee_of(said["account"]) is None
