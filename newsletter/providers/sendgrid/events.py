"""What SendGrid's Event Webhook posts: an array of events, of which those of our broadcasts count.

An event carries the custom arguments of its mail beside its own keys. SendGrid repeats itself and leaves things out, so
an entry that cannot be used is passed over, and never keeps the others from being read.
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from newsletter.errors import InputError
from newsletter.model.event import Event, EventType
from newsletter.providers.base import quoted
from newsletter.providers.headers import one_line
from newsletter.providers.sendgrid.args import ATTEMPT, BROADCAST, CHUNK, DELIVERY

_TYPES = {
    "processed": EventType.PROCESSED,
    "dropped": EventType.DROPPED,
    "cancel_drop": EventType.DROPPED,  # of a batch that was cancelled
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "spamreport": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
}
_KINDS_OF_BOUNCE = {"blocked": EventType.BLOCKED}
_BROADCAST = re.compile(r"b([0-9]{1,9})-([0-9A-Za-z]+)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST_LINK = 2000


def events_of(body: bytes) -> tuple[Event, ...]:
    """The events of our broadcasts in what was posted; raises InputError where that is no array of JSON."""
    try:
        entries = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise InputError(
            "the events cannot be read: they are not JSON; post what SendGrid's Event Webhook sends"
        ) from err
    if not isinstance(entries, list):
        raise InputError("the events cannot be read: they are not an array; post what SendGrid's Event Webhook sends")
    events = (_event(entry) for entry in entries if isinstance(entry, dict))
    return tuple(event for event in events if event is not None)


def _event(entry: Mapping[str, Any]) -> Event | None:
    """The event; None where it is not about one of our broadcasts, or lacks what tells it apart."""
    event_type = _type_of(entry)
    broadcast = _BROADCAST.fullmatch(_text(entry, BROADCAST))
    chunk, attempt, delivery = (_number(entry, name) for name in (CHUNK, ATTEMPT, DELIVERY))
    event_id, at = _text(entry, "sg_event_id"), _moment(entry.get("timestamp"))
    if event_type is None or broadcast is None or chunk is None or attempt is None or delivery is None:
        return None
    if not event_id or at is None:
        return None
    return Event(
        id=event_id,
        at=at,
        type=event_type,
        broadcast=int(broadcast[1]),
        nonce=broadcast[2],
        chunk=chunk,
        attempt=attempt,
        subscriber=delivery,
        detail=_detail(entry, event_type),
    )


def _type_of(entry: Mapping[str, Any]) -> EventType | None:
    found = _TYPES.get(_text(entry, "event"))
    return _KINDS_OF_BOUNCE.get(_text(entry, "type"), found) if found is EventType.BOUNCED else found


def _detail(entry: Mapping[str, Any], event_type: EventType) -> str:
    """The link that was clicked; of other events, the words of whoever refused or took the mail."""
    if event_type is EventType.CLICKED:
        return one_line(_text(entry, "url"))[:_LONGEST_LINK]
    return quoted(_text(entry, "reason") or _text(entry, "response"))


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _number(entry: Mapping[str, Any], name: str) -> int | None:
    digits = _text(entry, name)
    return int(digits) if _NUMBER.fullmatch(digits) else None


def _moment(timestamp: object) -> datetime | None:
    """A moment from seconds since 1970."""
    if type(timestamp) is not int:
        return None
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
