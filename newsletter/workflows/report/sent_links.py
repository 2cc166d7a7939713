"""Find the tracked links in the emails as they were sent: their words, and the section in which they are.

Only what was sent counts. The issue's files may have changed since, or be gone.
"""

from collections.abc import Mapping

from lxml import etree
from msgspec import Struct

from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import TrackingCode
from newsletter.model.tracking import LINK_PATH

TOP = "Top of the email"
_HEADING, _TITLE, _FOOTER = "h2", "h1", "foot"
FOOTER = "Footer"
_HIDDEN = "aria-hidden"
NUMBER_ATTRIBUTE = "data-link"


class SentLink(Struct, frozen=True, kw_only=True):
    """The place of a link in an email. If it occurs several times, the first place counts."""

    words: str
    section: str


class SentEmail(Struct, frozen=True, kw_only=True):
    """One variant as it was sent. Each tracked link has its number in an attribute, and leads nowhere."""

    subject: str
    html: str
    links: Mapping[int, SentLink]  # by the number of the link


def sent_email(variant: RenderedVariant) -> SentEmail:
    """Return a variant of a broadcast with its tracked links."""
    values = tuple(
        str(slot.source.number) if isinstance(slot.source, TrackingCode) else slot.source.token
        for slot in variant.slots
    )
    defaults = tuple(getattr(slot.source, "default", "") or "" for slot in variant.slots)
    shown = tuple(
        value if isinstance(slot.source, TrackingCode) else default
        for slot, value, default in zip(variant.slots, values, defaults, strict=True)
    )
    root = etree.fromstring(variant.html.fill(shown).encode(), etree.HTMLParser(encoding="utf-8", huge_tree=False))
    links: dict[int, SentLink] = {}
    section = TOP
    if root is not None:
        for element in root.iter(_HEADING, _TITLE, "a", "div"):
            if element.tag == _HEADING:
                section = _words(element) or section
            elif element.tag == "div" and _FOOTER in element.get("class", "").split():
                section = FOOTER
            elif element.tag == "a" and (number := _number_of(element)) is not None:
                element.set(NUMBER_ATTRIBUTE, str(number))
                if element.get(_HIDDEN) is None:
                    links.setdefault(number, SentLink(words=_words(element), section=section))
    html = "" if root is None else etree.tostring(root, encoding="unicode", method="html")
    return SentEmail(subject=variant.subject.fill(shown), html=html, links=links)


def _number_of(link: etree._Element) -> int | None:
    _, found, number = link.get("href", "").rpartition(f"/{LINK_PATH}/")
    return int(number) if found and number.isdecimal() else None


def _words(element: etree._Element) -> str:
    """Return the words of a link or heading, or the alt text of its image."""
    words = " ".join(" ".join(element.itertext()).split())
    if words:
        return words
    return next((" ".join(image.get("alt", "").split()) for image in element.iter("img")), "")
