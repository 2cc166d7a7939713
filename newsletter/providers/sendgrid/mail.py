"""The body of `POST /v3/mail/send`: made once for a mailing, with one small object for each recipient.

All that varies is a substitution tag in the fixed part and an escaped value in a recipient's object. The tags carry
the broadcast's nonce, so no value can pose as one. Rules and limits are those of SendGrid's Mail Send documentation.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from newsletter.model.broadcast import Envelope, Mailing, OutgoingChunk, Recipient
from newsletter.providers.headers import one_line, phrase, wire_address
from newsletter.providers.sendgrid.args import request_args
from newsletter.providers.sendgrid.client import RequestBody
from newsletter.providers.sendgrid.recipients import object_template, objects, sendable

LARGEST_REQUEST_BYTES = 30_000_000
_json = orjson.dumps
_LONGEST_CATEGORY = 255


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
        to = sendable(chunk.recipients, self.tags)
        template = object_template(self.tags, request_args(self.broadcast, chunk.number, chunk.attempt))
        body = RequestBody(self.opening)
        for written in objects(template, to):  # in place: to join them would copy all of it twice more
            body += written
        if to.recipients:
            del body[-1]  # the comma after the last
        body += b"]%b}" % _hold(chunk)
        return Request(body=body, recipients=to.recipients, invalid=to.invalid, undeliverable=to.undeliverable)


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


def _hold(chunk: OutgoingChunk) -> bytes:
    """Until when SendGrid keeps the mail, and under which batch; nothing where it is to go at once."""
    if chunk.hold_until is None:
        return b""
    batch_id = chunk.mailing.batch_id
    under = b',"batch_id":%b' % _json(batch_id) if batch_id else b""
    return b',"send_at":%d%b' % (chunk.hold_until.timestamp(), under)


def _category(name: str) -> str:
    """The name in ASCII, and not too long; an issue's folder may have any name."""
    return name.encode("ascii", "replace").decode("ascii")[-_LONGEST_CATEGORY:]


def _list_id(envelope: Envelope) -> str:
    """The value of List-Id (RFC 2919), unfolded: a header's value in JSON is one line."""
    return f"{phrase(envelope.list_name)} <{envelope.list_id}>".replace("\r\n", "")
