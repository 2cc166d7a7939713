"""The mail as it goes over the wire: what its headers say, how its parts follow each other, how long its lines are."""

import re
from collections.abc import Iterable
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import urlsplit

from newsletter.checks.base import Evidence, Fault, error, warning
from newsletter.checks.reading.wire import Container, Part
from newsletter.language.clock import WEEKDAYS
from newsletter.model.finding import Place

LINE_LIMIT = 998  # octets without the line break (RFC 5322, section 2.1.1)
ENCODED_LINE_LIMIT = 76  # in a part that is encoded (RFC 2045, sections 6.7 and 6.8)
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
_REPORT = "report it as a fault of this program, with the mail that `newsletter build` writes"


def check_single_headers(evidence: Evidence) -> Iterable[Fault]:
    """What every mail must say once, it says once, in a form that can be read."""
    for name in _ONCE:
        found = evidence.message.values(name)
        if len(found) != 1:
            count = "no" if not found else str(len(found))
            what = f"the mail has {count} {name} header{'s' if len(found) > 1 else ''}, and exactly one is asked for"
            yield error(_place(evidence, name), what, _REPORT)
        elif not _is_readable(name, found[0]):
            what = f"the {name} header cannot be read: {found[0] or 'it is empty'}"
            yield error(_place(evidence, name), what, f"correct what it is made from, or {_REPORT}")


def check_one_click(evidence: Evidence) -> Iterable[Fault]:
    """Mail programs find an address of the reader's own, to which a POST unsubscribes at once (RFC 8058)."""
    place = _place(evidence, "List-Unsubscribe")
    values = evidence.message.values("List-Unsubscribe")
    addresses = _UNSUBSCRIBE_ADDRESS.findall(" ".join(values))
    pages = [address for address in addresses if not address.startswith("mailto:")]
    service = evidence.subject.settings.service.url
    if len(values) != 1 or not pages:
        what = "the mail has no List-Unsubscribe header with the address of a page"
        yield error(place, what, f"write the address of your service into `url` of [service], or {_REPORT}")
    elif any(urlsplit(page).scheme != "https" for page in pages):
        yield error(place, f"{pages[0]}, by which readers unsubscribe, is not secure", "write https:// in `url`")
    elif any(page.rstrip("/") == service.rstrip("/") for page in pages):
        what = f"{pages[0]}, by which readers unsubscribe, is the same for all, so nobody knows who leaves"
        yield error(place, what, _REPORT)
    if [value.lower() for value in evidence.message.values("List-Unsubscribe-Post")] != [_ONE_CLICK]:
        what = "the header List-Unsubscribe-Post: List-Unsubscribe=One-Click is missing or wrong"
        yield error(place, what, _REPORT)


def check_list_id(evidence: Evidence) -> Iterable[Fault]:
    """One List-Id, in the form that mail programs sort by (RFC 2919)."""
    values = evidence.message.values("List-Id")
    if len(values) != 1 or not _LIST_IDENTIFIER.fullmatch(values[0]):
        shown = " and ".join(values) or "missing"
        what = f"the List-Id header is {shown}, so readers cannot sort the newsletter by it"
        yield warning(_place(evidence, "List-Id"), what, "write a dotted name into `list_id` of [newsletter]")


def check_header_signs(evidence: Evidence) -> Iterable[Fault]:
    """Headers hold what may stand in them, and other signs only in encoded words (RFC 2047)."""
    for header in evidence.message.headers:
        place = _place(evidence, header.name)
        if b":" not in header.raw or not _FIELD_NAME.fullmatch(header.name):
            yield error(place, f"a line of the mail's head is no header: {header.name[:40]}", _REPORT)
        elif _UNFIT_IN_HEADER.search(header.raw.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")):
            what = f"the {header.name} header holds a sign that may not stand there as it is"
            yield error(place, what, f"delete unusual signs from what it is made from, or {_REPORT}")
        else:
            for word in _LIKE_ENCODED_WORD.findall(header.value):
                if fault := _fault_of_word(word):
                    what = f"the {header.name} header holds the word {word[:40]}, which {fault}"
                    yield error(place, what, f"write its text in plain letters, or {_REPORT}")


def check_lines(evidence: Evidence) -> Iterable[Fault]:
    """No line is longer than servers take, and every line ends as they expect."""
    message = evidence.message
    longest = max(message.line_lengths)
    if longest > LINE_LIMIT:
        what = f"a line of the mail is {longest:,} bytes long, and servers take {LINE_LIMIT}"
        yield error(evidence.issue_place, what, _REPORT)
    if message.has_bare_breaks:
        yield error(evidence.issue_place, "a line of the mail ends without CR LF, which servers refuse", _REPORT)
    for part in message.leaves:
        if part.encoding not in _ENCODINGS:
            continue
        longest = max(map(len, part.body.split(b"\r\n")))
        if ENCODED_LINE_LIMIT < longest <= LINE_LIMIT:
            what = f"the {part.kind} part is encoded in lines of {longest} characters; {ENCODED_LINE_LIMIT} are allowed"
            yield error(evidence.issue_place, what, _REPORT)


def check_parts(evidence: Evidence) -> Iterable[Fault]:
    """Text and HTML are alternatives, the text first: of those that it can show, a mail program takes the last."""
    place, whole = evidence.issue_place, evidence.message.whole
    if whole.kind != "multipart/alternative" or not isinstance(whole, Container):
        yield error(place, f"the mail is {whole.kind} as a whole, not multipart/alternative", _REPORT)
        return
    kinds = [_shown_kind(part) for part in whole.parts]
    if kinds != ["text/plain", "text/html"]:
        what = f"the alternatives of the mail are {' and '.join(kinds) or 'missing'}; asked for are text, then HTML"
        yield error(place, what, _REPORT)
    for part in evidence.message.leaves:
        if part.kind.startswith("text/") and not part.body.strip():
            yield error(place, f"the {part.kind} part of the mail is empty", "write something into its templates")


def _shown_kind(part: Part | Container) -> str:
    """What a reader sees of a part: of HTML with its pictures, the HTML."""
    if isinstance(part, Container) and part.kind == "multipart/related" and part.parts:
        return _shown_kind(part.parts[0])
    return part.kind


def _place(evidence: Evidence, name: str) -> Place:
    """Where the user writes what a header says."""
    keys = {
        "from": ("newsletter", "from"),
        "reply-to": ("newsletter", "reply_to"),
        "message-id": ("newsletter", "from"),
        "list-id": ("newsletter", "list_id"),
        "list-unsubscribe": ("service", "url"),
        "list-unsubscribe-post": ("service", "url"),
    }.get(name.lower())
    if keys is not None:
        return evidence.config_place(*keys)
    return evidence.subject.issue.source.at("subject") if name.lower() == "subject" else evidence.issue_place


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
    """Whether it is a moment with its zone; a wrong weekday makes it none (RFC 5322, section 3.3)."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return False
    weekday, comma, _ = value.partition(",")
    return moment.tzinfo is not None and (not comma or weekday.strip() == WEEKDAYS[moment.weekday()][:3])


def _fault_of_word(word: str) -> str | None:
    """What is wrong with something that looks like an encoded word."""
    word = word.rstrip(",;)>")
    if not _ENCODED_WORD.fullmatch(word):
        return "is no encoded word"
    if len(word) > ENCODED_WORD_LIMIT:
        return f"is longer than {ENCODED_WORD_LIMIT} characters"
    try:
        for content, charset in decode_header(word):
            if isinstance(content, bytes):
                content.decode(charset or "ascii")
    except (ValueError, LookupError):
        return "cannot be decoded"
    return None
