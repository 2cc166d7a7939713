"""The log of a command that runs without anyone watching: one JSON object a line, in `logs/` of the workspace.

JSON, because reasons quote servers and people: any text stays one line, and every tool that reads logs takes it apart.
"""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Protocol

from newsletter import __version__
from newsletter.errors import NewsletterError
from newsletter.system.environment import conceal
from newsletter.system.files import PRIVATE

LOGS_FOLDER = "logs"
_LARGEST_BYTES, _OLDER_FILES = 1_000_000, 4

Field = str | int | None


class Log(Protocol):
    """Takes one sentence and the facts in it, from any thread; neither addresses nor secrets are kept."""

    def __call__(self, sentence: str, /, **fields: Field) -> None:
        """Write a line."""


def no_log(_sentence: str, /, **_fields: Field) -> None:
    """Write nothing."""


@contextmanager
def command_log(workspace: Path, command: str, *, tell: Callable[[str], None] = lambda _: None) -> Iterator[Log]:
    """Yield the log of a command, `logs/COMMAND.log`, which also says when the command began and how it ended.

    `tell` hears each sentence too. A log that cannot be written stops nothing.
    """
    logging.raiseExceptions = False  # what cannot be written is no reason for a traceback on the terminal
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


class _JsonLine(logging.Formatter):
    """Writes when and by which process, then what happened and the facts that are known."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Field] = record.__dict__["facts"]
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        known = {name: conceal(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        line = {"at": at, "process": record.process, **known}
        return json.dumps({name: fact for name, fact in line.items() if fact not in {"", None}}, ensure_ascii=False)


class _SharedFile(RotatingFileHandler):
    """A log file that several processes append to.

    They take turns, by a lock on the folder, and open the file anew for each line. So no process goes on writing into a
    file that another one has moved aside, and two never move files at the same time.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LARGEST_BYTES, backupCount=_OLDER_FILES, delay=True)
        self._folder = path.parent
        self.setFormatter(_JsonLine())

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line; where that fails, the line is lost and the command goes on."""
        with suppress(OSError), self._turn():
            super().emit(record)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # on a file system without locks, lines are written all the same
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
            self.close()

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", errors="replace", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)
