"""The events in a post of SendGrid's Event Webhook, as `posts.py` saved it.

SendGrid may repeat events, mix their order, omit keys and add types. So an unusable entry is skipped, and the others
are still read.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from newsletter.model.event import NO_BROADCAST, Event, EventType
from newsletter.providers.base import quoted
from newsletter.providers.sendgrid.mail import ATTEMPT, CHUNK, DELIVERY
from newsletter.providers.sendgrid.posts import REACTIONS, VERDICT, Entry, mailed_of, moment_in, number_of, text_in
from newsletter.refusals import Phase, Whose, cause_of

_TYPES: Mapping[str, EventType] = {
    "processed": EventType.PROCESSED,
    "dropped": EventType.DROPPED,
    "cancel_drop": EventType.DROPPED,  # an email in a canceled batch
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "spamreport": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
    **REACTIONS,
}  # `group_resubscribe` is left out: only consent brings someone back
_ACCOUNT = "account_status_change"
_WITHOUT_BROADCAST = frozenset({EventType.BOUNCED, EventType.BLOCKED, EventType.COMPLAINED, EventType.UNSUBSCRIBED})
_REPLY = re.compile(r"\s*([45][0-9]{2})(?:[ -]|\Z)", re.ASCII)
_UNCLEAR_STATUS = ".0.0"
# What a bounce means if the server's words leave it open
# (https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/retrieve-bounce-classification-totals).
_CLASSIFIED: Mapping[str, str] = {
    "invalid address": "no-such-address",
    "mailbox unavailable": "mailbox-busy",
    "technical failure": "unreachable",
    "content": "content",
    "reputation": "blocked-ip",
    "frequency or volume too high": "rate",
}
_NOT_SAID = "not-delivered"


class PostedEvents(Struct, frozen=True, kw_only=True):
    """What a post says."""

    events: tuple[Event, ...]
    account: tuple[str, ...] = ()  # new states of the account at SendGrid


def events_in(entries: Sequence[Entry]) -> PostedEvents:
    """Return the events about our broadcasts and our people, and what happened to the account."""
    return PostedEvents(
        events=tuple(event for entry in entries if (event := _event(entry)) is not None),
        account=tuple(text_in(entry, "type") or "unknown" for entry in entries if entry.get("event") == _ACCOUNT),
    )


def _event(entry: Entry) -> Event | None:
    """Return the event, or None if it is not about us or lacks what identifies it."""
    event_type, at = _TYPES.get(text_in(entry, "event")), moment_in(entry)
    if event_type is None or at is None:
        return None
    mailed = mailed_of(entry)
    chunk, attempt, subscriber = number_of(entry, CHUNK), number_of(entry, ATTEMPT), number_of(entry, DELIVERY)
    if event_type is EventType.BOUNCED and text_in(entry, "type") == "blocked":
        event_type = EventType.BLOCKED
    if mailed is None:
        # Reports long after the email may lack our arguments. They still count for the person.
        if subscriber is None or event_type not in _WITHOUT_BROADCAST:
            return None
        mailed, chunk, attempt = NO_BROADCAST, 0, 0
    is_click = event_type is EventType.CLICKED
    return Event(
        at=at,
        type=event_type,
        broadcast=mailed.broadcast,
        nonce=mailed.nonce,
        chunk=chunk or 0,
        attempt=attempt or 0,
        subscriber=subscriber or 0,
        detail="" if is_click else quoted(text_in(entry, "reason") or text_in(entry, "response")),
        url=text_in(entry, "url") if is_click else "",
        url_offset=_offset(entry) if is_click else -1,
        cause=_cause(entry) if event_type in {EventType.BOUNCED, EventType.BLOCKED} else "",
        verdict=text_in(entry, VERDICT),
    )


def _offset(entry: Entry) -> int:
    offset = entry.get("url_offset")
    index = offset.get("index") if isinstance(offset, Mapping) else None
    return index if isinstance(index, int) and 0 <= index < 10**6 else -1


def _cause(entry: Entry) -> str:
    """Return why a server refused the email. Its own words count; SendGrid's classification only if they are vague."""
    words, status = text_in(entry, "reason"), text_in(entry, "status")
    match = _REPLY.match(words)
    is_for_good = text_in(entry, "type") != "blocked" if not status else status.startswith("5")
    reply = int(match[1]) if match else 550 if is_for_good else 450
    enhanced = "" if status.endswith(_UNCLEAR_STATUS) else status
    said = words[match.end() :] if match else words
    found = cause_of(reply, said, enhanced=enhanced, phase=Phase.RCPT)
    if found.whose is Whose.EITHER or found.name == _NOT_SAID:
        return _CLASSIFIED.get(text_in(entry, "bounce_classification").lower(), found.name)
    return found.name
