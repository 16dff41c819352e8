"""Proofs of postings: what leads from each of a payee's to the root of its closed month."""

from __future__ import annotations

from json.encoder import encode_basestring as quoted

from sqlalchemy import select

from db import chain, schema
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty import merkle
from royalty.errors import Conflict, NotReady
from royalty.ledger import payable
from royalty.period import Period
from royalty.reports.evidence_pack import Proof, Proofs


def proofs(viewer: Viewer, books: Books, payee: str, period: Period) -> Proofs:
    """Prove each posting of a closed month on a payee's account, in the chain's order.

    Raises `NotReady` where the month has no root, `Conflict` where its postings have another one.
    """
    viewer.require(payee)
    month = schema.period.c
    with reading(books) as connection:
        root = connection.scalar(select(month.root).where(month.id == str(period)))
        leaves = list(chain.leaves(connection, str(period)))
    if root is None:
        raise NotReady(f"period {period} was closed without a root, so nothing in it can be proven")
    if merkle.root(leaves) != root:
        raise Conflict(
            f"the postings of {period} are not those it was closed with; run 'tantieme verify'"
        )
    begins = f'{{"account":{quoted(payable(payee))},'.encode()  # a leaf's first key
    places = [place for place, leaf in enumerate(leaves) if leaf.startswith(begins)]
    mine = [
        Proof(place=place, leaf=leaves[place].decode(), path=merkle.path(leaves, place))
        for place in places
    ]
    return Proofs(root=root, leaves=len(leaves), postings=tuple(mine))
