"""Whatever a mail server replies, a chunk ends in an outcome that is true and short."""

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model.broadcast import Verdict
from newsletter.providers.base import Provider
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.peer import peer_saying
from tests.providers.mailings import chunk, recipient
from tests.providers.workspace import opened, smtp_settings

_FOLDER = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
_SECRET = "s3cret-of-the-tests"
_PEOPLE = tuple(recipient(number, f"{name}@example.org") for number, name in enumerate(("ana", "ben", "carl"), 1))
_USUAL = (b"220 hi\r\n", b"250-relay\r\n250-AUTH LOGIN CRAM-MD5\r\n250 PIPELINING\r\n", b"235 in\r\n", b"250 ok\r\n")
_REPLIES = st.one_of(
    st.sampled_from(
        [
            *(*_USUAL, b"354 go\r\n", b"250-a\r\n", b"334 abc\r\n"),
            *(b"334 PDEyMz4=\r\n", b"421 bye\r\n", b"550 5.1.1 no\r\n"),
            *(b"451 4.7.1 later\r\n", b"250 ok\r\n250 ok\r\n354 go\r\n", b"000\r\n"),
            *(b"999 x\r\n", b"25", b"\r\n", b"\0\r\n"),
            *(b"552 5.3.4 too big\r\n", b"535 5.7.8 wrong\r\n", b"250 " + b"x" * 9_000 + b"\r\n", b"250-x\r\n" * 300),
            *(b"554 5.7.1 blocked; see https://example.org/?s3cret-of-the-tests\r\n"),
            *("550 é\r\n".encode(), b"\xff\xfe\r\n"),
        ]
    ),
    st.binary(max_size=60),
    st.builds(lambda code, words: b"%03d %b\r\n" % (code, words), st.integers(0, 999), st.binary(max_size=40)),
)


@given(begins=st.integers(0, 4), replies=st.lists(_REPLIES, max_size=14), again=st.lists(_REPLIES, max_size=6))
@settings(max_examples=EXAMPLES)
def test_whatever_a_server_replies_there_is_an_outcome(begins: int, replies: list[bytes], again: list[bytes]) -> None:
    said = [*_USUAL[:begins], *replies]
    with peer_saying("newsletter.system.smtp_connection", said, again), limited(), _provider().session() as session:
        outcome = session.submit(chunk(*_PEOPLE))

    assert outcome.verdict is not Verdict.ACCEPTED or b"2" in b"".join([*said, *again])
    told = [outcome.reason, *outcome.invalid.values(), *outcome.uncertain.values()]
    told += [each.words for each in outcome.doubted.values()]
    assert all(len(words) < 3_000 and _SECRET not in words for words in told)


@cache
def _provider() -> Provider:
    setup = smtp_settings(25, more='username = "letter"')
    return opened(Path(_FOLDER.name), setup, {"NEWSLETTER_SMTP_PASSWORD": _SECRET})
