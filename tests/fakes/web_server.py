"""A real web server on loopback, with TLS if a test wants it, that answers each path as the test says."""

import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Page:
    """How a path is answered."""

    status: int = 200
    head_status: int | None = None  # the answer to HEAD, if it differs
    post_status: int | None = None  # the answer to POST, if it differs
    location: str | None = None
    body: bytes = b"ok"
    hangs: bool = False  # no answer comes, until the server stops
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class WebServer:
    """The server, for the length of a `with` block; a path that no page has is 404."""

    tls: ssl.SSLContext | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    most_at_once: int = 0
    now_asked: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "WebServer":
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.web = self
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, by number, without a slash at the end."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[str]:
        """By which methods a path was asked, in order."""
        return [request.method for request in self.requests if request.path == path]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 32
    web: WebServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust the certificate, or goes away, is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps quiet."""

    def _answer(self) -> None:
        web = self.server.web
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(method=self.command, path=self.path, headers=dict(self.headers), body=body)
        with web.lock:
            web.requests.append(request)
            web.now_asked += 1
            web.most_at_once = max(web.most_at_once, web.now_asked)
        page = web.pages.get(self.path.partition("?")[0], Page(status=404))
        if page.hangs:
            web.stopping.wait(20)
        with web.lock:
            web.now_asked -= 1
        is_head = self.command == "HEAD"
        other = {"HEAD": page.head_status, "POST": page.post_status}.get(self.command)
        self.send_response(page.status if other is None else other)
        for name, value in page.headers.items():
            self.send_header(name, value)
        if page.location is not None:
            self.send_header("Location", page.location)
        self.send_header("Content-Length", "0" if is_head else str(len(page.body)))
        self.end_headers()
        if not is_head:
            with suppress(OSError):  # a client may hear enough before the end
                self.wfile.write(page.body)
