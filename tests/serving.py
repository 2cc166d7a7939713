"""An app behind a real server on loopback, in a thread of the test's own process."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

_SECONDS_TO_FINISH = 1  # for requests that have not been answered when the test ends


@contextmanager
def served_app(app: Any, listener: socket.socket | None = None, **settings: Any) -> Iterator[int]:
    """Serve an ASGI app; by default at a port of its own. Yield the port. `settings` are more settings of uvicorn."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    server = _Server(uvicorn.Config(app, log_config=None, **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield port
    finally:
        server.end()
        thread.join()
        listener.close()


class _Server(uvicorn.Server):
    """A server that ends at once. Uvicorn's own looks every 0.1 s whether it shall, and then waits another 0.1 s."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._running = threading.Event()

    def end(self) -> None:
        """Make the thread end that runs the server."""
        self._running.wait()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        await self.on_tick(0)  # sets the headers of every answer
        self._loop = asyncio.get_running_loop()
        self._running.set()
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._finish(), _SECONDS_TO_FINISH)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        await self.lifespan.shutdown()

    async def _finish(self) -> None:
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.002)
