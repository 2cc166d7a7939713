"""The part of a request that differs from mail to mail: an object for each recipient.

A thousand are made for every request, column by column: a step for all of them costs a fraction of a thousand steps.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from newsletter.model.broadcast import Recipient
from newsletter.providers.headers import are_plain_addresses, one_line, wire_address
from newsletter.providers.sendgrid.args import DELIVERY

_LARGEST_SUBSTITUTIONS_BYTES = 10_000
_LONGEST_ESCAPE_BYTES = 6  # of one character: `\u001f`
_NAME_SIGNS = re.compile(r"\s*[;,]\s*")  # which the name of a recipient must not hold
_BETWEEN, _BETWEEN_ESCAPED = "\x1f", rb"\u001f"
_json = orjson.dumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Sendable:
    """Those of a chunk whom a request may name."""

    recipients: tuple[Recipient, ...]
    addresses: Sequence[str]  # of each, as it stands on the wire
    invalid: Mapping[int, str]  # delivery → why it was left out
    undeliverable: frozenset[int]  # those of `invalid` whose address is none


def sendable(recipients: tuple[Recipient, ...], tags: tuple[str, ...]) -> Sendable:
    """Leaves those out whom SendGrid would refuse the whole request for."""
    emails = [recipient.email for recipient in recipients]
    if are_plain_addresses(emails) and _are_surely_short(recipients, tags):  # so it is, but for one chunk in many
        return Sendable(recipients=recipients, addresses=emails, invalid={}, undeliverable=frozenset())
    fit: list[tuple[Recipient, str]] = []
    invalid: dict[int, str] = {}
    undeliverable: set[int] = set()
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
            fit.append((recipient, address))
    return Sendable(
        recipients=tuple(recipient for recipient, _ in fit),
        addresses=[address for _, address in fit],
        invalid=invalid,
        undeliverable=frozenset(undeliverable),
    )


def object_template(tags: Iterable[str], args: Mapping[str, str]) -> bytes:
    """A recipient's object and a comma: `%b` for address, name, each value in turn and the link, `%d` for the delivery.

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


def objects(template: bytes, to: Sendable) -> Iterator[bytes]:
    """The object of each recipient, with a comma after it."""
    columns: list[Sequence[bytes] | Sequence[int]] = [
        json_texts(to.addresses),
        _named([recipient.name for recipient in to.recipients]),
        *(json_texts(column) for column in zip(*[recipient.values for recipient in to.recipients], strict=True)),
        json_texts([recipient.unsubscribe_url for recipient in to.recipients]),
        [recipient.delivery for recipient in to.recipients],
    ]
    return map(template.__mod__, zip(*columns, strict=True))


def json_texts(texts: Sequence[str]) -> list[bytes]:
    """Each text as JSON has it between its quotes."""
    # One text is written for all, with a sign between them that hardly any holds, and then cut.
    written = _json(_BETWEEN.join(texts))[1:-1].split(_BETWEEN_ESCAPED)
    return written if len(written) == len(texts) else [_json(text)[1:-1] for text in texts]


def _named(names: Sequence[str]) -> list[bytes]:
    """Each name as it follows the address; nothing where there is none."""
    together = " ".join(names)
    if together.isprintable() and ";" not in together and "," not in together:
        shown = [name.strip() for name in names]
    else:
        shown = [_NAME_SIGNS.sub(" ", one_line(name)).strip() for name in names]
    return [b',"name":"%b"' % text if text else b"" for text in json_texts(shown)]


def _are_surely_short(recipients: Sequence[Recipient], tags: Sequence[str]) -> bool:
    """Whether the longest values together, however they are escaped, are within the limit; most are, by far."""
    columns = zip(*[recipient.values for recipient in recipients], strict=True)
    longest = sum(max(map(len, column)) for column in columns)
    around = sum(len(f'"{tag}":"",') for tag in tags) + len("{}")
    return longest * _LONGEST_ESCAPE_BYTES + around <= _LARGEST_SUBSTITUTIONS_BYTES


def _refusal(values: tuple[str, ...], tags: tuple[str, ...], address: str) -> str:
    """Why SendGrid would refuse the whole request for this recipient; empty where it would not."""
    if not address.isascii():
        return "SendGrid carries no address with letters outside ASCII before the @"
    size_bytes = len(_json(dict(zip(tags, values, strict=True))))
    if size_bytes <= _LARGEST_SUBSTITUTIONS_BYTES:
        return ""
    return f"this subscriber's values are {size_bytes:,} bytes long; SendGrid takes {_LARGEST_SUBSTITUTIONS_BYTES:,}"
