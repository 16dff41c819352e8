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
    return top(map(hashed, leaves))


def top(hashes: Iterable[bytes]) -> str:
    """Hash what `hashed` gives of leaves in their order, as `root` does; they may stream."""
    tops: list[bytes] = []  # of whole subtrees, the largest first
    for place, node in enumerate(hashes):
        while place & 1:
            node = _node(tops.pop(), node)  # noqa: PLW2901  one level up
            place >>= 1  # noqa: PLW2901
        tops.append(node)
    if not tops:
        return sha256(b"").hexdigest()
    last = tops.pop()
    while tops:
        last = _node(tops.pop(), last)
    return last.hex()


def paths(hashes: Iterable[bytes], places: Sequence[int]) -> list[tuple[str, ...]]:
    """List the hashes that lead from the leaf at each place to the root, from its level up.

    `hashes` are those of all leaves, as `hashed` gives them; places count from 0. Raises
    `IndexError` where there is no such leaf.
    """
    nodes, at = [*hashes], [*places]
    for place in places:
        if not 0 <= place < len(nodes):
            raise IndexError(f"there are {len(nodes)} leaves and none at place {place}")
    siblings: list[list[str]] = [[] for _ in at]
    while len(nodes) > 1:
        for place, found in zip(at, siblings, strict=True):
            if place ^ 1 < len(nodes):
                found.append(nodes[place ^ 1].hex())
        nodes, at = _level(nodes), [place >> 1 for place in at]
    return [tuple(found) for found in siblings]


def holds(leaf: bytes, place: int, count: int, path: Sequence[str], root: str) -> bool:
    """Tell whether a leaf stands at a place among `count` leaves that have this root."""
    if not 0 <= place < count:
        return False
    siblings, top, last = map(_hash, path), hashed(leaf), count - 1
    while last:
        if place ^ 1 <= last:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            top = _node(sibling, top) if place & 1 else _node(top, sibling)
        place, last = place >> 1, last >> 1
    return top.hex() == root.lower() and not [*siblings]


def hashed(leaf: bytes) -> bytes:
    """Hash a leaf, as it stands at the lowest level of its tree."""
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
