"""SendGrid: up to a thousand mails in one request of its Web API, through its own Python library.

The API knows no idempotency key. So only an answer that proves that nothing was taken, or a connection that failed
before the request was handed over, lets a chunk be tried again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from newsletter.model.broadcast import Mailing, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Clock, MessageLog, Scheduler, SuppressionLists
from newsletter.providers.sendgrid.client import Reply, SendGridAccount
from newsletter.providers.sendgrid.history import SendGridLog
from newsletter.providers.sendgrid.lists import SendGridSuppressionLists
from newsletter.providers.sendgrid.mail import LARGEST_REQUEST_BYTES, CompiledRequest, Request, compile_request
from newsletter.providers.sendgrid.outcomes import broken_off, not_handed_over, outcome_of, too_large
from newsletter.providers.sendgrid.schedule import SendGridScheduler
from newsletter.settings.provider import SendGridSettings


class SendGrid:
    """The provider that hands mail to SendGrid."""

    name = "sendgrid"
    chunk_size = 1000

    def __init__(self, settings: SendGridSettings, *, api_key: str, clock: Clock) -> None:
        self._settings = settings
        self._account = SendGridAccount(settings=settings, api_key=api_key, clock=clock)

    @property
    def concurrency(self) -> int:
        """How many requests are under way at the same time."""
        return self._settings.concurrency

    @property
    def scheduler(self) -> Scheduler:
        """Scheduled sends: mail of a batch id, held until `send_at`."""
        return SendGridScheduler(self._account)

    @property
    def message_log(self) -> MessageLog:
        """Email Logs: what the account has sent in the last 30 days."""
        return SendGridLog(self._account)

    @property
    def suppression_lists(self) -> SuppressionLists:
        """The suppressions of the account, whichever mail they came from."""
        return SendGridSuppressionLists(self._account)

    def describe(self) -> str:
        """What carries the mail, for a person who is about to say yes."""
        where = self._settings.api_url or self._settings.region
        sandbox = "sandbox on: requests are validated, nothing is sent" if self._settings.sandbox else "sandbox off"
        return f"SendGrid ({where}), {sandbox}"

    @contextmanager
    def session(self) -> Iterator["SendGridSession"]:
        """A session for one thread; each request has a connection of its own."""
        yield SendGridSession(self._account)


class SendGridSession:
    """Hands over the chunks of one thread."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._endpoint = account.endpoint("mail", "send")
        self._last: tuple[Mailing, CompiledRequest] | None = None

    def submit(self, chunk: OutgoingChunk) -> Outcome:
        """Hands over a chunk in one request; the answer holds for all of it."""
        request = self._compiled(chunk.mailing).request(chunk)
        if not request.recipients:
            return Outcome(verdict=Verdict.ACCEPTED, invalid=request.invalid, undeliverable=request.undeliverable)
        if len(request.body) > LARGEST_REQUEST_BYTES:
            outcome = too_large(len(request.recipients))
        else:
            outcome = self._post(request)
        return replace(
            outcome,
            invalid={**request.invalid, **outcome.invalid},
            undeliverable=request.undeliverable | outcome.undeliverable,
        )

    def _compiled(self, mailing: Mailing) -> CompiledRequest:
        if self._last is None or self._last[0] != mailing:
            self._last = (mailing, compile_request(mailing, sandbox=self._account.settings.sandbox))
        return self._last[1]

    def _post(self, request: Request) -> Outcome:
        secrets = self._account.secrets
        answer = self._endpoint.ask("post", request.body)
        if isinstance(answer, Reply):
            return outcome_of(answer, request.recipients, sandbox=self._account.settings.sandbox, secrets=secrets)
        return (broken_off if answer.was_handed_over else not_handed_over)(answer.cause, secrets=secrets)
