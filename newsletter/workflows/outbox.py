"""Look through the outbox: list its files, search them, and open one.

An email is found by a key, which is a digest of its path, so no address of a person gets into the address of a page.
Only regular files in the folders of the outbox are opened, and no links are followed.
"""

import os
import re
import stat
from binascii import a2b_qp
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from threading import Lock, Thread
from time import time_ns

from msgspec import Struct

from newsletter.config import Config
from newsletter.mailbox.opened import OpenedMail, open_mail, printable
from newsletter.mailbox.received import fields_of, read_mail

LARGEST_MAIL_BYTES = 25_000_000  # of an email that is opened; providers accept no larger ones
_HEAD_BYTES = 32_768  # that are read for the list and the search
_MOST_FILES = 100_000
MOST_SEARCHED = 20_000  # the newest; what is known of them takes about 20 MB
_LONGEST_TEXT = 12_000  # characters that can be searched
_SETTLED_NS = 2_000_000_000  # a folder that was changed more recently than this may change again unseen
_MOST_LINES = 500_000
_OWN_TEXT = re.compile(
    rb"\r\n\r\n--=_newsletter_alternative\r\nContent-Type: text/plain; charset=utf-8\r\n"
    rb"Content-Transfer-Encoding: quoted-printable\r\n\r\n(.*?)(?:\r\n--=_newsletter_alternative|\Z)",
    re.DOTALL,
)


class OutboxFile(Struct, frozen=True, kw_only=True):
    """One file of the outbox."""

    key: str
    folder: str  # its name, that of a broadcast or a test
    name: str
    saved_ns: int
    size_bytes: int

    @property
    def saved_at(self) -> datetime:
        """When it was saved."""
        return datetime.fromtimestamp(self.saved_ns / 1e9, UTC)


class OutboxLine(Struct, frozen=True, kw_only=True):
    """An email as the list shows it. A file that is not an email has neither subject nor recipient."""

    to: str
    subject: str


class FoundMail(Struct, frozen=True, kw_only=True):
    """One page of the list: the emails, how many there are in all, and how many of these were searched."""

    mails: tuple[tuple[OutboxFile, OutboxLine], ...]
    count: int
    total: int
    searched: int  # less than `total` while the files are being read, and if there are too many


class _IndexedMail(Struct, frozen=True, kw_only=True):
    line: OutboxLine
    head: str  # the recipient and the subject, in lowercase
    lines: tuple[int, ...]  # the numbers of the lines of the text


class OutboxShelf:
    """What is known of the files. Any thread may call any method.

    A folder is listed again only if it has changed. What the files contain is read once, by a thread that ends when it
    has read them all.
    """

    def __init__(self) -> None:
        self._secret = token_bytes(32)
        self._folders: dict[str, tuple[int, tuple[OutboxFile, ...]]] = {}
        self._read: dict[str, tuple[tuple[int, int], _IndexedMail]] = {}
        # The emails of a broadcast have most lines in common. Each different line is kept and searched once.
        self._lines: dict[str, int] = {}
        self._lock = Lock()
        self._thread: Thread | None = None
        self._is_ending = False

    def files(self, config: Config) -> Sequence[OutboxFile]:
        """Return all files, the newest first."""
        root = folder_of(config)
        found: list[OutboxFile] = []
        known: dict[str, tuple[int, tuple[OutboxFile, ...]]] = {}
        for name, changed in _subfolders(root):
            before = self._folders.get(name)
            is_same = before is not None and before[0] == changed and time_ns() - changed > _SETTLED_NS
            files = before[1] if before and is_same else tuple(_files(root, name, self._secret))
            known[name] = changed, files
            found += files
            if len(found) > _MOST_FILES:
                break
        self._folders = known
        return sorted(found, key=lambda each: (each.saved_ns, each.key), reverse=True)[:_MOST_FILES]

    def page(self, config: Config, *, search: str, first: int, count: int) -> FoundMail:
        """Return some of the emails that contain every word of the search, the newest first.

        Words are found in the recipient, the subject and the text. The files that are not read yet are not searched.
        """
        files = self.files(config)
        words = search.casefold().split()
        if not words:
            shown = files[first : first + count]
            lines = tuple((each, self._content(config, each).line) for each in shown)
            return FoundMail(mails=lines, count=len(files), total=len(files), searched=len(files))
        self._start_reading(config, files[:MOST_SEARCHED])
        read = [(each, known) for each in files if (known := self._known(each)) is not None]
        with_word = {word: self._lines_with(word) for word in words}
        hits = [
            (each, known.line)
            for each, known in read
            if all(word in known.head or not lines.isdisjoint(known.lines) for word, lines in with_word.items())
        ]
        return FoundMail(
            mails=tuple(hits[first : first + count]), count=len(hits), total=len(files), searched=len(read)
        )

    @property
    def is_reading(self) -> bool:
        """Whether more files are about to be searched."""
        with self._lock:
            return self._thread is not None

    def find(self, config: Config, key: str) -> OutboxFile | None:
        """Return the file with a key, or None if there is none."""
        return next((each for each in self.files(config) if each.key == key), None)

    def end(self) -> None:
        """Stop reading."""
        with self._lock:
            self._is_ending = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _known(self, file: OutboxFile) -> _IndexedMail | None:
        known = self._read.get(file.key)
        return known[1] if known is not None and known[0] == (file.saved_ns, file.size_bytes) else None

    def _content(self, config: Config, file: OutboxFile) -> _IndexedMail:
        known = self._known(file)
        if known is None:
            known = self._read_file(folder_of(config), file)
            with self._lock:
                if len(self._read) >= 2 * MOST_SEARCHED:
                    self._read = {}
                self._read[file.key] = (file.saved_ns, file.size_bytes), known
        return known

    def _read_file(self, root: Path, file: OutboxFile) -> _IndexedMail:
        to, subject, text = _head_and_text(_bytes_of(root, file, _HEAD_BYTES) or b"")
        with self._lock:
            if len(self._lines) > _MOST_LINES:
                self._lines, self._read = {}, {}
            lines = {line for each in text[:_LONGEST_TEXT].casefold().splitlines() if (line := each.strip())}
            numbers = tuple(self._lines.setdefault(line, len(self._lines)) for line in lines)
        return _IndexedMail(line=OutboxLine(to=to, subject=subject), head=f"{to}\n{subject}".casefold(), lines=numbers)

    def _lines_with(self, word: str) -> frozenset[int]:
        with self._lock:
            return frozenset(number for line, number in self._lines.items() if word in line)

    def _start_reading(self, config: Config, files: Sequence[OutboxFile]) -> None:
        waiting = [each for each in files if self._known(each) is None]
        with self._lock:
            if waiting and self._thread is None and not self._is_ending:
                self._thread = Thread(target=self._read_all, args=(config, waiting), name="outbox")
                self._thread.start()

    def _read_all(self, config: Config, files: Sequence[OutboxFile]) -> None:
        try:
            for each in files:
                if self._is_ending:
                    return
                self._content(config, each)
        finally:
            with self._lock:
                self._thread = None


def folder_of(config: Config) -> Path:
    """Return the folder of the outbox."""
    return config.root / config.settings.provider.outbox.folder


def open_file(config: Config, file: OutboxFile) -> OpenedMail | None:
    """Return the email in a file, or None if it cannot be read. Only its first 25 MB are read."""
    content = _bytes_of(folder_of(config), file, LARGEST_MAIL_BYTES)
    return None if content is None else open_mail(content)


def _subfolders(root: Path) -> Iterator[tuple[str, int]]:
    with suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime_ns


def _files(root: Path, folder: str, secret: bytes) -> Iterator[OutboxFile]:
    with suppress(OSError), os.scandir(root / folder) as entries:
        for entry in entries:
            if not entry.name.endswith(".eml") or entry.name.startswith("."):
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    path = f"{folder}/{entry.name}".encode(errors="surrogateescape")
                    yield OutboxFile(
                        key=blake2b(path, key=secret, digest_size=16).hexdigest(),
                        folder=folder,
                        name=entry.name,
                        saved_ns=status.st_mtime_ns,
                        size_bytes=status.st_size,
                    )


def _bytes_of(root: Path, file: OutboxFile, most_bytes: int) -> bytes | None:
    """Return the beginning of a file. Neither its folder nor the file may have become a link to somewhere else."""
    try:
        folder = os.open(root / file.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # Without O_NONBLOCK, opening a pipe would wait for someone who writes to it.
            opened = os.open(file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(opened, "rb") as source:
            return source.read(most_bytes) if stat.S_ISREG(os.fstat(opened).st_mode) else None
    except OSError:
        return None


def _head_and_text(content: bytes) -> tuple[str, str, str]:
    """Return the recipient, the subject and the text of an email, given its beginning.

    Of the emails that this program writes, the text part is found by its header lines. To parse them like any other
    email takes ten times as long.
    """
    own = _OWN_TEXT.search(content)
    if own is None:
        mail = read_mail(content)
        header, text = mail.header, mail.text
    else:
        header = fields_of(BytesHeaderParser().parsebytes(content[: own.start()]))
        text = a2b_qp(own[1]).decode("utf-8", "replace")
    return printable(header.first("to")), printable(header.first("subject")), text
