"""Serves the studio on loopback until it is interrupted."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.web.studio.live import Pulse
from newsletter.web.studio.preview import preview_app

HOST = "127.0.0.1"
DEFAULT_PORT = 8025
_PORTS_TRIED = 20


def serve_preview(config: Config, folder: Path, *, port: int | None, on_ready: Callable[[str], None]) -> None:
    """Serves the studio, opened at the issue in `folder`, until Ctrl-C; `on_ready` gets its address once it listens.

    Without a `port` the default one is taken, or the next that is free; port 0 lets the system choose.
    Raises InputError where a port that was asked for cannot be had.
    """
    listener = _any_listener() if port is None else _listener(port)
    url = f"http://{HOST}:{listener.getsockname()[1]}/"
    pulse = Pulse()
    settings = uvicorn.Config(
        preview_app(config, folder, pulse),
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(settings, on_ready=lambda: on_ready(url), on_stop=pulse.end)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn passes the signal on after it has closed everything: this is how the studio is left
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn's server, with a word when it listens, and one before it waits for its connections to end."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then says so."""
        await super().startup(sockets)
        if self.started:
            # In a thread, because what it opens may at once ask for the page, and wait for the answer.
            await asyncio.to_thread(self._on_ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams of open pages, for which it would otherwise wait."""
        self._on_stop()
        await super().shutdown(sockets)


def _any_listener() -> socket.socket:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED):
        try:
            return _listener(port)
        except InputError:
            continue
    return _listener(0)


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere this option means that two programs may share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as err:
        listener.close()
        raise InputError(f"the studio cannot listen on port {port}: {_reason(err)}") from err
    return listener


def _reason(error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return "there is no such port; choose one from 1024 to 65535"
    if error.errno == errno.EADDRINUSE:
        return "another program does; choose another --port, or leave it out to have a free one found"
    if error.errno == errno.EACCES:
        return "the system keeps it for itself; choose one from 1024 to 65535"
    return f"{error.strerror}; choose another --port, or leave it out to have a free one found"
