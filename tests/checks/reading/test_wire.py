"""What is read out of a message, byte for byte."""

import pytest

from newsletter.checks.reading.wire import read_message

HEAD = b"From: a@example.org\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "has_bare_breaks"),
    [
        (b"", False),
        (b"one\r\ntwo\r\n", False),
        (b"one\ntwo\r\n", True),
        (b"one\rtwo\r\n", True),
        (b"one\r\r\n", True),
        (b"one\n\r\n", True),
        (b"one\r\n\n", True),
        (b"one\r", True),
        (b"one\r\n\rtwo", True),
    ],
)
def test_a_line_that_ends_with_only_half_a_break_is_seen(body: bytes, has_bare_breaks: bool) -> None:
    assert read_message(HEAD + body).has_bare_breaks is has_bare_breaks


@pytest.mark.parametrize(
    ("message", "longest", "in_body"),
    [
        (HEAD + b"four\r\n", 24, 4),
        (HEAD + b"x" * 30 + b"\r\nfour", 30, 30),
        (HEAD + b"four\r\n" + b"x" * 30, 30, 30),
        (b"Subject: " + b"x" * 80 + b"\r\n\r\nfour", 89, 4),
        (b"Subject: x\r\n " + b"x" * 80 + b"\r\n\r\nfour", 81, 4),
        (b"Subject: x", 10, 0),
    ],
)
def test_the_longest_line_is_measured_with_and_without_the_headers(message: bytes, longest: int, in_body: int) -> None:
    read = read_message(message)

    assert (read.longest_line, read.longest_body_line) == (longest, in_body)
