"""What SendGrid's log proves about a chunk that may have been taken, and what its webhook says of deliveries."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Verdict
from newsletter.model.event import Event, EventType
from newsletter.providers.base import Provider
from newsletter.providers.sendgrid.history import events_of
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.mailings import chunk, mailing, recipient
from tests.providers.sendgrid.parts import API_KEY, log_of, submit, unknown
from tests.providers.workspace import NOW

ANA, BEN = recipient(1, "ana@example.org"), recipient(2, "ben@example.org")
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


@pytest.mark.parametrize("fault", [Fault.QUEUE_THEN_RESET, Fault.QUEUE_THEN_500, Fault.TRUNCATE])
def test_a_chunk_that_was_taken_is_found_with_the_message(api: SendGridApi, provider: Provider, fault: Fault) -> None:
    api.script(fault)
    assert submit(provider, chunk(ANA, BEN, number=12, attempt=3)).verdict is Verdict.UNKNOWN

    evidence = log_of(provider).find("b7", unknown(ANA.email, BEN.email, number=12, attempt=3))

    assert evidence == f"SendGrid's log lists the message {api.accepted[0].sg_message_id} as delivered"


def test_a_chunk_that_was_not_taken_is_not_found(api: SendGridApi, provider: Provider) -> None:
    api.script(Fault.RESET)
    submit(provider, chunk(ANA))

    assert log_of(provider).find("b7", unknown(ANA.email)) is None


@pytest.mark.parametrize(
    ("broadcast", "number", "attempt"), [("b7-another", 1, 2), ("b8", 1, 2), ("b7", 2, 2), ("b7", 1, 1), ("b7", 1, 3)]
)
def test_a_message_of_another_request_proves_nothing(
    provider: Provider, broadcast: str, number: int, attempt: int
) -> None:
    submit(provider, chunk(ANA, number=1, attempt=2))

    assert log_of(provider).find(broadcast, unknown(ANA.email, number=number, attempt=attempt)) is None
    assert log_of(provider).find("b7", unknown(ANA.email, number=1, attempt=2))


def test_one_of_the_sample_is_enough(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(BEN))

    assert log_of(provider).find("b7", unknown(ANA.email, BEN.email))


def test_earlier_mail_to_the_same_people_does_not_hide_it(api: SendGridApi, provider: Provider) -> None:
    for number in range(30):
        api.now = NOW - timedelta(days=30 - number)
        submit(provider, chunk(ANA, of=mailing(broadcast=f"b{100 + number}")))
    api.now = NOW
    submit(provider, chunk(ANA))

    assert log_of(provider).find("b7", unknown(ANA.email))


def test_later_mail_does_not_hide_it_either(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(ANA))
    api.now = NOW + timedelta(days=2)
    for number in range(30):
        submit(provider, chunk(ANA, of=mailing(broadcast=f"b{100 + number}")))

    assert log_of(provider).find("b7", unknown(ANA.email))


def test_held_mail_is_found_before_it_leaves(api: SendGridApi, provider: Provider) -> None:
    submit(provider, replace(chunk(ANA), hold_until=NOW + timedelta(hours=1)))

    evidence = log_of(provider).find("b7", unknown(ANA.email))

    assert evidence is not None
    assert "processed" in evidence


@pytest.mark.parametrize("address", ["o'hara@example.org", "nobody", "josé@example.org", "x' AND status IN ('a"])
def test_an_address_that_no_query_can_hold_is_passed_over(api: SendGridApi, provider: Provider, address: str) -> None:
    submit(provider, chunk(BEN))

    assert log_of(provider).find("b7", unknown(address, BEN.email))
    assert not log_of(provider).find("b7", unknown(address))


def test_a_domain_in_any_script_is_searched_as_it_was_sent(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(recipient(1, "ana@bücher.example")))

    assert log_of(provider).find("b7", unknown("ana@bücher.example"))


def test_an_account_without_the_log_is_an_error_that_says_so(api: SendGridApi, provider: Provider) -> None:
    api.has_log = False

    with pytest.raises(ProviderError, match="Email Logs"):
        log_of(provider).find("b7", unknown(ANA.email))


@pytest.mark.parametrize(
    "step",
    [
        Answer.error(400, "invalid query"),
        Answer.error(401, f"no: Bearer {API_KEY}"),
        Answer.error(404, "Not Found"),
        Answer.error(429, "too many requests"),
        Answer.error(500, "Internal Server Error"),
        Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(status=204),
        Fault.RESET,
        Fault.TRUNCATE,
    ],
)
def test_a_log_that_cannot_be_read_is_an_error(api: SendGridApi, provider: Provider, step: Answer | Fault) -> None:
    api.script(step)

    with pytest.raises(ProviderError, match="did not show its message log") as caught:
        log_of(provider).find("b7", unknown(ANA.email))
    assert API_KEY not in str(caught.value)


@pytest.mark.parametrize("step", [Answer.error(500, "Internal Server Error"), Answer.error(429, "slow down")])
def test_details_that_cannot_be_read_are_an_error(api: SendGridApi, provider: Provider, step: Answer) -> None:
    submit(provider, chunk(ANA))
    api.script(Fault.NONE, step)

    with pytest.raises(ProviderError, match="did not show its message log"):
        log_of(provider).find("b7", unknown(ANA.email))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"messages": 7}', b'{"messages": [7, {}, {"sg_message_id": 3}]}', b"<html>"]
)
def test_an_answer_of_another_shape_proves_nothing(api: SendGridApi, provider: Provider, body: bytes) -> None:
    submit(provider, chunk(ANA))
    api.script(Answer(status=200, body=body))

    assert log_of(provider).find("b7", unknown(ANA.email)) is None


@pytest.mark.parametrize(
    "answer", [Answer.error(404, "message not found"), Answer(status=200, body=b"[]"), Answer(status=200, body=b"{}")]
)
def test_details_that_are_gone_or_say_nothing_prove_nothing(
    api: SendGridApi, provider: Provider, answer: Answer
) -> None:
    submit(provider, chunk(ANA))
    api.script(Fault.NONE, answer)

    assert log_of(provider).find("b7", unknown(ANA.email)) is None


def test_the_arguments_of_an_event_prove_it_too(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(ANA))
    event = b'{"nl_broadcast": "b7", "nl_chunk": "1", "nl_attempt": "1", "nl_delivery": "1"}'
    api.script(Fault.NONE, Answer(status=200, body=b'{"events": [{}, {"custom_args": %b}]}' % event))

    assert log_of(provider).find("b7", unknown(ANA.email))


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
        ({"event": "click", "url": "https://example.org/a", "reason": "none"}, ""),
        ({"event": "processed", "response": None}, ""),
    ],
)
def test_the_detail_is_what_a_person_would_ask_for(more: dict[str, str], detail: str) -> None:
    (event,) = events_of(_body({**ENTRY, **more}))

    assert event.detail == detail


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({"event": "click", "url": "https://example.org/a"}, "https://example.org/a"),
        ({"event": "click", "url": "https://example.org/" + "a" * 3000}, "https://example.org/" + "a" * 1980),
        ({"event": "click"}, ""),
        ({"event": "open", "url": "https://example.org/a"}, ""),
    ],
)
def test_the_link_of_a_click_is_kept(more: dict[str, str], url: str) -> None:
    (event,) = events_of(_body({**ENTRY, **more}))

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

    assert events_of(_body(entry)) == (EVENT,)


@pytest.mark.parametrize("name", [*ARGS, "timestamp", "event"])
@pytest.mark.parametrize(
    "value", [None, "", "x", "-1", "1.5", [], {}, True, 10**15, "9" * 30], ids=lambda value: repr(value)[:9]
)
def test_an_entry_that_cannot_be_traced_is_passed_over(name: str, value: object) -> None:
    assert events_of(_body({**ENTRY, name: value}, ENTRY)) == (EVENT,)


@pytest.mark.parametrize("value", [None, "", 7, [], {}, True])
def test_the_providers_id_is_not_needed(value: object) -> None:
    assert events_of(_body({**ENTRY, "sg_event_id": value})) == (EVENT,)


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


def test_repeated_events_are_the_same_even_with_a_new_id() -> None:
    assert set(events_of(_body(ENTRY, ENTRY, {**ENTRY, "sg_event_id": "b3RoZXI"}))) == {EVENT}


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
