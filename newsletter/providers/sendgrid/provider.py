"""The SendGrid provider, which sends up to a thousand emails in one request to SendGrid's Web API.

The API has no idempotency key. So a chunk is retried only if an answer proves that nothing was accepted, or if the
connection failed before the request was sent.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import BatchLimitError, ProviderError, StillHeldError
from newsletter.model.broadcast import Mailing, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import UNRECORDED, Clock, ProviderFacts, Replies, require_secret
from newsletter.providers.sendgrid.account import examine_account
from newsletter.providers.sendgrid.client import ApiAnswer, Endpoint, SendGridAccount, text_of
from newsletter.providers.sendgrid.history import SendGridLog
from newsletter.providers.sendgrid.lists import SendGridSuppressionLists
from newsletter.providers.sendgrid.mail import LARGEST_REQUEST_BYTES, CompiledRequest, compile_request
from newsletter.providers.sendgrid.outcomes import outcome_of, too_large


def open_provider(config: Config, environ: Mapping[str, str], clock: Clock) -> "SendGrid":
    """Return the provider. Raise ProviderError if the key is missing or invalid."""
    key = require_secret(environ, "SENDGRID_API_KEY", "a key of your SendGrid account that may send email")
    return SendGrid(SendGridAccount(settings=config.settings.provider.sendgrid, api_key=key, clock=clock))


class SendGrid:
    """The provider that sends email through SendGrid."""

    name = "sendgrid"
    chunk_size = 1000
    notes_replies = False

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self.concurrency = account.settings.concurrency
        self.scheduler = SendGridScheduler(account)
        self.message_log = SendGridLog(account)
        self.suppression_lists = SendGridSuppressionLists(account)

    def describe(self) -> str:
        """Return the region or the host, and whether the sandbox is on."""
        settings = self._account.settings
        sandbox = "sandbox on: requests are checked, but nothing is sent" if settings.sandbox else "sandbox off"
        return f"SendGrid ({settings.api_url or settings.region}), {sandbox}"

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return the problems with the key, and the domains of the account."""
        return examine_account(self._account, is_online=is_online)

    @contextmanager
    def session(self) -> Iterator["SendGridSession"]:
        """Open a session for one thread. Each request has its own connection."""
        yield SendGridSession(self._account)


class SendGridSession:
    """Sends the chunks of one thread."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._endpoint = Endpoint(account, "mail", "send")
        self._last: tuple[Mailing, CompiledRequest] | None = None

    def submit(self, chunk: OutgoingChunk, _replies: Replies = UNRECORDED) -> Outcome:
        """Send a chunk in one request, whose answer applies to all of it."""
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


MOST_STATUSES = 10  # the most batches of an account that may be canceled or paused at the same time
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]+")
_KEY_MAY = "give the key the {} permission, and check that the account is not blocked"
_OPENING = {403: _KEY_MAY.format("Mail Send")}
_CANCELLING = {403: _KEY_MAY.format("Scheduled Sends")}
_PLACE = ("user", "scheduled_sends")
_CANCEL, _PAUSE = "cancel", "pause"
_REFUSALS = range(300, 500)  # the statuses with which SendGrid certainly did nothing


class SendGridScheduler:
    """Opens batches for held email, and cancels them.

    Canceled email stays with SendGrid until its send time, and is discarded then. Until then, the status of its batch
    must not be deleted.
    """

    longest = timedelta(hours=71)  # SendGrid accepts 72; one hour is reserved for clocks that differ
    margin = timedelta(minutes=10)
    most_cancelled = MOST_STATUSES

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account

    def open_batch(self) -> str:
        """Return a new batch id. An id that is never used causes no problems."""
        answer = self._account.ask("post", "mail", "batch")
        batch_id = text_of(answer.content(201), "batch_id")
        if not _BATCH_ID.fullmatch(batch_id):
            what = "gave no batch id for holding email"
            raise self._account.refusal(what, answer, remedies=_OPENING, again="try again")
        return batch_id

    def cancel_batch(self, batch_id: str) -> None:
        """Set the status of a batch to `cancel`. Return when SendGrid has confirmed that status."""
        answer = self._account.ask("post", *_PLACE, content={"batch_id": batch_id, "status": _CANCEL})
        if answer.status == 201:
            return
        if answer.status != 400:
            refusal = self._not_cancelled(answer)
            is_certain = answer.status in _REFUSALS or not answer.was_handed_over
            raise StillHeldError(str(refusal)) if is_certain else refusal
        status = self._status(batch_id)
        if status == _CANCEL:
            return
        if status != _PAUSE:
            raise self._refused_status(answer)
        changed = self._account.ask("patch", *_PLACE, batch_id, content={"status": _CANCEL})
        if changed.status != 204:
            raise self._not_cancelled(changed)

    def clear_batch(self, batch_id: str) -> None:
        """Delete the status of a batch. Return when SendGrid has confirmed that it has none."""
        answer = self._account.ask("delete", *_PLACE, batch_id)
        if answer.status not in {204, 404}:
            what = "did not delete the status of a past batch, which counts toward the limit of canceled batches"
            raise self._account.refusal(what, answer, remedies=_CANCELLING, again="try again")

    def _status(self, batch_id: str) -> str:
        """Return the status of a batch, or an empty string if it has none."""
        answer = self._account.ask("get", *_PLACE, batch_id)
        if answer.status not in {200, 404}:
            raise self._not_cancelled(answer)
        content = answer.content(200)
        listed = content if isinstance(content, list) else [content]
        return next((text_of(one, "status") for one in listed if text_of(one, "batch_id") == batch_id), "")

    def _refused_status(self, answer: ApiAnswer) -> StillHeldError:
        """Return why SendGrid refused to cancel a batch, for example because the account has reached its limit."""
        content = self._account.ask("get", *_PLACE).content(200)
        if isinstance(content, list) and len(content) >= MOST_STATUSES:
            remedy = (
                f"the account has {len(content)} canceled or paused batches, and the limit is {MOST_STATUSES}: "
                "remove one whose send time is in the past (DELETE /v3/user/scheduled_sends/ID), or ask "
                "SendGrid's support to do so"
            )
            return BatchLimitError(str(self._not_cancelled(answer, remedies={400: remedy})))
        return StillHeldError(str(self._not_cancelled(answer, remedies={400: "read SendGrid's message"})))

    def _not_cancelled(self, answer: ApiAnswer, *, remedies: Mapping[int, str] = _CANCELLING) -> ProviderError:
        what = "did not cancel the emails that it holds"
        return self._account.refusal(what, answer, remedies=remedies, again="cancel again")
