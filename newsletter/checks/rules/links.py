"""Check of the text of links: whether it says where they lead."""

from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import MailDocument, MailLink, normalized
from newsletter.checks.reading.empty_words import says_nothing


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
            elif says_nothing(words):
                what = f"the link “{link.text}” does not say where it leads"
                yield error(place, what, "name the page that it leads to instead, for example “the February program”")
        yield from _ambiguous_links(context, document)


def _told(document: MailDocument) -> Iterator[MailLink]:
    return (link for link in document.links if link.is_visible)


def _ambiguous_links(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    """Yield links that have the same text and lead elsewhere, unless their list items or rows tell them apart."""
    first: dict[tuple[str, str], MailLink] = {}
    for link in _told(document):
        words = normalized(link.text)
        if not words or says_nothing(words):
            continue
        earlier = first.get((words, "")) or first.setdefault((words, link.item), link)
        if earlier.address.rstrip("/") != link.address.rstrip("/"):
            what = f"two links with the text “{link.text}” lead to different places: {earlier.address}"
            what += f" ({context.link_place(earlier.address, earlier.text)}) and {link.address}"
            yield warning(context.link_place(link.address, link.text), what, "change the text of one of them")


RULES = (check_link_words,)
