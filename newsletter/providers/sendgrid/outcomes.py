"""What each answer of `POST /v3/mail/send` means for the recipients of the request and for the broadcast.

A request is validated as a whole: 202 says that all of it is queued, 4xx that none of it is. Nothing says whether a
request that ended in a 5xx was queued, so that stays unknown.
"""

import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from newsletter.model.broadcast import NextStep, Outcome, Recipient, Verdict
from newsletter.providers.base import quoted
from newsletter.providers.sendgrid.client import MOVED, WRONG_PLACE, ApiError, Reply

_OF_RECIPIENT = re.compile(r"personalizations[.\[](\d{1,9})\]?\.(?:to|substitutions)\b")
_OF_SCHEDULE = re.compile(r"\b(?:send_at|batch_id)\b")
_OF_ADDRESS = re.compile(r"\.to(?:[.\[]\d+\]?)?(?:\.email)?")  # how such a field ends, and not `.to.0.name`
_LONGEST_WAIT_SECONDS = 3600.0
_ABOUT_THE_MESSAGE = frozenset({400, 415})
_REMEDIES = {
    401: "check SENDGRID_API_KEY, and whether the account has credits left",
    403: "check that the key may send mail, that the sender is verified, and that the account is not blocked",
    **WRONG_PLACE,
}


def outcome_of(reply: Reply, recipients: Sequence[Recipient], *, sandbox: bool, secrets: tuple[str, ...]) -> Outcome:
    """The outcome of a request for these recipients; `secrets` are kept out of what it says."""
    status = reply.status
    if status < 400 and status not in MOVED:
        return _success(reply, sandbox=sandbox)
    said = f"SendGrid answered {status}: {reply.words(without=secrets)}"
    if status >= 500:
        return Outcome(verdict=Verdict.UNKNOWN, reason=f"{said}; it does not say whether it took the mail")
    if status == 413:
        return too_large(len(recipients))
    if status == 429:
        wait = seconds_to_wait(reply)
        return Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, reason=said, retry_after_seconds=wait)
    if status in _ABOUT_THE_MESSAGE:
        return _refused_request(reply.errors(), said, recipients, secrets=secrets)
    remedy = _REMEDIES.get(status, "see what it says")
    return Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason=f"{said}; {remedy}, then resume")


def too_large(recipients: int) -> Outcome:
    """The request is larger than SendGrid takes: to be halved, unless one recipient's mail is already too large."""
    if recipients > 1:
        return Outcome(
            verdict=Verdict.READY, next_step=NextStep.SPLIT, reason="the request is larger than SendGrid takes"
        )
    return Outcome(
        verdict=Verdict.REJECTED,
        next_step=NextStep.STOP,
        reason="the mail is larger than SendGrid takes; make its pictures smaller, or host them with [archive] url",
    )


def not_handed_over(cause: object, *, secrets: tuple[str, ...]) -> Outcome:
    """The connection failed before the whole request had left: safe to try again."""
    words = quoted(str(cause), without=secrets)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Outcome(
            verdict=Verdict.READY,
            next_step=NextStep.PAUSE,
            reason=f"SendGrid's certificate is not trusted: {words}; check the network and api_url, then resume",
        )
    return Outcome(
        verdict=Verdict.READY,
        next_step=NextStep.WAIT,
        reason=f"the request did not reach SendGrid: {words}; check the network and api_url",
    )


def broken_off(cause: object, *, secrets: tuple[str, ...]) -> Outcome:
    """The request had left, and no whole answer came back."""
    words = quoted(f"{type(cause).__name__}: {cause}", without=secrets)
    return Outcome(
        verdict=Verdict.UNKNOWN,
        reason=f"the request was handed over, but SendGrid's answer was lost ({words}); it may have taken the mail",
    )


def seconds_to_wait(reply: Reply) -> float | None:
    """How long the API asks to wait; None where it does not say."""
    reset, after = reply.headers.get("X-RateLimit-Reset", ""), reply.headers.get("Retry-After", "")
    if reset.isdecimal():
        seconds = float(reset) - reply.received_at.timestamp()
    elif after.isdecimal():
        seconds = float(after)
    else:
        return _seconds_until(after, reply.received_at)
    return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)


def _success(reply: Reply, *, sandbox: bool) -> Outcome:
    """Only 202 means queued. In the sandbox 200 means valid; elsewhere it may come from anything but SendGrid."""
    if reply.status == 202:
        return Outcome(verdict=Verdict.ACCEPTED, message_id=reply.headers.get("X-Message-Id", ""))
    if sandbox and reply.status == 200:
        return Outcome(
            verdict=Verdict.READY,
            next_step=NextStep.PAUSE,
            reason="SendGrid found the request valid; the sandbox sends nothing: take sandbox = true out of "
            "[provider.sendgrid], then resume",
        )
    return Outcome(
        verdict=Verdict.UNKNOWN,
        next_step=NextStep.PAUSE,
        reason=f"SendGrid answered {reply.status}, not 202 for accepted; check api_url in [provider.sendgrid], "
        "then resume",
    )


def _refused_request(
    errors: Sequence[ApiError], said: str, recipients: Sequence[Recipient], *, secrets: tuple[str, ...]
) -> Outcome:
    """Where every error names a recipient, these are invalid and the others can go; otherwise it is the message.

    What is wrong with the time or the batch is wrong with neither.
    """
    if errors and all(_OF_SCHEDULE.search(f"{error.field} {error.message}") for error in errors):
        remedy = "check this machine's clock, then resume; where that does not help, cancel, and send it again"
        return Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason=f"{said}; {remedy}")
    invalid: dict[int, str] = {}
    undeliverable: set[int] = set()
    for error in errors:
        match = _OF_RECIPIENT.search(f"{error.field} {error.message}")
        if match is None or int(match[1]) >= len(recipients):
            return Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason=said)
        delivery = recipients[int(match[1])].delivery
        invalid.setdefault(delivery, quoted(error.message, without=secrets))
        if _is_about_the_address(error):
            undeliverable.add(delivery)
    if not invalid:
        return Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason=said)
    return Outcome(verdict=Verdict.READY, reason=said, invalid=invalid, undeliverable=frozenset(undeliverable))


def _is_about_the_address(error: ApiError) -> bool:
    """Whether SendGrid says that the address is none; it names a recipient's object for their name and values too."""
    _, _, end = error.field.partition(".to")
    return _OF_ADDRESS.fullmatch(f".to{end}") is not None and "address" in error.message.lower()


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)
