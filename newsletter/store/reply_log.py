"""The reply log: what a provider replied about each message, saved before the next message is sent.

A log is a file for one attempt to send one chunk. It lies beside the database, or in the workspace if the database is
PostgreSQL. It exists before the claim of the chunk is committed, and is removed once the result is in the ledger. After
a crash it says which messages of the chunk were sent (docs/decisions/0027).

The first line says what was being sent. Each delivery has one line of its own, which is changed in place. So a log
never has to be complete to be trusted: a message counts as not sent only if its own line says so. The marks in a line:

- `waiting`: not sent. A message begins only when no `waiting` about it can be left on disk.
- `next`: not sent, unless the machine has lost power since. It may then have been begun during the last moments.
- `begun`: handed over, and without a reply so far.
- any other word: the meaning of the reply, followed by its words.

Each change is handed to the system at once, so that it survives the end of the process. A thread writes them to disk,
so that all but those of the last 100 ms survive a power failure.
"""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from threading import Event, Lock

from msgspec import Struct

from newsletter.model.replies import Reply

# Several lines fit in a sector of the disk, so that a power failure leaves either the old line or the new one.
LINE_BYTES = 256
_WAITING, _NEXT, _BEGUN = "waiting", "next", "begun"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SUFFIX = ".log"
_to_disk = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


class Sending(Struct, frozen=True, kw_only=True):
    """What a log is about: one attempt of one runner to send one chunk."""

    broadcast: int
    mailing: str  # the broadcast's id for providers, which is unique across databases
    provider: str
    chunk: int
    attempt: int
    runner: str
    boot: str  # identifies the time since the machine was started; empty if the system does not tell


class ReplyLog:
    """The log of a chunk that is being sent. One thread notes the replies, and another writes them to disk."""

    def __init__(self, path: Path, sending: Sending, deliveries: Sequence[int], *, ahead: int, halt: Event) -> None:
        """Create the file. Raise OSError if that is impossible, for example because the disk is full."""
        self.path = path
        self.failure: OSError | None = None  # why the log could not be written to disk
        self.ahead = ahead  # how many messages may begin before the disk has to be waited for again
        self._deliveries = deliveries
        self._places = {delivery: place for place, delivery in enumerate(deliveries)}
        self._halt = halt
        self._lock = Lock()
        # The first so many lines are `next` at least: in the file, and in whatever of it may be on disk. Those that are
        # created so need not be on disk: without them, there is nothing on disk that says `waiting`.
        self._marked = self._on_disk = min(ahead, len(deliveries))
        self._begun = self._begun_before = 0  # how many messages have begun, now and when the log was last looked at
        self._was_looked_at = False
        self._noted: set[int] = set()  # the lines with a reply
        self._is_dirty = False
        self._is_closed = False
        head, marks = _line(json.dumps(_fields(sending))), chain(repeat(_NEXT, self._marked), repeat(_WAITING))
        content = head + b"".join(_line(f"{each} {mark}") for each, mark in zip(deliveries, marks, strict=False))
        self._file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # so that no one settles it while this process lives
            # Writing all of it now makes room on the disk for everything that will be noted.
            if os.write(self._file, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except BaseException:
            os.close(self._file)
            path.unlink(missing_ok=True)
            raise

    def may_begin(self, delivery: int) -> bool:
        """Note that a message is about to be sent. Return False if the work was halted or the log was closed."""
        place = self._places[delivery]
        if self._halt.is_set():
            return False
        if place >= self._on_disk:
            self.ahead *= 2  # messages are sent faster than expected
            self.synchronize(up_to=place + 1)
        with self._lock:
            if self._is_closed or place >= self._on_disk or not self._write(place, _BEGUN):
                return False
            self._begun = max(self._begun, place + 1)
        return True

    def note(self, delivery: int, meaning: str, words: str) -> None:
        """Note a reply, or that a message was certainly not sent. Later changes to a closed log are ignored."""
        with self._lock:
            if not self._is_closed:
                place = self._places[delivery]
                self._noted.add(place)
                self._write(place, f"{meaning} {words}")

    def synchronize(self, *, up_to: int = 0) -> None:
        """Write all changes to disk, and mark the messages that may begin next, at least `up_to` of the lines.

        If that fails, no message begins anymore, and `failure` says why.
        """
        with self._lock:
            if self._is_closed:
                return
            goal = min(len(self._deliveries), max(up_to, self._begun + self.ahead))
            # An invalid address is noted without being sent to.
            new = [place for place in range(self._marked, goal) if place not in self._noted]
            if not all(self._write(place, _NEXT) for place in new):
                return
            self._marked = max(self._marked, goal)
            if not self._is_dirty and goal <= self._on_disk:
                return
            self._is_dirty = False
            file = os.dup(self._file)  # so that the log can be closed meanwhile
        try:
            _to_disk(file)
        except OSError as err:
            self._fail(err)
            return
        finally:
            os.close(file)
        with self._lock:
            self._on_disk = max(self._on_disk, goal)

    def look(self) -> None:
        """Write all changes to disk, and allow for as many messages as began since the last call, twice over."""
        pace, self._begun_before = self._begun - self._begun_before, self._begun
        # A log that is new or used up did not show its pace all the time since the last call.
        is_whole = self._was_looked_at and self._begun < len(self._deliveries)
        self.ahead = max(1 if is_whole else self.ahead, 2 * pace)
        self._was_looked_at = True
        self.synchronize()

    def close(self) -> tuple[Reply, ...]:
        """Let nothing more begin, and return what is known about each message. The file stays."""
        with self._lock:
            self._is_closed = True
            return tuple(self._reply(place) for place in range(len(self._deliveries)))

    def leave(self) -> None:
        """Let nothing more begin. Another process may then settle the chunk from the file."""
        with self._lock:
            self._is_closed = True
        os.close(self._file)

    def remove(self) -> None:
        """Remove the file, because the result is in the ledger."""
        with self._lock:
            self._is_closed = True
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _write(self, place: int, mark: str) -> bool:
        """Change a line. Return whether that succeeded."""
        self._is_dirty = True
        try:
            return os.pwrite(self._file, _line(f"{self._deliveries[place]} {mark}"), _start(place)) == LINE_BYTES
        except OSError as err:
            self._fail(err)
            return False

    def _fail(self, error: OSError) -> None:
        self.failure = error
        self._halt.set()

    def _reply(self, place: int) -> Reply:
        line = os.pread(self._file, LINE_BYTES, _start(place))
        return _reply_in(line, is_same_boot=True) or Reply(delivery=self._deliveries[place], was_begun=True)


class LeftLog(Struct, frozen=True, kw_only=True):
    """A log that a process left behind."""

    path: Path
    sending: Sending
    replies: dict[int, Reply]  # by delivery

    def reply_about(self, delivery: int) -> Reply:
        """Return what is known about a delivery. If its line is missing or damaged, it may have been sent."""
        return self.replies.get(delivery) or Reply(delivery=delivery, was_begun=True)


def left_logs(folder: Path | None, *, is_alive: Callable[[str], bool]) -> list[LeftLog]:
    """Return the logs in a folder whose runner is no longer alive. A log that cannot be read is left out.

    A process that lost its connection to the database may still be sending, so a log that is locked is left out too.
    """
    if folder is None or not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        runner = path.stem.rpartition("-")[2]
        if not is_alive(runner) and (log := _read(path)) is not None:
            found.append(log)
    return found


def name_of_log(sending: Sending) -> str:
    """Return the name of the file: no two attempts to send a chunk share one."""
    return f"{sending.mailing}-{sending.chunk}-{sending.attempt}-{sending.runner}{_SUFFIX}"


def boot_id() -> str:
    """Return what identifies the time since this machine was started, or an empty string if the system does not tell.

    If it is empty, every log is read as if the machine had lost power.
    """
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _read(path: Path) -> LeftLog | None:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            content = file.read()
    except OSError:  # another process was faster, or is still sending
        return None
    lines = [content[start : start + LINE_BYTES] for start in range(0, len(content), LINE_BYTES)]
    try:
        sending = Sending(**json.loads(lines[0])) if lines else None
    except (ValueError, TypeError):
        return None
    if sending is None or name_of_log(sending) != path.name:
        return None
    is_same_boot = sending.boot != "" and sending.boot == boot_id()
    replies = [reply for line in lines[1:] if (reply := _reply_in(line, is_same_boot=is_same_boot)) is not None]
    return LeftLog(path=path, sending=sending, replies={reply.delivery: reply for reply in replies})


def _reply_in(line: bytes, *, is_same_boot: bool) -> Reply | None:
    """Return what a line says, or None if it is damaged."""
    number, _, rest = line.decode("utf-8", "replace").rstrip().partition(" ")
    mark, _, words = rest.partition(" ")
    if len(line) != LINE_BYTES or not line.endswith(b"\n") or not number.isdecimal() or not mark:
        return None
    delivery = int(number)
    if mark == _WAITING or (mark == _NEXT and is_same_boot):
        return Reply(delivery=delivery, was_begun=False)
    if mark in {_NEXT, _BEGUN}:
        return Reply(delivery=delivery, was_begun=True)
    return Reply(delivery=delivery, was_begun=True, meaning=mark, words=words)


def _start(place: int) -> int:
    return (place + 1) * LINE_BYTES


def _line(text: str) -> bytes:
    if text.isascii() and len(text) < LINE_BYTES and "\n" not in text:  # nearly always, and it takes half as long
        return b"%-255b\n" % text.encode("ascii")
    encoded = text.replace("\n", " ").encode("utf-8", "replace")[: LINE_BYTES - 1]
    return encoded.decode("utf-8", "ignore").encode("utf-8").ljust(LINE_BYTES - 1) + b"\n"


def _fields(sending: Sending) -> dict[str, object]:
    return {name: getattr(sending, name) for name in sending.__struct_fields__}
