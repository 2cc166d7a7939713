"""Check of the addresses of links and images: whether readers can reach them, and whether links pretend another."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.address_flaws import flaw_of, has_known_ending, personal_part_of, site_of, trial_of
from newsletter.checks.reading.document import MailDocument, MailLink, normalized
from newsletter.checks.reading.starter import is_starter_address
from newsletter.model.finding import Place
from newsletter.model.slots import MERGE_TOKEN, UNSUBSCRIBE_FIELD
from newsletter.settings.workspace import Settings
from newsletter.system.hosts import host_of, is_example, is_local

UNSUBSCRIBE_TOKEN = UNSUBSCRIBE_FIELD.token
_SAFE = frozenset({"https", "mailto", "tel", "sms"})
_HARMFUL = frozenset({"javascript", "vbscript", "data", "file", "blob"})
_OUTLOOK_PICTURES = frozenset({"v:fill", "v:image", "v:imagedata"})
_CSS_URL = re.compile(r"""url\(\s*["']?((?!data:)[^"')\s]+)""", re.IGNORECASE)
_IMPORT = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)  # External style sheets are left to another check (S11).
_SHORTENERS = frozenset(
    {"bit.ly", "buff.ly", "cutt.ly", "dlvr.it", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly"}
    | {"s.id", "short.io", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "trib.al", "v.gd"}
)
_IN_IMAGES = "save it in the images/ folder of the issue, and write its name, such as images/photo.jpg"
_PRIVATE = "exists only on your computer or in your network, so readers cannot reach it"
_SHOWN_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?P<ending>[^\W\d_]{2,})(?:/\S*)?")
_SHOWN_EMAIL = re.compile(r"(?:mailto:)?(?P<email>[^\s@<>()]+@[^\s@<>()]+\.[^\W\d_]{2,})", re.IGNORECASE)
_SHOWN_NUMBER = re.compile(r"(?:tel:)?\+?[\d\s().\-/\u00a0]{7,}")
_OWN_DIGITS = 7  # at the end of a telephone number; the codes before them may be written in several ways
_ELLIPSIS = ("…", "...")
# What was meant as an address and is no link: https:/example.org, http//example.org, htpps://example.org
_NEARLY_ADDRESS = re.compile(r"(?<![\w/])h[tps]{2,6}(?:[:;][/\\]{1,3}|//)(?=\w)\S*", re.IGNORECASE)
_BEGINS_RIGHT = re.compile(r"https?://(?!/)", re.IGNORECASE)
_NEARLY_EMAIL = re.compile(r"(?<![\w.+@/-])[\w.+-]*[^\W_]@(?P<host>[^\W_][\w-]*(?:[.,][\w-]+)*)(?![\w@/])")
_AS_WORDS = "use the address that it leads to, or the name of the page, as the link text"


@rule("S10")
def check_addresses(context: CheckContext) -> Iterable[Problem]:
    """Incomplete, private, insecure or disguised addresses.

    Links must be complete, use https and not be shortened. Images must be in the email or on your own website. In an
    email, an incomplete address leads nowhere, and nor does one that exists only on your computer or in your network.
    Insecure and shortened addresses count as signs of spam, and so does a link whose text is another address.
    """
    written = {normalized(link.text) for link in context.sources.links}
    is_real = not is_example(context.subject.settings.newsletter.from_email.rpartition("@")[2])
    for passage in context.sources.passages:
        for position, what, remedy in _nearly_addresses(passage.text):
            yield error(passage.place_at(position), what, remedy)
    for document in context.documents:
        links = [(link, context.sources.places_of_link(link.address, link.text)) for link in document.links]
        placed = [(link, places or (context.issue_place,)) for link, places in links]
        for address, place in _addresses(context, document, placed):
            if not MERGE_TOKEN.fullmatch(address):
                yield from _address_problems(address, place)
                host = address.removeprefix("mailto:").partition("?")[0].rpartition("@")[2]
                if is_real and is_example(host) and not is_starter_address(address):  # those are left to S18
                    what = f"the address {address} is only an example, which leads nowhere"
                    yield warning(place, what, "write the address of the page, or delete the link")
        for link, places in placed:
            is_row = normalized(link.text) not in written
            for place in places:
                yield from _pretence_problems(link, place, is_row=is_row) if link.is_visible else ()
        for address in dict.fromkeys(_pictures(document)):
            place = context.picture_place(address)
            yield from _picture_problems(address, context.subject.settings, place)


def _addresses(
    context: CheckContext, document: MailDocument, placed: Iterable[tuple[MailLink, tuple[Place, ...]]]
) -> Iterator[tuple[str, Place]]:
    """Yield every address in the HTML, and those that are only in the comments for Outlook, each with its place."""
    for link, places in placed:
        yield from ((link.address, place) for place in places)
    told = {link.address for link in document.links}
    for tag in document.outlook_tags:
        if (address := tag.attributes.get("href")) is not None and address not in told:
            yield address, context.issue_place


def _pictures(document: MailDocument) -> Iterator[str]:
    """Yield the address of every image: of img elements, backgrounds, and the shapes that Outlook draws."""
    yield from (image.address for image in document.images)
    for tag in (*document.tags, *document.outlook_tags):
        if tag.name in _OUTLOOK_PICTURES and "src" in tag.attributes:
            yield tag.attributes["src"]
        if "background" in tag.attributes:
            yield tag.attributes["background"]
        if "url(" in tag.attributes.get("style", ""):
            yield from _CSS_URL.findall(tag.attributes["style"])
    for style in document.styles:
        yield from _CSS_URL.findall(_IMPORT.sub("", style))


def _address_problems(address: str, place: Place) -> Iterator[Problem]:
    parts = _split(address)
    if not address or address.startswith("#"):
        yield error(place, "a link has no address", "write the whole address, beginning with https://")
    elif parts is None or parts[0] in _HARMFUL:
        yield error(place, f"email apps block the address {address}", "write an address that begins with https://")
    elif not parts[0]:
        yield error(place, f"the address {address} is incomplete", "write the whole address, beginning with https://")
    elif flaw := flaw_of(address):
        yield error(place, *flaw)
    elif parts[0] == "http":
        what = f"the address {address} is not secure, and browsers warn about it"
        yield error(place, what, f"open https:{address[5:]} in a browser, and if the page appears, use that address")
    elif parts[0] not in _SAFE:
        yield error(
            place, f"email apps do not open the address {address}", "write an address that begins with https://"
        )
    elif parts[1].removeprefix("www.") in _SHORTENERS:
        what = f"the address {address} hides where it leads, which is typical of spam"
        yield error(place, what, "open it in a browser, and write the address of the page that appears")
    elif trial := trial_of(address):
        remedy = "open it on a phone without signing in, and write the address of the public page"
        yield warning(place, f"the address {address} {trial}", remedy)
    elif part := personal_part_of(address):
        what = f"the address {address} contains “{part}”, with which another program follows the person who copied it"
        yield warning(place, what, f"delete “{part}” from it")


def _nearly_addresses(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield what was meant as an address in a text and is no link: its position, what is wrong, and what to do."""
    if "//" in text or ":/" in text or "\\" in text:
        for match in _NEARLY_ADDRESS.finditer(text):
            if not _BEGINS_RIGHT.match(match[0]):
                yield match.start(), f"“{match[0]}” is not an address", "write it with https:// at the start"
    if "@" in text:
        for match in _NEARLY_EMAIL.finditer(text):
            if "." not in match["host"] or "," in match["host"] or not has_known_ending(match["host"].lower()):
                yield match.start(), f"“{match[0]}” is not an email address", "write it as name@example.org"


def _pretence_problems(link: MailLink, place: Place, *, is_row: bool) -> Iterator[Problem]:
    """Yield a problem if the text of a link is an address, and the link leads to another one.

    The text of a whole row (`is_row`) may contain any address.
    """
    text = link.text.strip()
    scheme, _, rest = link.address.partition(":")
    if match := _SHOWN_EMAIL.fullmatch(text):
        target = unquote(rest.partition("?")[0]) if scheme == "mailto" else link.address
        if target.casefold() != match["email"].casefold() and not MERGE_TOKEN.search(text + target):
            yield error(place, f"the link “{text}” leads to {target} instead", "use one address for both")
    elif scheme in {"tel", "sms"} and _SHOWN_NUMBER.fullmatch(text):
        shown, real = (re.sub(r"\D", "", number)[-_OWN_DIGITS:] for number in (text, unquote(rest)))
        if shown != real:
            yield error(place, f"the link “{text}” calls {unquote(rest)} instead", "use one number for both")
    elif match := _SHOWN_ADDRESS.fullmatch(text) if is_row else _SHOWN_ADDRESS.search(text):
        yield from _other_page(match[0], link, place)
    elif (match := _BARE_ADDRESS.fullmatch(text)) and has_known_ending(match["ending"].lower()):
        yield from _other_page(text, link, place)


def _other_page(shown_address: str, link: MailLink, place: Place) -> Iterator[Problem]:
    shown, real = site_of(shown_address), site_of(link.address) if "://" in link.address else ""
    if not shown or not real:
        return
    if not f".{real}".endswith(f".{shown}") and not f".{shown}".endswith(f".{real}"):
        what = f"the link “{link.text}” leads to {real} instead, which email apps report as fraud"
        yield error(place, what, _AS_WORDS)
    elif shown == real:
        path, real_path = _path_of(shown_address), _path_of(link.address)
        if path and not path.endswith(_ELLIPSIS) and not f"{real_path}/".startswith(f"{path}/"):
            yield warning(place, f"the link “{link.text}” leads to {link.address} instead", _AS_WORDS)


def _path_of(address: str) -> str:
    """Return the path of an address for comparison, without the slashes and the sentence's punctuation around it."""
    _, _, path = address.partition("://")[2].partition("/") if "://" in address else address.partition("/")
    return unquote(re.split(r"[?#]", path)[0]).strip("/").rstrip(".,;:!)").casefold() if path else ""


def _picture_problems(address: str, settings: Settings, place: Place) -> Iterator[Problem]:
    """Yield a problem if an image is neither part of the email nor on one of the newsletter's own sites."""
    parts = _split(address)
    if parts is None or not parts[0]:
        what = f"the image {address} cannot be found" if address else "an image has no address"
        yield error(place, what, _IN_IMAGES)
    elif _is_private(address, parts[0]):
        yield error(place, f"the image {address} {_PRIVATE}", _IN_IMAGES)
    elif parts[0] == "http":
        yield warning(place, f"the image {address} is not loaded securely", _IN_IMAGES)
    elif parts[0] == "https" and parts[1] not in _own_hosts(settings):
        what = f"an image is loaded from {parts[1]}, which spam filters count against the email"
        yield warning(place, what, _IN_IMAGES)


def _is_private(address: str, scheme: str) -> bool:
    """Return whether an address is written in a form that only this computer or network knows."""
    host = host_of(address.strip())
    return scheme in {"http", "https"} and bool(host) and not MERGE_TOKEN.search(host) and is_local(host)


def _own_hosts(settings: Settings) -> frozenset[str]:
    archive = [settings.archive.url] if settings.archive is not None else []
    return frozenset(
        urlsplit(url).hostname or "" for url in (settings.newsletter.website, settings.service.url, *archive)
    )


def _split(address: str) -> tuple[str, str] | None:
    """Return the scheme and host of an address, or None if it cannot be parsed."""
    try:
        parts = urlsplit(re.sub(r"[\s\x00-\x1f]", "", address))
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return None


RULES = (check_addresses,)
