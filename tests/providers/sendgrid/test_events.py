"""What SendGrid's Event Webhook posts, as events of our deliveries."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.model.event import Event, EventType
from newsletter.providers.sendgrid.events import events_of

ARGS = {"nl_broadcast": "b7-k3v9q2x7", "nl_chunk": "12", "nl_attempt": "3", "nl_delivery": "41"}
ENTRY: dict[str, Any] = {
    "email": "ana@example.org",
    "timestamp": 1_771_516_800,
    "event": "delivered",
    "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
    "category": ["issue-2026-02-b7"],
    "sg_event_id": "ZGVsaXZlcmVk",
    "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    "response": "250 OK\r\n",
    **ARGS,
}
EVENT = Event(
    id="ZGVsaXZlcmVk",
    at=datetime(2026, 2, 19, 16, 0, tzinfo=UTC),
    type=EventType.DELIVERED,
    broadcast=7,
    nonce="k3v9q2x7",
    chunk=12,
    attempt=3,
    subscriber=41,
    detail="250 OK",
)


def test_an_event_is_traced_to_its_delivery() -> None:
    assert events_of(_body(ENTRY)) == (EVENT,)


@pytest.mark.parametrize(
    ("more", "event_type"),
    [
        ({"event": "processed"}, EventType.PROCESSED),
        ({"event": "dropped"}, EventType.DROPPED),
        ({"event": "cancel_drop"}, EventType.DROPPED),
        ({"event": "delivered"}, EventType.DELIVERED),
        ({"event": "deferred"}, EventType.DEFERRED),
        ({"event": "bounce", "type": "bounce"}, EventType.BOUNCED),
        ({"event": "bounce", "type": "blocked"}, EventType.BLOCKED),
        ({"event": "bounce"}, EventType.BOUNCED),
        ({"event": "open"}, EventType.OPENED),
        ({"event": "click"}, EventType.CLICKED),
        ({"event": "spamreport"}, EventType.COMPLAINED),
        ({"event": "unsubscribe"}, EventType.UNSUBSCRIBED),
        ({"event": "group_unsubscribe"}, EventType.UNSUBSCRIBED),
        ({"event": "delivered", "type": "blocked"}, EventType.DELIVERED),
    ],
)
def test_sendgrids_words_have_ours(more: dict[str, str], event_type: EventType) -> None:
    (event,) = events_of(_body({**ENTRY, **more}))

    assert event.type is event_type


@pytest.mark.parametrize("event", ["group_resubscribe", "account_status_change", "surprise", "", None, 7, ["open"]])
def test_other_events_are_passed_over(event: object) -> None:
    assert events_of(_body({**ENTRY, "event": event}, ENTRY)) == (EVENT,)


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        ({"event": "bounce", "reason": "550 5.1.1\nno such user"}, "550 5.1.1 no such user"),
        ({"event": "deferred", "response": "451 later"}, "451 later"),
        ({"event": "dropped", "reason": "Bounced Address", "email": ""}, "Bounced Address"),
        ({"event": "click", "url": "https://example.org/a"}, "https://example.org/a"),
        ({"event": "click"}, ""),
        ({"event": "processed", "response": None}, ""),
    ],
)
def test_the_detail_is_what_a_person_would_ask_for(more: dict[str, str], detail: str) -> None:
    (event,) = events_of(_body({**ENTRY, **more}))

    assert event.detail == detail


@pytest.mark.parametrize(
    "change",
    [
        {"category": "issue-2026-02-b7"},
        {"category": None},
        {"sg_message_id": None},
        {"email": ""},
        {"email": None},
        {"smtp-id": None},
        {"attempt": "5", "tls": 1, "unknown": {"a": []}},
    ],
)
def test_what_sendgrid_leaves_out_or_adds_changes_nothing(change: dict[str, object]) -> None:
    entry = {name: value for name, value in {**ENTRY, **change}.items() if value is not None}

    assert events_of(_body(entry)) == (EVENT,)


@pytest.mark.parametrize("name", [*ARGS, "timestamp", "event"])
@pytest.mark.parametrize(
    "value", [None, "", "x", "-1", "1.5", [], {}, True, 10**15, "9" * 30], ids=lambda value: repr(value)[:9]
)
def test_an_entry_that_cannot_be_traced_is_passed_over(name: str, value: object) -> None:
    assert events_of(_body({**ENTRY, name: value}, ENTRY)) == (EVENT,)


@pytest.mark.parametrize("value", [None, "", 7, [], {}, True])
def test_an_entry_that_cannot_be_told_from_its_repetitions_is_passed_over(value: object) -> None:
    assert not events_of(_body({**ENTRY, "sg_event_id": value}))


@pytest.mark.parametrize("broadcast", ["b7", "7-k3v9q2x7", "t7-k3v9q2x7", "b-k3v9q2x7", "b7-", "b7-k3 v9", "b7-a\n"])
def test_mail_that_is_no_broadcasts_is_passed_over(broadcast: str) -> None:
    assert not events_of(_body({**ENTRY, "nl_broadcast": broadcast}))


def test_mail_of_others_is_passed_over() -> None:
    theirs = {name: value for name, value in ENTRY.items() if name not in ARGS}

    assert not events_of(_body(theirs, {}))


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"7", b'"text"', b"[", b"<html>", b"\xff\xfe", b'{"event": 1}'])
def test_what_is_no_array_of_json_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="Event Webhook"):
        events_of(body)


def test_entries_that_are_no_objects_keep_nothing_else_from_being_read() -> None:
    assert events_of(json.dumps([None, 7, "x", [], ENTRY, True]).encode()) == (EVENT,)


def test_repeated_events_have_the_same_id() -> None:
    assert {event.id for event in events_of(_body(ENTRY, ENTRY, ENTRY))} == {"ZGVsaXZlcmVk"}


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*ENTRY, "type", "url", "reason"]), _VALUES))
def test_no_entry_breaks_the_reading(change: dict[str, object]) -> None:
    assert events_of(_body({**ENTRY, **change}, ENTRY))[-1] == EVENT


def _body(*entries: object) -> bytes:
    return json.dumps(entries).encode()
