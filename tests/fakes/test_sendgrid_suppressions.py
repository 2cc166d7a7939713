"""The stand-in for SendGrid keeps the lists of whom an account does not mail, by the documented rules."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.sendgrid_api import SendGridApi
from tests.fakes.sendgrid_suppressions import LISTS
from tests.fakes.talk import ask

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
GLOBAL = "/v3/asm/suppressions/global"


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """The API on loopback, at a standing clock."""
    with SendGridApi() as running:
        running.now = NOW
        yield running


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_paged_within_a_window(api: SendGridApi, name: str) -> None:
    for hours in range(5):
        api.suppressions.put(name, f"person{hours}@example.org", NOW - timedelta(hours=hours))
    last_hours = f"start_time={int(NOW.timestamp()) - 3 * 3600}&end_time={int(NOW.timestamp()) - 3600}"

    pages = [_emails(api, f"/v3/suppression/{name}?{last_hours}&limit=2&offset={offset}") for offset in (0, 2, 4)]

    assert pages == [["person1@example.org", "person2@example.org"], ["person3@example.org"], []]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "offset=-1", "start_time=yesterday", "end_time=1.5", "page=2"]
)
def test_a_parameter_that_is_none_is_refused(api: SendGridApi, query: str) -> None:
    assert ask(api, "GET", f"/v3/suppression/bounces?{query}")[0] == 400


def test_addresses_are_added_to_those_who_left_all_or_none(api: SendGridApi) -> None:
    assert ask(api, "POST", GLOBAL, {"recipient_emails": ["ana@example.org", "nobody"]})[0] == 400
    assert ask(api, "POST", GLOBAL, {"recipient_emails": []})[0] == 400
    status, body, _ = ask(api, "POST", GLOBAL, {"recipient_emails": ["ana@example.org", "bo@example.org"]})

    assert (status, json.loads(body)) == (201, {"recipient_emails": ["ana@example.org", "bo@example.org"]})
    assert _emails(api, "/v3/suppression/unsubscribes") == ["ana@example.org", "bo@example.org"]


def test_an_address_is_taken_off_a_list(api: SendGridApi) -> None:
    api.suppressions.put("bounces", "ana@example.org", NOW)
    api.suppressions.put("unsubscribes", "ana@example.org", NOW)

    assert ask(api, "DELETE", "/v3/suppression/bounces/ana%40example.org")[0] == 204
    assert ask(api, "DELETE", "/v3/suppression/bounces/ana%40example.org")[0] == 404
    assert api.suppressions.emails("unsubscribes") == ["ana@example.org"]
    assert ask(api, "DELETE", f"{GLOBAL}/ana%40example.org")[0] == 204
    assert api.suppressions.emails("unsubscribes") == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v3/suppression/bounces", 405),
        ("DELETE", "/v3/suppression/unsubscribes/ana%40example.org", 404),
        ("GET", "/v3/suppression/drops", 404),
    ],
)
def test_what_the_api_does_not_have_is_refused(api: SendGridApi, method: str, path: str, status: int) -> None:
    assert ask(api, method, path)[0] == status


def _emails(api: SendGridApi, path: str) -> list[str]:
    status, body, _ = ask(api, "GET", path)
    assert status == 200
    return [row["email"] for row in json.loads(body)]
