"""A received email, read so that nothing in it can raise an error: broken MIME, unknown charsets, deep nesting.

`email` parses with its `compat32` policy, because its newer one raises errors on some malformed headers. Folded lines
are joined here, and bytes that are not ASCII are read as UTF-8.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser, HeaderParser
from email.utils import parsedate_to_datetime
from html import unescape
from itertools import islice

from msgspec import Struct

MOST_BYTES = 1_000_000  # what reports say is at the beginning; the rest is the returned email with its images
_DEEPEST, _MOST_PARTS = 20, 200
_LONGEST_VALUE = 10_000
# All that `email` raises on odd input.
PARSER_ERRORS = (ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError, MessageError)
_NESTED = re.compile(rb"^content-type\s*:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_MOST_NESTED = 40
_SPACE = re.compile(r"\s+")
_BETWEEN_ADDRESSES = re.compile(r"[\s<>()\[\],;:\"]+")
_QUOTED = re.compile(r'"[^"]*"')
_TAG = re.compile(r"<[^<>]*>")
_LINE_END = re.compile(r"(?=<(?:br|/p|/div|/tr|/h[1-6]|/li)\b)", re.IGNORECASE)
_STYLE, _STYLE_END = (
    re.compile(r"<(?:style|script)\b", re.IGNORECASE),
    re.compile(r"</(?:style|script)\b", re.IGNORECASE),
)


class MailFields(Struct, frozen=True):
    """A block of `Name: value` lines: a header, or one block of a delivery report. Names are in lowercase."""

    pairs: tuple[tuple[str, str], ...] = ()

    def all(self, *names: str) -> list[str]:
        """Return all values of the fields with these names, in the order of the names."""
        return [value for name in names for key, value in self.pairs if key == name]

    def first(self, *names: str) -> str:
        """Return the first value, or an empty string if no field has any of these names."""
        return next(iter(self.all(*names)), "")

    def has(self, *names: str) -> bool:
        """Return whether there is a field with one of these names."""
        return any(key in names for key, _ in self.pairs)

    def addresses(self, *names: str) -> list[str]:
        """Return all addresses in the fields with these names, in lowercase."""
        return addresses_in(self.all(*names))


class Part(Struct, frozen=True):
    """One part of an email that is not made of other parts."""

    content_type: str  # such as `text/plain`, in lowercase
    text: str = ""
    blocks: tuple[MailFields, ...] = ()  # of a delivery report, a feedback report, or the header of a returned email


class ReceivedMail(Struct, frozen=True):
    """A received email: its header and its parts, in order. The parts of a returned email are not among them."""

    header: MailFields
    parts: tuple[Part, ...]

    def blocks(self, *content_types: str) -> list[MailFields]:
        """Return the blocks of all parts of these types."""
        return [block for part in self.parts if part.content_type in content_types for block in part.blocks]

    @property
    def text(self) -> str:
        """The readable text: all text parts, one after the other. HTML counts only if there is no other text."""
        plain = [part.text for part in self.parts if part.content_type == "text/plain"]
        html = [part.text for part in self.parts if part.content_type == "text/html"]
        return "\n".join(plain) if any(map(str.strip, plain)) else "\n".join(map(_without_tags, html))

    @property
    def sender(self) -> str:
        """The address in From, in lowercase, or an empty string."""
        return next(iter(self.header.addresses("from")), "")


# A delivery report has several blocks. A feedback report and the header of a returned email are one block.
_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status", "message/feedback-report"})
RETURNED = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)


def read_mail(content: bytes) -> ReceivedMail:
    """Return the email in `content`. Only its first megabyte is read."""
    content = with_few_parts(content[:MOST_BYTES].lstrip(b"\r\n"))
    try:
        message = BytesParser().parsebytes(content)
    except PARSER_ERRORS:
        message = BytesHeaderParser().parsebytes(content)
    return ReceivedMail(header=fields_of(message), parts=tuple(_parts(message)))


def with_few_parts(content: bytes) -> bytes:
    """Return the content up to a number of parts that no report has. Each level of parts adds to the time to parse."""
    starts = islice(_NESTED.finditer(content), _MOST_NESTED, None)
    beyond = next(starts, None)
    return content if beyond is None else content[: beyond.start()]


def fields_of(message: Message) -> MailFields:
    """Return the header of a message, each value on one line and decoded."""
    return MailFields(tuple((name.lower(), _one_line(value)) for name, value in message.items()))


def fields_in(text: str) -> MailFields:
    """Return the header at the beginning of a text."""
    try:
        return fields_of(HeaderParser().parsestr(text.lstrip("\r\n")))
    except PARSER_ERRORS:
        return MailFields()


def addresses_in(values: Iterable[str]) -> list[str]:
    """Return the addresses in the values of header fields, in lowercase. Those in quoted names do not count.

    `email.utils.getaddresses` would recurse for each bracket of a comment.
    """
    bare = (_QUOTED.sub(" ", value[:_LONGEST_VALUE]) for value in values)
    words = (word for value in bare for word in _BETWEEN_ADDRESSES.split(value))
    return [word.lower() for word in words if word.count("@") == 1 and not word.startswith("@") and word[-1] != "@"]


def moment_in(header: MailFields, *names: str, received_at: datetime) -> datetime:
    """Return the first usable time in the fields with these names. Otherwise return `received_at`.

    A clock that is wrong must not decide what came first: a time after `received_at`, or in another century, is not
    usable.
    """
    for value in header.all(*names):
        try:
            moment = parsedate_to_datetime(value.partition(";")[2] if value.count(";") else value)
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (*PARSER_ERRORS, OverflowError):
            continue
        if moment.year >= 2000 and moment <= received_at:
            return moment.replace(microsecond=0)
    return received_at


def _parts(message: Message) -> Iterator[Part]:
    """Yield the parts in order. Stop after a number that no report needs."""
    waiting = [(message, 0)]
    count = 0
    while waiting and count < _MOST_PARTS:
        part, depth = waiting.pop()
        count += 1
        content_type = part.get_content_type()
        if content_type in _REPORTS:
            yield Part(content_type, blocks=tuple(_blocks(part)))
        elif content_type in RETURNED:
            yield Part(content_type, blocks=(_returned(part),))
        elif part.is_multipart():
            inner = inner_parts(part) if depth < _DEEPEST else []
            waiting += [(each, depth + 1) for each in reversed(inner)]
        elif part.get_content_maintype() == "text":
            yield Part(content_type, text=text_of_part(part))


def inner_parts(part: Message) -> Sequence[Message]:
    """Return the parts that a part is made of."""
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def _blocks(part: Message) -> Iterator[MailFields]:
    """Yield the blocks of a report.

    `email` knows only `message/delivery-status` as a list of blocks. Of the other types it reads the first block as a
    header, and the others as text.
    """
    inner = inner_parts(part)
    for each in inner:
        yield fields_of(each)
    text = text_of_part(inner[-1] if inner else part)
    if inner and str(part.get("content-transfer-encoding")).strip().lower() == "base64":  # the standard forbids it
        text = _text_in_base64(text)
    for block in re.split(r"\r?\n[ \t]*\r?\n", text):
        if block.strip():
            yield fields_in(block)


def _text_in_base64(text: str) -> str:
    try:
        return b64decode("".join(text.split())).decode("utf-8", "replace")
    except ValueError:
        return text


def _returned(part: Message) -> MailFields:
    inner = inner_parts(part)
    return fields_of(inner[0]) if inner else fields_in(text_of_part(part))


def text_of_part(part: Message) -> str:
    """Return the text of a part, decoded. What cannot be decoded becomes U+FFFD."""
    try:
        payload = part.get_payload(decode=True)
    except PARSER_ERRORS:
        return ""
    if not isinstance(payload, bytes):
        return ""
    charset = _charset(part) or "utf-8"
    try:
        return payload.decode("utf-8" if charset.lower() in {"us-ascii", "ascii"} else charset, "replace")
    except (LookupError, ValueError):  # a charset that does not exist
        return payload.decode("latin-1")


def _charset(part: Message) -> str:
    try:
        value = part.get_param("charset")
    except PARSER_ERRORS:
        return ""
    text = value[2] if isinstance(value, tuple) else value
    return text if isinstance(text, str) else ""


def _one_line(value: object) -> str:
    """Return the value of a field on one line, with encoded words (RFC 2047) decoded."""
    text = str(value)[:_LONGEST_VALUE].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = _SPACE.sub(" ", text).strip()
    if "=?" not in text:
        return text
    try:
        pieces = [_decoded(piece, charset) for piece, charset in decode_header(text)]
    except PARSER_ERRORS:
        return text
    return "".join(pieces)


def _decoded(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    try:
        return piece.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return piece.decode("latin-1")


def _without_tags(html: str) -> str:
    """Return the text of HTML. Each step takes a time that grows only with the length of the HTML."""
    pieces, start = [], 0
    while match := _STYLE.search(html, start):
        pieces.append(html[start : match.start()])
        end = _STYLE_END.search(html, match.end())
        start = end.end() if end else len(html)
    return unescape(_TAG.sub(" ", _LINE_END.sub("\n", "".join([*pieces, html[start:]]))))
