"""The other side of a connection, which says whatever a fuzz target draws and then closes the connection."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from newsletter.system.stream import Stream, TimeLimit


class SayingStream(Stream):
    """A connection on which the pieces arrive one by one, and which takes everything that is sent."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = iter(pieces)

    def send(self, content: bytes | bytearray | memoryview, deadline: TimeLimit) -> None:
        """Take everything."""

    def receive(self, most_bytes: int, deadline: TimeLimit) -> bytes:
        """Return the next piece, or nothing after the last one. An empty piece is skipped, as on a real connection."""
        return next((piece[:most_bytes] for piece in self._pieces if piece), b"")

    def encrypt(self, context: ssl.SSLContext, host: str, deadline: TimeLimit) -> None:
        """Fail, because the other side says nothing that TLS could read."""
        raise ssl.SSLError(1, "[SSL] wrong version number")

    @property
    def certificate(self) -> dict[str, object]:
        """No certificate."""
        return {}

    def close(self) -> None:
        """Do nothing."""


@contextmanager
def peer_saying(module: str, *answers: Sequence[bytes]) -> Iterator[None]:
    """Let each connection that `module` opens meet the next of the answers, and the last one again and again."""
    waiting = list(answers)

    def meet(*_arguments: object, **_options: object) -> Stream:
        return SayingStream(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{module}.open_stream", meet)
        yield
