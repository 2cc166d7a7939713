"""Mailings and chunks to hand to a provider, and what a recipient got, however it traveled."""

import email
import email.policy
from collections.abc import Mapping
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html import escape

from newsletter.model.broadcast import Envelope, Mailing, OutgoingChunk, Recipient
from newsletter.model.readership import Readership
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.model.slot_sources import Column, OwnLink
from newsletter.model.slots import Escape, Link, Slot, Template

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
PICTURE = Picture(name="dot-0a1b2c3d4e5f.png", content_type="image/png", content=PIXEL, width=1, height=1)

SUBJECT = Template(("News for ", ": February"), (0,))
HTML = Template(
    (
        "<!doctype html><html><body>\n<p>Dear ",
        ',</p>\n<p>caf\u00e9 = 100%</p>\n.dot\n<a href="',
        '">leave</a>\n</body></html>\n',
    ),
    (1, 2),
)
TEXT = Template(("Dear ", ",\n\n.. a line of dots\nFrom here on: caf\u00e9\n\nLeave: ", "\n"), (3, 4))
SLOTS = (
    Slot(Column("first_name"), Escape.HEADER),
    Slot(Column("first_name"), Escape.HTML),
    Slot(OwnLink(Link.UNSUBSCRIBE), Escape.LINK),
    Slot(Column("first_name"), Escape.TEXT),
    Slot(OwnLink(Link.UNSUBSCRIBE), Escape.TEXT),
)
ENVELOPE = Envelope(
    from_name="The Gentle Letter",
    from_email="letter@example.org",
    reply_to="answers@example.org",
    list_name="The Gentle Letter",
    list_id="letter.example.org",
    service_url="https://news.example.org",
)


@dataclass(frozen=True, kw_only=True)
class Received:
    """What one recipient got; line breaks of the bodies are those of Unix."""

    to: str
    to_name: str
    sender: str
    reply_to: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]
    pictures: Mapping[str, bytes]  # content id → content


def variant(
    *,
    subject: Template = SUBJECT,
    html: Template = HTML,
    text: Template = TEXT,
    slots: tuple[Slot, ...] = SLOTS,
    pictures: tuple[Picture, ...] = (),
) -> RenderedVariant:
    """A variant with the first name in subject, HTML and text."""
    return RenderedVariant(
        readership=Readership(),
        language="en",
        subject=subject,
        preheader=Template(("",)),
        html=html,
        text=text,
        slots=slots,
        pictures=pictures,
    )


def mailing(
    rendered: RenderedVariant | None = None,
    *,
    broadcast: str = "b7",
    envelope: Envelope = ENVELOPE,
    subject_prefix: str = "",
) -> Mailing:
    """A mailing of a variant."""
    return Mailing(
        broadcast=broadcast,
        category="issue-2026-02",
        envelope=envelope,
        variant_key="all",
        variant=rendered or variant(),
        nonce="k3v9q2x7",
        subject_prefix=subject_prefix,
    )


def recipient(delivery: int, address: str, first_name: str = "Ana", *, name: str = "") -> Recipient:
    """A recipient whose values are escaped for the slots of `variant`."""
    url = ENVELOPE.unsubscribe_url(delivery, f"token{delivery}")
    one_line = " ".join(first_name.split())
    values = (one_line, escape(first_name), url, first_name, url)
    return Recipient(delivery, address, name, url, values)


def chunk(*recipients: Recipient, of: Mailing | None = None, number: int = 1, attempt: int = 1) -> OutgoingChunk:
    """A chunk of a mailing."""
    return OutgoingChunk(mailing=of or mailing(), number=number, attempt=attempt, recipients=recipients)


def parse(content: bytes) -> EmailMessage:
    """The message as an email app reads it."""
    return email.message_from_bytes(content, policy=email.policy.default)


def received(content: bytes) -> Received:
    """What the recipient of a MIME message got."""
    message = parse(content)
    to = message["To"].addresses[0]
    parts = list(message.walk())
    return Received(
        to=to.addr_spec,
        to_name=_display_name(content),
        sender=message["From"].addresses[0].addr_spec,
        reply_to=message["Reply-To"] or "",
        subject=message["Subject"],
        html=_body(parts, "text/html"),
        text=_body(parts, "text/plain"),
        headers={name: str(value) for name, value in message.items()},
        pictures={
            str(part["Content-ID"]).strip("<>"): part.get_content()
            for part in parts
            if part.get_content_maintype() == "image"
        },
    )


def _display_name(content: bytes) -> str:
    """The name in To as RFC 2047 has it: `EmailMessage` keeps the space between two encoded words of a name."""
    raw = email.message_from_bytes(content)["To"]
    return str(make_header(decode_header(parseaddr(raw)[0])))


def _body(parts: list[EmailMessage], content_type: str) -> str:
    (found,) = (part for part in parts if part.get_content_type() == content_type)
    content: str = found.get_content()
    return content.replace("\r\n", "\n")
