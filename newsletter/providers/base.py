"""What a provider is: it carries chunks of mail, and says for every recipient what is known afterwards.

The records that pass through it, `OutgoingChunk` and `Outcome`, are in `newsletter.model.broadcast`. A session raises
nothing: whatever goes wrong while mail is handed over is an outcome. Opening a provider raises ProviderError, and so do
its capabilities, which not every provider has: a scheduler, a log of messages that can be searched, and suppression
lists of its own. `docs/extending/provider.md` shows how to add a provider.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct

from newsletter.errors import ProviderError
from newsletter.model.address import masked
from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.model.diagnosis import DnsRecord, HealthItem
from newsletter.model.event import ListedAddress, ProviderList
from newsletter.model.ledger import UnknownChunk
from newsletter.providers.headers import one_line

Clock = Callable[[], datetime]  # the present moment, aware, in UTC

_LONGEST_QUOTE = 400


class Session(Protocol):
    """What one thread hands its chunks to, one after the other; it may keep a connection open between them."""

    def submit(self, chunk: OutgoingChunk) -> Outcome:
        """Hand over a chunk and return what is known of each recipient.

        Raise nothing for what a provider, a network or a disk does. Never hand over again, within one call, what may
        have been taken already.
        """


class Scheduler(Protocol):
    """How a provider holds mail until its time, and gives it back.

    Mail that is handed over with `hold_until` and the `batch_id` of its mailing is held under that id.
    """

    longest: timedelta  # how far ahead of its time mail may be handed over
    margin: timedelta  # how long before its time mail must be canceled so that it is surely not sent

    def open_batch(self) -> str:
        """Return a new id under which mail can be held. Raise ProviderError where there is none."""

    def cancel_batch(self, batch_id: str) -> None:
        """Cancel all mail of a batch, including mail that is handed over under its id later.

        Return only when the provider surely holds the batch as canceled; a batch may be canceled again. Raise
        ProviderError where that is not so, or not known.
        """


class MessageLog(Protocol):
    """A provider's record of the messages that it took."""

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """Return words of evidence that the request of this attempt of a chunk was taken.

        `broadcast` is the mailing's. None proves nothing: a log may lag, and it forgets. Raise ProviderError where the
        log cannot be read.
        """


class SuppressionLists(Protocol):
    """The lists on which a provider keeps the addresses that it does not mail.

    Every step may be repeated without harm. What fails for a moment is tried again within the step.
    """

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        """Yield, page by page, what was put on a list from `since` to `until`, both included.

        The window is fixed, so that additions move nothing from one page to the next. Raise ProviderError where the
        list cannot be read.
        """

    def add(self, emails: Sequence[str]) -> tuple[str, ...]:
        """Add addresses to the unsubscribes. Return those that the provider would not take.

        Raise ProviderError where the others were not added, or where that is not known.
        """

    def remove(self, listed: ProviderList, email: str) -> None:
        """Take an address off a list if it is on it. Raise ProviderError where it may still be there."""


class AuthenticatedDomain(Struct, frozen=True, kw_only=True):
    """A domain for which a provider signs mail, or will once its records are published."""

    domain: str
    is_valid: bool  # the provider has seen all of its records
    envelope_domain: str
    records: tuple[DnsRecord, ...]  # all that must be published


class ProviderFacts(Struct, frozen=True, kw_only=True):
    """What `newsletter doctor` learns from a provider."""

    items: tuple[HealthItem, ...]
    domains: tuple[AuthenticatedDomain, ...] | None = None  # None where it was not, or could not be, asked
    domains_at: str = ""  # the page where a domain is authenticated
    clock: tuple[str, str] | None = None  # its host, and the time there as HTTP writes it


class Provider(Protocol):
    """One way for mail to leave."""

    name: str  # the word for it in `newsletter.toml` and in the ledger
    chunk_size: int  # the most recipients that a chunk may have
    concurrency: int  # how many sessions are worth opening at the same time

    @property
    def scheduler(self) -> Scheduler | None:
        """How it holds mail until its time. None where it sends at once all that it takes."""

    @property
    def message_log(self) -> MessageLog | None:
        """Where it keeps what it took. None where it cannot be asked."""

    @property
    def suppression_lists(self) -> SuppressionLists | None:
        """The addresses that it does not mail. None where it keeps no such lists."""

    def describe(self) -> str:
        """Return what carries the mail, for a person who is about to say yes."""

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return what `newsletter doctor` shows. Send nothing, change nothing, and without `is_online` ask nobody."""

    def session(self) -> AbstractContextManager[Session]:
        """Open a session for one thread. It connects with the first chunk and disconnects with the context."""


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def require_secret(environ: Mapping[str, str], variable: str, what: str) -> str:
    """Return a secret from the environment. Raise ProviderError, which never quotes it, where it is none."""
    secret = environ.get(variable, "").strip()
    if not secret:
        raise ProviderError(f"{variable} is not set; set it in the environment to {what}, then try again")
    if not (secret.isascii() and secret.isprintable()):
        raise ProviderError(f"{variable} holds a sign that it cannot hold; copy {what} once more, then try again")
    return secret


def quoted(words: str | bytes, *, without: tuple[str, ...] = ()) -> str:
    """Return what a server said as one short line, without addresses and without the secrets in `without`."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    for secret in without:
        text = text.replace(secret, "•••") if secret else text
    line = masked(one_line(text))
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"
