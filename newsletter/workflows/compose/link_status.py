"""The links of an email, with what is known about each: whether it works, or why that is not known."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from urllib.parse import urldefrag

from msgspec import Struct

from newsletter.checks.base import Circumstances, read_context
from newsletter.checks.network.link_answers import LinkAnswer, recall_links
from newsletter.checks.reading.document import MailLink, read_document
from newsletter.checks.reading.sources import index_sources
from newsletter.model.finding import Means
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import MERGE_TOKEN
from newsletter.workflows.compose.compose import BUILD_FOLDER, Composed

_PERSONAL = "is different for each reader"
_NO_PAGE = "is not a web page"


class LinkState(StrEnum):
    """What is known about a link."""

    BROKEN = "broken"
    WAITING = "being checked"
    UNKNOWN = "not checked"
    WORKS = "works"


class LinkStatus(Struct, frozen=True, kw_only=True):
    """One link of an email, and what is known about it."""

    text: str
    address: str  # with merge fields as written
    url: str  # the address that is requested
    place: str  # its place in the files; empty if it comes from the theme
    state: LinkState
    said: str = ""  # what is wrong with it, or why it is not checked


class Tested(Struct, frozen=True, kw_only=True):
    """What a test of an issue's links leaves, besides the stored results: why some links were not judged."""

    unjudged: Mapping[str, str] = {}


def may_test_links(composed: Composed) -> bool:
    """Return whether the settings allow checks that use the network."""
    return Means.NETWORK not in composed.subject.settings.checks.without


def test_issue_links(composed: Composed, *, now: datetime) -> Tested:
    """Request the links of an issue that have no valid result yet. This takes at most 45 seconds."""
    from newsletter.checks.network.link_checker import test_links  # loaded here because it loads DNS and HTTP

    folder = composed.subject.config.root / BUILD_FOLDER / ".answers"
    tested = test_links(read_context(composed.subject), Circumstances(memory_folder=folder, now=now))
    return Tested(unjudged={url: unjudged.why for url, unjudged in tested.unjudged.items()})


def link_statuses(
    composed: Composed, variant: RenderedVariant, tested: Tested, *, now: datetime
) -> tuple[LinkStatus, ...]:
    """Return the links of a variant, each once: broken ones first, then in the order of the email."""
    config = composed.subject.config
    known = recall_links(config.root / BUILD_FOLDER / ".answers", now)
    sources = index_sources(composed.issue.in_every_form, config, composed.rendered.pictures)
    statuses: list[LinkStatus] = []
    for link in dict.fromkeys(read_document(variant).links):
        state, said = _judged(link, known, tested)
        place = sources.place_of_link(link.address, link.text)
        statuses.append(
            LinkStatus(
                text=composed.issue.readable(link.text),
                address=composed.issue.readable(link.address),
                url=urldefrag(link.address).url,
                place=str(place or ""),
                state=state,
                said=said,
            )
        )
    return tuple(sorted(statuses, key=lambda status: status.state is not LinkState.BROKEN))


def _judged(link: MailLink, known: Mapping[str, LinkAnswer], tested: Tested) -> tuple[LinkState, str]:
    url = urldefrag(link.address).url
    if MERGE_TOKEN.search(link.address):
        return LinkState.UNKNOWN, _PERSONAL
    if not url.lower().startswith(("http://", "https://")):
        return LinkState.UNKNOWN, _NO_PAGE
    if answer := known.get(url):
        return (LinkState.BROKEN if answer.trouble else LinkState.WORKS), answer.trouble
    if url in tested.unjudged:
        return LinkState.UNKNOWN, tested.unjudged[url]
    return LinkState.WAITING, ""
