"""Text as readers take it in: as words, in one case, without what only punctuates."""

import re
from functools import lru_cache
from importlib.resources import files

# Kana and ideographs stand without spaces between words, and a line may break after any of them.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text, case-folded; each ideograph or kana counts as one."""
    return _WORD.findall(text.casefold())


def has_words(text: str) -> bool:
    """Return whether anything in a text is read out."""
    return _WORD.search(text) is not None


@lru_cache(maxsize=8192)
def normalised(text: str) -> str:
    """The words of a text with one space between: equal for texts that differ in case, breaks and punctuation."""
    return " ".join(words_of(text))


def listed(name: str) -> frozenset[str]:
    """Return the entries of a list among the data of the checks: ` | ` between two, `#` before a comment."""
    lines = files("newsletter").joinpath("checks", "data", name).read_text("utf-8").splitlines()
    return frozenset(entry for line in lines if not line.startswith("#") for entry in line.split(" | "))
