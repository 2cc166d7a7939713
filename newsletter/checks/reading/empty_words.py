"""Words that say nothing: link texts such as “read more here”, in many languages.

A paragraph of `data/empty_link_texts.txt` is one language. A text also says nothing if it is put together from the
words of one language: “here” and “read more” make “read more here”. The words after `+` only connect others.
"""

from functools import lru_cache
from importlib.resources import files

from newsletter.checks.reading.document import normalized

_MOST_WORDS = 6


@lru_cache(maxsize=4096)
def says_nothing(words: str) -> bool:
    """Return whether a normalized link text does not say where the link leads."""
    phrases, vocabularies = _known()
    if words in phrases:
        return True
    each = words.split()
    is_alphabetic = all(len(word) > 1 or word.isascii() for word in each)
    return is_alphabetic and 1 < len(each) <= _MOST_WORDS and any(known.issuperset(each) for known in vocabularies)


@lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """Return all phrases, and the words of each language."""
    text = files("newsletter").joinpath("checks", "data", "empty_link_texts.txt").read_text("utf-8")
    phrases: set[str] = set()
    vocabularies = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        own = {normalized(phrase) for line in lines if not line.startswith("+") for phrase in line.split(" | ")}
        phrases |= own
        vocabularies.append(
            frozenset(normalized(" ".join([*own, *(line for line in lines if line[:1] == "+")])).split())
        )
    return frozenset(phrases), tuple(vocabularies)
