"""Find out which of our deliveries a received email is about. The stage only collects hints, most reliable first.

The hints are: the address to which a report was sent, our Message-ID, the unsubscribe link, and the recipient's
address. Words in a text are never searched for addresses: reports quote signatures, postmasters and other people.
"""

import re
from collections.abc import Iterable, Iterator

from newsletter.mailbox.received import RETURNED, MailFields, ReceivedMail, fields_in
from newsletter.model.mail_report import Trace, TraceHint
from newsletter.model.return_paths import named_in

_DELIVERED_TO = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "cc")
_SENT_FROM = ("return-path", "x-envelope-from", "x-original-mail-from", "original-mail-from", "x-postfix-sender")
_REFERENCES = ("in-reply-to", "references", "x-original-message-id", "original-message-id")
_MESSAGE_ID = re.compile(
    r"<?b(?P<broadcast>[0-9]{1,18})-(?P<nonce>[0-9a-z]{1,64})\.(?P<subscriber>[0-9]{1,18})@", re.IGNORECASE
)
_LINK = re.compile(r"/u/(?P<subscriber>[0-9]{1,18})-(?P<token>[\w-]{8,128})(?![\w-])")
_HEADER_LINE = re.compile(r"[ \t>]*[A-Za-z][A-Za-z0-9-]{1,60}:(?:\s|$)")
_MOST_TRACES = 100  # each is looked up in the database
_FEWEST_LINES = 3  # of a header that is quoted in a text


def traces_in(mail: ReceivedMail) -> tuple[Trace, ...]:
    """Return the hints of an email and of the headers that it returns, without the addresses of recipients."""
    returned = returned_headers(mail)
    reports = [block for part in mail.parts if part.content_type not in RETURNED for block in part.blocks]
    headers = (mail.header, *returned, *reports)
    found = (
        *_return_paths(mail.header.addresses(*_DELIVERED_TO)),
        *_return_paths(_addresses_of(header, _SENT_FROM) for header in headers),
        *_message_ids(mail.header.all(*_REFERENCES)),
        *_message_ids(value for header in (*returned, *reports) for value in header.all("message-id", *_REFERENCES)),
        *_links(value for header in headers for value in header.all("list-unsubscribe")),
    )
    return tuple(dict.fromkeys(found))[:_MOST_TRACES]


def returned_headers(mail: ReceivedMail) -> list[MailFields]:
    """Return the headers of the emails that a report returns, as a part of their own or quoted in its text."""
    return mail.blocks(*RETURNED) or [fields_in(block) for block in _quoted_headers(mail.text)]


def of_recipients(addresses: Iterable[str]) -> tuple[Trace, ...]:
    """Return a hint for each address of a recipient."""
    named = dict.fromkeys(address for address in addresses if "@" in address)
    return tuple(Trace(hint=TraceHint.ADDRESS, address=address) for address in named)


def _addresses_of(header: MailFields, names: tuple[str, ...]) -> str:
    """Return all values, because some are typed, such as `rfc822; address`, and no address contains a space."""
    return " ".join(header.all(*names)).replace(";", " ")


def _return_paths(values: Iterable[str]) -> Iterator[Trace]:
    for value in values:
        for word in re.split(r"[\s<>,;\"]+", value):
            if named := named_in(word):
                yield Trace(
                    hint=TraceHint.RETURN_PATH,
                    subscriber=named.subscriber,
                    broadcast=named.broadcast,
                    secret=named.code,
                    address=named.purpose,
                )


def _message_ids(values: Iterable[str]) -> Iterator[Trace]:
    for value in values:
        for match in _MESSAGE_ID.finditer(value):
            yield Trace(
                hint=TraceHint.MESSAGE_ID,
                subscriber=int(match["subscriber"]),
                broadcast=int(match["broadcast"]),
                secret=match["nonce"].lower(),
            )


def _links(values: Iterable[str]) -> Iterator[Trace]:
    for value in values:
        for match in _LINK.finditer(value):
            yield Trace(hint=TraceHint.LINK, subscriber=int(match["subscriber"]), secret=match["token"])
        yield from (
            Trace(
                hint=TraceHint.LINK,
                subscriber=each.subscriber,
                broadcast=each.broadcast,
                secret=each.secret,
                address=each.address,
            )
            for each in _return_paths([value.replace("mailto:", " ").replace("?", " ")])
        )


def _quoted_headers(text: str) -> Iterator[str]:
    """Yield the headers that are quoted in a text: several lines in a row that look like fields."""
    block: list[str] = []
    for line in (*text.splitlines(), ""):
        if _HEADER_LINE.match(line) or (block and line[:1] in {" ", "\t"} and line.strip()):
            block.append(line.lstrip("> ") if _HEADER_LINE.match(line) else line)
            continue
        if len(block) >= _FEWEST_LINES:
            yield "\n".join(block)
        block = []
