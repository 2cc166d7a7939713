"""Checks of links: where they lead, and whether their text says so."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.hosts import host_of, is_local
from newsletter.checks.reading.document import MailDocument, MailLink, listed, normalized
from newsletter.model.finding import Place
from newsletter.model.slots import MERGE_TOKEN, UNSUBSCRIBE_FIELD
from newsletter.model.web_address import host_of_address
from newsletter.settings.workspace import Settings

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
_GENERIC = frozenset(
    map(normalized, listed("empty_link_texts.txt"))
)  # unclear only if they are the whole text of the link
_IN_IMAGES = "save it in the images/ folder of the issue, and write its name, such as images/photo.jpg"
_PRIVATE = "exists only on your computer or in your network, so readers cannot reach it"
_SHOWN_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


@rule("S10")
def check_addresses(context: CheckContext) -> Iterable[Problem]:
    """Incomplete, private, insecure or disguised addresses.

    Links must be complete, use https and not be shortened. Images must be in the email or on your own website. In an
    email, an incomplete address leads nowhere, and nor does one that exists only on your computer or in your network.
    Insecure and shortened addresses count as signs of spam.
    """
    for document in context.documents:
        for address, place in _addresses(context, document):
            if not MERGE_TOKEN.fullmatch(address):
                yield from _address_problems(address, place)
        for link in _told(document):
            yield from _pretence_problems(link, context.link_place(link.address, link.text))
        for address in dict.fromkeys(_pictures(document)):
            place = context.picture_place(address)
            yield from _picture_problems(address, context.subject.settings, place)


@rule("A4", source="WCAG 2.2, success criterion 2.4.4")
def check_link_words(context: CheckContext) -> Iterable[Problem]:
    """Unclear link text.

    The text of every link must say where it leads, and no two links with the same text may lead to different places.
    People who listen to an email often jump from link to link. “Here” tells them nothing.
    """
    for document in context.documents:
        for link in _told(document):
            words = normalized(link.text)
            place = context.link_place(link.address, link.text)
            if not words:
                what = f"the link to {link.address} has no text"
                yield error(
                    place,
                    what,
                    f"write where it leads in the first brackets: [the February program]({link.address})",
                )
            elif words in _GENERIC:
                what = f"the link “{link.text}” does not say where it leads"
                yield error(place, what, "name the page that it leads to instead, for example “the February program”")
        yield from _ambiguous_links(context, document)


def _addresses(context: CheckContext, document: MailDocument) -> Iterator[tuple[str, Place]]:
    """Yield every address in the HTML, and those that are only in the comments for Outlook, each with its place."""
    for link in document.links:
        yield link.address, context.link_place(link.address, link.text)
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


def _told(document: MailDocument) -> Iterator[MailLink]:
    return (link for link in document.links if link.is_visible)


def _ambiguous_links(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    """Yield links that have the same text and lead elsewhere, unless their list items or rows tell them apart."""
    first: dict[tuple[str, str], MailLink] = {}
    for link in _told(document):
        words = normalized(link.text)
        if not words or words in _GENERIC:
            continue
        earlier = first.get((words, "")) or first.setdefault((words, link.item), link)
        if earlier.address.rstrip("/") != link.address.rstrip("/"):
            what = f"two links with the text “{link.text}” lead to different places: {earlier.address}"
            what += f" ({context.link_place(earlier.address, earlier.text)}) and {link.address}"
            yield warning(context.link_place(link.address, link.text), what, "change the text of one of them")


def _address_problems(address: str, place: Place) -> Iterator[Problem]:
    parts = _split(address)
    if not address or address.startswith("#"):
        yield error(place, "a link has no address", "write the whole address, beginning with https://")
    elif parts is None or parts[0] in _HARMFUL:
        yield error(place, f"email apps block the address {address}", "write an address that begins with https://")
    elif not parts[0]:
        yield error(place, f"the address {address} is incomplete", "write the whole address, beginning with https://")
    elif _is_private(address, parts[0]):
        yield error(place, f"the address {address} {_PRIVATE}", "write the address of the page on your public website")
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


def _pretence_problems(link: MailLink, place: Place) -> Iterator[Problem]:
    """Yield a problem if the text of a link is an address on a different site from the link's own."""
    if not _SHOWN_ADDRESS.fullmatch(link.text.strip()):
        return
    shown, real = (_site(address) for address in (link.text.strip(), link.address))
    if shown and real and not f".{real}".endswith(f".{shown}") and not f".{shown}".endswith(f".{real}"):
        what = f"the link “{link.text}” leads to {real} instead, which email apps report as fraud"
        yield error(place, what, "use the address that it leads to, or the name of the page, as the link text")


def _site(address: str) -> str:
    return host_of_address(address if "://" in address else f"https://{address}").removeprefix("www.")


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


RULES = (
    check_link_words,
    check_addresses,
)
