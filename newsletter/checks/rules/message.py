"""Checks of the message as sent: its headers, the order of its parts, and the length of its lines."""

import re
from collections.abc import Iterable
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import urlsplit

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.wire import BodyPart, Container
from newsletter.language.clock import WEEKDAYS
from newsletter.language.counts import count_of
from newsletter.model.finding import Place, Severity

LINE_LIMIT = 998  # bytes without the line break (RFC 5322, section 2.1.1)
ENCODED_LINE_LIMIT = 76  # in an encoded part (RFC 2045, sections 6.7 and 6.8)
ENCODED_WORD_LIMIT = 75  # RFC 2047, section 2
_ONCE = ("From", "Date", "Subject", "To", "Message-ID")
_ONE_CLICK = "list-unsubscribe=one-click"
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_UNFIT_IN_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f-\xff]")
_ENCODINGS = frozenset({"base64", "quoted-printable"})
_ENCODED_WORD = re.compile(r"=\?[^\s?]+\?[BbQq]\?[^\s?]+\?=")
_LIKE_ENCODED_WORD = re.compile(r"=\?\S*")
_IDENTIFIER = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
_LIST_IDENTIFIER = re.compile(r"[^<>]*<[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+>")
_UNSUBSCRIBE_ADDRESS = re.compile(r"<([^<>]*)>")
_REPORT = "send the email.eml that `newsletter build` writes to the person who maintains this program"


@rule("H1", source="RFC 5322, Gmail's sender rules", can_be_waived=False)
def check_single_headers(context: CheckContext) -> Iterable[Problem]:
    """Missing, repeated or unreadable headers.

    The headers From, Date, Subject, To and Message-ID must each appear exactly once. Servers reject an email without
    one of them, or treat it as forged.
    """
    for name in _ONCE:
        found = context.message.values(name)
        if len(found) != 1:
            count = count_of(len(found), f"{name} header") if found else f"no {name} header"
            what = f"the email has {count}, but needs exactly one"
            yield error(_place(context, name), what, _REPORT)
        elif not _is_readable(name, found[0]):
            what = f"the {name} header of the email is not valid: {found[0]!r}"
            yield error(_place(context, name), what, f"correct this line, or {_REPORT}")


@rule("H2", source="Gmail's and Yahoo's sender rules, RFC 8058", can_be_waived=False)
def check_one_click(context: CheckContext) -> Iterable[Problem]:
    """Missing one-click unsubscribe.

    Two headers must give email apps a secure address that unsubscribes this reader. Email apps use them to show an
    unsubscribe button beside the sender. Gmail and Yahoo require both headers in newsletters.
    """
    place = _place(context, "List-Unsubscribe")
    values = context.message.values("List-Unsubscribe")
    addresses = _UNSUBSCRIBE_ADDRESS.findall(" ".join(values))
    pages = [address for address in addresses if not address.startswith("mailto:")]
    service = context.subject.settings.service.url
    if len(values) != 1 or not pages:
        what = "the email has no List-Unsubscribe header with the address of a page"
        yield error(place, what, "set `url` under [service] in newsletter.toml to the address of your unsubscribe page")
    elif any(urlsplit(page).scheme != "https" for page in pages):
        yield error(
            place,
            f"the unsubscribe address {pages[0]} is not secure",
            "begin `url` under [service] in newsletter.toml with https://",
        )
    elif any(page.rstrip("/") == service.rstrip("/") for page in pages):
        what = f"the unsubscribe address {pages[0]} is the same for all readers, so it cannot tell who unsubscribes"
        yield error(place, what, _REPORT)
    if [value.lower() for value in context.message.values("List-Unsubscribe-Post")] != [_ONE_CLICK]:
        what = "the header List-Unsubscribe-Post: List-Unsubscribe=One-Click is missing or wrong"
        yield error(place, what, _REPORT)


@rule("H9", source="RFC 2919", severity=Severity.WARNING)
def check_list_id(context: CheckContext) -> Iterable[Problem]:
    """Missing or invalid List-Id.

    The header List-Id must give your list a name with dots, such as news.example.org. Readers use it to sort the
    newsletter into a folder. Providers use it to tell the newsletter from your other email.
    """
    values = context.message.values("List-Id")
    if len(values) != 1 or not _LIST_IDENTIFIER.fullmatch(values[0]):
        shown = f"{' and '.join(values)}, not one valid name" if values else "missing"
        what = f"the List-Id header is {shown}, so readers cannot sort the newsletter by it"
        remedy = (
            'under [newsletter] in newsletter.toml, write a name with dots, for example list_id = "news.example.org"'
        )
        yield warning(_place(context, "List-Id"), what, remedy)


@rule("H7", source="RFC 2047, RFC 5322")
def check_header_signs(context: CheckContext) -> Iterable[Problem]:
    """Invalid characters in headers.

    Headers may contain only printable ASCII characters. Accented letters and emoji must be encoded. Readers see a
    wrongly encoded word as =?utf-8?…, and servers reject an email with control characters in a header.
    """
    for header in context.message.headers:
        place = _place(context, header.name)
        if b":" not in header.raw or not _FIELD_NAME.fullmatch(header.name):
            yield error(place, f"a line among the headers is not a header: {header.name[:40]}", _REPORT)
        elif _UNFIT_IN_HEADER.search(header.raw.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")):
            what = f"the {header.name} header contains an invalid character"
            yield error(place, what, f"delete unusual characters from this line, or {_REPORT}")
        else:
            for word in _LIKE_ENCODED_WORD.findall(header.value):
                if problem := _problem_of_word(word):
                    what = f"the {header.name} header contains {word[:40]}, which {problem}"
                    yield error(place, what, f"write this line in plain letters, or {_REPORT}")


@rule("H8", source="RFC 5322, RFC 2045")
def check_lines(context: CheckContext) -> Iterable[Problem]:
    """Lines that are too long.

    No line of the email may be longer than 998 bytes. A server may reject a longer line, or break it. Breaking it makes
    the email's signature (DKIM) invalid.

    A line that ends without CR LF is reported too. An encoded part may have at most 76 characters per line.
    """
    message = context.message
    if message.longest_line > LINE_LIMIT:
        what = f"a line of the email is {message.longest_line:,} bytes long, but servers accept at most {LINE_LIMIT}"
        yield error(context.issue_place, what, _REPORT)
    if message.has_bare_breaks:
        yield error(context.issue_place, "a line of the email ends without CR LF, which servers reject", _REPORT)
    if message.longest_body_line <= ENCODED_LINE_LIMIT:
        return
    for part in message.leaves:
        if part.encoding not in _ENCODINGS:
            continue
        longest = max(map(len, part.body.split(b"\r\n")))
        if ENCODED_LINE_LIMIT < longest <= LINE_LIMIT:
            what = f"the {part.kind} part has encoded lines of {longest} characters, over {ENCODED_LINE_LIMIT}"
            yield error(context.issue_place, what, _REPORT)


@rule("S1", source="RFC 2046, spam filters' rules")
def check_parts(context: CheckContext) -> Iterable[Problem]:
    """Missing HTML or plain text.

    The email must contain plain text, followed by HTML. Email apps show the last version that they can display. Spam
    filters count an email that has only HTML as suspicious.
    """
    place, whole = context.issue_place, context.message.whole
    if whole.kind != "multipart/alternative" or not isinstance(whole, Container):
        yield error(place, f"the email has the type {whole.kind} instead of multipart/alternative", _REPORT)
        return
    kinds = [_shown_kind(part) for part in whole.parts]
    if kinds != ["text/plain", "text/html"]:
        what = f"the email contains {' and '.join(kinds) or 'no versions'}, but needs text/plain, then text/html"
        yield error(place, what, _REPORT)
    for part in context.message.leaves:
        if part.kind.startswith("text/") and not part.body.strip():
            yield error(
                place,
                f"the {part.kind} part of the email is empty",
                f"show the content {IN_TEMPLATES}",
            )


def _shown_kind(part: BodyPart | Container) -> str:
    """Return the type of a part as a reader sees it. HTML packed with its images counts as HTML."""
    if isinstance(part, Container) and part.kind == "multipart/related" and part.parts:
        return _shown_kind(part.parts[0])
    return part.kind


def _place(context: CheckContext, name: str) -> Place:
    """Return the place of the setting or text that a header is made from."""
    keys = {
        "from": ("newsletter", "from"),
        "reply-to": ("newsletter", "reply_to"),
        "message-id": ("newsletter", "from"),
        "list-id": ("newsletter", "list_id"),
        "list-unsubscribe": ("service", "url"),
        "list-unsubscribe-post": ("service", "url"),
    }.get(name.lower())
    if keys is not None:
        return context.config_place(*keys)
    return context.subject.issue.source.at("subject") if name.lower() == "subject" else context.issue_place


def _is_readable(name: str, value: str) -> bool:
    match name:
        case "From" | "To":
            addresses = getaddresses([value])
            return len(addresses) == 1 and "@" in addresses[0][1].strip("@")
        case "Date":
            return _is_date(value)
        case "Message-ID":
            return _IDENTIFIER.fullmatch(value) is not None
        case _:
            return bool(value)


def _is_date(value: str) -> bool:
    """Return whether this is a date with a time zone and no wrong weekday (RFC 5322, section 3.3)."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return False
    weekday, comma, _ = value.partition(",")
    return moment.tzinfo is not None and (not comma or weekday.strip() == WEEKDAYS[moment.weekday()][:3])


def _problem_of_word(word: str) -> str | None:
    """Return what is wrong with text that looks like an encoded word, or None if it is a valid one."""
    word = word.rstrip(",;)>")
    if not _ENCODED_WORD.fullmatch(word):
        return "is not a valid encoded word"
    if len(word) > ENCODED_WORD_LIMIT:
        return f"is longer than {ENCODED_WORD_LIMIT} characters"
    try:
        for content, charset in decode_header(word):
            if isinstance(content, bytes):
                content.decode(charset or "ascii")
    except (ValueError, LookupError):
        return "cannot be decoded"
    return None


RULES = (check_single_headers, check_one_click, check_header_signs, check_lines, check_list_id, check_parts)
