"""What a post of SendGrid's webhook says: each event traced to its delivery, with the cause of a refusal."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.event import Event, EventType
from newsletter.providers.sendgrid.events import events_in
from newsletter.providers.sendgrid.posts import read_post

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
    at=datetime(2026, 2, 19, 16, 0, tzinfo=UTC),
    type=EventType.DELIVERED,
    broadcast=7,
    nonce="k3v9q2x7",
    chunk=12,
    attempt=3,
    subscriber=41,
    detail="250 OK",
)


def events_of(*entries: object) -> tuple[Event, ...]:
    return events_in(read_post(json.dumps(entries).encode())).events


def test_an_event_is_traced_to_its_delivery() -> None:
    assert events_of(ENTRY) == (EVENT,)


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
    (event,) = events_of({**ENTRY, **more})

    assert event.type is event_type


@pytest.mark.parametrize("event", ["group_resubscribe", "account_status_change", "surprise", "", None, 7, ["open"]])
def test_other_events_are_passed_over(event: object) -> None:
    assert events_of({**ENTRY, "event": event}, ENTRY) == (EVENT,)


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        ({"event": "bounce", "reason": "550 5.1.1\nno such user"}, "550 5.1.1 no such user"),
        ({"event": "deferred", "response": "451 later"}, "451 later"),
        ({"event": "dropped", "reason": "Bounced Address", "email": ""}, "Bounced Address"),
        ({"event": "click", "url": "https://example.org/a", "reason": "none"}, ""),
        ({"event": "processed", "response": None}, ""),
    ],
)
def test_the_detail_is_what_a_person_would_ask_for(more: dict[str, str], detail: str) -> None:
    (event,) = events_of({**ENTRY, **more})

    assert event.detail == detail


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({"event": "click", "url": "https://example.org/a"}, "https://example.org/a"),
        ({"event": "click"}, ""),
        ({"event": "open", "url": "https://example.org/a"}, ""),
    ],
)
def test_the_link_of_a_click_is_kept(more: dict[str, str], url: str) -> None:
    (event,) = events_of({**ENTRY, **more})

    assert event.url == url


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

    assert events_of(entry) == (EVENT,)


@pytest.mark.parametrize("name", ["nl_broadcast", "timestamp", "event"])
@pytest.mark.parametrize(
    "value", [None, "", "x", "-1", "1.5", [], {}, True, 10**15, "9" * 30], ids=lambda value: repr(value)[:9]
)
def test_an_entry_that_cannot_be_traced_is_passed_over(name: str, value: object) -> None:
    assert events_of({**ENTRY, name: value}, ENTRY) == (EVENT,)


@pytest.mark.parametrize("value", [None, "", 7, [], {}, True])
def test_the_providers_id_is_not_needed(value: object) -> None:
    assert events_of({**ENTRY, "sg_event_id": value}) == (EVENT,)


@pytest.mark.parametrize("broadcast", ["b7", "7-k3v9q2x7", "t7-k3v9q2x7", "b-k3v9q2x7", "b7-", "b7-k3 v9", "b7-a\n"])
def test_mail_that_is_no_broadcasts_is_passed_over(broadcast: str) -> None:
    assert not events_of({**ENTRY, "nl_broadcast": broadcast})


def test_mail_of_others_is_passed_over() -> None:
    theirs = {name: value for name, value in ENTRY.items() if name not in ARGS}

    assert not events_of(theirs, {})


@pytest.mark.parametrize(
    ("name", "field"), [("nl_chunk", "chunk"), ("nl_attempt", "attempt"), ("nl_delivery", "subscriber")]
)
@pytest.mark.parametrize(
    "value", [None, "", "x", "-1", "1.5", [], {}, True, 10**15, "9" * 30], ids=lambda value: repr(value)[:9]
)
def test_what_is_missing_is_not_known(name: str, field: str, value: object) -> None:
    assert events_of({**ENTRY, name: value}) == (replace(EVENT, **{field: 0}),)


@pytest.mark.parametrize(
    ("event", "is_taken"),
    [("bounce", True), ("spamreport", True), ("unsubscribe", True), ("delivered", False), ("open", False)],
)
def test_a_late_report_without_a_broadcast_counts_for_the_person_alone(event: str, is_taken: bool) -> None:
    found = events_of({"event": event, "timestamp": ENTRY["timestamp"], "nl_delivery": "41"})

    assert [(each.broadcast, each.nonce, each.subscriber) for each in found] == ([(0, "", 41)] if is_taken else [])


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"reason": "550 5.1.1 no such user", "status": "5.1.1"}, "no-such-address"),
        ({"reason": "550 5.2.1 The account is disabled"}, "disabled"),
        ({"reason": "550 5.7.17 mailbox owner has changed", "status": "5.7.17"}, "new-owner"),
        ({"reason": "452 4.2.2 over quota", "status": "4.2.2"}, "mailbox-full"),
        ({"reason": "550 5.7.1 likely unsolicited mail", "type": "blocked"}, "spam"),
        ({"reason": "550 5.7.515 access denied", "type": "blocked"}, "authentication"),
        ({"reason": "421 4.7.650 part of their network is on our block list", "type": "blocked"}, "blocked-ip"),
        ({"reason": "550 5.4.4 host not found", "status": "5.4.4"}, "no-such-domain"),
        ({"reason": "unable to get mx info: failed to get IPs from PTR record", "type": "blocked"}, "no-such-domain"),
        ({"reason": "", "status": "5.1.1"}, "no-such-address"),
        ({"reason": "550 refused", "status": "5.0.0", "bounce_classification": "invalid address"}, "no-such-address"),
        ({"reason": "550 refused", "bounce_classification": "Reputation"}, "blocked-ip"),
        ({"reason": "550 5.1.1 no such user", "bounce_classification": "Reputation"}, "no-such-address"),
        ({"reason": "550 5.7.1 rejected address: spam", "status": "5.7.1"}, "spam"),
        ({"bounce_classification": "Unclassified", "type": "blocked"}, "for-now"),
        ({}, "unclear"),
    ],
)
def test_the_cause_of_a_bounce_is_told(more: dict[str, str], cause: str) -> None:
    (event,) = events_of({**ENTRY, "event": "bounce", **more})

    assert event.cause == cause


def test_only_refusals_have_a_cause() -> None:
    assert {event.cause for event in events_of({**ENTRY, "reason": "550 5.1.1 no such user"})} == {""}


@pytest.mark.parametrize(
    ("offset", "index"),
    [({"index": 2, "type": "html"}, 2), ({"index": -4}, -1), ({"index": "2"}, -1), (None, -1), ([], -1)],
)
def test_two_links_with_one_address_are_told_apart(offset: object, index: int) -> None:
    (event,) = events_of({**ENTRY, "event": "click", "url": "https://example.org/a", "url_offset": offset})

    assert event.url_offset == index


def test_what_happens_to_the_account_is_told() -> None:
    found = events_in(
        [{"event": "account_status_change", "type": "compliance_suspend"}, {"event": "account_status_change"}]
    )

    assert (found.events, found.account) == ((), ("compliance_suspend", "unknown"))


def test_entries_that_are_no_objects_keep_nothing_else_from_being_read() -> None:
    assert events_of(None, 7, "x", [], ENTRY, True) == (EVENT,)


def test_repeated_events_are_the_same_even_with_a_new_id() -> None:
    assert set(events_of(ENTRY, ENTRY, {**ENTRY, "sg_event_id": "b3RoZXI"})) == {EVENT}


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
    assert events_of({**ENTRY, **change}, ENTRY)[-1] == EVENT
