"""What a library may raise, and what another machine may send: the kinds that the properties of providers draw from."""

import ssl
import struct
from collections.abc import Callable
from typing import Any

import h11
import pytest
from hypothesis import strategies as st

from newsletter.system.stream import Stream


class WordlessError(Exception):
    """An error of a library, without a message."""


ERRORS = st.sampled_from(
    [
        OSError("the line is down"),
        TimeoutError(),
        ConnectionResetError(104, "reset"),
        BrokenPipeError(32, "broken"),
        ssl.SSLError(1, "[SSL] wrong version"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        h11.RemoteProtocolError("nonsense"),
        ValueError("int too large"),
        KeyError("surprise"),
        OverflowError(),
        RecursionError(),
        MemoryError(),
        EOFError(),
        AssertionError(),
        struct.error("unpack"),
        StopIteration(),
        WordlessError(),
    ]
)


def fail_at(patch: pytest.MonkeyPatch, method: str, number: int, error: Exception) -> None:
    """Makes a call of a method of `Stream` raise the error, and all later ones; the first call has the number 0."""
    real: Callable[..., Any] = getattr(Stream, method)
    calls = iter(range(1_000))

    def failing(self: Stream, *arguments: Any) -> Any:
        if next(calls) >= number:
            raise error
        return real(self, *arguments)

    patch.setattr(Stream, method, failing)
