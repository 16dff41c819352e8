"""Against the roots and paths that Certificate Transparency publishes, and a recursive twin."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.merkle import hashed, holds, paths, root

# Test data of Certificate Transparency's reference implementation (RFC 6962).
HEX = ", 00, 10, 2021, 3031, 40414243, 5051525354555657, 606162636465666768696a6b6c6d6e6f"
LEAVES = tuple(map(bytes.fromhex, HEX.split(", ")))
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = {  # by place and number of leaves
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def path(leaves: list[bytes], place: int) -> tuple[str, ...]:
    [found] = paths(map(hashed, leaves), [place])
    return found


trees = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


@pytest.mark.parametrize("count", range(9))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    assert root(LEAVES[:count]) == ROOTS[count]


@pytest.mark.parametrize(("place", "count"), PATHS)
def test_paths_are_those_of_certificate_transparency(place: int, count: int) -> None:
    found = path(LEAVES[:count], place)

    assert found == PATHS[place, count]
    assert holds(LEAVES[place], place, count, found, ROOTS[count])


@given(trees)
def test_the_root_is_that_of_the_standard_s_recursion(leaves: list[bytes]) -> None:
    assert root(iter(leaves)) == recursive(leaves).hex()


def recursive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + recursive(leaves[:k]) + recursive(leaves[k:])).digest()


@given(trees, st.data())
def test_every_leaf_s_path_verifies_and_nothing_else_does(
    leaves: list[bytes], data: st.DataObject
) -> None:
    count, top = len(leaves), root(leaves)
    place = data.draw(st.integers(0, count - 1))
    leaf, found = leaves[place], path(leaves, place)

    assert holds(leaf, place, count, found, top)
    assert not holds(leaf + b"x", place, count, found, top)
    assert not holds(leaf, place, count, (*found, top), top)
    assert not holds(leaf, place, count, found, "0" * 64)
    assert not holds(leaf, place, count, found, root([*leaves, b""]))
    for step, sibling in enumerate(found):
        changed = sha256(bytes.fromhex(sibling)).hexdigest()
        assert not holds(leaf, place, count, (*found[:step], *found[step + 1 :]), top)
        assert not holds(leaf, place, count, (*found[:step], changed, *found[step + 1 :]), top)
    for other in range(-1, count + 1):
        assert (
            other == place
            or leaves[other % count] == leaf
            or not holds(leaf, other, count, found, top)
        )


@given(trees, st.data())
def test_paths_of_many_places_are_those_of_each(leaves: list[bytes], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(leaves) - 1)))

    found = paths(map(hashed, leaves), places)

    assert found == [path(leaves, place) for place in places]


def test_a_node_does_not_pass_for_a_leaf() -> None:
    left, right = (sha256(b"\x00" + leaf).digest() for leaf in LEAVES[:2])

    assert root([left + right]) != ROOTS[2]
    assert not holds(left + right, 0, 1, (), ROOTS[2])


@pytest.mark.parametrize("step", ["", "no hash", "ab", ROOTS[1] + "00"])
def test_a_path_of_anything_but_hashes_does_not_verify(step: str) -> None:
    assert not holds(LEAVES[0], 0, 2, (step,), ROOTS[2])


@pytest.mark.parametrize(("place", "count"), [(0, 0), (-1, 2), (2, 2)])
def test_there_is_no_path_to_what_is_not_there(place: int, count: int) -> None:
    with pytest.raises(IndexError, match=f"none at place {place}"):
        path(LEAVES[:count], place)
    assert not holds(LEAVES[0], place, count, (), ROOTS[count])


def test_digits_are_read_in_either_case() -> None:
    assert holds(
        LEAVES[0], 0, 2, [digits.upper() for digits in path(LEAVES[:2], 0)], ROOTS[2].upper()
    )
