"""A MIME message, compiled once per variant. Rendering joins its fixed parts with the values of one recipient.

The bodies are quoted-printable. Each value is encoded separately and put between soft line breaks, so the fixed parts
are encoded only once and never searched. No line begins with a dot, so SMTP need not double any dots (RFC 5321, 4.5.2).
No line begins with `From `, which some programs that store email take for the start of the next message (RFC 4155). No
line contains `=_`, so no value can be mistaken for a boundary.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.broadcast import Mailing, Recipient
from newsletter.model.rendered import Picture
from newsletter.model.slots import Template
from newsletter.providers.headers import mailbox, unstructured, wire_address

_ALTERNATIVE, _RELATED = b"=_newsletter_alternative", b"=_newsletter_related"
# They keep vacation programs from answering to the mailbox, and do not stop delivery reports ([MS-OXCMAIL] 2.1.3.2.20).
_NO_AUTOREPLIES = (b"Precedence: bulk", b"X-Auto-Response-Suppress: OOF, AutoReply")
_LINE_BREAK = re.compile(r"\r\n|\r")
_LEADING_DOTS = re.compile(rb"(?m)^\.+")
_LEADING_FROM = re.compile(rb"(?m)^F(?=rom )")
_AS_IT_IS = re.compile(r"(?!\.|From )[ -<>-~]{1,75}")
_SOFT_BREAK = b"=\r\n"
_FOLD = ",\r\n "
_ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"


class CompiledMessage(Struct, frozen=True, kw_only=True):
    """The parts of a variant's message that are the same for all recipients."""

    broadcast: str
    domain: str  # of the sender, for message ids
    subject: Template | None  # with its prefix; None if the head contains it, because it is the same for everyone
    head: bytes  # the fixed headers
    date: bytes
    parts: tuple[bytes, ...]  # the rest of the message, split where values go
    slots: tuple[int, ...]  # for each gap between two parts, the number of the value that goes there
    is_automatic: bool = False

    def dated(self, now: datetime) -> "CompiledMessage":
        """Return the same message with another Date."""
        return replace(self, date=_date(now))

    def render(self, recipient: Recipient, *, end: bytes = b"") -> bytes:
        """Return the whole message for one recipient, followed by `end`. Lines end in CRLF and have at most 998 bytes.

        Raise ValueError if the address cannot be written in a header.
        """
        values = {slot: _encode_value(recipient.values[slot]) for slot in set(self.slots)}
        pieces = [self.head, self.date, self._own_headers(recipient), self.parts[0]]
        for slot, part in zip(self.slots, self.parts[1:], strict=True):
            pieces += (values[slot], part)
        pieces.append(end)
        return b"".join(pieces)

    def _own_headers(self, recipient: Recipient) -> bytes:
        return b"".join(
            (
                b"To: %s\r\n" % mailbox(recipient.name, wire_address(recipient.email)),
                unstructured("Subject", self.subject.fill(recipient.values)) if self.subject is not None else b"",
                f"Message-ID: <{self.broadcast}.{recipient.delivery}@{self.domain}>\r\n".encode("ascii"),
                b""
                if self.is_automatic
                else f"List-Unsubscribe: {recipient.list_unsubscribe.replace(', ', _FOLD)}\r\n".encode("ascii"),
            )
        )


class MessageCompiler:
    """Compiles messages. It keeps the last one, because consecutive chunks usually have the same variant."""

    def __init__(self) -> None:
        self._last: tuple[Mailing, CompiledMessage] | None = None

    def compiled(self, mailing: Mailing, now: datetime) -> CompiledMessage:
        """Return the compiled message of a mailing, with `now` as its Date."""
        if self._last is None or self._last[0] != mailing:
            self._last = (mailing, compile_message(mailing, now))
        return self._last[1].dated(now)


def compile_message(mailing: Mailing, now: datetime) -> CompiledMessage:
    """Return a message with everything encoded that all recipients of a mailing share. `now` becomes the Date."""
    variant = mailing.variant
    text, html = _spliced(variant.text), _spliced(variant.html)
    opening = b'Content-Type: multipart/alternative; boundary="%s"\r\n\r\n--%s\r\n%s' % (
        _ALTERNATIVE,
        _ALTERNATIVE,
        _part_head(b"text/plain"),
    )
    before_html, after_html = _around_html(variant.pictures)
    middle = text[-1] + b"\r\n--%s\r\n%s" % (_ALTERNATIVE, before_html) + html[0]
    closing = b"\r\n%s--%s--\r\n" % (after_html, _ALTERNATIVE)
    joined = [*text[:-1], middle, *html[1:]]
    joined[0] = opening + joined[0]
    joined[-1] += closing
    first, *others = variant.subject.parts
    subject = Template((mailing.subject_prefix + first, *others), variant.subject.slots)
    head = _fixed_headers(mailing)
    return CompiledMessage(
        broadcast=mailing.broadcast,
        domain=wire_address(mailing.envelope.from_email).rpartition("@")[2],
        subject=subject if subject.slots else None,
        head=head if subject.slots else head + unstructured("Subject", subject.fill(())),
        date=_date(now),
        parts=tuple(joined),
        slots=variant.text.slots + variant.html.slots,
        is_automatic=mailing.is_automatic,
    )


def _fixed_headers(mailing: Mailing) -> bytes:
    envelope = mailing.envelope
    lines = [b"From: %s" % mailbox(envelope.from_name, wire_address(envelope.from_email))]
    if envelope.reply_to:
        lines.append(b"Reply-To: %s" % wire_address(envelope.reply_to).encode())
    lines += (
        b"List-Id: %s" % mailbox(envelope.list_name, envelope.list_id),
        *(_NO_AUTOREPLIES if envelope.mailbox else ()),
        # RFC 3834, section 5: an email about a sign-up is generated for the person who asked for it.
        b"Auto-Submitted: auto-generated" if mailing.is_automatic else _ONE_CLICK,
        b"Content-Language: %s" % mailing.variant.language.encode("ascii"),  # RFC 3282
        b"X-Newsletter-Broadcast: %s" % mailing.broadcast.encode("ascii"),
        b"MIME-Version: 1.0",
    )
    return b"\r\n".join((*lines, b""))


def _date(now: datetime) -> bytes:
    return f"Date: {format_datetime(now)}\r\n".encode("ascii")


def _part_head(content_type: bytes) -> bytes:
    return b"Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" % content_type


def _around_html(pictures: Sequence[Picture]) -> tuple[bytes, bytes]:
    """Return what goes before and after the HTML. The HTML and images form one multipart/related part (RFC 2387)."""
    if not pictures:
        return _part_head(b"text/html"), b""
    before = b'Content-Type: multipart/related; type="text/html";\r\n boundary="%s"\r\n\r\n--%s\r\n%s' % (
        _RELATED,
        _RELATED,
        _part_head(b"text/html"),
    )
    after = b"".join(b"--%s\r\n%s" % (_RELATED, _picture_part(picture)) for picture in pictures)
    return before, b"%s--%s--\r\n\r\n" % (after, _RELATED)


@lru_cache(maxsize=64)
def _picture_part(picture: Picture) -> bytes:
    head = (
        f"Content-Type: {picture.content_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{picture.content_id}>\r\n"
        f'Content-Disposition: inline;\r\n filename="{picture.name}"\r\n\r\n'
    )
    return head.encode("ascii") + encodebytes(picture.content).replace(b"\n", b"\r\n")


def _spliced(template: Template) -> list[bytes]:
    """Return the encoded parts of a template. Each except the last ends in a soft line break, like every value."""
    *leading, last = template.parts
    return [*map(_encode_part, leading), _encode(last)]


@lru_cache(maxsize=64)  # from one build to the next, most parts stay as they are
def _encode_part(part: str) -> bytes:
    return _encode_joined(part)


def _encode_value(value: str) -> bytes:
    if _AS_IT_IS.fullmatch(value):
        return value.encode("ascii") + _SOFT_BREAK
    return _encode_joined(value)


def _encode_joined(text: str) -> bytes:
    # The Z makes room on the last line for the `=` of the soft break. It also keeps a final space from being encoded.
    return _encode(f"{text}Z")[:-1] + _SOFT_BREAK


def _encode(text: str) -> bytes:
    if "\r" in text:
        text = _LINE_BREAK.sub("\n", text)
    encoded = b2a_qp(text.encode("utf-8", "replace"))
    # Few texts have such lines, and the searches in the patterns are slow.
    if encoded.startswith(b".") or b"\n." in encoded:
        encoded = _LEADING_DOTS.sub(lambda dots: b"=2E=\n" * len(dots[0]), encoded)
    if encoded.startswith(b"From ") or b"\nFrom " in encoded:
        encoded = _LEADING_FROM.sub(b"=46=\n", encoded)
    return encoded.replace(b"\n", b"\r\n")
