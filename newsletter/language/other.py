"""Tell text in another script or language from the text around it, as far as it shows plainly."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

# What the Unicode names of letters begin with, by the codes of scripts (ISO 15924).
_LETTERS: Mapping[str, frozenset[str]] = {
    "Latn": frozenset({"LATIN"}),
    "Cyrl": frozenset({"CYRILLIC"}),
    "Grek": frozenset({"GREEK"}),
    "Arab": frozenset({"ARABIC"}),
    "Hebr": frozenset({"HEBREW"}),
    "Deva": frozenset({"DEVANAGARI"}),
    "Thai": frozenset({"THAI"}),
    "Armn": frozenset({"ARMENIAN"}),
    "Geor": frozenset({"GEORGIAN"}),
    "Beng": frozenset({"BENGALI"}),
    "Taml": frozenset({"TAMIL"}),
    "Ethi": frozenset({"ETHIOPIC"}),
    "Kore": frozenset({"HANGUL", "CJK"}),
    "Jpan": frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"}),
    "Hans": frozenset({"CJK"}),
    "Hant": frozenset({"CJK"}),
}
_NAMES = {
    "LATIN": "Latin",
    "CYRILLIC": "Cyrillic",
    "GREEK": "Greek",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "Devanagari",
    "HANGUL": "Korean",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "CJK": "Chinese",
}
_SCRIPT = re.compile(r"-([A-Z][a-z]{3})\b")
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST_LETTERS = 4
_FEWEST_LATIN_WORDS = 8  # names and brands in Latin letters are common in every language
_FEWEST_WORDS = 12
_CLEAR_SHARE = 0.3  # of the words; in ordinary prose, four words in ten are small ones
_CLEAR_FACTOR = 3


def script_beside(text: str, language: str) -> str | None:
    """Return the name of the script that most letters are in, if the language is not written in it, else None."""
    own = _letters_of(language)
    if own is None or (text.isascii() and "LATIN" in own):
        return None
    kinds = Counter(_kind(letter) for letter in text if letter.isalpha())
    foreign = {kind: count for kind, count in kinds.items() if kind not in own and kind in _NAMES}
    count = sum(foreign.values())
    if count < _FEWEST_LETTERS or 2 * count <= kinds.total():
        return None
    most = max(foreign, key=lambda kind: foreign[kind])
    if most == "LATIN" and len(_WORD.findall(text)) < _FEWEST_LATIN_WORDS:
        return None
    is_japanese = most == "CJK" and not foreign.keys().isdisjoint({"HIRAGANA", "KATAKANA"})
    return "Japanese" if is_japanese else _NAMES[most]


def language_beside(text: str, language: str) -> str | None:
    """Return the code of the language that a text is plainly in, if it is not this one, else None.

    It knows only languages whose small words are in the table.
    """
    known, own = _small_words(), language.partition("-")[0]
    words = [word.lower() for word in _WORD.findall(text)]
    if own not in known or len(words) < _FEWEST_WORDS:
        return None
    counts = {code: sum(word in small for word in words) for code, small in known.items()}
    best = max(counts, key=lambda code: counts[code])
    is_clear = counts[best] >= _CLEAR_SHARE * len(words) and counts[best] >= _CLEAR_FACTOR * counts[own]
    return best if is_clear and best != own else None


@lru_cache(maxsize=64)
def _letters_of(language: str) -> frozenset[str] | None:
    """Return the kinds of letters that a language is written in, or None if they are not known."""
    from babel.core import get_global  # loaded here because its tables are large

    stated = _SCRIPT.search(language)
    likely = get_global("likely_subtags")
    full = likely.get(language.replace("-", "_")) or likely.get(language.partition("-")[0]) or ""
    script = stated[1] if stated else next(iter(full.split("_")[1:2]), "")
    return _LETTERS.get(script)


@lru_cache(maxsize=4096)
def _kind(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@cache
def _small_words() -> Mapping[str, frozenset[str]]:
    table = tomllib.loads(files("newsletter").joinpath("language", "function_words.toml").read_text("utf-8"))
    return {code: frozenset(words.split()) for code, words in table.items()}
