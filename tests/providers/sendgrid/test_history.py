"""What SendGrid's log proves about a chunk that may have been taken."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from newsletter.errors import ProviderError
from newsletter.model.broadcast import Verdict
from newsletter.providers.base import Provider
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.mailings import chunk, mailing, recipient
from tests.providers.sendgrid.parts import API_KEY, log_of, submit, unknown
from tests.providers.workspace import NOW

ANA, BEN = recipient(1, "ana@example.org"), recipient(2, "ben@example.org")


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
