"""Leaving by one click, as a mailbox provider does it."""

from newsletter.checks.registry import check_issue
from tests.checks.network.surroundings import ONE_CLICK_PATH, Surroundings
from tests.fakes.web_server import Page


def test_the_post_is_the_one_that_mailbox_providers_make(surroundings: Surroundings) -> None:
    assert surroundings.faults("H4") == []

    request, look = surroundings.pages.requests
    assert (look.method, look.path, look.body) == ("GET", ONE_CLICK_PATH, b"")
    assert (request.method, request.path, request.body) == ("POST", ONE_CLICK_PATH, b"List-Unsubscribe=One-Click")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Cookie" not in request.headers
    assert "Authorization" not in request.headers


def test_a_redirect_is_not_followed(surroundings: Surroundings) -> None:
    surroundings.pages.pages[ONE_CLICK_PATH] = Page(status=302, location="/done")

    assert len(surroundings.faults("H4")) == 1
    assert surroundings.pages.asked("/done") == []


def test_pages_that_nobody_serves_are_told(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", f":{surroundings.pages.port}", ":1")

    (fault,) = surroundings.faults("H4")

    assert "refuses connections" in fault.what
    assert fault.place.line == 11


def test_a_host_that_does_not_exist_is_told(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", surroundings.pages.url, "https://nowhere.example.org")

    (fault,) = surroundings.faults("H4")

    assert "does not exist" in fault.what


def test_a_certificate_that_is_not_valid_is_told(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "https://127.0.0.1", "https://localhost")

    (fault,) = surroundings.faults("H4")

    assert "certificate" in fault.what


def test_a_host_inside_a_private_network_is_not_judged(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", surroundings.pages.url, "https://example.org")

    assert surroundings.faults("H4") == []
    assert surroundings.not_run("H4") == ["the unsubscribe page on example.org is at a private address, 10.0.0.1"]


def test_with_the_outbox_nothing_is_asked(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", 'use = "sendgrid"', 'use = "outbox"')

    verdict = check_issue(surroundings.workspace.subject(), surroundings.circumstances)

    reasons = {left_out.rule: left_out.why for left_out in verdict.not_run}
    for rule in ("D1", "D2", "D3", "D4", "D5", "D6", "H4"):
        assert reasons[rule] == 'email stays on this machine ([provider] use = "outbox")'
    assert surroundings.pages.requests == []
