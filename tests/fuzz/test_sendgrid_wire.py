"""Whatever SendGrid or a proxy answers ends in an outcome, or in one of the program's own errors, without the key."""

import tempfile
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError
from newsletter.model.broadcast import Verdict
from newsletter.providers.base import Provider
from newsletter.providers.sendgrid.events import events_in
from newsletter.providers.sendgrid.posts import Known, mentioned_in, read_post, safe_post
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import mutated
from tests.fuzz.peer import peer_saying
from tests.providers.mailings import chunk, recipient
from tests.providers.sendgrid.parts import (
    API_KEY,
    log_of,
    scheduler_of,
    sendgrid,
    submit,
    unknown,
)

_FOLDER = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
_HTTP = "newsletter.system.http_exchange"
_PEOPLE = (recipient(1, "ana@example.org"), recipient(2, "ben@example.org"))
_BASES = (
    b"HTTP/1.1 202 Accepted\r\nX-Message-Id: m\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 429 X\r\nRetry-After: Thu, 19 Feb 2026 16:00:10 GMT\r\nContent-Length: 2\r\n\r\n{}",
    b'HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n2d\r\n{"errors":[{"field":"personalizations.1.to"}]\r\n',
    b'HTTP/1.1 413 X\r\nContent-Length: 57\r\n\r\n{"errors":[{"field":"from","message":"no","help":"http:"}]}',
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n",
)
_PIECES = (
    *(b"\r\n", b"\n", b"\0", b"\xff", b":"),
    *(b" ", b"{}", b"[]", b"null", b'{"errors":[{"field":"personalizations.9.to"}]}'),
    *(b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"zz\r\n"),
    *(b"HTTP/1.1 307 X\r\nLocation: http://[\r\n\r\n", b"HTTP/1.1 103 Early\r\n\r\n"),
    *(b"HTTP/9.9 ", b"Retry-After: 1e999\r\n"),
    *(b"Date: Thu, 99 Foo 99999\r\n", b"X: " + b"y" * 500 + b"\r\n", API_KEY.encode(), b"500", b"401", b"202"),
)
_KEYS = st.sampled_from(
    [
        *("errors", "field", "message", "result", "scopes", "domain"),
        *("valid", "dns", "mail_cname", "host", "data", "type"),
        *("messages", "sg_message_id", "sg_message_id_created_at", "status"),
        *("custom_args", "unique_args", "email", "event"),
        *("created", "reason", "timestamp", "sg_event_id", "broadcast"),
        *("chunk", "delivery", "url", "batch_id", "id", "x"),
    ]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["b1-x", "processed", "bounce", "click", "ana@example.org", "2026-02-19T16:00:00Z", "1", "x" * 5_000]
    ),
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=20
)


@given(answer=mutated(_BASES, _PIECES), cuts=st.lists(st.integers(0, 300), max_size=3))
@settings(max_examples=EXAMPLES)
def test_whatever_is_answered_to_a_chunk_there_is_an_outcome(answer: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(answer)]
    pieces = [answer[start:end] for start, end in pairwise(places)]

    with peer_saying(_HTTP, pieces), limited():
        outcome = submit(_provider(), chunk(*_PEOPLE))

    assert outcome.verdict is not Verdict.ACCEPTED or b" 2" in answer
    assert len(outcome.reason) < 3_000
    assert API_KEY not in outcome.reason


@given(
    status=st.sampled_from([200, 200, 200, 201, 202, 204, 400, 401, 403, 404, 429, 500]), value=_VALUES, more=_VALUES
)
@settings(max_examples=EXAMPLES)
def test_whatever_json_is_answered_is_read_or_refused(status: int, value: object, more: object) -> None:
    provider = _provider()
    answers = [
        [b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)), body] for body in _bodies(value, more)
    ]

    with peer_saying(_HTTP, *answers), limited():
        _refused(lambda: provider.examine(is_online=True))
        _refused(lambda: log_of(provider).find("b1-x", unknown("ana@example.org")))
        _refused(scheduler_of(provider).open_batch)
        _refused(lambda: scheduler_of(provider).cancel_batch("b"))


@given(value=_VALUES)
@settings(max_examples=EXAMPLES)
def test_whatever_is_posted_as_events_is_read_or_refused(value: object) -> None:
    (body,) = _bodies(value)

    with limited():
        for each in (body, b"[" + body + b"]"):
            entries = read_post(each)
            mentioned_in(entries)
            events_in(safe_post(entries, Known()).entries)


@cache
def _provider() -> Provider:
    return sendgrid(Path(_FOLDER.name), "http://127.0.0.1:9")


def _bodies(*values: object) -> list[bytes]:
    return [orjson.dumps(value) for value in values]


def _refused(work: Callable[[], object]) -> None:
    """Let it end in a result or in one of the program's own errors, which must be short and without the key."""
    told = ""
    try:
        work()
    except NewsletterError as err:
        told = str(err)
    assert len(told) < 3_000
    assert API_KEY not in told
