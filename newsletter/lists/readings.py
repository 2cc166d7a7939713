"""Tell old encodings apart by the words of a file: which of its readings are words of a language.

In these encodings, one byte is one letter, so every file can be read in many ways. The right reading has the letters of
one language, has no signs within its words, and has names that are common there. `encoding_words.toml` lists both.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from msgspec import Struct

_RUN = re.compile(r"[^\W\d_]+")
_TYPOGRAPHIC = frozenset("’‘“”„‚‹›«»–—…·•°€£©®™§´¨¡¿ºª\xa0\xad№")
_QUOTES = frozenset("’‘“”„‚‹›«»–—…¡¿ºª\xa0")  # these may be beside a letter
_VOWELS = frozenset("aeiouyæœøıаеиоуыэюяєіαεηιουω")
_IN_CLUSTERS = frozenset("šśş")  # consonants that often stand between others
# What a word costs a reading. The numbers were tried on names of countries and languages in 21 languages.
_NO_WORD = 1.0  # it is a word of none of the languages
_OTHER_LANGUAGE = 0.5  # it is one of another language than most words
_ODD = 0.25  # a vowel between vowels, or a consonant between consonants
_RARE = 0.25  # it is of a rare language
_SIGN, _ODD_SIGN, _APOSTROPHE = 0.25, 0.5, 0.1
_ALONE = 0.3  # a single letter
_SMALL = 0.1  # it does not begin with a capital
_KNOWN = -0.5  # it is in the table
_LESS_COMMON = 0.2  # what a reading costs in an encoding that is not the first of its group
_MOST_NO_WORDS = 0.25  # of all words
_CLEARLY_LESS = 0.25  # about as much as one odd word


class Language(Struct, frozen=True, kw_only=True):
    """The letters beyond ASCII of a language, and common words that contain them."""

    letters: frozenset[str]
    words: frozenset[str]
    is_latin: bool
    is_rare: bool


class EncodingReading(Struct, frozen=True, kw_only=True):
    """The words of a file as one encoding reads them."""

    codec: str
    words: tuple[str, ...]
    cost: float
    is_possible: bool


def readings_of(words: Sequence[bytes]) -> Sequence[EncodingReading]:
    """Return the possible readings of some words, the best first, and of equal ones only the first.

    All readings whose cost is about the same as that of the best are returned. If there are several, the words do not
    tell which one is right.
    """
    different: dict[tuple[str, ...], EncodingReading] = {}
    for codecs, languages in _groups():
        for codec in codecs:
            reading = _read(words, codec, languages, extra=0.0 if codec == codecs[0] else _LESS_COMMON)
            if reading.is_possible:
                different.setdefault(reading.words, reading)
    ordered = sorted(different.values(), key=lambda reading: reading.cost)
    return [reading for reading in ordered if reading.cost < ordered[0].cost + _CLEARLY_LESS]


def _read(words: Sequence[bytes], codec: str, languages: Sequence[Language], *, extra: float) -> EncodingReading:
    texts = tuple(word.decode(codec, "replace") for word in words)
    costs = [_costs(text, languages) for text in texts]
    best = min(range(len(languages)), key=lambda place: sum(cost[place] for cost in costs))
    chosen = [cost[best] for cost in costs]
    is_possible = sum(cost >= _NO_WORD for cost in chosen) <= _MOST_NO_WORDS * len(words)
    return EncodingReading(codec=codec, words=texts, cost=sum(chosen) + extra, is_possible=is_possible)


def _costs(text: str, languages: Sequence[Language]) -> Sequence[float]:
    """Return what a word costs if the file is in each of the languages."""
    if any(not _is_fitting(text, place) for place, sign in enumerate(text) if not sign.isascii()):
        return [_NO_WORD] * len(languages)
    base = sum(_cost_of_sign(text, place) for place, sign in enumerate(text) if not sign.isascii())
    runs = [run for run in _RUN.findall(text) if not run.isascii()]
    base += _ALONE * sum(len(run) == 1 for run in runs) + _ODD * any(map(_is_odd, runs))
    base += _SMALL * any(not run[0].isascii() and run[0].islower() for run in runs)
    if any(map(_has_odd_case, runs)):
        return [_NO_WORD] * len(languages)
    small = [run.replace("İ", "i").lower() for run in runs]
    fits = [all(_is_of(run, language) for run in small) for language in languages]
    known = [any(run in language.words for run in small) for language in languages]
    other = _OTHER_LANGUAGE if any(fits) else _NO_WORD
    bonus = _KNOWN if any(known) else 0.0
    rare = [_RARE * language.is_rare for language in languages]
    return [base + bonus + (extra if fit else other) for fit, extra in zip(fits, rare, strict=True)]


def _is_fitting(text: str, place: int) -> bool:
    """Return whether a character beyond ASCII can be in a text at all: a letter, or a sign that people type."""
    sign = text[place]
    return sign in _TYPOGRAPHIC or (sign.isalpha() and sign != "\ufffd")


def _cost_of_sign(text: str, place: int) -> float:
    sign = text[place]
    if sign not in _TYPOGRAPHIC:
        return 0.0
    beside = [each.isalpha() for each in (text[place - 1 : place], text[place + 1 : place + 2])]
    if not all(beside):
        return _SIGN if sign in _QUOTES or not any(beside) else _ODD_SIGN
    return _APOSTROPHE if sign == "’" else _NO_WORD


def _has_odd_case(run: str) -> bool:
    """Return whether a capital follows a small letter."""
    return any(one.islower() and other.isupper() for one, other in pairwise(run))


def _is_of(run: str, language: Language) -> bool:
    return all(sign in language.letters or (language.is_latin and sign.isascii()) for sign in run)


def _is_odd(run: str) -> bool:
    """Return whether a letter beyond ASCII is a vowel between two vowels, or a consonant between two consonants."""
    if run.lower() == run.upper():  # Hebrew and Arabic write no vowels
        return False
    kinds = [_is_vowel(sign) for sign in run]
    middles = zip(kinds, kinds[1:], kinds[2:], run[1:], strict=False)
    return any(
        before == kind == after and not sign.isascii() and sign not in _IN_CLUSTERS
        for before, kind, after, sign in middles
    )


@cache
def _is_vowel(sign: str) -> bool:
    return unicodedata.normalize("NFD", sign.lower())[0] in _VOWELS


@cache
def _groups() -> Sequence[tuple[Sequence[str], Sequence[Language]]]:
    told = tomllib.loads((files("newsletter.lists") / "encoding_words.toml").read_text(encoding="utf-8"))
    return [
        (group["codecs"], [_language(each) for each in group.values() if isinstance(each, Mapping)])
        for group in told.values()
    ]


def _language(told: Mapping[str, Any]) -> Language:
    letters = frozenset(told["letters"])
    return Language(
        letters=letters,
        words=frozenset(told["words"].split()),
        is_latin=any(map(_is_latin, letters)),
        is_rare=told.get("is_rare", False),
    )


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter).startswith("LATIN")
