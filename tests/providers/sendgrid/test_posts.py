"""What is saved of a post says nothing about who people are, and of opens and clicks only what they agreed to."""

import orjson
import pytest

from newsletter.model.event import BroadcastKey, CountedEvent, EventType
from newsletter.providers.sendgrid.posts import Entry, Known, Mentioned, mentioned_in, read_post, safe_post
from tests.fakes.event_webhook import body_of

AT = 1_771_516_800  # 2026-02-19T16:00:00Z
ARGS = {"nl_broadcast": "b7-k3v9", "nl_chunk": "12", "nl_attempt": "3", "nl_delivery": "41"}
OURS = BroadcastKey(7, "k3v9")
ANA = "ana.lima@example.org"
BOUNCE = {
    "event": "bounce",
    "type": "bounce",
    "status": "5.1.1",
    "reason": f"550 5.1.1 <{ANA}>: no such user",
    "bounce_classification": "Invalid Address",
    "timestamp": AT,
    "tls": 1,
    "ip": "192.0.2.1",
    "email": ANA,
    "smtp-id": "<m@example.com>",
    "sg_event_id": "Ym91bmNl",
    "sg_message_id": "m.f-1",
    "category": ["issue-2026-02-b7"],
    **ARGS,
}
OPEN = {
    "event": "open",
    "email": ANA,
    "timestamp": AT,
    "useragent": "Mozilla/5.0 (Windows NT 10.0)",
    "ip": "203.0.113.7",
    "sg_machine_open": False,
    "sg_event_id": "b3Blbg",
    **ARGS,
}
CLICK = {**OPEN, "event": "click", "url": "https://example.org/a", "url_offset": {"index": 1, "type": "html"}}


def saved(*entries: Entry, known: Known | None = None) -> list[Entry]:
    return list(safe_post(entries, known or Known()).entries)


def test_nothing_that_identifies_a_person_is_saved() -> None:
    agreed = Known(tracked_since={41: "2026-01-01T00:00:00Z"}, persons={41: ANA})
    told = orjson.dumps(saved(BOUNCE, OPEN, CLICK, known=agreed)).decode().lower()

    secrets = ("ana.lima", "192.0.2.1", "203.0.113.7", "windows", "mozilla", "ym91", "m.f-1", "b3bl", "m@example.com")
    assert [each for each in secrets if each in told] == []


def test_what_tells_of_a_bounce_is_saved() -> None:
    assert saved(BOUNCE, known=Known(persons={41: ANA})) == [
        {
            "event": "bounce",
            "type": "bounce",
            "status": "5.1.1",
            "reason": "550 5.1.1 <a***@example.org>: no such user",
            "bounce_classification": "Invalid Address",
            "timestamp": AT,
            "tls": 1,
            **ARGS,
        }
    ]


def test_opens_and_clicks_of_people_who_agreed_are_saved_with_a_verdict() -> None:
    agreed = Known(tracked_since={41: "2026-02-19T16:00:00Z"})  # in that very second
    found = safe_post([OPEN, CLICK, {**OPEN, "sg_machine_open": True}], agreed)

    assert found.entries == (
        {"event": "open", "timestamp": AT, "sg_machine_open": False, "verdict": "", **ARGS},
        {
            "event": "click",
            "timestamp": AT,
            "sg_machine_open": False,
            "url": "https://example.org/a",
            "url_offset": {"index": 1},
            "verdict": "",
            **ARGS,
        },
        {"event": "open", "timestamp": AT, "sg_machine_open": True, "verdict": "machine open", **ARGS},
    )
    assert found.totals == {}


@pytest.mark.parametrize("since", [{}, {41: ""}, {40: "2000-01-01T00:00:00Z"}, {41: "2026-02-19T16:00:01Z"}], ids=str)
def test_of_others_only_a_total_is_saved(since: dict[int, str]) -> None:
    found = safe_post([OPEN, CLICK, OPEN, {**OPEN, "sg_machine_open": True}], Known(tracked_since=since))

    assert found.entries == ()
    assert found.totals == {
        CountedEvent(OURS, EventType.OPENED): 2,
        CountedEvent(OURS, EventType.CLICKED): 1,
        CountedEvent(OURS, EventType.OPENED, "machine open"): 1,
    }


def test_opens_of_emails_that_are_not_ours_are_not_even_counted() -> None:
    found = safe_post([{**OPEN, "nl_broadcast": "x"}, {"event": "open", "timestamp": AT}], Known())

    assert (found.entries, found.totals) == ((), {})


@pytest.mark.parametrize("event", ["bounce", "spamreport", "unsubscribe", "group_unsubscribe"])
def test_a_report_that_names_only_an_address_is_saved_for_the_person_alone(event: str) -> None:
    late = {"event": event, "email": "Ana.Lima@EXAMPLE.org", "timestamp": AT}

    assert mentioned_in([late]) == Mentioned(persons=frozenset({ANA}))
    assert saved(late, known=Known(ids={ANA: 41})) == [{"event": event, "timestamp": AT, "nl_delivery": "41"}]


@pytest.mark.parametrize("email", ["stranger@example.org", "", None, 7, "no address", "@"])
def test_a_report_about_nobody_on_the_list_is_not_saved(email: object) -> None:
    assert saved({"event": "spamreport", "email": email, "timestamp": AT}, known=Known(ids={ANA: 41})) == []


def test_a_bounce_of_an_earlier_address_is_not_about_the_present_one() -> None:
    moved = Known(persons={41: "ana@example.com"})

    assert [each.get("nl_delivery") for each in saved(BOUNCE, known=moved)] == [None]
    assert [each.get("nl_delivery") for each in saved({**BOUNCE, "event": "spamreport"}, known=moved)] == ["41"]
    assert [each.get("nl_delivery") for each in saved({**BOUNCE, "email": None}, known=moved)] == ["41"]


def test_those_are_looked_up_who_matter() -> None:
    processed = {**BOUNCE, "event": "processed", "nl_delivery": "8"}
    strange = {**OPEN, "event": ["open"], "nl_delivery": "9"}

    assert mentioned_in([BOUNCE, OPEN, CLICK, processed, strange]) == Mentioned(
        reacted=frozenset({41}), bounced=frozenset({41})
    )


def test_unknown_types_are_saved_without_what_may_identify() -> None:
    assert saved({"event": "surprise", "email": ANA, "new_field": ANA, "timestamp": AT, **ARGS}) == [
        {"event": "surprise", "timestamp": AT, **ARGS}
    ]


def test_texts_are_saved_in_one_line_and_not_endlessly_long() -> None:
    (entry,) = saved(
        {"event": "deferred", "response": "451 later\r\n" + "a" * 3000, "timestamp": AT, "type": "x" * 999}
    )

    assert entry["response"] == "451 later " + "a" * 1990
    assert entry["type"] == "x" * 100


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"null", b"7", b'"text"', b"[", b"<html>", b"\xff\xfe", b'{"event": 1}', b' [{"event":"open"}]'),
        *(
            b"[NaN]",
            b"[" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'[{"a":1e999999}',
            b"[1,]",
            b"[{}] x",
            b"[{}][{}]",
        ),
    ],
    ids=lambda body: repr(body)[:20],
)
def test_what_is_no_array_of_json_has_no_entries(body: bytes) -> None:
    assert read_post(body) == ()


def test_the_button_that_tests_a_webhook_may_send_pairs() -> None:
    assert read_post(b'[{"Key":"event","Value":"open"}]') == ({"Key": "event", "Value": "open"},)
    assert saved({"Key": "event", "Value": ANA}) == [{}]


@pytest.mark.parametrize(
    "agent", [rb'"\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"', rb"1e400", rb"123456789012345678901234567890"]
)
def test_a_value_that_does_not_exist_keeps_no_other_entry_from_being_read(agent: bytes) -> None:
    body = b'[{"event":"open","useragent":' + agent + b"}," + body_of(BOUNCE)[1:]

    assert [entry["event"] for entry in read_post(body)] == ["open", "bounce"]
    broken = b'[{"event":"deferred","timestamp":' + agent + b',"response":' + agent + b"}]"
    orjson.dumps(saved(*read_post(broken)))
