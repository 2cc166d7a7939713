"""Serve the pages for subscribers until the process is asked to end."""

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from threading import Event

import uvicorn
from msgspec import Struct, field
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.store.database import Database
from newsletter.store.group_writer import GroupWriter
from newsletter.store.service import service_key
from newsletter.system.environment import forget_key
from newsletter.system.log import Log, no_log
from newsletter.system.signals import Interruption, ending_signals
from newsletter.web.public.app import service_app
from newsletter.web.public.health import Metrics
from newsletter.web.public.record import OnFault, RequestFacts
from newsletter.web.public.service import Service
from newsletter.workflows.events.interpret import Interpreter
from newsletter.workflows.tracking.recorder import Recorder

_SECONDS_TO_FINISH = 20
_SECONDS_FOR_A_HEAD = 10.0
_LARGEST_HEAD = 16_384  # bytes
_LARGEST_REQUEST = 16_000_000  # bytes; the pages read less, but a body may be sent in tiny chunks
_WAITING_CONNECTIONS = 1024
_MOST_FILES = 8192  # each connection is one, so that a few thousand idle clients keep no one out
_REASONS = {
    errno.EADDRINUSE: "another program is using it; stop that program, or choose another port with --port",
    errno.EACCES: "the system reserves it; choose a port from 1024 to 65535, for example --port 8080",
}


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a process that serves pages does beside it."""

    interruption: Interruption  # asked when the process is asked to end
    beside: AbstractContextManager[None] = nullcontext()  # what runs as long as pages are served
    wanted: Event = field(default_factory=Event)  # set when someone has just asked for an email
    request_log: Log = no_log
    work_log: Log = no_log  # of everything else
    on_fault: OnFault | None = None  # called with an unexpected error


def serve_pages(
    config: Config,
    database: Database,
    *,
    host: str,
    port: int,
    surroundings: Surroundings,
    on_ready: Callable[[str], None],
) -> None:
    """Answer requests until Ctrl-C, SIGTERM or SIGHUP. Requests that have begun are then answered first.

    `on_ready` is called with the local URL when the server is ready. Raise InputError if a port cannot be used.
    """
    _allow_many_connections()
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_listener(host, port)))
        writer = stack.enter_context(GroupWriter(database))
        service_key(database)  # made before it is needed
        stack.enter_context(Interpreter(config, database, log=surroundings.work_log))
        recorder = stack.enter_context(Recorder(config, database, log=surroundings.work_log))
        service = Service(
            config=config,
            database=database,
            writer=writer,
            recorder=recorder,
            wanted=surroundings.wanted,
            key=forget_key(),
        )
        metrics = Metrics(service)
        stack.enter_context(metrics.served(config.settings.service.metrics_port))

        def on_request(facts: RequestFacts) -> None:
            metrics.count(facts)
            _log_request(surroundings.request_log, facts)

        app = service_app(service, on_request=on_request, on_fault=surroundings.on_fault)
        server = _PublicServer(_settings(app, config), on_ready=lambda: on_ready(_url(listener)))
        stack.enter_context(_ended_by_signals(server, surroundings.interruption))
        stack.enter_context(surroundings.beside)
        server.run(sockets=[listener])
        if server.fault is not None:
            raise server.fault


def _log_request(log: Log, facts: RequestFacts) -> None:
    log(
        "request",
        route=facts.route,
        method=facts.method,
        status=facts.status,
        bytes=facts.size_bytes,
        agent=facts.agent.value,
        milliseconds=round(facts.seconds * 1000),
    )


def _settings(app: object, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        log_level="critical",
        access_log=False,  # it would contain the links, which are secrets
        server_header=False,
        date_header=True,
        ws="none",
        http=_Protocol,
        loop="uvloop",
        proxy_headers=True,
        forwarded_allow_ips=list(config.settings.service.proxies),
        backlog=_WAITING_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        lifespan="off",
    )


class _Protocol(HttpToolsProtocol):
    """Uvicorn's protocol, with a deadline for the head of a request, so that no silent client keeps a connection.

    The parser stores whatever it is sent. So the sizes of a head and of a whole request are limited here.
    """

    _deadline: asyncio.TimerHandle | None = None
    _is_head_expected = True  # until the first head is complete, and again when another one begins
    _received = 0  # bytes of the request so far
    _arrived = 0  # bytes that have just arrived and count

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the head of a request from now on."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, and expect the rest of a head that is not complete."""
        self._arrived = len(data)
        super().data_received(data)
        self._received += self._arrived
        if self.transport.is_closing():
            return
        if self._received > (_LARGEST_HEAD if self._is_head_expected else _LARGEST_REQUEST):
            self.send_400_response("The request is too large.")
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._drop_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Expect the rest of a head."""
        self._is_head_expected, self._received = True, 0
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Count nothing of this request anymore."""
        self._arrived = 0
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Expect no more of the head. Raise ValueError if it does not say clearly which page of which host is meant.

        The parser makes status 400 of that (RFC 9112, section 3.2).
        """
        self._is_head_expected = False
        if not self.url.startswith(b"/") or sum(name == b"host" for name, _ in self.headers) > 1:
            raise ValueError("the request has no path, or several hosts")
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head. Fields after the body are ignored (RFC 9110, section 6.5.1)."""
        if self._is_head_expected:
            super().on_header(name, value)

    def _watch(self) -> None:
        if not self._is_head_expected:
            self._drop_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_SECONDS_FOR_A_HEAD, self._end_if_late)

    def _end_if_late(self) -> None:
        self._deadline = None
        if self._is_head_expected and not self.transport.is_closing():
            self.transport.close()

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _PublicServer(uvicorn.Server):
    """A uvicorn server that calls back when it is ready, and leaves signals to its caller."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.fault: Exception | None = None  # of `on_ready`

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Do nothing. Uvicorn itself would end the process before what runs beside the server has ended."""
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call `on_ready`."""
        await super().startup(sockets)
        if not self.started:
            return
        try:
            self._on_ready()
        except Exception as err:  # raised after the end, because uvloop would wait for ever for what is still open
            self.fault, self.should_exit = err, True


@contextmanager
def _ended_by_signals(server: uvicorn.Server, interruption: Interruption) -> Iterator[None]:
    """Ask the server and what runs beside it to end after the first signal. After the second, wait for nothing."""

    def on_signal(_number: int, _frame: object) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True
        interruption.ask()

    previous = {number: signal.signal(number, on_signal) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _allow_many_connections() -> None:
    _, most = getrlimit(RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        setrlimit(RLIMIT_NOFILE, (_MOST_FILES if most < 0 else min(_MOST_FILES, most), most))


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_WAITING_CONNECTIONS)
    except OSError as err:
        reason = _REASONS.get(err.errno or 0, f"{err.strerror}; give another --host or --port")
        raise InputError(f"the service cannot listen on {host} port {port}: {reason}") from err
