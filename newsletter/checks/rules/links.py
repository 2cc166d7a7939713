"""Links: where they lead, and whether their words say so."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import MailDocument, MailLink, listed, normalised
from newsletter.model.finding import Place
from newsletter.model.slots import UNSUBSCRIBE_FIELD
from newsletter.settings.workspace import Settings

UNSUBSCRIBE_TOKEN = UNSUBSCRIBE_FIELD.token
_SAFE = frozenset({"https", "mailto", "tel", "sms"})
_HARMFUL = frozenset({"javascript", "vbscript", "data", "file", "blob"})
_OUTLOOK_PICTURES = frozenset({"v:fill", "v:image", "v:imagedata"})
_CSS_URL = re.compile(r"""url\(\s*["']?((?!data:)[^"')\s]+)""", re.IGNORECASE)
_IMPORT = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)  # style sheets from elsewhere are another check's matter
_SHORTENERS = frozenset(
    {"bit.ly", "buff.ly", "cutt.ly", "dlvr.it", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly"}
    | {"s.id", "short.io", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "trib.al", "v.gd"}
)
_GENERIC = frozenset(map(normalised, listed("empty_link_texts.txt")))  # as the whole of a link's words
_SHOWN_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


@rule("S10")
def check_addresses(context: CheckContext) -> Iterable[Problem]:
    """Addresses are whole, secure and undisguised.

    A mail has no page that a short address could start from. Unencrypted and shortened addresses, and pictures from
    strangers' hosts, count as signs of spam.
    """
    for document in context.documents:
        for address, place in _addresses(context, document):
            if address != UNSUBSCRIBE_TOKEN:
                yield from _address_problems(address, place)
        for link in _told(document):
            yield from _pretence_problems(link, context.link_place(link.address, link.text))
        for address in dict.fromkeys(_pictures(document)):
            place = context.picture_place(address)
            yield from _picture_problems(address, context.subject.settings, place)


@rule("A4", source="WCAG 2.2, success criterion 2.4.4")
def check_link_words(context: CheckContext) -> Iterable[Problem]:
    """Links say where they lead.

    Those who listen to a mail often jump from link to link and hear nothing else. “Here” tells them nothing, and the
    same words for two places mislead.
    """
    for document in context.documents:
        for link in _told(document):
            words = normalised(link.text)
            place = context.link_place(link.address, link.text)
            if not words:
                what = f"the link to {link.address} has no text"
                yield error(place, what, "write words for it, or describe its picture")
            elif words in _GENERIC:
                what = f"the link “{link.text}” does not say where it leads"
                yield error(place, what, "let its words name what is behind it, for example “the February programme”")
        yield from _ambiguous_links(context, document)


def _addresses(context: CheckContext, document: MailDocument) -> Iterator[tuple[str, Place]]:
    """Yield every address of the HTML, and of Outlook's comments where it stands there alone, with its place."""
    for link in document.links:
        yield link.address, context.link_place(link.address, link.text)
    told = {link.address for link in document.links}
    for tag in document.outlook_tags:
        if (address := tag.attributes.get("href")) is not None and address not in told:
            yield address, context.issue_place


def _pictures(document: MailDocument) -> Iterator[str]:
    """Yield the address of every picture: of img elements, of grounds, and of the shapes that Outlook draws."""
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
    first: dict[str, MailLink] = {}
    for link in _told(document):
        words = normalised(link.text)
        if not words or words in _GENERIC:
            continue
        earlier = first.setdefault(words, link)
        if earlier.address.rstrip("/") != link.address.rstrip("/"):
            what = f"two links say “{link.text}” and lead to different places: {earlier.address}"
            what += f" ({context.link_place(earlier.address, earlier.text)}) and {link.address}"
            yield warning(context.link_place(link.address, link.text), what, "let the words of each tell them apart")


def _address_problems(address: str, place: Place) -> Iterator[Problem]:
    parts = _split(address)
    if not address or address.startswith("#"):
        yield error(place, "a link leads nowhere", "write its address, with https:// in front")
    elif parts is None or parts[0] in _HARMFUL:
        yield error(place, f"mail programs block the address {address}", "write an address with https:// in front")
    elif not parts[0]:
        yield error(place, f"the address {address} is not whole", "write it with https:// in front")
    elif parts[0] == "http":
        what = f"the address {address} is not secure, and browsers warn of it"
        yield error(place, what, "write it with https:// in front, if the page opens so")
    elif parts[0] not in _SAFE:
        yield error(place, f"mail programs do not open the address {address}", "link to a page with https://")
    elif parts[1].removeprefix("www.") in _SHORTENERS:
        what = f"the address {address} hides where it leads, as spam does"
        yield error(place, what, "open it, and write the address that it leads to")


def _pretence_problems(link: MailLink, place: Place) -> Iterator[Problem]:
    """Words that are an address themselves name the site to which they lead."""
    if not _SHOWN_ADDRESS.fullmatch(link.text.strip()):
        return
    shown, real = (_site(address) for address in (link.text.strip(), link.address))
    if shown and real and not f".{real}".endswith(f".{shown}") and not f".{shown}".endswith(f".{real}"):
        what = f"the link “{link.text}” leads to {real}, and mail programs warn of that as a fraud"
        yield error(place, what, "write the address that it leads to, or words instead of an address")


def _site(address: str) -> str:
    parts = _split(address if "://" in address else f"https://{address}")
    return parts[1].removeprefix("www.") if parts else ""


def _picture_problems(address: str, settings: Settings, place: Place) -> Iterator[Problem]:
    """Yield a picture travels inside the mail or comes from the newsletter's own host."""
    parts = _split(address)
    if parts is None or not parts[0]:
        yield error(place, f"the picture {address or 'without an address'} cannot be found", "name a file in images/")
    elif parts[0] == "http":
        yield warning(place, f"the picture {address} is not loaded securely", "put it into images/")
    elif parts[0] == "https" and parts[1] not in _own_hosts(settings):
        what = f"a picture comes from {parts[1]}, which spam filters count against the mail"
        yield warning(place, what, "put the picture into images/")


def _own_hosts(settings: Settings) -> frozenset[str]:
    archive = [settings.archive.url] if settings.archive is not None else []
    return frozenset(
        urlsplit(url).hostname or "" for url in (settings.newsletter.website, settings.service.url, *archive)
    )


def _split(address: str) -> tuple[str, str] | None:
    """Scheme and host of an address; None where it cannot be read."""
    try:
        parts = urlsplit(re.sub(r"[\s\x00-\x1f]", "", address))
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return None


RULES = (
    check_link_words,
    check_addresses,
)
