"""What the law asks of every mail to a list: who sends it, and a way out."""

from collections.abc import Iterable

from newsletter.checks.base import Evidence, Fault, error
from newsletter.checks.reading.words import normalised
from newsletter.checks.rules.links import UNSUBSCRIBE_TOKEN

_THEME = "show it in the footer; the built-in theme does"


def check_postal_address(evidence: Evidence) -> Iterable[Fault]:
    """The postal address in both parts, however it is broken into lines."""
    address = normalised(evidence.subject.settings.newsletter.address)
    for document in evidence.documents:
        for part, words in (("HTML", document.words), ("text part", document.text_words)):
            if f" {address} " not in f" {' '.join(words)} ":
                what = f"the postal address is missing from the {part}"
                place = evidence.config_place("newsletter", "address")
                yield error(place, what, f"`address` of [newsletter] must be readable in every mail; {_THEME}")


def check_way_out(evidence: Evidence) -> Iterable[Fault]:
    """A link to unsubscribe that readers see, in both parts."""
    for document in evidence.documents:
        links = [link for link in document.links if link.address == UNSUBSCRIBE_TOKEN]
        if not any(link.is_visible and link.text for link in links):
            what = "the HTML has no unsubscribe link that readers see"
            yield error(evidence.issue_place, what, _THEME)
        if UNSUBSCRIBE_TOKEN not in document.text:
            yield error(evidence.issue_place, "the text part has no unsubscribe link", _THEME)
