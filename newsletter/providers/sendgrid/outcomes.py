"""The meaning of each answer to `POST /v3/mail/send` for the recipients of the request and for the broadcast.

A request is validated as a whole: 202 means that all of it is queued, 4xx that none of it is. The documentation does
not say whether a request that ends with 5xx was queued, so its outcome is unknown.
"""

import re
import ssl
from collections.abc import Sequence

from newsletter.model.broadcast import NextStep, Outcome, Recipient, Verdict
from newsletter.providers.base import quoted
from newsletter.providers.sendgrid.client import MOVED, WRONG_PLACE, ApiAnswer, ApiError

_OF_RECIPIENT = re.compile(r"personalizations[.\[](\d{1,9})\]?\.(?:to|substitutions)\b")
_OF_SCHEDULE = re.compile(r"\b(?:send_at|batch_id)\b")
_OF_ADDRESS = re.compile(r"\.to(?:[.\[]\d+\]?)?(?:\.email)?")  # how the field of an address ends, unlike `.to.0.name`
_ABOUT_THE_MESSAGE = frozenset({400, 415})
_REMEDIES = {
    401: "check SENDGRID_API_KEY, and that the account has credits left",
    403: "check that the key may send email, that the sender is verified, and that the account is not blocked",
    **WRONG_PLACE,
}


def outcome_of(
    answer: ApiAnswer, recipients: Sequence[Recipient], *, sandbox: bool, secrets: tuple[str, ...]
) -> Outcome:
    """Return the outcome of a request for these recipients. No text in it contains one of the `secrets`."""
    if answer.cause is not None:
        return _unanswered(answer.cause, was_handed_over=answer.was_handed_over, secrets=secrets)
    if answer.status < 400 and answer.status not in MOVED:
        return _success(answer, sandbox=sandbox)
    said = f"SendGrid returned {answer.status}: {answer.words(without=secrets)}"
    if answer.status >= 500:
        return Outcome(verdict=Verdict.UNKNOWN, reason=f"{said}; this does not show whether the emails were accepted")
    return _refused(answer, said, recipients, secrets=secrets)


def too_large(recipients: int, said: str = "the request is larger than SendGrid accepts") -> Outcome:
    """Return the outcome of a request that is too large, or that SendGrid or a proxy calls so in the words `said`.

    The request must be halved, unless it already has only one recipient.
    """
    if recipients > 1:
        return _unsent(NextStep.SPLIT, said)
    remedy = "use smaller images, or set url under [archive] in newsletter.toml to host them there"
    return _stopped(f"{said}, even for a single recipient; {remedy}")


def _unsent(next_step: NextStep, reason: str, *, retry_after_seconds: float | None = None) -> Outcome:
    return Outcome(verdict=Verdict.READY, next_step=next_step, reason=reason, retry_after_seconds=retry_after_seconds)


def _stopped(reason: str) -> Outcome:
    return Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason=reason)


def _unanswered(cause: Exception, *, was_handed_over: bool, secrets: tuple[str, ...]) -> Outcome:
    """Return the outcome without an answer. A retry is safe only if the request was not sent completely."""
    if was_handed_over:
        words = quoted(f"{type(cause).__name__}: {cause}", without=secrets)
        lost = f"the request was sent, but SendGrid's answer was lost ({words})"
        reason = f"{lost}; SendGrid may have accepted the emails"
        return Outcome(verdict=Verdict.UNKNOWN, reason=reason)
    words = quoted(str(cause), without=secrets)
    if isinstance(cause, ssl.SSLCertVerificationError):
        remedy = "check your internet connection, and api_url in newsletter.toml, then run `newsletter resume`"
        return _unsent(NextStep.PAUSE, f"SendGrid's certificate is not trusted: {words}; {remedy}")
    return _unsent(
        NextStep.WAIT,
        f"the request did not reach SendGrid: {words}; check your internet connection, and api_url in newsletter.toml",
    )


def _success(answer: ApiAnswer, *, sandbox: bool) -> Outcome:
    """Return ACCEPTED only for 202.

    In the sandbox, 200 means that the request is valid. Any other answer may have come from another server.
    """
    if answer.status == 202:
        return Outcome(verdict=Verdict.ACCEPTED, message_id=answer.headers.get("X-Message-Id", ""))
    if sandbox and answer.status == 200:
        valid = "SendGrid says that the request is valid, but the sandbox sends nothing"
        return _unsent(
            NextStep.PAUSE,
            f"{valid}; delete sandbox = true from newsletter.toml, then run `newsletter resume`",
        )
    reason = f"SendGrid returned {answer.status}, not 202 (accepted); correct api_url in newsletter.toml"
    return Outcome(verdict=Verdict.UNKNOWN, next_step=NextStep.PAUSE, reason=f"{reason}, then run `newsletter resume`")


def _refused(answer: ApiAnswer, said: str, recipients: Sequence[Recipient], *, secrets: tuple[str, ...]) -> Outcome:
    if answer.status == 413:
        return too_large(len(recipients), said)
    if answer.status == 429:
        return _unsent(NextStep.WAIT, said, retry_after_seconds=answer.seconds_to_wait())
    if answer.status in _ABOUT_THE_MESSAGE:
        return _refused_request(answer.errors(), said, recipients, secrets=secrets)
    remedy = _REMEDIES.get(answer.status, "read SendGrid's message")
    return _unsent(NextStep.PAUSE, f"{said}; {remedy}, then run `newsletter resume`")


def _refused_request(
    errors: Sequence[ApiError], said: str, recipients: Sequence[Recipient], *, secrets: tuple[str, ...]
) -> Outcome:
    """Return the outcome of a refused request.

    If every error is about a recipient, these recipients are invalid and the others can be retried. If every error is
    about the send time or the batch, the broadcast pauses. Otherwise, the message itself is refused.
    """
    if errors and all(_OF_SCHEDULE.search(f"{error.field} {error.message}") for error in errors):
        remedy = "check this machine's clock, then run `newsletter resume`, or cancel the broadcast and send it again"
        return _unsent(NextStep.PAUSE, f"{said}; {remedy}")
    invalid: dict[int, str] = {}
    undeliverable: set[int] = set()
    for error in errors:
        match = _OF_RECIPIENT.search(f"{error.field} {error.message}")
        if match is None or int(match[1]) >= len(recipients):
            return _stopped(said)
        delivery = recipients[int(match[1])].delivery
        invalid.setdefault(delivery, quoted(error.message, without=secrets))
        if _is_about_the_address(error):
            undeliverable.add(delivery)
    if not invalid:
        return _stopped(said)
    return Outcome(verdict=Verdict.READY, reason=said, invalid=invalid, undeliverable=frozenset(undeliverable))


def _is_about_the_address(error: ApiError) -> bool:
    """Return whether the error says that the address is invalid, rather than a name or a value."""
    _, _, end = error.field.partition(".to")
    return _OF_ADDRESS.fullmatch(f".to{end}") is not None and "address" in error.message.lower()
