"""Serve the studio: a local website, reachable only from this machine (on the loopback interface), until Ctrl-C."""

import asyncio
import errno
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.finding import Means
from newsletter.web.studio.application import studio_app
from newsletter.web.studio.thrift import begin_small
from newsletter.web.studio.watch import Pulse
from newsletter.workflows.send.courier import Courier

HOST, _HOST_IPV6 = "127.0.0.1", "::1"
DEFAULT_PORT = 8025
_PORTS_TRIED = 20
_HIGHEST_PORT = 65535
_REASONS = {
    errno.EADDRINUSE: "another program is using it; delete --port from the command, and a free port will be used",
    errno.EACCES: "the system reserves it; choose a port from 1024 to 65535, for example --port 8030",
}


def serve_studio(
    config: Config,
    folder: Path,
    *,
    port: int | None,
    on_ready: Callable[[str], None],
    without: Collection[Means] = (),
    courier: Courier | None = None,
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve the studio for the issue in `folder` until Ctrl-C. What it is sending then ends after the current email.

    `on_ready` is called with the studio's URL when the server is ready, and `on_end` when nothing is sent anymore.
    Without a `port`, the default port is used, or the next free one. With port 0, the system chooses a free port. Raise
    InputError if the port cannot be used.
    """
    begin_small()
    listener = _any_listener() if port is None else _listener(port)
    port = int(listener.getsockname()[1])
    url = f"http://{HOST}:{port}/"
    listeners = [listener, *_ipv6_listeners(port)]
    pulse, courier = Pulse(), courier or Courier()
    settings = uvicorn.Config(
        studio_app(config, folder, pulse=pulse, courier=courier, without=without),
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        http="h11",
        loop="asyncio",
        ws="none",  # the studio uses no WebSockets, so they need no protection
        timeout_graceful_shutdown=1,
    )
    server = _Server(
        settings, on_ready=lambda: on_ready(url), on_signal=courier.ask_to_end, on_stop=pulse.end, on_end=on_end
    )
    try:
        server.run(sockets=listeners)
    except KeyboardInterrupt:
        pass  # the normal way to stop the studio: uvicorn raises the signal again after it has closed everything
    finally:
        for each in listeners:
            each.close()


class _Server(uvicorn.Server):
    """A uvicorn server that calls back when it is ready, when a signal asks it to end, and before it closes.

    It then waits for open connections to end.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_ready: Callable[[], None],
        on_signal: Callable[[], None],
        on_stop: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_signal = on_signal
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._on_end = on_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell at once that a signal has come. The server itself notices it a moment later."""
        self._on_signal()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call `on_ready`."""
        await super().startup(sockets)
        if self.started:
            # In a thread, because the callback may open a browser, which requests the page and waits for the response.
            await asyncio.to_thread(self._on_ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of open pages first, because the server would otherwise wait for them."""
        self._on_stop()
        await super().shutdown(sockets)
        self._on_end()  # here, because uvicorn raises the signal again afterward, and SIGTERM ends the process


def _any_listener() -> socket.socket:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED):
        with suppress(InputError):
            return _listener(port)
    return _listener(0)


def _ipv6_listeners(port: int) -> list[socket.socket]:
    """Listen at the IPv6 address of this machine too, where there is one and the port is free."""
    with suppress(OSError):
        return [socket.create_server((_HOST_IPV6, port), family=socket.AF_INET6)]
    return []


def _listener(port: int) -> socket.socket:
    if port > _HIGHEST_PORT:
        reason = "this port does not exist; choose a port from 1024 to 65535, for example --port 8030"
        raise InputError(f"the studio cannot listen on port {port}: {reason}")
    try:
        return socket.create_server((HOST, port))
    except OSError as err:
        reason = _REASONS.get(err.errno or 0, f"{err.strerror}; choose another port, for example --port 8030")
        raise InputError(f"the studio cannot listen on port {port}: {reason}") from err
