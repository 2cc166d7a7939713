"""The body of `POST /v3/mail/send`: a fixed part, made once per mailing, and a small object for each recipient.

Wherever a value varies, the fixed part has a substitution tag, and each recipient's object has the escaped value. The
tags contain the broadcast's nonce, so no value can be mistaken for a tag. Rules and limits are from SendGrid's Mail
Send documentation.

Each request has up to a thousand objects. They are made column by column, because one step for a whole column costs a
fraction of a thousand single steps.
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
# The custom arguments of every email. SendGrid repeats them in each event and in its log, where they identify the
# delivery. The names begin with our own prefix, because in an event, SendGrid's own keys replace arguments of the same
# name. The values are only ids, because SendGrid keeps them and they cannot be erased there.
BROADCAST, CHUNK, ATTEMPT, DELIVERY = "nl_broadcast", "nl_chunk", "nl_attempt", "nl_delivery"

_LONGEST_CATEGORY = 255
_LARGEST_SUBSTITUTIONS_BYTES = 10_000
_LONGEST_ESCAPE_BYTES = 6  # the longest escape of one character, such as `\u001f`
_NAME_SIGNS = re.compile(r"\s*[;,]\s*")  # characters that a recipient's name must not contain
_BETWEEN, _BETWEEN_ESCAPED = "\x1f", rb"\u001f"
_ONE_CLICK = '"headers":{"List-Unsubscribe":"%b","List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}'
_json = orjson.dumps


class MailRequest(Struct, frozen=True, kw_only=True):
    """One request, ready to be posted."""

    body: RequestBody
    recipients: tuple[Recipient, ...]  # in the order of the request
    invalid: Mapping[int, str]  # delivery → why it was skipped
    undeliverable: frozenset[int]  # the deliveries in `invalid` whose address is not valid


class CompiledRequest(Struct, frozen=True, kw_only=True):
    """The part that is the same in all requests of a mailing."""

    broadcast: str
    opening: bytes  # up to the first recipient's object
    tags: tuple[str, ...]  # one for each of the variant's slots
    is_automatic: bool = False

    def request(self, chunk: OutgoingChunk) -> MailRequest:
        """Return the request for a chunk. Skip recipients who would make SendGrid refuse the whole request."""
        invalid: dict[int, str] = {}
        undeliverable: set[int] = set()
        recipients, addresses = chunk.recipients, [recipient.email for recipient in chunk.recipients]
        # Nearly every chunk passes this test and skips the slower check of each recipient.
        if not (are_plain_addresses(addresses) and _are_surely_short(recipients, self.tags)):
            recipients, addresses = _sendable(recipients, self.tags, invalid, undeliverable)
        args = request_args(self.broadcast, chunk.number, chunk.attempt)
        template = _object_template(self.tags, args, can_unsubscribe=not self.is_automatic)
        body = RequestBody(self.opening)
        for written in _objects(
            template, recipients, addresses, can_unsubscribe=not self.is_automatic
        ):  # in place: joining them would copy everything twice
            body += written
        if recipients:
            del body[-1]  # the comma after the last object
        body += b"]%b}" % _hold(chunk)
        return MailRequest(body=body, recipients=recipients, invalid=invalid, undeliverable=frozenset(undeliverable))


def compile_request(mailing: Mailing, *, sandbox: bool) -> CompiledRequest:
    """Return the part of a request that is the same for all recipients of a mailing."""
    variant, envelope = mailing.variant, mailing.envelope
    tags = tuple(f"%nl{mailing.nonce}x{number}%" for number in range(len(variant.slots)))
    message: dict[str, object] = {
        "from": {"email": wire_address(envelope.from_email), "name": one_line(envelope.from_name)},
        "subject": mailing.subject_prefix + variant.subject.fill(tags),
        "content": [
            {"type": "text/plain", "value": variant.text.fill(tags)},
            {"type": "text/html", "value": variant.html.fill(tags)},
        ],
        # RFC 3834, section 5: an email about a sign-up is generated for the person who asked for it.
        "headers": {"List-Id": _list_id(envelope), "Content-Language": variant.language}
        | ({"Auto-Submitted": "auto-generated"} if mailing.is_automatic else {}),
        # An issue's folder can have any name; a category must be ASCII and not too long.
        "categories": [mailing.category.encode("ascii", "replace").decode("ascii")[-_LONGEST_CATEGORY:]],
        # All tracking is named, because what is not named follows the settings of the account. Opens and clicks are
        # recorded by our own service or not at all: SendGrid's tracking is always per person.
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
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
    return CompiledRequest(broadcast=mailing.broadcast, opening=opening, tags=tags, is_automatic=mailing.is_automatic)


def request_args(broadcast: str, chunk: int, attempt: int) -> dict[str, str]:
    """Return the custom arguments of all emails in one request, which identify the chunk and the attempt."""
    return {BROADCAST: broadcast, CHUNK: str(chunk), ATTEMPT: str(attempt)}


def json_texts(texts: Sequence[str]) -> list[bytes]:
    """Return each string escaped as in JSON, without the quotes."""
    # The strings are joined by a character that hardly any of them contains, encoded all at once, and split again.
    written = _json(_BETWEEN.join(texts))[1:-1].split(_BETWEEN_ESCAPED)
    return written if len(written) == len(texts) else [_json(text)[1:-1] for text in texts]


def _sendable(
    recipients: Sequence[Recipient], tags: Sequence[str], invalid: dict[int, str], undeliverable: set[int]
) -> tuple[tuple[Recipient, ...], list[str]]:
    """Return the recipients that a request may contain, and their encoded addresses. Note why others are skipped."""
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
    """Return whether all values are certainly within the limit, even if every character is escaped."""
    columns = zip(*[recipient.values for recipient in recipients], strict=True)
    longest = sum(max(map(len, column)) for column in columns)
    around = sum(len(f'"{tag}":"",') for tag in tags) + len("{}")
    return longest * _LONGEST_ESCAPE_BYTES + around <= _LARGEST_SUBSTITUTIONS_BYTES


def _refusal(values: tuple[str, ...], tags: Sequence[str], address: str) -> str:
    """Return why SendGrid would refuse the whole request because of this recipient, or an empty string."""
    if not address.isascii():
        return "SendGrid cannot send to an address with non-ASCII characters before the @"
    size_bytes = len(_json(dict(zip(tags, values, strict=True))))
    if size_bytes <= _LARGEST_SUBSTITUTIONS_BYTES:
        return ""
    limit = f"SendGrid accepts at most {_LARGEST_SUBSTITUTIONS_BYTES:,}"
    return f"this subscriber's values total {size_bytes:,} bytes; {limit}"


def _object_template(tags: Sequence[str], args: Mapping[str, str], *, can_unsubscribe: bool) -> bytes:
    """Return a template of a recipient's object and a comma, with `%b` for each string and `%d` for the delivery.

    `args` are the custom arguments that all objects of a request share.
    """
    substitutions = ",".join(f'"{tag.replace("%", "%%")}":"%b"' for tag in tags)
    shared = "".join(f'"{name}":"{value}",' for name, value in args.items())
    parts = (
        '{"to":[{"email":"%b"%b}]',
        f'"substitutions":{{{substitutions}}}' if substitutions else "",
        _ONE_CLICK if can_unsubscribe else "",
        f'"custom_args":{{{shared}"{DELIVERY}":"%d"}}}},',
    )
    return ",".join(part for part in parts if part).encode("ascii")


def _objects(
    template: bytes, recipients: Sequence[Recipient], addresses: Sequence[str], *, can_unsubscribe: bool
) -> Iterator[bytes]:
    """Return the object of each recipient, followed by a comma."""
    columns: list[Sequence[bytes] | Sequence[int]] = [
        json_texts(addresses),
        _named([recipient.name for recipient in recipients]),
        *(json_texts(column) for column in zip(*[recipient.values for recipient in recipients], strict=True)),
        *([json_texts([recipient.list_unsubscribe for recipient in recipients])] if can_unsubscribe else []),
        [recipient.delivery for recipient in recipients],
    ]
    return map(template.__mod__, zip(*columns, strict=True))


def _named(names: Sequence[str]) -> list[bytes]:
    """Return the JSON for each name, to go after the address. It is empty for an empty name."""
    together = " ".join(names)
    if together.isprintable() and ";" not in together and "," not in together:
        shown = [name.strip() for name in names]
    else:
        shown = [_NAME_SIGNS.sub(" ", one_line(name)).strip() for name in names]
    return [b',"name":"%b"' % text if text else b"" for text in json_texts(shown)]


def _hold(chunk: OutgoingChunk) -> bytes:
    """Return the JSON for the send time and the batch of held email. It is empty if the email is sent at once."""
    if chunk.hold_until is None:
        return b""
    batch_id = chunk.mailing.batch_id
    under = b',"batch_id":%b' % _json(batch_id) if batch_id else b""
    return b',"send_at":%d%b' % (chunk.hold_until.timestamp(), under)


def _list_id(envelope: Envelope) -> str:
    """Return the value of List-Id (RFC 2919), unfolded: a header's value in JSON is one line."""
    return f"{phrase(envelope.list_name)} <{envelope.list_id}>".replace("\r\n", "")
