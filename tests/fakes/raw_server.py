"""A server on loopback that sends whatever bytes a test says, and then closes the connection."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@contextmanager
def raw_server(meet: Callable[[socket.socket], None]) -> Iterator[int]:
    """Meets each connection in a thread of its own. Yield the port."""
    stopping = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            meet(connection)

    def accept() -> None:
        while not stopping.is_set():
            with suppress(TimeoutError):
                connection, _ = listening.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.02)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stopping.set()
            accepting.join()


def saying(pieces: Sequence[bytes]) -> Callable[[socket.socket], None]:
    """Sends the first piece at once, and one more whenever it hears something."""

    def meet(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            if not connection.recv(1 << 20):
                return

    return meet


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Reads a whole HTTP request, then sends these bytes."""

    def meet(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return meet


def read_request(connection: socket.socket) -> bytes:
    """A whole HTTP request."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(1 << 16)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    while length is not None and len(body) < int(length[1]):
        body += connection.recv(1 << 20)
    return head
