"""Standard output into a pipe: held back until it is delivered, and complete."""

import io
import os
from collections.abc import Iterator

import pytest

from newsletter.system.pipes import deliver, hold_pipe


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """The end of a pipe that is read, and the other end as a stream that is flushed with each line."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    stream = io.TextIOWrapper(os.fdopen(writing, "wb"), encoding="utf-8", line_buffering=True)
    yield reading, stream
    stream.close()


def test_a_pipe_gets_nothing_until_it_is_delivered(pipe: tuple[int, io.TextIOWrapper]) -> None:
    reading, stream = pipe
    held = hold_pipe(stream)
    for _ in range(3):
        print("a line", file=held, flush=True)
    with pytest.raises(BlockingIOError):
        os.read(reading, 100)

    deliver(held)

    assert os.read(reading, 100) == b"a line\n" * 3
    os.close(reading)
    held.close()


def test_a_pipe_gets_more_than_it_holds_in_the_meantime(pipe: tuple[int, io.TextIOWrapper]) -> None:
    reading, stream = pipe
    held = hold_pipe(stream)
    print("x" * 65_536, file=held)
    print("y", file=held, flush=True)
    assert os.read(reading, 10) == b"x" * 10
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        deliver(held)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, held.fileno())
    os.close(nowhere)
    held.close()


def test_a_file_is_left_as_it_is() -> None:
    text = io.StringIO()
    assert hold_pipe(text) is text
    deliver(text)
