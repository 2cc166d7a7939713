"""What a provider is: it carries chunks of mail, and says of every recipient what is known afterwards.

The records that pass through it, `OutgoingChunk` and `Outcome`, are in `newsletter.model.broadcast`. A session raises
nothing: whatever goes wrong while mail is handed over is an outcome. Opening a provider raises ProviderError, and so do
its capabilities, which not every provider has: a scheduler, a log of messages that can be searched, and lists of those
whom it does not mail.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from newsletter.model.address import masked
from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.model.event import ListedAddress, ProviderList
from newsletter.model.ledger import UnknownChunk
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


class Scheduler(Protocol):
    """How a provider holds mail until its time, and gives it back.

    What is handed over with `hold_until` and the `batch_id` of its mailing is held under that id.
    """

    @property
    def longest(self) -> timedelta:
        """How far ahead of its time mail may be handed over."""

    @property
    def margin(self) -> timedelta:
        """How long before its time mail must be cancelled to be surely not sent."""

    def open_batch(self) -> str:
        """A new id under which mail is held; raises ProviderError."""

    def cancel_batch(self, batch_id: str) -> None:
        """Has all mail of a batch not sent, what is handed over under its id later too.

        Returns only when the provider surely holds the batch as cancelled; a batch may be cancelled again. Raises
        ProviderError where that is not so, or not known.
        """


class MessageLog(Protocol):
    """What a provider can be asked about messages that it may have taken."""

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """Words of evidence that the request of this attempt of a chunk was taken.

        `broadcast` is the mailing's. None proves nothing: a log may lag, and forgets. Raises ProviderError where the
        log cannot be read.
        """


class SuppressionLists(Protocol):
    """The lists on which a provider keeps whom it does not mail, whoever put them there.

    Every step may be taken again without harm; what fails for a moment is tried again within it.
    """

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        """A list page by page: what was put on it from `since` to `until`, both included.

        The window is fixed, so that what is added meanwhile moves nothing from one page to the next. Raises
        ProviderError where the list cannot be read.
        """

    def add(self, emails: Sequence[str]) -> tuple[str, ...]:
        """Puts addresses among those who left all mail; which of them it would not take.

        Raises ProviderError where that is not so, or not known.
        """

    def remove(self, listed: ProviderList, email: str) -> None:
        """Takes an address off a list, where it is on it.

        Raises ProviderError where that is not so, or not known.
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
    def scheduler(self) -> Scheduler | None:
        """How it holds mail until its time; None where it sends at once all that it takes."""

    @property
    def message_log(self) -> MessageLog | None:
        """Where it keeps what it took; None where it cannot be asked."""

    @property
    def suppression_lists(self) -> SuppressionLists | None:
        """The lists of those whom it does not mail; None where it keeps none."""

    def describe(self) -> str:
        """What carries the mail, for a person who is about to say yes."""

    def session(self) -> AbstractContextManager[Session]:
        """A session for one thread; its connection opens with the first chunk and closes with the context."""


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


def quoted(words: str | bytes, *, without: tuple[str, ...] = ()) -> str:
    """What a server said, fit to be shown and stored: one line, not endless, without addresses or our secrets."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    for secret in without:
        text = text.replace(secret, "•••") if secret else text
    line = masked(one_line(text))
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"
