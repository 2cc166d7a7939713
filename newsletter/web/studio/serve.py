"""Serve the studio on loopback until it is interrupted."""

import asyncio
import errno
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
_HIGHEST_PORT = 65535
_REASONS = {
    errno.EADDRINUSE: "another program does; choose another --port, or leave it out to have a free one found",
    errno.EACCES: "the system keeps it for itself; choose one from 1024 to 65535",
}


def serve_preview(config: Config, folder: Path, *, port: int | None, on_ready: Callable[[str], None]) -> None:
    """Serve the studio, opened at the issue in `folder`, until Ctrl-C. `on_ready` gets its URL once it listens.

    Without a `port` the default one is taken, or the next one that is free; port 0 lets the system choose.

    Raise InputError if the port cannot be had.
    """
    listener = _any_listener() if port is None else _listener(port)
    url = f"http://{HOST}:{listener.getsockname()[1]}/"
    pulse = Pulse()
    settings = uvicorn.Config(
        preview_app(config, folder, pulse=pulse),
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        ws="none",  # the studio has no WebSockets, so none need guarding
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
    """uvicorn's server, which also says when it listens, and when it is about to wait for its connections to end."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            # In a thread: it may open a browser, which asks for the page at once and waits for the answer.
            await asyncio.to_thread(self._on_ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of open pages, which the server would otherwise wait for."""
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
    if port > _HIGHEST_PORT:
        raise InputError(
            f"the studio cannot listen on port {port}: there is no such port; choose one from 1024 to 65535"
        )
    try:
        return socket.create_server((HOST, port))
    except OSError as err:
        reason = _REASONS.get(err.errno or 0, f"{err.strerror}; choose another --port")
        raise InputError(f"the studio cannot listen on port {port}: {reason}") from err
