"""What is recorded of a request, and what happens to one too many or one that meets a bug."""

import asyncio
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from newsletter.web.public import record
from newsletter.web.public.record import RequestFacts, RequestRecorder
from tests.web.public.conftest import ServedPages

Sent = list[MutableMapping[str, Any]]


def scope(agent: str | None = "Mozilla/5.0 (X11)", method: str = "GET") -> MutableMapping[str, Any]:
    headers = [] if agent is None else [(b"user-agent", agent.encode("latin-1"))]
    return {"type": "http", "method": method, "path": "/u/7-secret", "headers": headers}


async def answer(_scope: object, _receive: object, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def recorded(
    app: Any, asked: MutableMapping[str, Any], faults: list[Exception] | None = None
) -> tuple[RequestFacts, Sent]:
    """What is recorded of one request, and what was sent for it."""
    facts: list[RequestFacts] = []
    sent: Sent = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    on_fault = None if faults is None else faults.append
    recorder = RequestRecorder(app, on_request=facts.append, on_fault=on_fault, path="")
    with ThreadPoolExecutor(1) as thread:  # because a test with a browser leaves a loop in the main thread
        thread.submit(lambda: asyncio.run(recorder(asked, receive, send))).result()
    return facts[0], sent


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (None, "none"),
        ("", "none"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "browser"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "image proxy"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bot"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0", "bot"),
        ("SendGrid Event API", "SendGrid"),
        ("Mozilla/5.0 (Linux; Android 14; CUBOT KINGKONG 9) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "browser"),
        ("Slack-ImgProxy 1.19 (+https://api.slack.com/robots)", "bot"),
        ("python-httpx/0.28", "bot"),
        ("Mozilla/5.0", "other"),  # Apple's proxy, and others that do not say who they are
        ("ana@example.org\r\n\x1b[31m", "other"),
    ],
)
def test_of_the_agent_only_its_kind_is_recorded(agent: str | None, kind: str) -> None:
    facts, _ = recorded(answer, scope(agent))
    assert (facts.agent, facts.size_bytes, facts.status, facts.route) == (kind, 5, 200, "none")


def test_a_method_that_no_one_knows_has_no_name_of_its_own() -> None:
    assert recorded(answer, scope(method="JUMP"))[0].method == "other"
    assert recorded(answer, scope(method="POST"))[0].method == "POST"


def test_a_bug_is_reported_and_answered() -> None:
    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    faults: list[Exception] = []
    facts, sent = recorded(fails, scope(), faults)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    assert (facts.status, sent[0]["status"]) == (500, 500)


def test_one_request_too_many_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST_AT_ONCE", 0)
    facts, sent = recorded(answer, scope())
    assert (facts.status, sent[0]["status"]) == (503, 503)
    assert (b"retry-after", b"5") in sent[0]["headers"]


def test_a_monitor_hears_whether_the_database_can_be_read(served: ServedPages) -> None:
    answer = served.get("/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert "newsletter-client" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
