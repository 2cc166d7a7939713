"""A finished message split into its header fields and parts, byte for byte as it is sent.

The standard library's parser silently accepts malformed input, which the checks have to detect. So it is used only for
the content type and encoding of parts.
"""

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from functools import lru_cache

from msgspec import Struct

_END_OF_HEAD = b"\r\n\r\n"
_PARSER = BytesHeaderParser()
_NEXT_FIELD = re.compile(rb"\r\n(?![ \t])")
_FOLD = re.compile(r"\r\n(?=[ \t])")


class HeaderField(Struct, frozen=True, kw_only=True):
    """A header field with its line folds."""

    raw: bytes

    @property
    def name(self) -> str:
        """The text before the colon."""
        return self.raw.partition(b":")[0].decode("latin-1")

    @property
    def value(self) -> str:
        """The text after the colon, unfolded into one line."""
        return _FOLD.sub("", self.raw.decode("latin-1")).partition(":")[2].strip()


class BodyPart(Struct, frozen=True, kw_only=True):
    """A part of a message that is not a container: its headers, and its encoded body."""

    head: Message
    body: bytes

    @property
    def kind(self) -> str:
        """The content type, for example `text/plain`."""
        return self.head.get_content_type()

    @property
    def encoding(self) -> str:
        """The transfer encoding of the body, in lower case."""
        return str(self.head.get("Content-Transfer-Encoding", "7bit")).strip().lower()


class Container(Struct, frozen=True, kw_only=True):
    """A multipart container and its parts."""

    kind: str
    parts: tuple["BodyPart | Container", ...]

    def leaves(self) -> Iterator[BodyPart]:
        """Yield all its parts, including those in nested containers."""
        for part in self.parts:
            if isinstance(part, BodyPart):
                yield part
            else:
                yield from part.leaves()


class WireMessage(Struct, frozen=True, kw_only=True):
    """A complete message."""

    headers: tuple[HeaderField, ...]  # in order
    whole: BodyPart | Container
    line_lengths: tuple[int, ...]  # in octets, without the line breaks
    has_bare_breaks: bool  # whether a line ends with only CR or only LF

    @property
    def leaves(self) -> Iterator[BodyPart]:
        """All parts that are not containers."""
        return iter((self.whole,)) if isinstance(self.whole, BodyPart) else self.whole.leaves()

    def values(self, name: str) -> list[str]:
        """Return the values of all headers with this name. Case is ignored."""
        return [header.value for header in self.headers if header.name.lower() == name.lower()]


def read_message(message: bytes) -> WireMessage:
    """Split a finished message into its headers and parts."""
    head = message.partition(_END_OF_HEAD)[0]
    breaks = message.count(b"\r\n")
    return WireMessage(
        headers=tuple(HeaderField(raw=field) for field in _NEXT_FIELD.split(head) if field),
        whole=_part(message),
        line_lengths=tuple(map(len, message.split(b"\r\n"))),
        has_bare_breaks=message.count(b"\r") != breaks or message.count(b"\n") != breaks,
    )


@lru_cache(maxsize=64)  # the heads of parts are the same in each build
def _parsed_head(raw_head: bytes) -> Message:
    return _PARSER.parsebytes(raw_head + _END_OF_HEAD)


def _part(piece: bytes) -> BodyPart | Container:
    raw_head, _, body = piece.partition(_END_OF_HEAD)
    head = _parsed_head(raw_head)
    boundary = head.get_boundary()
    if head.get_content_maintype() != "multipart" or boundary is None:
        return BodyPart(head=head, body=body)
    # Text before the first boundary and after the last one is never displayed.
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))[1:]
    parts = (_part(inner.removeprefix(b"\r\n")) for inner in pieces if not inner.startswith(b"--"))
    return Container(kind=head.get_content_type(), parts=tuple(parts))
