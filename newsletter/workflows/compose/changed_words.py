"""Say which words of two texts differ, sentence by sentence, and whether they are only those of a date."""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache

from newsletter.language.words import locale_of
from newsletter.model.review import ChangedWords, WordChange
from newsletter.model.typography import has_ideographs

_MOST_WORDS = 1500  # comparing takes a time that grows with the square of this
_WORDS_AROUND = 6  # that stayed the same, on each side of a change
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)]*\s+|(?<=[。！？])")
_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
_CLOCK = re.compile(r"\d[:.]\d\d")
_UNSPACED_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def compared_words(before: str, after: str) -> tuple[ChangedWords, ...]:
    """Return the words of both texts in order, each stretch with what happened to it."""
    was, now = split_words(before), split_words(after)
    gap = "" if has_ideographs(before + after) else " "
    found: list[ChangedWords] = []
    if max(len(was), len(now)) > _MOST_WORDS:
        return ChangedWords(WordChange.GONE, gap.join(was)), ChangedWords(WordChange.NEW, gap.join(now))
    for kind, start, end, start_after, end_after in opcodes(was, now):
        if kind == "equal":
            found.append(ChangedWords(WordChange.KEPT, shortened(was[start:end], gap)))
            continue
        if end > start:
            found.append(ChangedWords(WordChange.GONE, gap.join(was[start:end])))
        if end_after > start_after:
            found.append(ChangedWords(WordChange.NEW, gap.join(now[start_after:end_after])))
    return tuple(found)


def changed_sentences(before: str, after: str) -> Iterator[tuple[ChangedWords, ...]]:
    """Yield the sentences that differ."""
    was, now = _sentences(before), _sentences(after)
    for kind, start, end, start_after, end_after in opcodes(was, now):
        if kind != "equal":
            gap = "" if has_ideographs(before + after) else " "
            yield compared_words(gap.join(was[start:end]), gap.join(now[start_after:end_after]))


def is_date(passages: Iterable[Sequence[ChangedWords]], names: frozenset[str]) -> bool:
    """Return whether all words that differ belong to a date or a time. A number alone does not."""
    pieces = [each for passage in passages for each in passage]
    changed = " ".join(each.words for each in pieces if each.change is not WordChange.KEPT)
    if not any(sign.isalnum() for sign in changed) or not _letters(changed) <= names:
        return False
    around = " ".join(each.words for each in pieces)
    return bool(_CLOCK.search(around)) or any(name in names and _is_a_name(name) for name in _letters(around))


def _letters(text: str) -> set[str]:
    return {word.casefold() for word in _LETTERS.findall(text)}


def _is_a_name(word: str) -> bool:
    """Return whether a word of a date is a name: `mon`, or a sign such as 月, but not `h` or `am`."""
    return len(word) > 2 or has_ideographs(word)


@cache
def date_words(language: str) -> frozenset[str]:
    """Return the names of days and months in a language, and the words beside a time of day."""
    locale = locale_of(language)
    if locale is None:
        return frozenset()
    named = (names for table in (locale.months, locale.days) for widths in table.values() for names in widths.values())
    words = (word for names in named for name in names.values() for word in _LETTERS.findall(name))
    periods = (word for name in locale.periods.values() for word in _LETTERS.findall(str(name)))
    return frozenset(word.casefold() for word in (*words, *periods, "am", "pm", "st", "nd", "rd", "th", "h", "uhr"))


def opcodes(before: Sequence[Hashable], after: Sequence[Hashable]) -> Sequence[tuple[str, int, int, int, int]]:
    """Return how one sequence becomes the other, as `difflib` says it."""
    return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def shortened(words: Sequence[str], gap: str) -> str:
    """Return a stretch of words that stayed the same. Of a long one, only the ends are needed."""
    if len(words) <= 2 * _WORDS_AROUND + 2:
        return gap.join(words)
    return f"{gap.join(words[:_WORDS_AROUND])} … {gap.join(words[-_WORDS_AROUND:])}"


def split_words(text: str) -> list[str]:
    """Return the words of a text with their punctuation. Each ideograph or kana is one word."""
    return (_UNSPACED_WORD if has_ideographs(text) else _WORD).findall(text)


def _sentences(text: str) -> list[str]:
    return [each for each in _SENTENCE_END.split(text) if each]
