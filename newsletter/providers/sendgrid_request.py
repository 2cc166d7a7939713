"""The body of `POST /v3/mail/send`: made once for a mailing, with one small object for each recipient.

All that varies is a substitution tag in the fixed part and an escaped value in a recipient's object. The tags carry
the broadcast's nonce, so no value can pose as one. Rules and limits are those of SendGrid's Mail Send documentation.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from newsletter.model.broadcast import Envelope, Mailing, OutgoingChunk, Recipient
from newsletter.providers.headers import one_line, phrase, wire_address

LARGEST_REQUEST_BYTES = 30_000_000
_LARGEST_SUBSTITUTIONS_BYTES = 10_000
_json = orjson.dumps
_LONGEST_CATEGORY = 255
_NAME_SIGNS = re.compile(r"\s*[;,]\s*")  # which the name of a recipient must not hold


class RequestBody(bytes):
    """Bytes that the library sends as they are.

    It encodes every body itself, and formats it for a log line whether or not that line is wanted: both would copy
    all addresses once more at each request, and the second would write them to a log.
    """

    __slots__ = ()

    def encode(self, encoding: str = "utf-8") -> "RequestBody":
        """The bytes themselves; they are UTF-8 already."""
        return self

    def __format__(self, spec: str) -> str:
        return f"{len(self)} bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, ready to be posted."""

    body: RequestBody
    recipients: tuple[Recipient, ...]  # whom it is for, in the order in which it names them
    invalid: Mapping[int, str]  # delivery → why it was left out
    undeliverable: frozenset[int]  # those of `invalid` whose address is none


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRequest:
    """All of a mailing's requests but the recipients."""

    broadcast: str
    opening: bytes  # up to the first recipient's object
    tags: tuple[str, ...]  # one for each of the variant's slots

    def request(self, chunk: OutgoingChunk) -> Request:
        """The request for a chunk, without those that SendGrid would refuse the whole request for."""
        template = self._template(chunk)
        sendable: list[Recipient] = []
        objects: list[bytes] = []
        invalid: dict[int, str] = {}
        undeliverable: set[int] = set()
        for recipient in chunk.recipients:
            try:
                address = wire_address(recipient.email)
            except ValueError as err:
                invalid[recipient.delivery] = str(err)
                undeliverable.add(recipient.delivery)
                continue
            filled = self._personalization(template, recipient, address)
            refusal = _refusal(recipient.values, self.tags, address, len(filled))
            if refusal:
                invalid[recipient.delivery] = refusal
                continue
            objects.append(filled)
            sendable.append(recipient)
        body = RequestBody(b"%b%b]}" % (self.opening, b",".join(objects)))
        return Request(body=body, recipients=tuple(sendable), invalid=invalid, undeliverable=frozenset(undeliverable))

    def _template(self, chunk: OutgoingChunk) -> bytes:
        """A recipient's object with `%b` for the address, the name, each value in turn, the link and the delivery."""
        substitutions = ",".join(f"{_json(tag).decode().replace('%', '%%')}:%b" for tag in self.tags)
        parts = (
            '{"to":[{"email":%b%b}]',
            f'"substitutions":{{{substitutions}}}' if substitutions else "",
            '"headers":{"List-Unsubscribe":%b,"List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}',
            f'"custom_args":{{"nl_broadcast":"{self.broadcast}","nl_chunk":"{chunk.number}",'
            f'"nl_attempt":"{chunk.attempt}","nl_delivery":"%d"}}}}',
        )
        return ",".join(part for part in parts if part).encode("ascii")

    @staticmethod
    def _personalization(template: bytes, recipient: Recipient, address: str) -> bytes:
        return template % (
            _json(address),
            _named(recipient.name),
            *map(_json, recipient.values),
            _json(f"<{recipient.unsubscribe_url}>"),
            recipient.delivery,
        )


def compile_request(mailing: Mailing, *, sandbox: bool) -> CompiledRequest:
    """Writes all that is the same for every recipient of a mailing."""
    variant, envelope = mailing.variant, mailing.envelope
    tags = tuple(f"%nl{mailing.nonce}x{number}%" for number in range(len(variant.slots)))
    message: dict[str, object] = {
        "from": {"email": wire_address(envelope.from_email), "name": one_line(envelope.from_name)},
        "subject": mailing.subject_prefix + variant.subject.fill(tags),
        "content": [
            {"type": "text/plain", "value": variant.text.fill(tags)},
            {"type": "text/html", "value": variant.html.fill(tags)},
        ],
        "headers": {"List-Id": _list_id(envelope)},
        "categories": [_category(mailing.category)],
        "tracking_settings": {"subscription_tracking": {"enable": False}},
    }
    if envelope.reply_to:
        message["reply_to"] = {"email": wire_address(envelope.reply_to)}
    if variant.pictures:
        message["attachments"] = [
            {
                "content": b64encode(picture.content).decode("ascii"),
                "type": picture.content_type,
                "filename": picture.name,
                "disposition": "inline",
                "content_id": picture.content_id,
            }
            for picture in variant.pictures
        ]
    if sandbox:
        message["mail_settings"] = {"sandbox_mode": {"enable": True}}
    return CompiledRequest(
        broadcast=mailing.broadcast,
        opening=_json(message)[:-1] + b',"personalizations":[',
        tags=tags,
    )


def _named(name: str) -> bytes:
    """The name as it follows the address; nothing where there is none."""
    if not name:
        return b""
    if name.isascii() and name.isalnum():
        return b',"name":"%b"' % name.encode()
    shown = one_line(name)
    if ";" in shown or "," in shown:
        shown = _NAME_SIGNS.sub(" ", shown).strip()
    return b',"name":' + _json(shown) if shown else b""


def _category(name: str) -> str:
    """The name in ASCII, and not too long; an issue's folder may have any name."""
    return name.encode("ascii", "replace").decode("ascii")[-_LONGEST_CATEGORY:]


def _list_id(envelope: Envelope) -> str:
    """The value of List-Id (RFC 2919), unfolded: a header's value in JSON is one line."""
    return f"{phrase(envelope.list_name)} <{envelope.list_id}>".replace("\r\n", "")


def _refusal(values: tuple[str, ...], tags: tuple[str, ...], address: str, filled_bytes: int) -> str:
    """Why SendGrid would refuse the whole request for this recipient; empty where it would not."""
    if not address.isascii():
        return "SendGrid carries no address with letters outside ASCII before the @"
    if filled_bytes <= _LARGEST_SUBSTITUTIONS_BYTES:
        return ""
    size_bytes = len(_json(dict(zip(tags, values, strict=True))))
    if size_bytes <= _LARGEST_SUBSTITUTIONS_BYTES:
        return ""
    return f"this subscriber's values are {size_bytes:,} bytes long; SendGrid takes {_LARGEST_SUBSTITUTIONS_BYTES:,}"
