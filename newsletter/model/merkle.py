"""A Merkle tree over the lines of a proof: one hash, the root, stands for all lines, and a path proves one of them.

It is the tree of RFC 9162, section 2.1: a leaf and an inner node begin with different bytes, so that neither can be
taken for the other. Where a level has an odd number of nodes, the last one moves up unchanged.
"""

from collections.abc import Sequence
from hashlib import sha256

SALT_BYTES = 16  # 128 random bits, too many to guess
HASH_BYTES = 32
_LEAF, _NODE = b"\0", b"\1"


def leaf_of(salt: bytes, fields: bytes) -> bytes:
    """Return the hash of one line. The salt has a fixed length, so the two parts cannot be divided in another way."""
    return sha256(_LEAF + salt + fields).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of at least one leaf, or of at least one subtree of equal size and the rest."""
    while len(leaves) > 1:
        leaves = _level_above(leaves)
    return leaves[0]


def path_of(leaves: Sequence[bytes], number: int) -> list[bytes]:
    """Return the hashes beside the way from a leaf up to the root, the lowest first."""
    path = []
    while len(leaves) > 1:
        beside = number ^ 1
        if beside < len(leaves):
            path.append(leaves[beside])
        leaves, number = _level_above(leaves), number // 2
    return path


def root_from(leaf: bytes, number: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that follows from a leaf, its place among `count` leaves, and its path.

    Return None if there is no such place, or if the path is too long or too short for it.
    """
    if not 0 <= number < count:
        return None
    found, hashes = leaf, iter(path)
    while count > 1:
        if number ^ 1 < count:
            beside = next(hashes, None)
            if beside is None:
                return None
            found = _node_of(beside, found) if number % 2 else _node_of(found, beside)
        number, count = number // 2, (count + 1) // 2
    return found if next(hashes, None) is None else None


def _level_above(nodes: Sequence[bytes]) -> list[bytes]:
    # A million leaves take half a second. A call of `_node_of` for each pair would add a third to that.
    above = [sha256(_NODE + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
    return [*above, nodes[-1]] if len(nodes) % 2 else above


def _node_of(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
