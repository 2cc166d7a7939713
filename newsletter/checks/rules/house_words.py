"""Check of the words that a workspace has agreed to avoid: `[checks.words]` in newsletter.toml."""

import re
from collections.abc import Iterable
from functools import lru_cache

from newsletter.checks.base import CheckContext, Problem, rule, warning
from newsletter.errors import Fix
from newsletter.model.finding import Severity
from newsletter.model.typography import IDEOGRAPHS, has_sign_in

# Scripts without spaces between words, so that a word may stand inside other words.
_UNSPACED = (("\u0e00", "\u0eff"), *IDEOGRAPHS)
_APOSTROPHES = str.maketrans({"\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{MODIFIER LETTER APOSTROPHE}": "'"})


@rule("S21", severity=Severity.WARNING)
def check_house_words(context: CheckContext) -> Iterable[Problem]:
    """Words that you avoid.

    The text should not contain the words listed in `[checks.words]` of newsletter.toml. There you write which words
    your organization does not use, and the better ones. Without that list, nothing is checked.
    """
    settings = context.subject.settings.checks
    words = settings.words_in(context.subject.issue.language)
    if not words:
        return
    better = {_plain(word): instead for word, instead in words.items()}
    pattern = _pattern_of(tuple(better))
    for passage in context.sources.passages:
        for match in pattern.finditer(_straight(passage.text)):
            instead = better[_plain(match[0])]
            written = " ".join(passage.text[match.start() : match.end()].split())
            what = f"“{written}” is one of the words that you avoid"
            remedy = f"write “{instead}”" if instead else "write it in other words"
            fix = Fix(old=written, new=instead) if instead else None
            remedy = f"{remedy}, as [checks.words] in newsletter.toml says"
            yield warning(passage.place_at(match.start()), what, remedy, fix=fix)


@lru_cache(maxsize=8)
def _pattern_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern that finds any of the words. Longer ones come first, so that “old people” wins over “old”."""
    return re.compile("|".join(map(_shape, sorted(words, key=len, reverse=True))), re.IGNORECASE)


def _shape(word: str) -> str:
    inside = r"\s+".join(map(re.escape, word.split()))
    return inside if has_sign_in(word, _UNSPACED) else rf"(?<!\w){inside}(?!\w)"


def _straight(text: str) -> str:
    """Return text of the same length with straight apostrophes."""
    return text.translate(_APOSTROPHES)


def _plain(word: str) -> str:
    return " ".join(_straight(word).casefold().split())


RULES = (check_house_words,)
