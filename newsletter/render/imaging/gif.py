"""Reads the blocks of a GIF file, without decoding its images (GIF89a specification)."""

from collections.abc import Iterator

from newsletter.model.picture_files import MOST_FRAMES

_HEAD_LENGTH = 13  # the signature and the screen descriptor
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_TIMING, _APPLICATION = 0xF9, 0xFF
_REPEATING = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})  # the extensions that set how many times the GIF is played


def without_remarks(content: bytes) -> bytes:
    """Return the GIF without comments and without other programs' private data.

    Raise ValueError or IndexError if the GIF is broken.
    """
    return b"".join(_parts(content))


def count_frames(content: bytes) -> int | None:
    """Return the number of images in a GIF, or None if it is broken. Counting stops after the maximum."""
    count = 0
    try:
        for part in _parts(content):
            count += part[0] == _IMAGE
            if count > MOST_FRAMES:
                break
    except (ValueError, IndexError):
        return None
    return count


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
            raise ValueError(f"it has a block of unknown type {kind}")
    yield bytes([_END])


def _is_seen(content: bytes, start: int) -> bool:
    label, name = content[start + 1], content[start + 3 : start + 14]
    return label == _TIMING or (label == _APPLICATION and name in _REPEATING)


def _table_length(flags: int) -> int:
    return 3 << ((flags & 0b111) + 1) if flags & 0b1000_0000 else 0


def _after_blocks(content: bytes, position: int) -> int:
    """Return the position after a series of blocks. Each begins with its length, and an empty block ends the series."""
    while length := content[position]:
        position += 1 + length
    return position + 1
