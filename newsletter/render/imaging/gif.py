"""Takes out of a GIF what nobody sees, and leaves every frame of it as it is (GIF89a specification)."""

from collections.abc import Iterator

_HEAD_LENGTH = 13  # signature, and the description of the screen
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_TIMING, _APPLICATION = 0xF9, 0xFF
_REPEATING = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})  # the applications that say how often it is played


def without_remarks(content: bytes) -> bytes:
    """The GIF without comments, and without what programs noted in it for themselves.

    Raises ValueError or IndexError where it is broken.
    """
    return b"".join(_parts(content))


def _parts(content: bytes) -> Iterator[bytes]:
    position = _HEAD_LENGTH + _table_length(content[10])
    yield content[:position]
    while (kind := content[position]) != _END:
        start = position
        if kind == _EXTENSION:
            position = _after_blocks(content, position + 2)
            if _is_seen(content, start):
                yield content[start:position]
        elif kind == _IMAGE:
            position = _after_blocks(content, position + 11 + _table_length(content[position + 9]))
            yield content[start:position]
        else:
            raise ValueError(f"it has a block of the unknown kind {kind}")
    yield bytes([_END])


def _is_seen(content: bytes, start: int) -> bool:
    label, name = content[start + 1], content[start + 3 : start + 14]
    return label == _TIMING or (label == _APPLICATION and name in _REPEATING)


def _table_length(flags: int) -> int:
    return 3 << ((flags & 0b111) + 1) if flags & 0b1000_0000 else 0


def _after_blocks(content: bytes, position: int) -> int:
    """The position after a row of blocks, each of which says its length; an empty one ends the row."""
    while length := content[position]:
        position += 1 + length
    return position + 1
