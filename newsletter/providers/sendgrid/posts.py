"""What may be saved of a post of SendGrid's Event Webhook.

A post is a JSON array of objects, one for each event. The custom arguments of our emails are keys in it, beside
SendGrid's own (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event). Before anything is saved,
what identifies people is dropped: addresses, and where and with what an email was opened. What is left names a delivery
by its number. Opens and clicks of people who have not agreed to tracking are only counted.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import orjson
from msgspec import Struct

from newsletter.model.address import masked, person_of
from newsletter.model.event import BroadcastKey, CountedEvent, EventType
from newsletter.model.machines import MachineVerdict, verdict_of
from newsletter.providers.headers import one_line
from newsletter.providers.sendgrid.client import moment_of
from newsletter.providers.sendgrid.mail import ATTEMPT, BROADCAST, CHUNK, DELIVERY
from newsletter.system.moments import text_of

Entry = Mapping[str, object]

VERDICT = "verdict"  # the key in which we save how an open or click was recognized as a machine's
REACTIONS: Mapping[str, EventType] = {"open": EventType.OPENED, "click": EventType.CLICKED}
_ABOUT_A_PERSON = frozenset({"bounce", "spamreport", "unsubscribe", "group_unsubscribe"})
_SHORT, _LONG = 100, 2000  # characters
_LARGEST_NUMBER = 2**53
_TEXTS: Mapping[str, int] = {  # the texts that are saved
    **dict.fromkeys((BROADCAST, CHUNK, ATTEMPT, DELIVERY), _SHORT),
    **dict.fromkeys(("event", "type", "status", "attempt", "bounce_classification", "sg_content_type"), _SHORT),
    **dict.fromkeys(("reason", "response", "url"), _LONG),
}
_NUMBERS = frozenset({"timestamp", "send_at", "tls", "cert_err", "asm_group_id", "sg_machine_open"})
_BROADCAST_ID = re.compile(r"b([0-9]{1,9})-([0-9A-Za-z]+)", re.ASCII)
_MOST_DIGITS = 9


class Mentioned(Struct, frozen=True, kw_only=True):
    """The people about whom more must be known before a post can be saved."""

    reacted: frozenset[int] = frozenset()  # have they agreed to tracking?
    bounced: frozenset[int] = frozenset()  # what is their address now?
    persons: frozenset[str] = frozenset()  # who is that? the entry has no delivery, only an address


class Known(Struct, frozen=True, kw_only=True):
    """What is known about the people in a post. Those who are not on the list are left out."""

    tracked_since: Mapping[int, str] = {}  # subscriber → when they agreed to tracking, as text; empty if they did not
    persons: Mapping[int, str] = {}  # subscriber → person
    ids: Mapping[str, int] = {}  # person → subscriber


class SafePost(Struct, frozen=True, kw_only=True):
    """What may be saved of a post."""

    entries: tuple[Entry, ...]
    totals: Mapping[CountedEvent, int]


def read_post(body: bytes) -> tuple[Entry, ...]:
    """Return the entries of a post. What is not a JSON array of objects has none."""
    if not body.startswith(b"["):
        return ()
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        # The rest is read although one text has characters that do not exist, such as half of a surrogate pair.
        try:
            found = json.loads(
                body.decode("utf-8", "replace"), parse_constant=_refuse, object_pairs_hook=_entry_of_characters
            )
        except (ValueError, RecursionError):
            return ()
    return tuple(entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else ()


def _refuse(name: str) -> None:
    raise ValueError(name)


def _entry_of_characters(pairs: list[tuple[str, object]]) -> Entry:
    """Return an object with a question mark in place of each half of a surrogate pair in its texts."""
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for name, value in pairs
    }


def mentioned_in(entries: Sequence[Entry]) -> Mentioned:
    """Return the people about whom more must be known before these entries can be saved."""
    reacted, bounced, persons = set(), set(), set()
    for entry in entries:
        event = text_in(entry, "event")
        is_reaction = event in REACTIONS
        if not is_reaction and event not in _ABOUT_A_PERSON:
            continue
        subscriber = number_of(entry, DELIVERY)
        if is_reaction:
            reacted.add(subscriber or 0)
        elif subscriber is None:
            persons.add(_person(entry))
        elif event == "bounce":
            bounced.add(subscriber)
    return Mentioned(reacted=frozenset(reacted), bounced=frozenset(bounced), persons=frozenset(persons - {""}))


def safe_post(entries: Sequence[Entry], known: Known) -> SafePost:
    """Return what may be saved. An open or click is only counted unless the person had agreed to tracking by then."""
    kept: list[Entry] = []
    totals: Counter[CountedEvent] = Counter()
    for entry in entries:
        event = text_in(entry, "event")
        if event not in REACTIONS:
            if (safe := _safe_entry(entry, known)) is not None:
                kept.append(safe)
            continue
        verdict = _verdict(entry)
        if _may_be_tracked(entry, known):
            kept.append(_chosen(entry) | {VERDICT: verdict})
        elif (mailed := mailed_of(entry)) is not None:
            totals[CountedEvent(mailed, REACTIONS[event], verdict)] += 1
    return SafePost(entries=tuple(kept), totals=totals)


def text_in(entry: Entry, name: str) -> str:
    """Return the text under a key, or an empty string if there is none."""
    value = entry.get(name)
    return value if type(value) is str else ""


def mailed_of(entry: Entry) -> BroadcastKey | None:
    """Return the broadcast that an entry names, or None if it names none of ours."""
    return _mailed(text_in(entry, BROADCAST))


@lru_cache(maxsize=1024)  # the entries of one post name few broadcasts
def _mailed(text: str) -> BroadcastKey | None:
    match = _BROADCAST_ID.fullmatch(text)
    return BroadcastKey(int(match[1]), match[2]) if match else None


def number_of(entry: Entry, name: str) -> int | None:
    """Return the number in one of our arguments, or None if there is none."""
    digits = text_in(entry, name)
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= _MOST_DIGITS else None


def moment_in(entry: Entry) -> datetime | None:
    """Return when it happened, or None if that is not said."""
    seconds = entry.get("timestamp")
    return _moment(seconds) if type(seconds) is int else moment_of(seconds)


@lru_cache(maxsize=4096)  # the entries of one post are from few seconds
def _moment(seconds: int) -> datetime | None:
    return moment_of(seconds)


def _safe_entry(entry: Entry, known: Known) -> dict[str, object] | None:
    """Return what may be saved of an entry that is not an open or click, or None if it is about no one on the list.

    A bounce of an address that the person has given up says nothing about their present one.
    """
    safe, event = _chosen(entry), text_in(entry, "event")
    if event not in _ABOUT_A_PERSON:
        return safe
    person, subscriber = _person(entry), number_of(entry, DELIVERY)
    if subscriber is None:
        if person not in known.ids:
            return None
        return safe | {DELIVERY: str(known.ids[person])}
    if event == "bounce" and person and known.persons.get(subscriber, person) != person:
        return {name: value for name, value in safe.items() if name != DELIVERY}
    return safe


def _chosen(entry: Entry) -> dict[str, object]:
    """Return the keys that say nothing about who the person is."""
    chosen: dict[str, object] = {}
    for name, value in entry.items():
        if (longest := _TEXTS.get(name)) is not None:
            if type(value) is str:
                is_plain = len(value) <= longest and value.isascii() and value.isalnum()  # as most of them are
                chosen[name] = value if is_plain else _safe_text(value)[:longest]
        elif name in _NUMBERS and isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER:
            chosen[name] = value
        elif name == "url_offset":
            index = value.get("index") if isinstance(value, dict) else None
            if isinstance(index, int) and 0 <= index <= _LARGEST_NUMBER:
                chosen[name] = {"index": index}
    return chosen


def _safe_text(text: str) -> str:
    if text.isascii() and text.isprintable() and "@" not in text and "%40" not in text:
        return text
    return masked(one_line(text.encode("utf-8", "replace").decode()))


def _may_be_tracked(entry: Entry, known: Known) -> bool:
    since, at = known.tracked_since.get(number_of(entry, DELIVERY) or 0, ""), moment_in(entry)
    return at is not None and "" < since <= text_of(at)


def _person(entry: Entry) -> str:
    """Return the person whose address an entry has, or an empty string."""
    email = text_in(entry, "email")
    return person_of(email) if "@" in email else ""


def _verdict(entry: Entry) -> str:
    """Return how a machine was recognized. A report without an agent says nothing about who it was."""
    is_machine_open, agent = entry.get("sg_machine_open") is True, text_in(entry, "useragent")
    if not agent:
        return (MachineVerdict.PRIVACY if is_machine_open else MachineVerdict.PERSON).value
    is_click = entry.get("event") == "click"
    return verdict_of(agent, text_in(entry, "ip"), is_machine_open=is_machine_open, is_click=is_click).value
