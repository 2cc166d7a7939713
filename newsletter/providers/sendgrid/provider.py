"""SendGrid: up to a thousand mails in one request of its Web API, through its own Python library.

The API knows no idempotency key. So only an answer that proves that nothing was taken, or a connection that failed
before the request was handed over, lets a chunk be tried again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from newsletter.config import Config
from newsletter.model.broadcast import Mailing, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Clock, ProviderFacts, require_secret
from newsletter.providers.sendgrid.account import examine_account
from newsletter.providers.sendgrid.client import Endpoint, SendGridAccount
from newsletter.providers.sendgrid.history import SendGridLog
from newsletter.providers.sendgrid.lists import SendGridSuppressionLists
from newsletter.providers.sendgrid.mail import LARGEST_REQUEST_BYTES, CompiledRequest, compile_request
from newsletter.providers.sendgrid.outcomes import outcome_of, too_large
from newsletter.providers.sendgrid.schedule import SendGridScheduler


def open_provider(config: Config, environ: Mapping[str, str], clock: Clock) -> "SendGrid":
    """Return the provider. Raise ProviderError where the key is missing."""
    key = require_secret(environ, "SENDGRID_API_KEY", "a key of your SendGrid account that may send mail")
    return SendGrid(SendGridAccount(settings=config.settings.provider.sendgrid, api_key=key, clock=clock))


class SendGrid:
    """The provider that hands mail to SendGrid."""

    name = "sendgrid"
    chunk_size = 1000

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self.concurrency = account.settings.concurrency
        self.scheduler = SendGridScheduler(account)
        self.message_log = SendGridLog(account)
        self.suppression_lists = SendGridSuppressionLists(account)

    def describe(self) -> str:
        """Return the region or the host, and whether the sandbox is on."""
        settings = self._account.settings
        sandbox = "sandbox on: requests are validated, nothing is sent" if settings.sandbox else "sandbox off"
        return f"SendGrid ({settings.api_url or settings.region}), {sandbox}"

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return what the key may do, and the domains of the account."""
        return examine_account(self._account, is_online=is_online)

    @contextmanager
    def session(self) -> Iterator["SendGridSession"]:
        """Open a session for one thread; each request has a connection of its own."""
        yield SendGridSession(self._account)


class SendGridSession:
    """Hands over the chunks of one thread."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._endpoint = Endpoint(account, "mail", "send")
        self._last: tuple[Mailing, CompiledRequest] | None = None

    def submit(self, chunk: OutgoingChunk) -> Outcome:
        """Hand over a chunk in one request; the answer holds for all of it."""
        sandbox, secrets = self._account.settings.sandbox, self._account.secrets
        if self._last is None or self._last[0] != chunk.mailing:
            self._last = (chunk.mailing, compile_request(chunk.mailing, sandbox=sandbox))
        request = self._last[1].request(chunk)
        if not request.recipients:
            outcome = Outcome(verdict=Verdict.ACCEPTED)
        elif len(request.body) > LARGEST_REQUEST_BYTES:
            outcome = too_large(len(request.recipients))
        else:
            answer = self._endpoint.ask("post", request.body)
            outcome = outcome_of(answer, request.recipients, sandbox=sandbox, secrets=secrets)
        return replace(
            outcome,
            invalid={**request.invalid, **outcome.invalid},
            undeliverable=request.undeliverable | outcome.undeliverable,
        )
