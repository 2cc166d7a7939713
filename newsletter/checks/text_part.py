"""Whether the plain text says what the HTML says."""

from collections.abc import Iterable, Iterator

from newsletter.checks.base import Evidence, Fault, warning
from newsletter.checks.document import Document

WORDS_SHARED = 0.8
_AROUND = "<>()[]{}.,;:!?\"'“”"
_TOLD = ("https:", "http:", "mailto:")
_THEME = "correct the templates in templates/text/, or delete the changed ones to use the built-in theme"


def check_text_part(evidence: Evidence) -> Iterable[Fault]:
    """Every address of the HTML, and most of its words."""
    for document in evidence.documents:
        yield from _missing_links(evidence, document)
    share = min(_share_of_words(document) for document in evidence.documents)
    if share < WORDS_SHARED:
        what = f"the text part holds {share:.0%} of the words of the HTML, and filters expect both to say the same"
        yield warning(evidence.issue_place, what, _THEME)


def _missing_links(evidence: Evidence, document: Document) -> Iterator[Fault]:
    there = {word.strip(_AROUND) for word in document.text.split()}
    for link in document.links:
        if link.address.startswith(_TOLD) and there.isdisjoint(_spellings(link.address)):
            place = evidence.sources.place_of_link(link.address, link.text) or evidence.issue_place
            what = f"the link to {link.address} is missing from the text part"
            yield warning(place, what, _THEME)


def _spellings(address: str) -> set[str]:
    """How an address may stand in text: whole, or an e-mail address without what a link adds to it."""
    bare = address.removeprefix("mailto:").partition("?")[0] if address.startswith("mailto:") else address
    return {address.strip(_AROUND), bare.strip(_AROUND)}


def _share_of_words(document: Document) -> float:
    wanted = set(document.words)
    return len(wanted.intersection(document.text_words)) / len(wanted) if wanted else 1.0
