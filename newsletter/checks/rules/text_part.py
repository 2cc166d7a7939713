"""Whether the plain text says what the HTML says."""

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import itemgetter

from newsletter.checks.base import Evidence, Fault, shown, warning
from newsletter.checks.reading.document import Document
from newsletter.checks.reading.words import words_of

WORDS_SHARED = 0.8
_AROUND = "<>()[]{}.,;:!?\"'“”«»،؛؟。、！？"
_TOLD = ("https:", "http:", "mailto:")
_THEME = "correct the templates in templates/text/, or delete the changed ones to use the built-in theme"


def check_text_part(evidence: Evidence) -> Iterable[Fault]:
    """Every address of the HTML, and most of its words."""
    for document in evidence.documents:
        yield from _missing_links(evidence, document)
    share, poorest = min(((_share_of_words(each), each) for each in evidence.documents), key=itemgetter(0))
    if share < WORDS_SHARED:
        lacking = _longest_lacking_line(poorest)
        what = f"the text part holds {share:.0%} of the words of the HTML, and lacks for example “{shown(lacking)}”"
        yield warning(evidence.text_place(lacking), f"{what}; filters expect both to say the same", _THEME)


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
    """How many of the words of the HTML, each as often as it stands there, the text part has too."""
    there = Counter(document.text_words)
    shared = sum(min(count, there[word]) for word, count in Counter(document.words).items())
    return shared / len(document.words) if document.words else 1.0


def _longest_lacking_line(document: Document) -> str:
    """The line of the HTML with the most words that the text part has nowhere."""
    there = set(document.text_words)
    return max(document.lines, key=lambda line: len(set(words_of(line)) - there))
