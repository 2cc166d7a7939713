"""What a provider is: it carries chunks of mail, and says of every recipient what is known afterwards.

The records that pass through it, `OutgoingChunk` and `Outcome`, are in `newsletter.model.broadcast`. A provider raises
ProviderError only while it is opened; whatever goes wrong later is an outcome.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol

from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.providers.headers import one_line

Clock = Callable[[], datetime]  # the present moment, aware, in UTC

_LONGEST_QUOTE = 400


class Session(Protocol):
    """What one thread hands its chunks to, one after the other; it may keep a connection open between them."""

    def submit(self, chunk: OutgoingChunk) -> Outcome:
        """Hands over a chunk and says what is known of each recipient.

        Raises nothing for what a provider, a network or a disk does. What may have been taken is never handed over
        again within a call.
        """


class Provider(Protocol):
    """One way for mail to leave."""

    @property
    def name(self) -> str:
        """The word for it in `newsletter.toml` and in the ledger."""

    @property
    def chunk_size(self) -> int:
        """The most recipients that a chunk may have."""

    @property
    def concurrency(self) -> int:
        """How many sessions are worth opening at the same time."""

    @property
    def transmits(self) -> bool:
        """Whether anything leaves this machine."""

    def describe(self) -> str:
        """What carries the mail, for a person who is about to say yes."""

    def session(self) -> AbstractContextManager[Session]:
        """A session for one thread; its connection opens with the first chunk and closes with the context."""


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


def quoted(words: str | bytes, *, without: tuple[str, ...] = ()) -> str:
    """What a server said, fit to be shown and stored: one line, not endless, and without our secrets."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    for secret in without:
        text = text.replace(secret, "•••") if secret else text
    line = one_line(text)
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"
