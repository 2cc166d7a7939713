"""The outbox: every email becomes a file that an email app can open, and nothing leaves the machine.

An email counts as accepted when its complete file exists under its final name. The folder is synced once per chunk, but
the files are not. After a power failure a file may therefore be cut short, but no recipient misses an email because of
that. Only their owner can read the folders and files, because each email contains an address and a personal link.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from newsletter.config import Config
from newsletter.model.broadcast import NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.model.diagnosis import ok
from newsletter.model.replies import Reply
from newsletter.providers.base import UNRECORDED, Clock, ProviderFacts, Replies, quoted
from newsletter.providers.headers import wire_address
from newsletter.providers.mime import MessageCompiler
from newsletter.system.file_errors import explained
from newsletter.system.files import PRIVATE, synchronize, write_whole

_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]+")
_LONGEST_NAME = 120  # characters of the address in a file's name; file systems allow 255 bytes in total
_SAVED, _INVALID = "saved", "invalid"  # the meanings in the reply log
_ELSEWHERE = "choose another folder under [provider.outbox] in newsletter.toml"


def open_provider(config: Config, _environ: Mapping[str, str], clock: Clock) -> "Outbox":
    """Return the provider. It needs no secret."""
    folder = config.root / config.settings.provider.outbox.folder
    return Outbox(folder, shown=config.shown, clock=clock)


class Outbox:
    """The provider that writes `folder/BROADCAST/ADDRESS-DELIVERY.eml`."""

    name = "outbox"
    chunk_size = 100
    concurrency = 1
    notes_replies = True
    scheduler = None
    message_log = None
    suppression_lists = None

    def __init__(self, folder: Path, *, shown: Callable[[Path], str], clock: Clock) -> None:
        self.folder = folder
        self.shown = shown(folder)
        self.shown_path = shown
        self.clock = clock

    def describe(self) -> str:
        """Return a description that names the folder."""
        return f"outbox folder {self.shown}/: emails are saved as files, and nothing is sent"

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return a note that says where the files go. There is nothing to check."""
        what = f"outbox: emails are written to {self.shown}/ and do not leave this machine"
        return ProviderFacts(items=(ok("provider", what),))

    @contextmanager
    def session(self) -> Iterator["OutboxSession"]:
        """Open a session. Files need no connection."""
        yield OutboxSession(self)


class OutboxSession:
    """Writes the emails of one thread."""

    def __init__(self, provider: Outbox) -> None:
        self._provider = provider
        self._messages = MessageCompiler()

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Write one file per recipient. An email that could not be written counts as unsent."""
        message = self._messages.compiled(chunk.mailing, self._provider.clock())
        folder = self._provider.folder / _safe(chunk.mailing.broadcast)
        invalid: dict[int, str] = {}
        done, next_step, reason = 0, NextStep.GO_ON, ""
        try:
            for each in (self._provider.folder, folder):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
            for recipient in chunk.recipients:
                try:
                    wire_address(recipient.email)
                except ValueError as err:
                    invalid[recipient.delivery] = str(err)
                    replies.note(recipient.delivery, _INVALID, quoted(str(err)))
                else:
                    if not replies.may_begin(recipient.delivery):
                        break
                    path = folder / f"{_safe(recipient.email)}-{recipient.delivery}.eml"
                    write_whole(path, message.render(recipient), permissions=PRIVATE)
                    replies.note(recipient.delivery, _SAVED, "")
                done += 1
            synchronize(folder)
        except OSError as err:
            place = Path(err.filename or folder)
            fault = explained(err, place, elsewhere=_ELSEWHERE, shown=self._provider.shown_path)
            next_step, reason = NextStep.PAUSE, f"{fault}, then run `newsletter resume`"
        unsent = frozenset(recipient.delivery for recipient in chunk.recipients[done:])
        return Outcome(
            verdict=Verdict.ACCEPTED if done else Verdict.READY,
            next_step=next_step,
            reason=reason,
            invalid=invalid,
            undeliverable=frozenset(invalid),
            unsent=unsent if done else frozenset(),
        )


def outcome_of_replies(replies: Sequence[Reply]) -> Outcome:
    """Return the outcome of a chunk that was interrupted. A file that was begun may or may not have been saved."""
    invalid = {reply.delivery: reply.words for reply in replies if reply.meaning == _INVALID}
    saved = {reply.delivery for reply in replies if reply.meaning == _SAVED}
    begun = {reply.delivery for reply in replies if reply.was_begun}
    unsent = frozenset(reply.delivery for reply in replies) - begun
    return Outcome(
        verdict=Verdict.ACCEPTED if saved else Verdict.READY,
        invalid=invalid,
        undeliverable=frozenset(invalid),
        unsent=unsent if saved else frozenset(),
        uncertain=dict.fromkeys(begun - saved - invalid.keys(), ""),
    )


def mails_to(folder: Path, email: str, delivery: int) -> tuple[Path, ...]:
    """Return the files of all emails to one subscriber in the outbox at `folder`. Ignore case in the address."""
    name = f"{_safe(email)}-{delivery}.eml".lower()
    return tuple(sorted(path for path in folder.glob(f"*/*-{delivery}.eml") if path.name.lower() == name))


def _safe(text: str) -> str:
    """Return the text as a file name that has no separators, is not hidden and is not too long."""
    return _UNSAFE.sub("_", text).lstrip(".")[:_LONGEST_NAME]
