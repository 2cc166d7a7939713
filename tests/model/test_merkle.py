"""The tree over the lines of a proof, against the definition of RFC 9162 and against altered paths."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.merkle import leaf_of, path_of, root_from, root_of


def defined(leaves: list[bytes]) -> bytes:
    """The root as RFC 9162, section 2.1.1, defines it, from the top down."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + defined(leaves[:split]) + defined(leaves[split:])).digest()


def leaves_of(count: int) -> list[bytes]:
    return [leaf_of(b"salt of 16 bytes", str(number).encode()) for number in range(count)]


def test_a_leaf_is_hashed_with_its_own_first_byte() -> None:
    assert leaf_of(b"s" * 16, b"{}") == sha256(b"\0" + b"s" * 16 + b"{}").digest()


@pytest.mark.parametrize("count", range(1, 34))
def test_every_path_leads_to_the_root_of_the_definition(count: int) -> None:
    leaves = leaves_of(count)
    root = root_of(leaves)
    assert root == defined(leaves)
    for number, leaf in enumerate(leaves):
        assert root_from(leaf, number, count, path_of(leaves, number)) == root


@pytest.mark.parametrize("count", [1, 4, 5, 16, 17, 23])
def test_the_roots_of_whole_pages_have_the_same_root(count: int) -> None:
    leaves = leaves_of(count)
    pages = [leaves[start : start + 4] for start in range(0, count, 4)]
    roots = [root_of(page) for page in pages]
    assert root_of(roots) == root_of(leaves)
    for number in range(count):
        assert path_of(leaves, number) == [*path_of(pages[number // 4], number % 4), *path_of(roots, number // 4)]


@given(st.data())
def test_no_other_place_path_or_count_leads_to_the_root(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 40))
    leaves = leaves_of(count)
    number = data.draw(st.integers(0, count - 1))
    path, root = path_of(leaves, number), root_of(leaves)
    other = data.draw(st.integers(-3, count + 3).filter(lambda other: other != number))
    assert root_from(leaves[number], other, count, path) != root
    assert root_from(leaves[number], number, count, path[:-1]) != root
    assert root_from(leaves[number], number, count, [*path, root]) is None
    swapped = data.draw(st.permutations(path))
    assert (root_from(leaves[number], number, count, swapped) == root) is (swapped == path)


def test_an_inner_node_is_no_line() -> None:
    """Without different first bytes, a node could be shown as the line whose fields are the two hashes below it."""
    leaves = leaves_of(4)
    left, right = leaves[:2]
    forged = leaf_of(left[:16], left[16:] + right)
    assert root_from(forged, 0, 2, [root_of(leaves[2:])]) != root_of(leaves)
