"""A server on loopback that answers as SendGrid's Web API documents it: mail, schedules, log, suppressions, account.

It validates the whole of a request to send, names the index of what is wrong, queues or rejects the request, and keeps
what each recipient would get. Tests queue faults, each of which affects one of the next requests. The server does not
use the code under test.
"""

import json
import os
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes import sendgrid_logs
from tests.fakes.sendgrid_account import Account
from tests.fakes.sendgrid_answer import Answer
from tests.fakes.sendgrid_mail import AcceptedMail, is_sandbox, mails_of
from tests.fakes.sendgrid_rules import errors_of
from tests.fakes.sendgrid_schedules import Schedules
from tests.fakes.sendgrid_suppressions import LISTS, Suppressions

__all__ = ["AcceptedMail", "Answer", "Exchange", "Fault", "SendGridApi"]

LARGEST_REQUEST_BYTES = 30 * 1024 * 1024


class Fault(Enum):
    """Something that goes wrong with one request."""

    NONE = auto()  # nothing: the request is answered as usual
    HANG = auto()  # the request is read, and no answer comes
    RESET = auto()  # the connection is reset after the request was read; nothing is carried out
    QUEUE_THEN_RESET = auto()  # the same, but it is carried out: the mail is queued
    QUEUE_THEN_500 = auto()  # it is carried out, and the answer is an error
    TRUNCATE = auto()  # it is carried out, and the answer ends in its middle


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request as it arrived, and the answer that was made for it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    answer: Answer


class SendGridApi:
    """The server, for the length of a `with` block.

    `accepted` holds the queued emails, `validated` those of the sandbox, and `bodies` the requests of both. `requests`
    counts all requests, and `exchanges` keeps those answered as usual. `now` is the server's clock, if it is set.
    Requests wait while `answers` is cleared.
    """

    def __init__(self, *, api_key: str = "SG.test-key") -> None:
        self.api_key = api_key
        self.accepted: list[AcceptedMail] = []
        self.validated: list[AcceptedMail] = []
        self.bodies: list[bytes] = []
        self.exchanges: list[Exchange] = []
        self.requests = 0
        self.now: datetime | None = None
        self.has_log = True  # Email Logs are not part of every account
        self.schedules = Schedules()
        self.suppressions = Suppressions()
        self.account = Account()
        self.lock = threading.Lock()
        self.answers = threading.Event()
        self.answers.set()
        self._script: deque[Fault | Answer] = deque()
        self._stopping = threading.Event()

    def __enter__(self) -> "SendGridApi":
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What `api_url` is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def script(self, *steps: Fault | Answer) -> None:
        """Queues what happens to the next requests, one step each; later ones are answered as usual."""
        with self.lock:
            self._script.extend(steps)

    def delivered(self, at: datetime) -> list[AcceptedMail]:
        """What has really reached people by a moment, given what is held, cancelled and paused by now."""
        with self.lock:
            return [mail for mail in self.accepted if mail.leaves_at <= at and self.schedules.leaves(mail)]

    def next_step(self) -> Fault | Answer:
        """Counts a request and says what happens to it."""
        with self.lock:
            self.requests += 1
            return self._script.popleft() if self._script else Fault.NONE

    def hang(self) -> None:
        """Waits until the server stops, or for longer than any test's timeout."""
        self._stopping.wait(20)

    def answer(self, method: str, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Carries out a request, and keeps it with its answer."""
        path, query = urlsplit(address).path, dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
        answer = self._carry_out(method, path, query, headers, body)
        exchange = Exchange(method=method, path=path, query=query, headers=headers, body=body, answer=answer)
        with self.lock:
            self.exchanges.append(exchange)
        return answer

    def queue(self, request: Mapping[str, Any], body: bytes) -> str:
        """Keep the emails of a valid request. Return the request's message id."""
        with self.lock:
            message_id = f"fake{len(self.bodies) + 1:018d}"
            kept = self.validated if is_sandbox(request) else self.accepted
            kept += mails_of(request, message_id, now=self.clock())
            self.bodies.append(body)
        return message_id

    def clock(self) -> datetime:
        """What time it is for the server."""
        return self.now or datetime.now(UTC)

    def _carry_out(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        refusal = _refusal(headers, body, api_key=self.api_key)
        if refusal is not None:
            return refusal
        carry = _routes_to(path).get(method)
        if carry is None:
            return Answer.error(405, "method not allowed")
        try:
            content = json.loads(body) if body else {}
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return Answer.error(400, "Bad Request")
        place = unquote(path.rpartition("/")[2])
        return carry(self, Call(content=content, body=body, query=query, place=place, now=self.clock()))

    def send(self, call: "Call") -> Answer:
        """`POST /v3/mail/send`."""
        errors = errors_of(call.content, now=call.now, batch_ids=self.schedules.batch_ids)
        if errors:
            return Answer.errors(400, errors)
        message_id = self.queue(call.content, call.body)
        return Answer(status=200 if is_sandbox(call.content) else 202, headers={"X-Message-Id": message_id})

    def search(self, call: "Call") -> Answer:
        """`POST /v3/logs`."""
        return sendgrid_logs.search(call.content, self.accepted, now=call.now) if self.has_log else _FORBIDDEN

    def details(self, call: "Call") -> Answer:
        """`GET /v3/logs/{sg_message_id}`."""
        return sendgrid_logs.details(call.place, self.accepted, now=call.now) if self.has_log else _FORBIDDEN


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that is one."""

    content: dict[str, Any]
    body: bytes
    query: Mapping[str, str]
    place: str  # the last part of the path: an id, where the path ends in one
    now: datetime


def _refusal(headers: Mapping[str, str], body: bytes, *, api_key: str) -> Answer | None:
    """What is wrong with a request, whatever it asks for."""
    if headers.get("Authorization") != f"Bearer {api_key}":
        return Answer.error(401, "The provided authorization grant is invalid, expired, or revoked")
    if body and headers.get("Content-Type", "").partition(";")[0] != "application/json":
        return Answer.error(415, "Content-Type should be application/json.")
    return Answer.error(413, "Payload too large") if len(body) > LARGEST_REQUEST_BYTES else None


def _removal_from(name: str) -> "Callable[[SendGridApi, Call], Answer]":
    return lambda api, call: api.suppressions.remove(name, call.place)


_FORBIDDEN = Answer.error(403, "access forbidden")
_SCHEDULED = "/v3/user/scheduled_sends"
_GLOBAL = "/v3/asm/suppressions/global"
_ROUTES: dict[tuple[str, str], Callable[[SendGridApi, Call], Answer]] = {
    ("POST", "/v3/mail/send"): lambda api, call: api.send(call),
    ("POST", "/v3/mail/batch"): lambda api, _: api.schedules.open(),
    ("POST", _SCHEDULED): lambda api, call: api.schedules.set(call.content, call.now),
    ("GET", _SCHEDULED): lambda api, _: api.schedules.list(),
    ("GET", f"{_SCHEDULED}/[^/]+"): lambda api, call: api.schedules.get(call.place),
    ("PATCH", f"{_SCHEDULED}/[^/]+"): lambda api, call: api.schedules.change(call.place, call.content, call.now),
    ("DELETE", f"{_SCHEDULED}/[^/]+"): lambda api, call: api.schedules.undo(call.place, call.now),
    ("POST", "/v3/logs"): lambda api, call: api.search(call),
    ("GET", "/v3/logs/[^/]+"): lambda api, call: api.details(call),
    ("POST", _GLOBAL): lambda api, call: api.suppressions.add(call.content, call.now),
    ("DELETE", f"{_GLOBAL}/[^/]+"): lambda api, call: api.suppressions.remove("unsubscribes", call.place),
    ("GET", f"/v3/suppression/(?:{'|'.join(LISTS)})"): lambda api, call: api.suppressions.page(call.place, call.query),
    ("GET", "/v3/scopes"): lambda api, _: api.account.scopes_answer(),
    ("GET", "/v3/whitelabel/domains"): lambda api, call: api.account.domains_answer(call.query),
    **{("DELETE", f"/v3/suppression/{name}/[^/]+"): _removal_from(name) for name in LISTS if name != "unsubscribes"},
}


def _routes_to(path: str) -> dict[str, Callable[[SendGridApi, Call], Answer]]:
    """What may be done with an address, by method; nothing where there is no such address."""
    return {method: carry for (method, place), carry in _ROUTES.items() if re.fullmatch(place, path)}


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    api: SendGridApi

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        self._meet()

    def do_GET(self) -> None:
        self._meet()

    def do_PATCH(self) -> None:
        self._meet()

    def do_DELETE(self) -> None:
        self._meet()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps quiet."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` of an answer, by the server's own clock."""
        return format_datetime(self.server.api.clock(), usegmt=True)

    def _meet(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not _routes_to(urlsplit(self.path).path):
            self._give(Answer.error(404, "Not Found"))
            return
        api = self.server.api
        api.answers.wait()
        step = api.next_step()
        if isinstance(step, Answer):
            self._give(step)
        elif step is Fault.HANG:
            api.hang()
        elif step is Fault.RESET:
            self._reset()
        else:
            self._give_up(step, api.answer(self.command, self.path, dict(self.headers), body))

    def _give_up(self, fault: Fault, answer: Answer) -> None:
        """Gives the answer, or loses it; what a request asked for that is in order has happened by now."""
        if fault is Fault.NONE or answer.status >= 400:
            self._give(answer)
        elif fault is Fault.QUEUE_THEN_RESET:
            self._reset()
        elif fault is Fault.QUEUE_THEN_500:
            self._give(Answer.error(500, "Internal Server Error"))
        else:
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")
            self.close_connection = True

    def _give(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = True

    def _reset(self) -> None:
        """Ends the connection at once, without a good-bye: the client sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
