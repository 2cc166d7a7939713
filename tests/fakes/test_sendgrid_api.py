"""The stand-in for SendGrid's API refuses what the documentation forbids."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.fakes.talk import REQUEST, ask


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """The API on loopback."""
    with SendGridApi() as running:
        yield running


def test_what_is_accepted_is_kept_as_each_recipient_gets_it(api: SendGridApi) -> None:
    status, _, headers = _post(api, REQUEST)

    assert status == 202
    assert [(mail.email, mail.subject, mail.text, mail.html) for mail in api.accepted] == [
        ("ana@example.org", "Hello Ana", "Dear Ana", "<p>Ana</p>"),
        ("ben@example.org", "Hello Ben", "Dear Ben", "<p>Ben</p>"),
    ]
    assert {mail.message_id for mail in api.accepted} == {headers["X-Message-Id"]}


def test_the_sandbox_answers_200_and_queues_nothing(api: SendGridApi) -> None:
    status, _, _ = _post(api, {**REQUEST, "mail_settings": {"sandbox_mode": {"enable": True}}})

    assert status == 200
    assert not api.accepted


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        ("from", None, "from.email"),
        ("subject", None, "subject"),
        ("content", None, "content"),
        ("content", REQUEST["content"][::-1], "content"),
        ("content.0.value", "", "content.0.value"),
        ("personalizations", [], "personalizations"),
        ("personalizations", REQUEST["personalizations"] * 501, "personalizations"),
        ("personalizations.1.to", None, "personalizations.1.to"),
        ("personalizations.1.to.0.email", "x", "personalizations.1.to.0.email"),
        ("personalizations.1.to.0.name", "a;b", "personalizations.1.to.0.name"),
        ("personalizations.0.substitutions", {"a": 1}, "personalizations.0.substitutions"),
        ("personalizations.0.custom_args", {"a": "x" * 10_001}, "personalizations.0.custom_args"),
        ("personalizations.0.headers", {"Received": "x"}, "personalizations.0.headers.Received"),
        ("headers", {"List-Id": "é"}, "headers.List-Id"),
        ("categories", ["a", "a"], "categories"),
        ("attachments", [{"content": ""}], "attachments.0"),
    ],
)
def test_one_mistake_refuses_the_whole_request_and_is_named(
    api: SendGridApi, place: str, value: object, field: str
) -> None:
    request = _with(REQUEST, place, value)

    status, body, _ = _post(api, request)

    assert status == 400
    assert field in [error["field"] for error in json.loads(body)["errors"]]
    assert not api.accepted


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"Authorization": "Bearer wrong"}, "/v3/mail/send", 401),
        ({"Content-Type": "text/plain"}, "/v3/mail/send", 415),
        ({}, "/v3/mail", 404),
    ],
)
def test_a_request_that_is_not_one_is_refused(
    api: SendGridApi, headers: dict[str, str], path: str, status: int
) -> None:
    assert _post(api, REQUEST, headers=headers, path=path)[0] == status


def test_a_script_befalls_one_request_a_step(api: SendGridApi) -> None:
    api.script(Answer.error(429, "slow down", Retry_After="3"), Answer(status=503))

    answers = [_post(api, REQUEST) for _ in range(3)]

    assert [status for status, _, _ in answers] == [429, 503, 202]
    assert answers[0][2]["Retry-After"] == "3"
    assert api.requests == 3
    assert len(api.accepted) == 2


def _with(request: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """A copy of the request with another value at a place; None takes the key out."""
    changed: Any = copy.deepcopy(request)
    *leading, last = place.split(".")
    holder = changed
    for key in leading:
        holder = holder[int(key) if key.isdecimal() else key]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    return dict(changed)


def _post(
    api: SendGridApi, request: object, *, headers: dict[str, str] | None = None, path: str = "/v3/mail/send"
) -> tuple[int, bytes, dict[str, str]]:
    return ask(api, "POST", path, request, headers=headers)
