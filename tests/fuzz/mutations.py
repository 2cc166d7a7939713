"""Inputs for fuzz targets: sound ones that were cut, overwritten, repeated or mixed with telling pieces."""

from collections.abc import Sequence
from enum import Enum, auto

from hypothesis import strategies as st

_MOST_EDITS = 6
_MOST_COPIES = 3_000  # how often a piece is repeated, which finds what grows with the square of the input
_MOST_BYTES = 200_000


def mutated(bases: Sequence[bytes], pieces: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Draw one of the bases after a few edits at random places, with random bytes or some of the pieces."""
    inserted = st.one_of(
        st.sampled_from(list(pieces)),
        st.binary(max_size=12),
        st.builds(lambda piece, copies: piece * copies, st.sampled_from(list(pieces)), st.integers(2, _MOST_COPIES)),
    )
    edit = st.tuples(st.sampled_from(Edit), st.floats(0, 1), st.floats(0, 1), inserted)
    return st.builds(_edited, st.sampled_from(list(bases)), st.lists(edit, max_size=_MOST_EDITS))


def texts(bases: Sequence[str], pieces: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Draw text as a file contains it: mutations of the bases, a mixture of the pieces, or any characters at all."""
    mixture = st.lists(st.sampled_from(list(pieces)), max_size=40).map("".join)
    return st.one_of(
        mutated([base.encode() for base in bases], [piece.encode() for piece in pieces]),
        mixture.map(str.encode),
        st.text(max_size=200).map(lambda text: text.encode(errors="replace")),
    )


class Edit(Enum):
    """A way to change the content between two places, with a piece."""

    INSERT = auto()
    OVERWRITE = auto()
    CUT = auto()
    END = auto()
    REPEAT = auto()
    MOVE = auto()


def _after(edit: Edit, content: bytes, start: int, end: int, piece: bytes) -> bytes:
    before, between, after = content[:start], content[start:end], content[end:]
    return {
        Edit.INSERT: before + piece + content[start:],
        Edit.OVERWRITE: before + piece + content[start + len(piece) :],
        Edit.CUT: before + after,
        Edit.END: before,
        Edit.REPEAT: before + between + content[start:],
        Edit.MOVE: before + after + between,
    }[edit]


def _edited(content: bytes, edits: Sequence[tuple[Edit, float, float, bytes]]) -> bytes:
    for edit, one, other, piece in edits:
        start, end = sorted((int(one * len(content)), int(other * len(content))))
        content = _after(edit, content, start, end, piece)[:_MOST_BYTES]
    return content
