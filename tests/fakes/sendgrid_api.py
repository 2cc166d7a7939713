"""A server on loopback that answers `POST /v3/mail/send` as SendGrid's Web API documents it.

It validates a request as a whole and names the index of what is wrong, queues it or not, and keeps what each recipient
would get. Tests queue faults: the next requests fall victim to them, one each. It knows nothing of the code under test.
"""

import json
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.sendgrid_rules import ApiError, errors_of

LARGEST_REQUEST_BYTES = 30 * 1024 * 1024


class Fault(Enum):
    """Something that goes wrong with one request."""

    NONE = auto()  # nothing: the request is answered as usual
    HANG = auto()  # the request is read, and no answer comes
    RESET = auto()  # the connection is reset after the request was read; nothing is queued
    QUEUE_THEN_RESET = auto()  # the same, but the mail is queued
    QUEUE_THEN_500 = auto()  # the mail is queued, and the answer is an error
    TRUNCATE = auto()  # the mail is queued, and the answer ends in its middle


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A scripted answer instead of the usual one; nothing is queued."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def error(cls, status: int, message: str, *, of: str | None = None, **headers: str) -> "Answer":
        """An answer with one error in SendGrid's form; `of` is the field, header names have `_` for `-`."""
        body = _error_body([ApiError(message, of)])
        return cls(status=status, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


@dataclass(frozen=True, kw_only=True)
class AcceptedMail:
    """What one recipient would get."""

    email: str
    name: str
    sender: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    custom_args: Mapping[str, str]
    categories: tuple[str, ...]
    attachments: tuple[Mapping[str, str], ...]
    message_id: str  # of the request


class SendGridApi:
    """The server, for the length of a `with` block.

    `accepted` holds the queued mails, `validated` those of the sandbox, `requests` counts every request that arrived.
    """

    def __init__(self, *, api_key: str = "SG.test-key") -> None:
        self.api_key = api_key
        self.accepted: list[AcceptedMail] = []
        self.validated: list[AcceptedMail] = []
        self.bodies: list[bytes] = []
        self.requests = 0
        self.lock = threading.Lock()
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

    def next_step(self) -> Fault | Answer:
        """Counts a request and says what happens to it."""
        with self.lock:
            self.requests += 1
            return self._script.popleft() if self._script else Fault.NONE

    def hang(self) -> None:
        """Waits until the server stops, or for longer than any test's timeout."""
        self._stopping.wait(20)

    def queue(self, request: Mapping[str, Any], body: bytes) -> str:
        """Keeps the mails of a valid request; the request's message id."""
        with self.lock:
            message_id = f"fake{self.requests:018d}"
            kept = self.validated if _is_sandbox(request) else self.accepted
            kept += _mails(request, message_id)
            self.bodies.append(body)
        return message_id


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
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        api = self.server.api
        self.step = step = api.next_step()
        if isinstance(step, Answer):
            self._answer(step.status, step.body, step.headers)
        elif step is Fault.HANG:
            api.hang()
        elif step is Fault.RESET:
            self._reset()
        else:
            self._serve(body)

    def do_GET(self) -> None:
        self._answer(405, _error_body([ApiError("POST method allowed only")]))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps quiet."""

    def _serve(self, body: bytes) -> None:
        status, errors, request = self._judge(body)
        if errors:
            self._answer(status, _error_body(errors))
            return
        message_id = self.server.api.queue(request, body)
        if self.step is Fault.QUEUE_THEN_RESET:
            self._reset()
        elif self.step is Fault.QUEUE_THEN_500:
            self._answer(500, _error_body([ApiError("Internal Server Error")]))
        elif self.step is Fault.TRUNCATE:
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")
            self.close_connection = True
        else:
            self._answer(200 if _is_sandbox(request) else 202, b"", {"X-Message-Id": message_id})

    def _judge(self, body: bytes) -> tuple[int, list[ApiError], dict[str, Any]]:
        if self.path != "/v3/mail/send":
            return 404, [ApiError("Not Found")], {}
        if self.headers.get("Authorization") != f"Bearer {self.server.api.api_key}":
            return 401, [ApiError("The provided authorization grant is invalid, expired, or revoked")], {}
        if self.headers.get_content_type() != "application/json":
            return 415, [ApiError("Content-Type should be application/json.")], {}
        if len(body) > LARGEST_REQUEST_BYTES:
            return 413, [ApiError("Payload too large")], {}
        try:
            request = json.loads(body)
        except ValueError:
            return 400, [ApiError("Bad Request")], {}
        return 400, errors_of(request), request

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def _reset(self) -> None:
        """Ends the connection at once, without a good-bye: the client sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def _error_body(errors: list[ApiError]) -> bytes:
    listed = [{"message": error.message, "field": error.field, "help": None} for error in errors]
    return json.dumps({"errors": listed}).encode()


def _is_sandbox(request: Mapping[str, Any]) -> bool:
    return bool(request.get("mail_settings", {}).get("sandbox_mode", {}).get("enable", False))


def _mails(request: Mapping[str, Any], message_id: str) -> list[AcceptedMail]:
    bodies = {part["type"]: part["value"] for part in request["content"]}
    mails: list[AcceptedMail] = []
    for one in request["personalizations"]:
        values = one.get("substitutions", {})
        mails += [
            AcceptedMail(
                email=to["email"],
                name=to.get("name", ""),
                sender=request["from"]["email"],
                reply_to=request.get("reply_to", {}).get("email", ""),
                subject=_substituted(one.get("subject", request.get("subject", "")), values),
                text=_substituted(bodies.get("text/plain", ""), values),
                html=_substituted(bodies.get("text/html", ""), values),
                headers={**request.get("headers", {}), **one.get("headers", {})},
                custom_args={**request.get("custom_args", {}), **one.get("custom_args", {})},
                categories=tuple(request.get("categories", ())),
                attachments=tuple(request.get("attachments", ())),
                message_id=message_id,
            )
            for to in one["to"]
        ]
    return mails


def _substituted(text: str, values: Mapping[str, str]) -> str:
    """One tag after the other, so that a value which holds a later tag shows: the worst that can be expected."""
    for tag, value in values.items():
        text = text.replace(tag, value)
    return text
