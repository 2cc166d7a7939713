"""The mail as it goes over the wire: what its headers say, how its parts follow each other, how long its lines are."""

import re
from collections.abc import Iterable
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import urlsplit

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.wire import BodyPart, Container
from newsletter.language.clock import WEEKDAYS
from newsletter.model.finding import Place, Severity

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


@rule("H1", source="RFC 5322, Gmail's sender rules", can_be_waived=False)
def check_single_headers(context: CheckContext) -> Iterable[Problem]:
    """From, Date, Subject, To and Message-ID stand there once.

    Mail without one of them, or with one twice, is turned away or taken for forged.
    """
    for name in _ONCE:
        found = context.message.values(name)
        if len(found) != 1:
            count = "no" if not found else str(len(found))
            what = f"the mail has {count} {name} header{'s' if len(found) > 1 else ''}, and exactly one is asked for"
            yield error(_place(context, name), what, _REPORT)
        elif not _is_readable(name, found[0]):
            what = f"the {name} header cannot be read: {found[0] or 'it is empty'}"
            yield error(_place(context, name), what, f"correct what it is made from, or {_REPORT}")


@rule("H2", source="Gmail's and Yahoo's sender rules, RFC 8058", can_be_waived=False)
def check_one_click(context: CheckContext) -> Iterable[Problem]:
    """Mail programs can unsubscribe a reader by one click.

    They show a button of their own beside the sender, if two headers name an address that is secure and the reader's
    own. Gmail and Yahoo take bulk mail only with them.
    """
    place = _place(context, "List-Unsubscribe")
    values = context.message.values("List-Unsubscribe")
    addresses = _UNSUBSCRIBE_ADDRESS.findall(" ".join(values))
    pages = [address for address in addresses if not address.startswith("mailto:")]
    service = context.subject.settings.service.url
    if len(values) != 1 or not pages:
        what = "the mail has no List-Unsubscribe header with the address of a page"
        yield error(place, what, f"write the address of your service into `url` of [service], or {_REPORT}")
    elif any(urlsplit(page).scheme != "https" for page in pages):
        yield error(place, f"{pages[0]}, by which readers unsubscribe, is not secure", "write https:// in `url`")
    elif any(page.rstrip("/") == service.rstrip("/") for page in pages):
        what = f"{pages[0]}, by which readers unsubscribe, is the same for all, so nobody knows who leaves"
        yield error(place, what, _REPORT)
    if [value.lower() for value in context.message.values("List-Unsubscribe-Post")] != [_ONE_CLICK]:
        what = "the header List-Unsubscribe-Post: List-Unsubscribe=One-Click is missing or wrong"
        yield error(place, what, _REPORT)


@rule("H9", source="RFC 2919", severity=Severity.WARNING)
def check_list_id(context: CheckContext) -> Iterable[Problem]:
    """The list has a name for mail programs.

    By List-Id readers sort the newsletter into a folder, and providers tell it from your other mail.
    """
    values = context.message.values("List-Id")
    if len(values) != 1 or not _LIST_IDENTIFIER.fullmatch(values[0]):
        shown = " and ".join(values) or "missing"
        what = f"the List-Id header is {shown}, so readers cannot sort the newsletter by it"
        yield warning(_place(context, "List-Id"), what, "write a dotted name into `list_id` of [newsletter]")


@rule("H7", source="RFC 2047, RFC 5322")
def check_header_signs(context: CheckContext) -> Iterable[Problem]:
    """Headers hold only signs that may stand there.

    Letters with accents and emoji travel in encoded words. A word that is too long or broken shows as =?utf-8?…, and a
    control character makes servers refuse the mail.
    """
    for header in context.message.headers:
        place = _place(context, header.name)
        if b":" not in header.raw or not _FIELD_NAME.fullmatch(header.name):
            yield error(place, f"a line of the mail's head is no header: {header.name[:40]}", _REPORT)
        elif _UNFIT_IN_HEADER.search(header.raw.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")):
            what = f"the {header.name} header holds a sign that may not stand there as it is"
            yield error(place, what, f"delete unusual signs from what it is made from, or {_REPORT}")
        else:
            for word in _LIKE_ENCODED_WORD.findall(header.value):
                if problem := _problem_of_word(word):
                    what = f"the {header.name} header holds the word {word[:40]}, which {problem}"
                    yield error(place, what, f"write its text in plain letters, or {_REPORT}")


@rule("H8", source="RFC 5322, RFC 2045")
def check_lines(context: CheckContext) -> Iterable[Problem]:
    """No line is longer than servers take.

    A server may break or refuse a line of more than 998 bytes, and a signature no longer fits what it broke.

    A line that ends without CR LF breaks this rule too.
    """
    message = context.message
    longest = max(message.line_lengths)
    if longest > LINE_LIMIT:
        what = f"a line of the mail is {longest:,} bytes long, and servers take {LINE_LIMIT}"
        yield error(context.issue_place, what, _REPORT)
    if message.has_bare_breaks:
        yield error(context.issue_place, "a line of the mail ends without CR LF, which servers refuse", _REPORT)
    for part in message.leaves:
        if part.encoding not in _ENCODINGS:
            continue
        longest = max(map(len, part.body.split(b"\r\n")))
        if ENCODED_LINE_LIMIT < longest <= LINE_LIMIT:
            what = f"the {part.kind} part is encoded in lines of {longest} characters; {ENCODED_LINE_LIMIT} are allowed"
            yield error(context.issue_place, what, _REPORT)


@rule("S1", source="RFC 2046, spam filters' rules")
def check_parts(context: CheckContext) -> Iterable[Problem]:
    """The mail has a text and an HTML part, the text first.

    Of two alternatives a mail program shows the last that it can. HTML alone counts as a sign of spam.
    """
    place, whole = context.issue_place, context.message.whole
    if whole.kind != "multipart/alternative" or not isinstance(whole, Container):
        yield error(place, f"the mail is {whole.kind} as a whole, not multipart/alternative", _REPORT)
        return
    kinds = [_shown_kind(part) for part in whole.parts]
    if kinds != ["text/plain", "text/html"]:
        what = f"the alternatives of the mail are {' and '.join(kinds) or 'missing'}; asked for are text, then HTML"
        yield error(place, what, _REPORT)
    for part in context.message.leaves:
        if part.kind.startswith("text/") and not part.body.strip():
            yield error(place, f"the {part.kind} part of the mail is empty", "write something into its templates")


def _shown_kind(part: BodyPart | Container) -> str:
    """Return what a reader sees of a part: of HTML with its pictures, the HTML."""
    if isinstance(part, Container) and part.kind == "multipart/related" and part.parts:
        return _shown_kind(part.parts[0])
    return part.kind


def _place(context: CheckContext, name: str) -> Place:
    """Return where the user writes what a header says."""
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
    """Return whether it is a moment with its zone; a wrong weekday makes it none (RFC 5322, section 3.3)."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return False
    weekday, comma, _ = value.partition(",")
    return moment.tzinfo is not None and (not comma or weekday.strip() == WEEKDAYS[moment.weekday()][:3])


def _problem_of_word(word: str) -> str | None:
    """Return what is wrong with something that looks like an encoded word."""
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


RULES = (check_single_headers, check_one_click, check_header_signs, check_lines, check_list_id, check_parts)
