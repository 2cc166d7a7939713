"""An element of a shown mail, and where in the user's files it was written."""

from dataclasses import dataclass

from newsletter.checks.base import Evidence
from newsletter.checks.reading.words import words_of
from newsletter.model.finding import Place

_WORDS_TO_FIND = (8, 4, 2)  # how much of a text is looked for, since a source text is one line
_SHOWN_LETTERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What of an element can be found again in the files; `inspect.js` makes it."""

    tag: str
    text: str  # its words, or those of a table's first cell; at most 400 letters
    link: str | None  # the address that it leads to; without words, that the first link in it leads to
    picture: str | None  # the address of the picture that it is; without words, of the first one in it
    heading: str  # the words of the last heading above it

    def __str__(self) -> str:
        if self.tag in {"html", "body", "head", "meta"}:
            return "the mail"
        if self.text:
            text = self.text if len(self.text) <= _SHOWN_LETTERS else f"{self.text[:_SHOWN_LETTERS].rstrip()}…"
            return f"the table with “{text}”" if self.tag == "table" else f"“{text}”"
        if self.picture:
            return f"the picture {self.picture.rpartition('/')[2]}"
        return f"the link to {self.link}" if self.link else f"an element <{self.tag}>"


def place_of(element: Element, evidence: Evidence) -> Place | None:
    """Where an element was written: by its picture, its link or its words; None where the theme made it."""
    sources = evidence.sources
    if element.picture and not element.text:
        return sources.place_of_picture(element.picture) or _place_of_link(element, evidence)
    return _place_of_link(element, evidence) or _place_of_words(element.text, evidence)


def place_below(heading: str, evidence: Evidence) -> Place | None:
    """Where a heading was written: the nearest that is known of words that the program made, such as a date."""
    return _place_of_words(heading, evidence)


def _place_of_link(element: Element, evidence: Evidence) -> Place | None:
    return evidence.sources.place_of_link(element.link, element.text) if element.link else None


def _place_of_words(text: str, evidence: Evidence) -> Place | None:
    words = words_of(text)
    for count in (len(words), *(count for count in _WORDS_TO_FIND if count < len(words))):
        if place := evidence.sources.place_of_text(" ".join(words[:count])):
            return place
    return None
