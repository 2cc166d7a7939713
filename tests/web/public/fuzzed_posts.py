"""Bodies as no one should post them: real ones with odd values, cut, flipped, doubled and mixed."""

import random
from collections.abc import Iterator

import orjson

from tests.fakes.event_webhook import body_of

_EVENTS = (
    *("processed", "dropped", "cancel_drop", "deferred", "delivered", "bounce", "open", "click", "spamreport"),
    *("unsubscribe", "group_unsubscribe", "group_resubscribe", "surprise"),
)
_ODD = (
    *(None, True, False, 0, -1, 2**53, 2**63, -(2**63), 1e308, 1.5, "", " ", "\0", "x" * 3000, "1" * 30, "-1", "٧"),
    *([], {}, [[]], {"index": 1}, {"index": -1}, {"index": "1"}, ["open"], "a@b", "@", "\u2028", "\N{GRINNING FACE}"),
)
_PIECES = (
    *(b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\0", b"\r\n", b"null"),
    *(b"NaN", b"-", b"1e999", b"123456789012345678901234567890", b"[" * 2000, b'{"a":' * 2000, b"\xef\xbb\xbf"),
)


def fuzzed_posts(numbers: random.Random, count: int) -> Iterator[bytes]:
    """Yield bodies. None of them names a person on the list, or a broadcast of the database."""
    for _ in range(count):
        body = body_of(*(_entry(numbers) for _ in range(numbers.randrange(1, 5))))
        for _ in range(numbers.choice((0, 0, 1, 1, 2, 5))):
            body = _damaged(body, numbers)
        yield body


def _entry(numbers: random.Random) -> dict[str, object]:
    entry: dict[str, object] = {
        "event": numbers.choice(_EVENTS),
        "email": "stranger@example.org",
        "timestamp": 1_771_516_800 + numbers.randrange(100_000),
        "type": numbers.choice(("bounce", "blocked")),
        "reason": "550 5.1.1 <stranger@example.org> unknown",
        "response": "250 OK",
        "status": "5.1.1",
        "bounce_classification": "Invalid Address",
        "url": "https://example.org/a",
        "url_offset": {"index": 0, "type": "html"},
        "useragent": "Mozilla/5.0",
        "ip": "192.0.2.1",
        "sg_machine_open": False,
        "nl_broadcast": "b1-another",
        "nl_chunk": "1",
        "nl_attempt": "1",
        "nl_delivery": "987654",
    }
    for _ in range(numbers.choice((0, 0, 1, 2, 4))):
        name = numbers.choice(tuple(entry))
        if numbers.random() < 0.2:
            del entry[name]
        else:
            entry[name] = numbers.choice(_ODD)
    return entry


def _damaged(body: bytes, numbers: random.Random) -> bytes:
    place, other = sorted(numbers.randrange(len(body) + 1) for _ in range(2))
    piece = numbers.choice((*_PIECES, orjson.dumps(numbers.choice(_ODD[:9]))))
    return numbers.choice(
        (
            body[:place],
            body[place:],
            body[:place] + body[other:],
            body[:other] + body[place:],
            body[:place] + piece + body[place:],
            body[:place] + piece + body[other:],
            body[:place] + bytes([numbers.randrange(256)]) + body[place + 1 :],
            body + body,
        )
    )
