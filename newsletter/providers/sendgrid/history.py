"""SendGrid's records of accepted email: the message log, and the events that the webhook posts.

Both contain the custom arguments of our emails, which identify the request and the delivery.

The log is searched by address, because only the details of a message say which request it came from. The log goes back
30 days (https://www.twilio.com/docs/sendgrid/api-reference/email-logs).

In an event, the arguments are keys next to SendGrid's own. SendGrid may repeat events and omit keys, so an unusable
entry is skipped and the others are still read
(https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event).
"""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

import orjson

from newsletter.errors import InputError, ProviderError
from newsletter.model.event import Event, EventType
from newsletter.model.ledger import UnknownChunk
from newsletter.providers.base import quoted
from newsletter.providers.headers import one_line
from newsletter.providers.sendgrid.client import ApiAnswer, SendGridAccount, list_of, moment_of, text_of
from newsletter.providers.sendgrid.lists import searchable_address
from newsletter.providers.sendgrid.mail import ATTEMPT, BROADCAST, CHUNK, DELIVERY, request_args

_MOST_ROWS = 1000  # rows in an answer; there are no further pages
_MOST_DETAILS = 20  # messages to one address whose details are read, the latest first
_CLOCKS_DIFFER_BY = timedelta(hours=1)
_NO_LOG = (
    "if your account includes Email Logs, give the key that permission (without Email Logs, only events and recipients "
    "can show what was accepted)"
)

_EVENT_TYPES = {
    "processed": EventType.PROCESSED,
    "dropped": EventType.DROPPED,
    "cancel_drop": EventType.DROPPED,  # an email in a canceled batch
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "spamreport": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
}
_BROADCAST = re.compile(r"b([0-9]{1,9})-([0-9A-Za-z]+)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST_LINK = 2000


class SendGridLog:
    """Searches the message log of an account."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """Return evidence from the messages to some of the chunk's recipients.

        Return None if none of the messages certainly comes from this request.
        """
        args = request_args(broadcast, chunk.number, chunk.attempt).items()
        until = chunk.since.astimezone(UTC) + _CLOCKS_DIFFER_BY
        for address in map(searchable_address, chunk.sample):
            if not address or "'" in address or "\\" in address:  # a query cannot contain such an address
                continue
            query = f"to_email = '{address}' AND sg_message_id_created_at <= TIMESTAMP \"{until:%Y-%m-%dT%H:%M:%SZ}\""
            for message_id in self._message_ids(query):
                details = self._details(message_id)
                if args <= _custom_args(details).items():
                    status = text_of(details, "status") or "accepted"
                    return f"SendGrid's log lists the message {quoted(message_id)} as {quoted(status)}"
        return None

    def _message_ids(self, query: str) -> list[str]:
        """Return the ids of the messages that a query finds, latest first."""
        answer = self._account.ask("post", "logs", content={"query": query, "limit": _MOST_ROWS})
        if answer.status != 200:
            raise self._unreadable(answer)
        rows = list_of(answer.json(), "messages")
        latest = sorted(rows, key=lambda row: text_of(row, "sg_message_id_created_at"), reverse=True)
        return [message_id for row in latest if (message_id := text_of(row, "sg_message_id"))][:_MOST_DETAILS]

    def _details(self, message_id: str) -> object:
        """Return the details of one message, or None if the log no longer has it."""
        answer = self._account.ask("get", "logs", message_id)
        if answer.status not in {200, 404}:
            raise self._unreadable(answer)
        return answer.content(200)

    def _unreadable(self, answer: ApiAnswer) -> ProviderError:
        remedies = {403: _NO_LOG, 404: _NO_LOG}
        return self._account.refusal("did not show its message log", answer, remedies=remedies, again="try again")


def events_of(body: bytes) -> tuple[Event, ...]:
    """Return the events of our broadcasts in a posted body. Raise InputError if the body is not a JSON array."""
    try:
        entries = orjson.loads(body)
    except orjson.JSONDecodeError:
        entries = None
    if not isinstance(entries, list):
        remedy = "post what SendGrid's Event Webhook sends"
        raise InputError(f"the events cannot be read, because they are not a JSON array; {remedy}")
    events = (_event(entry) for entry in entries if isinstance(entry, dict))
    return tuple(event for event in events if event is not None)


def _custom_args(details: object) -> Mapping[str, str]:
    """Return the custom arguments of a message, which its events repeat."""
    for holder in (details, *list_of(details, "events")):
        found = holder.get("custom_args") if isinstance(holder, dict) else None
        if isinstance(found, dict) and found:
            return {str(name): str(value) for name, value in found.items()}
    return {}


def _event(entry: Mapping[str, Any]) -> Event | None:
    """Return the event, or None if it is not about our broadcasts or lacks the fields that identify it."""
    event_type = _EVENT_TYPES.get(text_of(entry, "event"))
    if event_type is EventType.BOUNCED and text_of(entry, "type") == "blocked":
        event_type = EventType.BLOCKED
    broadcast = _BROADCAST.fullmatch(text_of(entry, BROADCAST))
    chunk, attempt, delivery = (_number(entry, name) for name in (CHUNK, ATTEMPT, DELIVERY))
    at = moment_of(entry.get("timestamp"))
    if event_type is None or broadcast is None or chunk is None or attempt is None or delivery is None:
        return None
    if at is None:
        return None
    return Event(
        at=at,
        type=event_type,
        broadcast=int(broadcast[1]),
        nonce=broadcast[2],
        chunk=chunk,
        attempt=attempt,
        subscriber=delivery,
        detail=""
        if event_type is EventType.CLICKED
        else quoted(text_of(entry, "reason") or text_of(entry, "response")),
        url=one_line(text_of(entry, "url"))[:_LONGEST_LINK] if event_type is EventType.CLICKED else "",
    )


def _number(entry: Mapping[str, Any], name: str) -> int | None:
    digits = text_of(entry, name)
    return int(digits) if _NUMBER.fullmatch(digits) else None
