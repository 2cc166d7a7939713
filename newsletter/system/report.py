"""Reports an unexpected error, which is a bug in the program."""

import os
import platform
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from newsletter import DISTRIBUTION, __version__
from newsletter.system.environment import conceal
from newsletter.system.files import PRIVATE, write_whole

MACHINE_EXIT_CODE = 4
FAULT_EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h
SEND_REPORTS_TO = "the person who maintains this program"

_MOST_REPORTS = 20  # kept per folder, since a timer may hit the same bug every few minutes


def report_fault(
    error: BaseException, folder: Path | None, *, command: Sequence[str], environ: Mapping[str, str] = os.environ
) -> str:
    """Write a report of an unexpected error, and return the message for the user.

    The report goes into `folder`. If that is missing or cannot be written, it goes into the system's temporary folder.
    It contains no addresses and no secrets, and only its owner can read it.
    """
    text = conceal("\n".join(_report(error, command)), environ)
    name = f"report-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    for place in (folder, None):
        with suppress(OSError):
            path = _keep(place or Path(tempfile.mkdtemp(prefix="newsletter-")), name, text)
            where = f"The details are in {path}, without addresses or secrets."
            return f"newsletter has a bug ({type(error).__name__}). {where} Please send that file to {SEND_REPORTS_TO}."
    return f"newsletter has a bug, and the report could not be written. Please send this to {SEND_REPORTS_TO}:\n{text}"


def _keep(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    write_whole(folder / name, text.encode("utf-8", "replace"), permissions=PRIVATE)
    for old in sorted(folder.glob("report-*.txt"))[:-_MOST_REPORTS]:
        old.unlink(missing_ok=True)
    return folder / name


def _report(error: BaseException, command: Sequence[str]) -> Iterator[str]:
    yield f"newsletter {__version__} ended with an unexpected error at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    yield f"Command    {shlex.join(command)}"
    yield f"Python     {sys.version.split()[0]} on {platform.platform()}"
    yield f"Libraries  {', '.join(_libraries())}"
    yield ""
    yield from (line.rstrip("\n") for line in traceback.format_exception(error))


def _libraries() -> Iterator[str]:
    """Yield each required library with its version."""
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        wanted = []
    for name in dict.fromkeys(re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in wanted):
        yield f"{name} {_version(name)}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"
