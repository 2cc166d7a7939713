"""What SendGrid's documentation of Mail Send asks of a request."""

import json
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
_RESERVED_HEADERS = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
    "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
_MOST = 1000
_FURTHEST_AHEAD = timedelta(hours=72)
_LARGEST_BYTES = 10_000


@dataclass(frozen=True)
class ApiError:
    """One error as the API lists it."""

    message: str
    field: str | None = None


def errors_of(request: Mapping[str, Any], *, now: datetime, batch_ids: Container[str]) -> list[ApiError]:
    """Everything wrong with a request; it is queued where there is nothing."""
    return [
        *_errors_of_message(request),
        *_errors_of_content(request),
        *_errors_of_headers(request, ""),
        *_errors_of_categories(request),
        *_errors_of_attachments(request),
        *_errors_of_batch(request, batch_ids),
        *_errors_of_time(request, "", now),
        *_errors_of_personalizations(request),
        *(
            error
            for number, one in enumerate(_personalizations(request))
            for error in _errors_of_time(one, f"personalizations.{number}.", now)
        ),
    ]


def _errors_of_message(request: Mapping[str, Any]) -> Iterator[ApiError]:
    sender = request.get("from")
    if not isinstance(sender, dict) or not _is_address(sender.get("email")):
        yield ApiError("The from object must be provided for every email send.", "from.email")
    if not request.get("subject") and not all(one.get("subject") for one in _personalizations(request)):
        yield ApiError("The subject is required.", "subject")
    if "reply_to" in request and not _is_address(request["reply_to"].get("email")):
        yield ApiError("The reply_to email does not contain a valid address.", "reply_to.email")


def _errors_of_content(request: Mapping[str, Any]) -> Iterator[ApiError]:
    content = request.get("content")
    if not isinstance(content, list) or not content:
        yield ApiError("Unless a valid template_id is provided, the content parameter is required.", "content")
        return
    for number, part in enumerate(content):
        if not isinstance(part.get("value"), str) or not part["value"]:
            yield ApiError(
                "The content value must be a string at least one character in length.", f"content.{number}.value"
            )
    types = [part.get("type") for part in content]
    if types != sorted(types, key=["text/plain", "text/html"].index):
        yield ApiError("The content values must be in this order: text/plain, text/html.", "content")


def _errors_of_headers(holder: Mapping[str, Any], where: str) -> Iterator[ApiError]:
    for name, value in holder.get("headers", {}).items():
        if name.lower() in _RESERVED_HEADERS:
            yield ApiError(f"The header {name} is reserved.", f"{where}headers.{name}")
        if not isinstance(value, str) or not (name.isascii() and value.isascii()) or "\n" in value or "\r" in value:
            yield ApiError(f"The header {name} must be an ASCII string.", f"{where}headers.{name}")


def _errors_of_categories(request: Mapping[str, Any]) -> Iterator[ApiError]:
    categories = request.get("categories", [])
    if len(categories) > 10 or len(set(categories)) != len(categories):
        yield ApiError("There may be at most 10 unique categories.", "categories")
    if any(not isinstance(name, str) or not name.isascii() or len(name) > 255 for name in categories):
        yield ApiError("A category must be an ASCII string of at most 255 characters.", "categories")


def _errors_of_attachments(request: Mapping[str, Any]) -> Iterator[ApiError]:
    for number, attachment in enumerate(request.get("attachments", [])):
        if not attachment.get("content") or not attachment.get("filename"):
            yield ApiError("An attachment needs content and filename.", f"attachments.{number}")
        if attachment.get("disposition", "attachment") not in {"inline", "attachment"}:
            yield ApiError("The disposition must be inline or attachment.", f"attachments.{number}.disposition")


def _errors_of_batch(request: Mapping[str, Any], batch_ids: Container[str]) -> Iterator[ApiError]:
    if "batch_id" in request and request["batch_id"] not in batch_ids:
        yield ApiError("The batch_id is not valid.", "batch_id")


def _errors_of_time(holder: Mapping[str, Any], where: str, now: datetime) -> Iterator[ApiError]:
    """A past time is fine: the mail goes at once."""
    send_at = holder.get("send_at", 0)
    if type(send_at) is not int:
        yield ApiError("The send_at parameter must be a unix timestamp.", f"{where}send_at")
    elif send_at > (now + _FURTHEST_AHEAD).timestamp():
        yield ApiError("The send_at parameter may be at most 72 hours in the future.", f"{where}send_at")


def _errors_of_personalizations(request: Mapping[str, Any]) -> Iterator[ApiError]:
    personalizations = _personalizations(request)
    if not 1 <= len(personalizations) <= _MOST:
        yield ApiError("There must be 1 to 1000 personalizations.", "personalizations")
    if sum(len(one.get("to", ())) for one in personalizations) > _MOST:
        yield ApiError("There may be at most 1000 recipients.", "personalizations")
    for number, one in enumerate(personalizations):
        where = f"personalizations.{number}."
        yield from _errors_of_recipients(one, where)
        yield from _errors_of_headers(one, where)
        for key in ("substitutions", "custom_args"):
            yield from _errors_of_strings(one.get(key, {}), f"{where}{key}")


def _errors_of_recipients(one: Mapping[str, Any], where: str) -> Iterator[ApiError]:
    recipients = one.get("to")
    if not isinstance(recipients, list) or not recipients:
        yield ApiError("The to array is required and must have at least one email object.", f"{where}to")
        return
    for number, to in enumerate(recipients):
        if not _is_address(to.get("email")):
            yield ApiError("Does not contain a valid address.", f"{where}to.{number}.email")
        name = to.get("name", "x")
        if not isinstance(name, str) or not name or ";" in name or "," in name:
            yield ApiError("The name must not be empty or contain ; or ,.", f"{where}to.{number}.name")
    if Counter(to.get("email", "").lower() for to in recipients).most_common(1)[0][1] > 1:
        yield ApiError("Each email address in the personalization block should be unique.", "personalizations")


def _errors_of_strings(strings: Mapping[str, Any], where: str) -> Iterator[ApiError]:
    if not all(isinstance(value, str) for value in strings.values()):
        yield ApiError("The values must be strings.", where)
    elif len(json.dumps(strings, ensure_ascii=False, separators=(",", ":")).encode()) > _LARGEST_BYTES:
        yield ApiError("The values may be at most 10000 bytes in all.", where)


def _personalizations(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = request.get("personalizations", [])
    return found if isinstance(found, list) else []


def _is_address(email: object) -> bool:
    return isinstance(email, str) and len(email) <= 320 and email.isascii() and bool(_ADDRESS.fullmatch(email))
