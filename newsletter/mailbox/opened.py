"""An email as a person looks at it: its header, its HTML with the images inside it, its text and its attachments.

Nothing in it can raise an error, and nothing is read beyond fixed limits.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

from lxml.etree import Element, LxmlError
from lxml.html import HTMLParser, document_fromstring, tostring
from msgspec import Struct

from newsletter.mailbox.received import (
    PARSER_ERRORS,
    MailFields,
    fields_of,
    inner_parts,
    text_of_part,
    with_few_parts,
)

_DEEPEST, _MOST_PARTS = 20, 200
_LONGEST_NAME = 120  # characters of a file name
_MOST_HTML = 5_000_000  # characters; no email app shows more
_MOST_IMAGE_BYTES = 20_000_000  # of all images inside the email
# Drawings (SVG) are left out: they can contain links and styles.
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_LINKING = frozenset({"href", "ping", "action", "formaction"})
_CONTENT_ID = re.compile(r"cid:([^\"'\s<>()]{1,200})")


class Attachment(Struct, frozen=True, kw_only=True):
    """A part of an email that is neither its text nor an image inside its HTML."""

    name: str  # without folders and signs that cannot be printed; empty if it has none
    content_type: str
    size_bytes: int


class OpenedMail(Struct, frozen=True, kw_only=True):
    """An email, ready to be shown."""

    header: MailFields
    html: str  # with the images inside the email as `data:` addresses, and no links; empty if there is none
    text: str
    attachments: tuple[Attachment, ...]
    is_broken: bool  # whether it is not written as the standard asks, so that parts may be missing


def open_mail(content: bytes) -> OpenedMail:
    """Return the email in `content`."""
    content = content.lstrip(b"\r\n")
    whole = with_few_parts(content)
    is_broken = len(whole) < len(content)
    try:
        message = BytesParser().parsebytes(whole)
    except PARSER_ERRORS:
        message, is_broken = BytesHeaderParser().parsebytes(whole), True
    leaves = list(_leaves(message))
    texts = [part for part in leaves if part.get_content_type() == "text/plain" and not _is_attached(part)]
    pages = [part for part in leaves if part.get_content_type() == "text/html" and not _is_attached(part)]
    html = "\n".join(text_of_part(part) for part in pages[:1])[:_MOST_HTML]
    images = dict(_images(leaves, set(_CONTENT_ID.findall(html))))
    shown = {id(part) for part in (*texts, *pages[:1])} | {id(part) for part, _ in images.values()}
    addresses = {content_id: address for content_id, (_, address) in images.items()}
    return OpenedMail(
        header=fields_of(message),
        html=_without_links(_CONTENT_ID.sub(lambda found: addresses.get(found[1], ""), html)),
        text="\n".join(text_of_part(part) for part in texts),
        attachments=tuple(_attachment(part) for part in leaves if id(part) not in shown),
        is_broken=is_broken or any(part.defects for part in (message, *leaves)),
    )


def _without_links(html: str) -> str:
    """Return the HTML with the address of each link as its title.

    A browser connects to the host of a link as soon as it is pressed, even if it is not allowed to go there.
    """
    try:
        root = document_fromstring(html.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError):
        return ""
    for element in root.iter(Element):
        for name in [name for name in element.attrib if name.rpartition(":")[2].lower() in _LINKING]:
            address = element.attrib.pop(name)
            if element.tag == "a":
                element.set("title", element.get("title") or address)
    return str(tostring(root, encoding="unicode", doctype="<!DOCTYPE html>"))


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts that are not made of other parts, in order. An email inside the email is one part."""
    waiting = [(message, 0)]
    count = 0
    while waiting and count < _MOST_PARTS:
        part, depth = waiting.pop()
        count += 1
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            inner = inner_parts(part) if depth < _DEEPEST else ()
            waiting += [(each, depth + 1) for each in reversed(inner)]
        else:
            yield part


def _is_attached(part: Message) -> bool:
    return str(part.get("content-disposition", "")).strip().lower().startswith("attachment")


def _images(leaves: list[Message], wanted: set[str]) -> Iterator[tuple[str, tuple[Message, str]]]:
    """Yield the images that the HTML shows: the id, the part, and its content as an address."""
    size = 0
    for part in leaves:
        content_id = str(part.get("content-id", "")).strip().strip("<>")
        if content_id in wanted and part.get_content_type() in _IMAGES:
            content = _content(part)
            size += len(content)
            if size > _MOST_IMAGE_BYTES:
                return
            yield content_id, (part, f"data:{part.get_content_type()};base64,{b64encode(content).decode()}")


def _content(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except PARSER_ERRORS:
        return b""
    return content if isinstance(content, bytes) else b""


def _attachment(part: Message) -> Attachment:
    return Attachment(name=_file_name(part), content_type=printable(part.get_content_type()), size_bytes=_size(part))


def _size(part: Message) -> int:
    """Return the size of a part in bytes. One that contains other parts, such as an email, is measured by them."""
    inner = inner_parts(part)
    return sum(map(_size, inner)) if inner else len(_content(part))


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except PARSER_ERRORS:
        name = ""
    return printable(re.split(r"[/\\]", str(name))[-1])[:_LONGEST_NAME]


def printable(text: str) -> str:
    """Return the text without signs that cannot be printed or that change the direction of what follows."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def header_lines(header: MailFields) -> Mapping[str, str]:
    """Return the lines of a header that people look for, if they are there."""
    names = {"from": "From", "to": "To", "subject": "Subject", "date": "Date", "reply-to": "Reply to"}
    found = {label: printable(header.first(name)) for name, label in names.items()}
    return {label: value for label, value in found.items() if value}
