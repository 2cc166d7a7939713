"""Find the words of leaving_words.toml in a text: which of them it contains, in which order, and what else it says.

Text is compared in lowercase, without accents and punctuation, because people and tools write `Opted-Out`, `optedOut`
and `désinscrit`. Every step takes time in proportion to the length of the text.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

OTHER = ""  # the concept of a word that is in no list
_LONGEST_TEXT = 5000  # characters; the rest of a longer cell is not read
_SHORTEST_PART, _LONGEST_PART = 3, 20  # letters of a word in a joined name
_SHORT_PARTS = frozenset({"at", "is", "of", "on", "no"})
_WORDS = re.compile(r"[^\W\d_]+")
_SIGNS = re.compile(r"[^\W_]+|[^\w\s\x00-\x7f]")
_IN_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT = re.compile(r"n['’]t\b", re.I)  # "don't" is one word, and "d'abonnement" is two
_BARE = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae", "œ": "oe", "’": "'"}
)
_UNSEEN = "Cf"  # the category of a soft hyphen, for example
_ANYWHERE, _BEGINNING = "~", "*"


class Found(NamedTuple):
    """A word or phrase of a text, and the concept that it stands for."""

    text: str
    concept: str  # a table and a list of leaving_words.toml, such as `left.unsubscribed.surely`, or OTHER


@cache
def told() -> Mapping[str, Any]:
    """Return the content of leaving_words.toml."""
    return tomllib.loads((files("newsletter.lists") / "leaving_words.toml").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Return text in lowercase and without accents. The result has one space between words and no punctuation."""
    return " ".join(_SIGNS.findall(_folded(text)))


def with_words_of_leaving(texts: Collection[str]) -> set[str]:
    """Return the texts that may contain words that surely mean leaving, and a few others. This is fast for many texts.

    Return no text that is longer than a cell with such words can be.
    """
    whole = _in_plain_letters("\n".join(texts))
    stems = [stem for stem in _stems() if stem in whole]
    if not stems:
        return set()
    folded = {text: _folded(text) for text in texts if len(text) <= _LONGEST_TEXT}
    return {text for text, letters in folded.items() if any(stem in letters for stem in stems)}


@cache
def _stems() -> frozenset[str]:
    """Return the longest word of each entry that surely means leaving."""
    sure = (entry for kind, entry in _entries() if kind.startswith("left.") and not kind.endswith(".perhaps"))
    return frozenset(max(_WORDS.findall(_folded(entry)), key=len) for entry in sure)


def _folded(text: str) -> str:
    return _in_plain_letters(text[:_LONGEST_TEXT])


def _in_plain_letters(text: str) -> str:
    if text.isascii():
        return _NOT.sub("nt", text).lower()
    decomposed = unicodedata.normalize("NFKD", _NOT.sub("nt", text.translate(_BARE)))
    seen = (sign for sign in decomposed if not unicodedata.combining(sign) and unicodedata.category(sign) != _UNSEEN)
    return unicodedata.normalize("NFC", "".join(seen)).casefold()


@lru_cache(maxsize=4096)
def concepts_of(text: str) -> tuple[Found, ...]:
    """Return the words and phrases of a text in order, each with its concept."""
    words = _WORDS.findall(_folded(_IN_CAMEL_CASE.sub(" ", text)))
    return tuple(_split(words, _vocabulary()))


class _Vocabulary(NamedTuple):
    """All entries of the table, by the way in which they are looked up."""

    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], bool, str]]]  # by the first word; the longest first
    words: Mapping[str, str]
    beginnings: Mapping[str, str]
    parts: Mapping[str, str]  # text that may occur inside a word
    longest_part: int
    joined: frozenset[str]  # the words that names without separators are made of


@cache
def _vocabulary() -> _Vocabulary:
    phrases: defaultdict[str, list[tuple[tuple[str, ...], bool, str]]] = defaultdict(list)
    words: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    parts: dict[str, str] = {}
    for concept, entry in _entries():
        meant = " ".join(_WORDS.findall(_folded(entry)))
        *_, last = split = tuple(meant.split())
        is_beginning = entry.endswith(_BEGINNING)
        if entry.startswith(_ANYWHERE):
            parts.setdefault(meant.replace(" ", ""), concept)
            is_beginning = True  # the last word may go on, as in 수신 거부일
        if len(split) > 1:
            phrases[split[0]].append((split, is_beginning, concept))
        elif not entry.startswith(_ANYWHERE):
            (beginnings if is_beginning else words).setdefault(last, concept)
    for each in phrases.values():
        each.sort(key=lambda phrase: -len(phrase[0]))
    joined = {word for split in phrases.values() for phrase in split for word in phrase[0]} | {*words} | {*beginnings}
    long_enough = frozenset(word for word in joined if len(word) >= _SHORTEST_PART)
    return _Vocabulary(phrases, words, beginnings, parts, max(map(len, parts)), long_enough | _SHORT_PARTS)


def _entries() -> Iterator[tuple[str, str]]:
    """Yield each entry with its concept, those that say most about leaving first. The first of equal entries counts."""
    tables = told()
    kinds = [
        *(f"left.{reason}.everywhere" for reason, lists in tables["left"].items() if "everywhere" in lists),
        *(f"left.{reason}.surely" for reason in tables["left"]),
        "mailed.names",
        "mailed.confirmed",
        "mailed.general",
        *(f"left.{reason}.perhaps" for reason in tables["left"]),
        *(f"names.{name}" for name in tables["names"]),
    ]
    for kind in kinds:
        entries: Any = tables
        for key in kind.split("."):
            entries = entries[key]
        yield from ((kind, entry) for entry in entries)


def _split(words: list[str], known: _Vocabulary) -> Iterator[Found]:
    place = 0
    while place < len(words):
        phrase = next(_phrases_at(words, place, known), None)
        if phrase is not None:
            yield Found(" ".join(words[place : place + phrase[0]]), phrase[1])
            place += phrase[0]
            continue
        word = words[place]
        concept = known.words.get(word) or _by_beginning(word, known)
        if concept is not None:
            yield Found(word, concept)
        elif not word.isascii():
            yield from _by_parts(word, known)
        elif (apart := _apart(word, known)) is not None:
            words[place : place + 1] = apart
            continue
        else:
            yield Found(word, OTHER)
        place += 1


def _phrases_at(words: Sequence[str], place: int, known: _Vocabulary) -> Iterator[tuple[int, str]]:
    for split, is_beginning, concept in known.phrases.get(words[place], ()):
        *first, last = split
        end = place + len(split)
        if list(words[place : end - 1]) == first and end <= len(words):
            there = words[end - 1]
            if there == last or (is_beginning and there.startswith(last)):
                yield len(split), concept


def _by_beginning(word: str, known: _Vocabulary) -> str | None:
    found = (known.beginnings.get(word[:end]) for end in range(len(word), 1, -1))
    return next((concept for concept in found if concept), None)


def _apart(word: str, known: _Vocabulary) -> Sequence[str] | None:
    """Return the words of which a name such as `emailoptout` is joined, or None if it is not made of known words."""
    ways: list[Sequence[str] | None] = [()] + [None] * len(word)
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - _LONGEST_PART), end - 1):
            way = ways[start]
            best = ways[end]
            if way is not None and word[start:end] in known.joined and (best is None or len(way) + 1 < len(best)):
                ways[end] = (*way, word[start:end])
    whole = ways[-1]
    return whole if whole is not None and len(whole) > 1 else None


def _by_parts(word: str, known: _Vocabulary) -> Iterator[Found]:
    """Split a word of a language without spaces into the longest known parts, and the rest."""
    start, rest = 0, ""
    while start < len(word):
        ends = range(min(len(word), start + known.longest_part), start, -1)
        end = next((end for end in ends if word[start:end] in known.parts), None)
        if end is None:
            rest += word[start]
            start += 1
            continue
        if rest:
            yield Found(rest, OTHER)
        rest = ""
        yield Found(word[start:end], known.parts[word[start:end]])
        start = end
    if rest:
        yield Found(rest, OTHER)
