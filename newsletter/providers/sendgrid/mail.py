"""The body of `POST /v3/mail/send`: made once for a mailing, with one small object for each recipient.

All that varies is a substitution tag in the fixed part and an escaped value in a recipient's object. The tags carry
the broadcast's nonce, so no value can pose as one. Rules and limits are those of SendGrid's Mail Send documentation.

A thousand objects are made for every request, column by column: a step for all of them costs a fraction of a thousand
steps.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

import orjson
from msgspec import Struct

from newsletter.model.broadcast import Envelope, Mailing, OutgoingChunk, Recipient
from newsletter.providers.headers import are_plain_addresses, one_line, phrase, wire_address
from newsletter.providers.sendgrid.client import RequestBody

LARGEST_REQUEST_BYTES = 30_000_000
# The custom arguments of every mail: they come back with each event and in the log, and trace it to its delivery. Their
# names begin with a prefix of ours, since SendGrid's own names win in an event. Their values are ids alone: SendGrid
# keeps them and cannot forget them.
BROADCAST, CHUNK, ATTEMPT, DELIVERY = "nl_broadcast", "nl_chunk", "nl_attempt", "nl_delivery"

_LONGEST_CATEGORY = 255
_LARGEST_SUBSTITUTIONS_BYTES = 10_000
_LONGEST_ESCAPE_BYTES = 6  # of one character: `\u001f`
_NAME_SIGNS = re.compile(r"\s*[;,]\s*")  # which the name of a recipient must not hold
_BETWEEN, _BETWEEN_ESCAPED = "\x1f", rb"\u001f"
_json = orjson.dumps


class MailRequest(Struct, frozen=True, kw_only=True):
    """One request, ready to be posted."""

    body: RequestBody
    recipients: tuple[Recipient, ...]  # whom it is for, in the order in which it names them
    invalid: Mapping[int, str]  # delivery → why it was left out
    undeliverable: frozenset[int]  # those of `invalid` whose address is none


class CompiledRequest(Struct, frozen=True, kw_only=True):
    """All of a mailing's requests but the recipients."""

    broadcast: str
    opening: bytes  # up to the first recipient's object
    tags: tuple[str, ...]  # one for each of the variant's slots

    def request(self, chunk: OutgoingChunk) -> MailRequest:
        """Return the request for a chunk, without those for whom SendGrid would refuse all of it."""
        invalid: dict[int, str] = {}
        undeliverable: set[int] = set()
        recipients, addresses = chunk.recipients, [recipient.email for recipient in chunk.recipients]
        # So it is, but for one chunk in many.
        if not (are_plain_addresses(addresses) and _are_surely_short(recipients, self.tags)):
            recipients, addresses = _sendable(recipients, self.tags, invalid, undeliverable)
        template = _object_template(self.tags, request_args(self.broadcast, chunk.number, chunk.attempt))
        body = RequestBody(self.opening)
        for written in _objects(template, recipients, addresses):  # in place: to join them would copy all of it twice
            body += written
        if recipients:
            del body[-1]  # the comma after the last
        body += b"]%b}" % _hold(chunk)
        return MailRequest(body=body, recipients=recipients, invalid=invalid, undeliverable=frozenset(undeliverable))


def compile_request(mailing: Mailing, *, sandbox: bool) -> CompiledRequest:
    """Write all that is the same for every recipient of a mailing."""
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
        # An issue's folder may have any name; a category is ASCII, and not too long.
        "categories": [mailing.category.encode("ascii", "replace").decode("ascii")[-_LONGEST_CATEGORY:]],
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
    opening = _json(message)[:-1] + b',"personalizations":['
    return CompiledRequest(broadcast=mailing.broadcast, opening=opening, tags=tags)


def request_args(broadcast: str, chunk: int, attempt: int) -> dict[str, str]:
    """Return the custom arguments that all mails of one request share: those of this attempt of this chunk alone."""
    return {BROADCAST: broadcast, CHUNK: str(chunk), ATTEMPT: str(attempt)}


def json_texts(texts: Sequence[str]) -> list[bytes]:
    """Return each text as JSON has it between its quotes."""
    # One text is written for all, with a sign between them that hardly any holds, and then cut.
    written = _json(_BETWEEN.join(texts))[1:-1].split(_BETWEEN_ESCAPED)
    return written if len(written) == len(texts) else [_json(text)[1:-1] for text in texts]


def _sendable(
    recipients: Sequence[Recipient], tags: Sequence[str], invalid: dict[int, str], undeliverable: set[int]
) -> tuple[tuple[Recipient, ...], list[str]]:
    """Return those whom a request may name, and the address of each on the wire; note why the others are left out."""
    fit: list[Recipient] = []
    addresses: list[str] = []
    for recipient in recipients:
        try:
            address = wire_address(recipient.email)
        except ValueError as err:
            invalid[recipient.delivery] = str(err)
            undeliverable.add(recipient.delivery)
            continue
        if refusal := _refusal(recipient.values, tags, address):
            invalid[recipient.delivery] = refusal
        else:
            fit.append(recipient)
            addresses.append(address)
    return tuple(fit), addresses


def _are_surely_short(recipients: Sequence[Recipient], tags: Sequence[str]) -> bool:
    """Whether the longest values together, however they are escaped, are within the limit; most are, by far."""
    columns = zip(*[recipient.values for recipient in recipients], strict=True)
    longest = sum(max(map(len, column)) for column in columns)
    around = sum(len(f'"{tag}":"",') for tag in tags) + len("{}")
    return longest * _LONGEST_ESCAPE_BYTES + around <= _LARGEST_SUBSTITUTIONS_BYTES


def _refusal(values: tuple[str, ...], tags: Sequence[str], address: str) -> str:
    """Return why SendGrid would refuse the whole request for this recipient. Empty where it would not."""
    if not address.isascii():
        return "SendGrid carries no address with letters outside ASCII before the @"
    size_bytes = len(_json(dict(zip(tags, values, strict=True))))
    if size_bytes <= _LARGEST_SUBSTITUTIONS_BYTES:
        return ""
    return f"this subscriber's values are {size_bytes:,} bytes long; SendGrid takes {_LARGEST_SUBSTITUTIONS_BYTES:,}"


def _object_template(tags: Sequence[str], args: Mapping[str, str]) -> bytes:
    """Return a recipient's object and a comma: `%b` for address, name, values and link, `%d` for the delivery.

    `args` are the custom arguments that all of a request share.
    """
    substitutions = ",".join(f'"{tag.replace("%", "%%")}":"%b"' for tag in tags)
    shared = "".join(f'"{name}":"{value}",' for name, value in args.items())
    parts = (
        '{"to":[{"email":"%b"%b}]',
        f'"substitutions":{{{substitutions}}}' if substitutions else "",
        '"headers":{"List-Unsubscribe":"<%b>","List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}',
        f'"custom_args":{{{shared}"{DELIVERY}":"%d"}}}},',
    )
    return ",".join(part for part in parts if part).encode("ascii")


def _objects(template: bytes, recipients: Sequence[Recipient], addresses: Sequence[str]) -> Iterator[bytes]:
    """Return the object of each recipient, with a comma after it."""
    columns: list[Sequence[bytes] | Sequence[int]] = [
        json_texts(addresses),
        _named([recipient.name for recipient in recipients]),
        *(json_texts(column) for column in zip(*[recipient.values for recipient in recipients], strict=True)),
        json_texts([recipient.unsubscribe_url for recipient in recipients]),
        [recipient.delivery for recipient in recipients],
    ]
    return map(template.__mod__, zip(*columns, strict=True))


def _named(names: Sequence[str]) -> list[bytes]:
    """Return each name as it follows the address. Nothing where there is none."""
    together = " ".join(names)
    if together.isprintable() and ";" not in together and "," not in together:
        shown = [name.strip() for name in names]
    else:
        shown = [_NAME_SIGNS.sub(" ", one_line(name)).strip() for name in names]
    return [b',"name":"%b"' % text if text else b"" for text in json_texts(shown)]


def _hold(chunk: OutgoingChunk) -> bytes:
    """Return until when SendGrid keeps the mail, and under which batch. Nothing where it is to go at once."""
    if chunk.hold_until is None:
        return b""
    batch_id = chunk.mailing.batch_id
    under = b',"batch_id":%b' % _json(batch_id) if batch_id else b""
    return b',"send_at":%d%b' % (chunk.hold_until.timestamp(), under)


def _list_id(envelope: Envelope) -> str:
    """Return the value of List-Id (RFC 2919), unfolded: a header's value in JSON is one line."""
    return f"{phrase(envelope.list_name)} <{envelope.list_id}>".replace("\r\n", "")
