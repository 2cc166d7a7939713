"""Talks to the stand-in for SendGrid's API as any client would."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.fakes.sendgrid_api import SendGridApi

REQUEST: dict[str, Any] = {
    "from": {"email": "letter@example.org"},
    "subject": "Hello %name%",
    "content": [{"type": "text/plain", "value": "Dear %name%"}, {"type": "text/html", "value": "<p>%name%</p>"}],
    "personalizations": [
        {"to": [{"email": "ana@example.org"}], "substitutions": {"%name%": "Ana"}},
        {"to": [{"email": "ben@example.org", "name": "Ben"}], "substitutions": {"%name%": "Ben"}},
    ],
}


def ask(
    api: SendGridApi, method: str, path: str, content: object = None, *, headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """The status, the body and the headers of the answer to one request."""
    sent = {"Authorization": f"Bearer {api.api_key}", "Content-Type": "application/json", **(headers or {})}
    data = None if content is None else json.dumps(content).encode()
    made = urllib.request.Request(f"{api.url}{path}", data=data, headers=sent, method=method)
    try:
        with urllib.request.urlopen(made, timeout=5) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)
