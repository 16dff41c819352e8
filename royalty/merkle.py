"""A Merkle tree: one short hash that fixes a whole list, and a proof that a line is in it.

Hashed as in RFC 6962, section 2.1 (Certificate Transparency): SHA-256 of 0x00 and a leaf, of 0x01
and two nodes, so that no leaf can pass for a node. What is left over at a level goes up unchanged.
Who keeps a root can check a leaf by its path, of about log2 of the number of leaves hashes, without
seeing any other leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"
_BYTES = 32


def root(leaves: Iterable[bytes]) -> str:
    """Hash leaves in their order, as 64 hexadecimal digits; they may stream."""
    tops: list[bytes] = []  # of whole subtrees, the largest first
    for place, leaf in enumerate(leaves):
        top = _leaf(leaf)
        while place & 1:
            top = _node(tops.pop(), top)
            place >>= 1  # noqa: PLW2901  one level up
        tops.append(top)
    if not tops:
        return sha256(b"").hexdigest()
    top = tops.pop()
    while tops:
        top = _node(tops.pop(), top)
    return top.hex()


def path(leaves: Iterable[bytes], place: int) -> tuple[str, ...]:
    """List the hashes, from the leaf's level up, that lead from the leaf at a place to the root.

    Places count from 0. Raises `IndexError` where there is no such leaf.
    """
    nodes = [_leaf(leaf) for leaf in leaves]
    if not 0 <= place < len(nodes):
        raise IndexError(f"there are {len(nodes)} leaves and none at place {place}")
    siblings = []
    while len(nodes) > 1:
        if place ^ 1 < len(nodes):
            siblings.append(nodes[place ^ 1].hex())
        nodes = _level(nodes)
        place >>= 1
    return tuple(siblings)


def holds(leaf: bytes, place: int, count: int, path: Sequence[str], root: str) -> bool:
    """Tell whether a leaf stands at a place among `count` leaves that have this root."""
    if not 0 <= place < count:
        return False
    siblings, top, last = map(_hash, path), _leaf(leaf), count - 1
    while last:
        if place ^ 1 <= last:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            top = _node(sibling, top) if place & 1 else _node(top, sibling)
        place, last = place >> 1, last >> 1
    return top.hex() == root.lower() and not [*siblings]


def _leaf(leaf: bytes) -> bytes:
    return sha256(_LEAF + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


def _level(nodes: Sequence[bytes]) -> list[bytes]:
    """Hash nodes in pairs; one that is left over stays."""
    pairs = zip(nodes[::2], nodes[1::2], strict=False)
    return [*(_node(*pair) for pair in pairs), *(nodes[-1:] if len(nodes) % 2 else ())]


def _hash(digits: str) -> bytes | None:
    """Read a hash; None where that is none."""
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        return None
    return found if len(found) == _BYTES else None
