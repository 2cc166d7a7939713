"""The log of a command that runs unattended: one JSON object per line, in `logs/` of the workspace.

The log is JSON because its reasons quote servers and people. In JSON, any text stays on one line, and log tools can
parse it.
"""

import fcntl
import json
import logging
import os
import queue
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Thread
from typing import Protocol

from newsletter import __version__
from newsletter.errors import NewsletterError
from newsletter.system.environment import conceal
from newsletter.system.files import PRIVATE, write_whole

LOGS_FOLDER = "logs"
_LARGEST_BYTES, _OLDER_FILES = 1_000_000, 4
_MOST_LINES_WAITING = 10_000

# JSON leaves these characters as they are, but a terminal that shows the log would obey them.
_COMMANDS = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
Field = str | int | None


class Log(Protocol):
    """A function that logs one sentence and its facts, from any thread. Addresses and secrets are masked."""

    def __call__(self, sentence: str, /, **fields: Field) -> None:
        """Write one line."""


def no_log(_sentence: str, /, **_fields: Field) -> None:
    """Do nothing: a log that is switched off."""


@contextmanager
def command_log(workspace: Path, command: str, *, tell: Callable[[str], None] = lambda _: None) -> Iterator[Log]:
    """Yield the log of a command, `logs/COMMAND.log`. It also records the start of the command and how it ended.

    `tell` is called with each sentence. If the log cannot be written, the command continues.
    """
    logging.raiseExceptions = False  # a log that cannot be written must not print a traceback
    logger = logging.Logger(command)
    logger.addHandler(_SharedFile(workspace / LOGS_FOLDER / f"{command}.log"))

    def write(sentence: str, /, **fields: Field) -> None:
        logger.info("", extra={"facts": {"what": sentence, **fields}})

    def log(sentence: str, /, **fields: Field) -> None:
        write(sentence, **fields)
        tell(conceal(sentence))

    write("started", version=__version__)
    try:
        yield log
    except BaseException as err:
        write("ended early", error=type(err).__name__, reason=str(err) if isinstance(err, NewsletterError) else None)
        raise
    write("ended")


@contextmanager
def queued_log(workspace: Path, name: str) -> Iterator[Log]:
    """Yield a log, `logs/NAME.log`, that never delays its caller: a thread writes the lines, many at a time.

    Lines that come faster than they can be written are dropped.
    """
    logging.raiseExceptions = False
    file = _SharedFile(workspace / LOGS_FOLDER / f"{name}.log")
    lines: queue.Queue[logging.LogRecord | None] = queue.Queue(_MOST_LINES_WAITING)

    def log(sentence: str, /, **fields: Field) -> None:
        facts = {"facts": {"what": sentence, **fields}}
        with suppress(queue.Full):
            lines.put_nowait(logging.makeLogRecord({"name": name, **facts}))

    def write() -> None:
        is_over = False
        while not is_over:
            waiting = [lines.get(), *(lines.get() for _ in range(lines.qsize()))]  # only this thread takes lines
            is_over = None in waiting
            file.emit_all(line for line in waiting if line is not None)

    thread = Thread(target=write, name="log", daemon=True)
    thread.start()
    try:
        yield log
    finally:
        lines.put(None)
        thread.join()


def delete_log_lines(workspace: Path, *, before: datetime, is_preview: bool = False) -> int:
    """Delete the lines of all logs and the error reports from before a time. Return how many lines and reports.

    A preview counts the same and deletes nothing. What cannot be read or written stays as it is.
    """
    folder, since = workspace / LOGS_FOLDER, before.astimezone(UTC).isoformat(timespec="milliseconds")
    deleted = 0
    with suppress(OSError), _turn_in(folder):
        for path in sorted((*folder.glob("*.log"), *folder.glob("*.log.[0-9]*"))):
            with suppress(OSError):
                deleted += _keep_since(path, since, is_preview=is_preview)
        for path in folder.glob("report-*.txt"):
            with suppress(OSError):
                is_old = path.stat().st_mtime < before.timestamp()
                deleted += is_old
                if is_old and not is_preview:
                    path.unlink()
    return deleted


def _keep_since(path: Path, since: str, *, is_preview: bool) -> int:
    """Keep the lines of a log since a time, in the form of `at`. Return how many lines are older."""
    lines = path.read_bytes().splitlines(keepends=True)
    first = next(
        (number for number, line in enumerate(lines) if line[8:].decode(errors="replace") >= since), len(lines)
    )
    if first and not is_preview:
        if first < len(lines):
            write_whole(path, b"".join(lines[first:]), permissions=PRIVATE)
        else:
            path.unlink()
    return first


@contextmanager
def _turn_in(folder: Path) -> Iterator[None]:
    """Lock the folder of the logs, so that only one process at a time changes their files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: go on anyway
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class _JsonLine(logging.Formatter):
    """Formats a record as JSON: the time, the process, the sentence and its facts."""

    def __init__(self) -> None:
        super().__init__()
        # To look for secrets in a text takes a tenth of a millisecond, and the lines about requests repeat a few words.
        self._conceal = lru_cache(maxsize=256)(conceal)

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Field] = record.__dict__["facts"]
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        known = {name: self._conceal(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        line = {"at": at, "process": record.process, **known}
        text = json.dumps({name: fact for name, fact in line.items() if fact not in {"", None}}, ensure_ascii=False)
        return _COMMANDS.sub(lambda command: f"\\u{ord(command[0]):04x}", text)


class _SharedFile(RotatingFileHandler):
    """A log file to which several processes append.

    They take turns by locking the folder, and reopen the file for each line. So no process writes to a file that
    another one has already rotated, and two never rotate files at the same time.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LARGEST_BYTES, backupCount=_OLDER_FILES, delay=True)
        self._folder = path.parent
        self.setFormatter(_JsonLine())

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line. If that fails, the line is lost and the command continues."""
        self.emit_all([record])

    def emit_all(self, records: Iterable[logging.LogRecord]) -> None:
        """Append lines in one turn."""
        with suppress(OSError), self._turn():
            for record in records:
                super().emit(record)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with _turn_in(self._folder):
            try:
                yield
            finally:
                self.close()

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", errors="replace", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)
