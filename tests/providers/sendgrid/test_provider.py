"""What SendGrid's API may do to a request, and what is known of its recipients afterwards."""

import dataclasses
import json
import logging
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import format_datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.model.broadcast import NextStep, Outcome, Recipient, Verdict
from newsletter.model.rendered import Picture
from newsletter.providers.base import Provider
from newsletter.providers.sendgrid.client import SendGridAccount
from newsletter.settings.provider import SendGridSettings
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.mailings import ENVELOPE, chunk, mailing, recipient, variant
from tests.providers.sendgrid.parts import API_KEY, sendgrid, submit
from tests.providers.workspace import NOW, opened, sendgrid_settings

PEOPLE = tuple(recipient(number, f"person{number}@example.org") for number in range(1, 7))


def test_an_accepted_request_has_the_message_id_of_its_events(api: SendGridApi, provider: Provider) -> None:
    outcome = submit(provider, chunk(*PEOPLE))

    assert outcome == Outcome(verdict=Verdict.ACCEPTED, message_id=api.accepted[0].message_id)
    assert outcome.message_id
    assert api.requests == 1


def test_a_thousand_recipients_go_in_one_request(api: SendGridApi, provider: Provider) -> None:
    people = [recipient(number, f"person{number}@example.org") for number in range(1000)]

    outcome = submit(provider, chunk(*people))

    assert outcome.verdict is Verdict.ACCEPTED
    assert api.requests == 1
    assert [mail.email for mail in api.accepted] == [person.email for person in people]


def test_events_can_be_traced_to_the_delivery(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(*PEOPLE[:2], number=12, attempt=3))

    assert [mail.custom_args for mail in api.accepted] == [
        {"nl_broadcast": "b7", "nl_chunk": "12", "nl_attempt": "3", "nl_delivery": delivery} for delivery in ("1", "2")
    ]
    assert {mail.categories for mail in api.accepted} == {("issue-2026-02",)}


def test_sendgrid_adds_no_unsubscribe_link_of_its_own(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(*PEOPLE))

    assert json.loads(api.bodies[0])["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
    }


def test_the_name_of_the_list_may_hold_any_sign(api: SendGridApi, provider: Provider) -> None:
    plain, other = (replace(ENVELOPE, list_name=name) for name in ('The "Gentle" Letter', "Das leise Gespräch " * 4))

    submit(provider, chunk(PEOPLE[0], of=mailing(envelope=plain)))
    submit(provider, chunk(PEOPLE[1], of=mailing(envelope=other)))

    first, second = (mail.headers["List-Id"] for mail in api.accepted)
    assert first == r'"The \"Gentle\" Letter" <letter.example.org>'
    assert str(make_header(decode_header(second))) == f"{other.list_name.strip()} <letter.example.org>"


def test_a_name_loses_the_signs_that_sendgrid_refuses(api: SendGridApi, provider: Provider) -> None:
    submit(
        provider,
        chunk(recipient(1, "ana@example.org", name="Lima, Ana; Dr."), recipient(2, "ben@example.org", name=",")),
    )

    assert [mail.name for mail in api.accepted] == ["Lima Ana Dr.", ""]


def test_refused_addresses_are_invalid_and_the_others_can_be_tried_again(api: SendGridApi, provider: Provider) -> None:
    # The first is left out before the request, so that the API's indexes are not those of the chunk.
    people = (recipient(1, "nobody"), recipient(2, "ben@nowhere"), recipient(3, "cem@example.org"))

    first = submit(provider, chunk(*people))
    second = submit(provider, chunk(*(person for person in people if person.delivery not in first.invalid), attempt=2))

    assert (first.verdict, first.next_step) == (Verdict.READY, NextStep.GO_ON)
    assert set(first.invalid) == first.undeliverable == {1, 2}
    assert first.invalid[2] == "Does not contain a valid address."
    assert second.verdict is Verdict.ACCEPTED
    assert [mail.email for mail in api.accepted] == ["cem@example.org"]


@pytest.mark.parametrize(
    ("field", "message", "is_undeliverable"),
    [
        ("personalizations.0.to.0.email", "Does not contain a valid address.", True),
        ("personalizations.0.to", "Does not contain a valid address.", True),
        ("personalizations[0].to[0].email", "Does not contain a valid address.", True),
        ("personalizations.0.to.0.name", "The name must not hold an address.", False),
        ("personalizations.0.substitutions", "The values may be at most 10000 bytes in all.", False),
        ("personalizations.0.to", "The to array is too long.", False),
    ],
)
def test_only_a_refusal_of_the_address_itself_makes_it_undeliverable(
    api: SendGridApi, provider: Provider, field: str, message: str, is_undeliverable: bool
) -> None:
    api.script(Answer.error(400, message, of=field))

    outcome = submit(provider, chunk(*PEOPLE))

    assert set(outcome.invalid) == {1}
    assert outcome.undeliverable == ({1} if is_undeliverable else set())


def test_an_address_outside_ascii_waits_for_a_provider_that_carries_it(api: SendGridApi, provider: Provider) -> None:
    outcome = submit(provider, chunk(recipient(1, "josé@example.org"), recipient(2, "ana@bücher.example")))

    assert set(outcome.invalid) == {1}
    assert not outcome.undeliverable
    assert [mail.email for mail in api.accepted] == ["ana@xn--bcher-kva.example"]


def test_an_issue_of_any_name_has_a_category(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(PEOPLE[0], of=replace(mailing(), category="März " * 60 + "-b7")))

    (category,) = api.accepted[0].categories
    assert category.endswith("-b7")


def test_all_refused_addresses_are_found_at_once(api: SendGridApi, provider: Provider) -> None:
    outcome = submit(provider, chunk(*(recipient(number, f"person{number}@nowhere") for number in range(5))))

    assert set(outcome.invalid) == {0, 1, 2, 3, 4}
    assert api.requests == 1


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("The subject is required.", "subject"),
        ("The header Received is reserved.", "personalizations.0.headers.Received"),
        ("Each email address in the personalization block should be unique.", "personalizations"),
        ("Does not contain a valid address.", "personalizations.77.to.0.email"),
        ("Bad Request", None),
    ],
)
def test_a_refusal_of_the_message_stops(api: SendGridApi, provider: Provider, message: str, field: str | None) -> None:
    api.script(Answer.error(400, message, of=field))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.REJECTED, NextStep.STOP)
    assert message in outcome.reason
    assert not outcome.invalid


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "credits"),
        (401, "SENDGRID_API_KEY"),
        (402, "resume"),
        (403, "sender is verified"),
        (404, "region and api_url"),
        (405, "region and api_url"),
    ],
)
def test_what_a_person_must_mend_pauses(api: SendGridApi, provider: Provider, status: int, advice: str) -> None:
    api.script(Answer.error(status, f"no: Bearer {API_KEY}"))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert str(status) in outcome.reason
    assert advice in outcome.reason
    assert API_KEY not in repr(outcome)


def test_a_wrong_key_pauses_and_stays_secret(api: SendGridApi, tmp_path: Path) -> None:
    provider = opened(tmp_path, sendgrid_settings(api.url), {"SENDGRID_API_KEY": "SG.another"})

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "SG.another" not in repr(outcome)
    assert not api.accepted


def test_neither_key_nor_addresses_are_logged(
    api: SendGridApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    submit(sendgrid(tmp_path, api.url), chunk(*PEOPLE))

    assert API_KEY not in caplog.text
    assert PEOPLE[0].email not in caplog.text


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 42)}, 42.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) - 5)}, None),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) - 5), "Retry-After": "7"}, 7.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 42), "Retry-After": "7"}, 42.0),
        ({"X-RateLimit-Reset": "5"}, 5.0),
        ({"X-RateLimit-Reset": "0.2"}, 1.0),
        ({"X-RateLimit-Reset": "0"}, None),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 999_999)}, 3600.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}, 9.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 400}, 3600.0),
        ({"X-RateLimit-Reset": "9" * 5000}, 3600.0),
        ({"Retry-After": format_datetime(NOW - timedelta(seconds=9), usegmt=True)}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "Thu, 19 Feb 2026 16:00:09 +99999999999999999999"}, None),
        ({}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_sendgrid_asks(
    api: SendGridApi, provider: Provider, headers: dict[str, str], seconds: float | None
) -> None:
    api.now = NOW
    api.script(dataclasses.replace(Answer.error(429, "too many requests"), headers=headers))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)
    assert outcome.retry_after_seconds == seconds


@pytest.mark.parametrize("off_by", [timedelta(hours=-7), timedelta(hours=7)])
@pytest.mark.parametrize("header", ["X-RateLimit-Reset", "Retry-After"])
def test_a_moment_is_understood_by_the_clock_of_the_server(
    api: SendGridApi, provider: Provider, header: str, off_by: timedelta
) -> None:
    api.now = NOW + off_by
    moment = api.now + timedelta(seconds=42)
    value = str(int(moment.timestamp())) if header == "X-RateLimit-Reset" else format_datetime(moment, usegmt=True)
    api.script(dataclasses.replace(Answer.error(429, "too many requests"), headers={header: value}))

    assert submit(provider, chunk(*PEOPLE)).retry_after_seconds == 42.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_the_server_leaves_all_unknown(api: SendGridApi, provider: Provider, status: int) -> None:
    api.script(Answer(status=status, body=b"<html>Bad gateway</html>"))

    outcome = submit(provider, chunk(*PEOPLE))

    assert outcome.verdict is Verdict.UNKNOWN
    assert str(status) in outcome.reason


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.QUEUE_THEN_RESET, Fault.QUEUE_THEN_500, Fault.TRUNCATE])
def test_a_lost_answer_leaves_all_unknown(api: SendGridApi, provider: Provider, fault: Fault) -> None:
    api.script(fault)

    outcome = submit(provider, chunk(*PEOPLE))

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.reason
    assert api.requests == 1  # it is never tried again by itself


def test_an_answer_that_never_comes_leaves_all_unknown(api: SendGridApi, tmp_path: Path) -> None:
    api.script(Fault.HANG)

    outcome = submit(sendgrid(tmp_path, api.url, more="timeout_seconds = 0.3"), chunk(*PEOPLE))

    assert outcome.verdict is Verdict.UNKNOWN


def test_where_nothing_listens_all_is_unsent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    outcome = submit(sendgrid(tmp_path, url), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)


def test_a_connection_lost_while_sending_leaves_all_unsent(tmp_path: Path) -> None:
    large = Picture(name="p.png", content_type="image/png", content=bytes(15_000_000), width=1, height=1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept_and_reset, args=(listening,))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        outcome = submit(sendgrid(tmp_path, url), chunk(*PEOPLE, of=mailing(variant(pictures=(large,)))))
        thread.join()

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)


def test_a_request_too_large_is_split(api: SendGridApi, provider: Provider) -> None:
    api.script(Answer.error(413, "Payload too large"))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.SPLIT)


def test_a_request_too_large_by_our_own_count_is_not_sent(api: SendGridApi, provider: Provider) -> None:
    huge = Picture(name="p.png", content_type="image/png", content=bytes(23_000_000), width=1, height=1)
    made = mailing(variant(pictures=(huge,)))

    many = submit(provider, chunk(*PEOPLE, of=made))
    one = submit(provider, chunk(PEOPLE[0], of=made))

    assert (many.verdict, many.next_step) == (Verdict.READY, NextStep.SPLIT)
    assert (one.verdict, one.next_step) == (Verdict.REJECTED, NextStep.STOP)
    assert api.requests == 0


def test_values_too_long_for_sendgrid_make_one_recipient_invalid(api: SendGridApi, provider: Provider) -> None:
    outcome = submit(provider, chunk(recipient(1, "ana@example.org", "é" * 2000), PEOPLE[1]))

    assert outcome.verdict is Verdict.ACCEPTED
    assert set(outcome.invalid) == {1}
    assert not outcome.undeliverable
    assert "10,000" in outcome.invalid[1]
    assert [mail.email for mail in api.accepted] == [PEOPLE[1].email]


def test_a_chunk_without_a_valid_address_makes_no_request(api: SendGridApi, provider: Provider) -> None:
    outcome = submit(provider, chunk(recipient(1, "nobody"), recipient(2, "no one@example.org")))

    assert set(outcome.invalid) == {1, 2}
    assert api.requests == 0


def test_the_sandbox_sends_nothing_and_says_so(api: SendGridApi, tmp_path: Path) -> None:
    provider = sendgrid(tmp_path, api.url, more="sandbox = true")

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "sandbox" in outcome.reason
    assert "sandbox on" in provider.describe()
    assert not api.accepted
    assert len(api.validated) == len(PEOPLE)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_takes_the_key_nowhere(api: SendGridApi, tmp_path: Path, status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/v3/mail/send"
        api.script(Answer(status=status, headers={"Location": location}))
        outcome = submit(sendgrid(tmp_path, api.url, more="timeout_seconds = 1"), chunk(*PEOPLE))
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):  # no one came
            elsewhere.accept()

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "api_url" in outcome.reason


def test_an_answer_to_be_fetched_elsewhere_is_unknown(api: SendGridApi, provider: Provider) -> None:
    api.script(Answer(status=303, headers={"Location": f"{api.url}/v3/mail/send"}))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.UNKNOWN, NextStep.PAUSE)


def test_an_address_that_cannot_be_reached_is_surely_not_handed_over(tmp_path: Path) -> None:
    outcome = submit(sendgrid(tmp_path, "http://127.0.0.1:8O80"), chunk(*PEOPLE))

    assert outcome.verdict is Verdict.READY


def test_a_success_that_is_not_an_acceptance_is_unknown(api: SendGridApi, provider: Provider) -> None:
    api.script(Answer(status=200))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.UNKNOWN, NextStep.PAUSE)


def test_sessions_work_side_by_side(api: SendGridApi, provider: Provider) -> None:
    def carry(number: int) -> Outcome:
        people: list[Recipient] = [recipient(number * 100 + one, f"p{number}-{one}@example.org") for one in range(50)]
        return submit(provider, chunk(*people, number=number))

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(carry, range(8)))

    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    assert len({mail.email for mail in api.accepted}) == len(api.accepted) == 400


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (SendGridSettings(), "https://api.sendgrid.com"),
        (SendGridSettings(region="eu"), "https://api.eu.sendgrid.com"),
        (SendGridSettings(region="eu", api_url="http://127.0.0.1:9"), "http://127.0.0.1:9"),
    ],
)
def test_the_region_decides_the_host(settings: SendGridSettings, host: str) -> None:
    assert SendGridAccount(settings=settings, api_key="", clock=lambda: NOW).host == host


def test_sendgrid_is_described_by_its_region_and_sandbox(tmp_path: Path) -> None:
    settings = '[provider]\nuse = "sendgrid"\n[provider.sendgrid]\nregion = "eu"\nconcurrency = 9\n'

    provider = opened(tmp_path, settings, {"SENDGRID_API_KEY": API_KEY})

    assert provider.describe() == "SendGrid (eu), sandbox off"
    assert provider.concurrency == 9


def _accept_and_reset(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
