"""Write several files of an issue, all of them or none."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from newsletter.system.contained import NOTHING, fingerprint_of, write_below
from newsletter.workflows.compose.editing import MOST_BYTES


class FileWrite(Struct, frozen=True, kw_only=True):
    """The new content of one file of an issue."""

    name: str
    shown: str
    content: bytes
    before: bytes | None  # None if the file does not exist yet


def write_files(folder: Path, writes: Sequence[FileWrite]) -> None:
    """Write the files. If one cannot be written, those before it become what they were.

    Raise ConflictError if a file has changed since it was read, and InputError if it cannot be written.
    """
    done: list[FileWrite] = []
    try:
        for each in writes:
            replaces = NOTHING if each.before is None else fingerprint_of(each.before)
            write_below(folder, each.name, each.content, replaces=replaces, most_bytes=MOST_BYTES)
            done.append(each)
    except BaseException:
        for each in reversed(done):
            if each.before is None:
                (folder / each.name).unlink()
            else:
                written = fingerprint_of(each.content)
                write_below(folder, each.name, each.before, replaces=written, most_bytes=MOST_BYTES)
        raise
