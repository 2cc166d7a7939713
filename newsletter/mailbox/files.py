"""Read emails from files: one email, an mbox, a Maildir, a folder of emails, or standard input."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from newsletter.mailbox.received import MOST_BYTES

_BEGINNING = re.compile(rb"From .{0,500}\d\d:\d\d.{0,50}\d{4}")  # of an email in an mbox: a sender and a time
_LONGEST_LINE = 65_536
_MAILDIR = ("new", "cur")


class StoredMail(Struct, frozen=True):
    """An email from a file or a mailbox. A report keeps its first megabyte, which is all that is read."""

    name: str  # the file or the folder, so that people find it
    content: bytes
    received_at: datetime


def mails_in(folder: Path) -> Iterator[StoredMail]:
    """Yield the emails in a folder, in the order of the files' names. Raise OSError if one cannot be read."""
    for file in sorted(_files_in(folder)):
        with file.open("rb") as stream:
            yield from mails_from(lines_of(stream), name=str(file), received_at=time_of(file))


def count_mails(path: Path) -> int:
    """Return the number of emails in a folder. A file counts as one, because only reading it tells how many it has."""
    return sum(1 for _ in _files_in(path)) if path.is_dir() else 1


def mails_from(lines: Iterable[bytes], *, name: str, received_at: datetime) -> Iterator[StoredMail]:
    """Yield the emails in a stream of lines. An mbox begins with `From `, a sender and a time (RFC 4155)."""
    kept: list[bytes] = []
    size, number, is_mbox, is_after_blank = 0, 0, False, True
    for line in lines:
        if is_after_blank and (is_mbox or not kept) and _BEGINNING.match(line):
            if kept:
                yield StoredMail(f"{name}, email {number}", b"".join(kept), received_at)
            kept, size, is_mbox, number = [], 0, True, number + 1
            continue
        is_after_blank = not line.strip()
        if size < MOST_BYTES:
            text = line[1:] if is_mbox and line.startswith(b">From ") else line
            kept.append(text)
            size += len(text)
    if kept:
        yield StoredMail(f"{name}, email {number}" if is_mbox else name, b"".join(kept), received_at)


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream. A line that is longer than any in an email comes in pieces."""
    return iter(lambda: stream.readline(_LONGEST_LINE), b"")


def time_of(file: Path) -> datetime:
    """Return when a file was last changed, in whole seconds."""
    return datetime.fromtimestamp(int(file.stat().st_mtime), UTC)


def _files_in(folder: Path) -> Iterator[Path]:
    folders = [folder / name for name in _MAILDIR if (folder / name).is_dir()] or [folder]
    return (file for each in folders for file in each.iterdir() if file.is_file() and not file.name.startswith("."))
