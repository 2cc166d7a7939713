"""The protocol of a provider, which sends chunks of email and reports what is known about each recipient.

`newsletter.model.broadcast` defines the records that it uses, `OutgoingChunk` and `Outcome`. A session raises no
errors: anything that goes wrong while sending becomes an outcome. Opening a provider can raise ProviderError, and so
can its optional capabilities: a scheduler, a searchable message log, and suppression lists.
`docs/extending/provider.md` shows how to add a provider.
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

Clock = Callable[[], datetime]  # the current time, aware, in UTC

_LONGEST_QUOTE = 400


class Replies(Protocol):
    """Where a session notes each message that it sends one by one, so that after a crash only one is in doubt."""

    def may_begin(self, delivery: int) -> bool:
        """Note that a message is about to be sent. Return False if nothing more may be sent: then do not send it."""

    def note(self, delivery: int, meaning: str, words: str) -> None:
        """Note the reply to a message before the next one begins, or that a message was certainly not sent.

        The module's `outcome_of_replies` gets `meaning` back after a crash: one word, and not `waiting`, `next` or
        `begun`. `words` must not contain an address or a secret.
        """


class Unrecorded:
    """Notes nothing, for a few emails that can be sent again, such as test emails."""

    def may_begin(self, _delivery: int) -> bool:
        """Return True."""
        return True

    def note(self, _delivery: int, _meaning: str, _words: str) -> None:
        """Do nothing."""


UNRECORDED = Unrecorded()


class Session(Protocol):
    """Sends the chunks of one thread, one after the other. A session may keep a connection open between chunks."""

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Send a chunk and return what is known about each recipient. If `replies` ends it early, the rest is unsent.

        Return an outcome even if the provider, the network or the disk fails; do not raise an error. Within one call,
        never resend a message that may already have been accepted.
        """


class Scheduler(Protocol):
    """Lets a provider hold email until a given time, and cancel email that it holds.

    An email that is submitted with `hold_until` is held in the batch that its mailing names in `batch_id`.
    """

    longest: timedelta  # how long before its send time the provider accepts an email
    margin: timedelta  # how long before its send time an email must be canceled so that it is certainly not sent
    most_cancelled: int  # how many batches can be canceled at the same time

    def open_batch(self) -> str:
        """Return the id of a new batch for held email. Raise ProviderError if the provider does not give one."""

    def cancel_batch(self, batch_id: str) -> None:
        """Cancel all email in a batch, including email that is added to it later.

        Return only when the provider has certainly canceled the batch. A batch may be canceled again. Raise
        StillHeldError if this request certainly changed nothing, or BatchLimitError if too many batches are canceled.
        Raise ProviderError if it is not known whether the batch is canceled.
        """

    def clear_batch(self, batch_id: str) -> None:
        """Make room for the cancellation of another batch, after the email in a canceled batch was discarded.

        Before that, this would let the email go out. A batch may be cleared again, and one that was never canceled may
        be cleared too. Raise ProviderError if the batch may still use up the limit.
        """


class MessageLog(Protocol):
    """A provider's record of the messages that it accepted."""

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """Return a description of the evidence that this attempt to send a chunk was accepted, or None.

        `broadcast` is the mailing's id of the broadcast. A result of None proves nothing, because a log can lag and
        its entries expire. Raise ProviderError if the log cannot be read.
        """


class SuppressionLists(Protocol):
    """The lists in which a provider keeps addresses to which it does not send.

    Every call can be repeated safely. Each method retries temporary failures itself.
    """

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        """Yield the addresses that were added to a list from `since` through `until`, page by page.

        Because the period has a fixed end, new entries do not shift others between pages. Raise ProviderError if the
        list cannot be read.
        """

    def add(self, emails: Sequence[str]) -> tuple[str, ...]:
        """Add addresses to the list of unsubscribes. Return the addresses that the provider rejected.

        Raise ProviderError if the other addresses were not added, or if it is not known whether they were.
        """

    def remove(self, listed: ProviderList, email: str) -> None:
        """Remove an address from a list, if it is on the list. Raise ProviderError if it may still be on the list."""


class AuthenticatedDomain(Struct, frozen=True, kw_only=True):
    """A domain for which a provider signs email, or will sign email once the DNS records are published."""

    domain: str
    is_valid: bool  # whether the provider has found all DNS records of the domain
    envelope_domain: str
    records: tuple[DnsRecord, ...]  # all DNS records that must be published


class ProviderFacts(Struct, frozen=True, kw_only=True):
    """The facts about a provider that `newsletter doctor` shows."""

    items: tuple[HealthItem, ...]
    domains: tuple[AuthenticatedDomain, ...] | None = None  # None if the provider was not asked or did not answer
    domains_at: str = ""  # the page on which a domain is authenticated
    clock: tuple[str, str] | None = None  # the provider's host, and the time there in HTTP's format


class Provider(Protocol):
    """One way to send email."""

    name: str  # its name in `newsletter.toml` and in the ledger
    chunk_size: int  # the largest number of recipients in a chunk
    concurrency: int  # how many sessions should be open at the same time
    notes_replies: bool  # whether it sends messages one by one and notes each; if not, a chunk is one request

    @property
    def scheduler(self) -> Scheduler | None:
        """The scheduler that holds email until a given time, or None if the provider sends everything at once."""

    @property
    def message_log(self) -> MessageLog | None:
        """The searchable log of accepted messages, or None if the provider has no such log."""

    @property
    def suppression_lists(self) -> SuppressionLists | None:
        """The lists of addresses to which the provider does not send, or None if it has no such lists."""

    def describe(self) -> str:
        """Return a short description of the provider, for the summary that a person confirms before sending."""

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return what `newsletter doctor` shows. Send and change nothing. Use the network only if `is_online`."""

    def session(self) -> AbstractContextManager[Session]:
        """Open a session for one thread. The session connects for its first chunk, and disconnects at its end."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


def require_secret(environ: Mapping[str, str], variable: str, what: str, *, in_ascii: bool = True) -> str:
    """Return a secret from the environment. Raise ProviderError, without quoting it, if it is missing or invalid."""
    secret = environ.get(variable, "").strip()
    if not secret:
        raise ProviderError(f"{variable} is not set; set it in the environment to {what}, then try again")
    if not secret.isprintable() or (in_ascii and not secret.isascii()):
        raise ProviderError(
            f"{variable} contains a character that is not allowed; set it again to {what}, then try again"
        )
    return secret


def quoted(words: str | bytes, *, without: tuple[str, ...] = ()) -> str:
    """Return a server's text as one short line, without addresses and without the secrets in `without`."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    for secret in without:
        text = text.replace(secret, "•••") if secret else text
    line = masked(one_line(text))
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"
