"""Serve the pages for subscribers until the process is asked to end."""

import errno
import socket
from collections.abc import Callable

import uvicorn

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.store.database import Database
from newsletter.store.group_writer import GroupWriter
from newsletter.web.public.app import service_app
from newsletter.web.public.service import Service
from newsletter.workflows.events.interpret import Interpreter

_SECONDS_TO_FINISH = 20
_MOST_CONNECTIONS = 500
_LARGEST_HEAD = 16_384  # bytes
_REASONS = {
    errno.EADDRINUSE: "another program is using it; stop that program, or choose another port with --port",
    errno.EACCES: "the system reserves it; choose a port from 1024 to 65535, for example --port 8080",
}


def serve_pages(config: Config, database: Database, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Answer requests until Ctrl-C or SIGTERM. Requests that have begun are then answered first.

    `on_ready` is called with the local URL when the server is ready. Raise InputError if the port cannot be used.
    """
    listener = _listener(host, port)
    with GroupWriter(database) as writer, Interpreter(config, database):
        service = Service(config=config, database=database, writer=writer)
        server = _PublicServer(_settings(service), on_ready=lambda: on_ready(_url(listener)))
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            pass  # uvicorn raises the signal again after it has answered everything
        finally:
            listener.close()


def _settings(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        service_app(service),
        log_config=None,
        log_level="critical",
        access_log=False,  # it would contain the links, which are secrets
        server_header=False,
        date_header=True,
        ws="none",
        http="h11",
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        proxy_headers=True,
        forwarded_allow_ips=list(service.config.settings.service.proxies),
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        lifespan="on",
    )


class _PublicServer(uvicorn.Server):
    """A uvicorn server that calls back when it is ready."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call `on_ready`."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as err:
        reason = _REASONS.get(err.errno or 0, f"{err.strerror}; give another --host or --port")
        raise InputError(f"the service cannot listen on {host} port {port}: {reason}") from err
