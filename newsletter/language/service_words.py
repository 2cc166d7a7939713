"""The words of the pages for subscribers, and of the emails that belong to them, by language.

They are in `service/LANGUAGE.toml`. A language that has no file is written in English.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "service"
_PLAINEST = "en"
Words = Mapping[str, Mapping[str, str]]  # page → key → words


@cache
def service_languages() -> tuple[str, ...]:
    """Return the codes of the languages in which there are words, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def service_words(language: str) -> Words:
    """Return the words in a language that `spoken` returned."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def spoken(languages: Iterable[str]) -> str:
    """Return the first of these languages in which there are words, with or without its region, or else English."""
    known = service_languages()
    for language in languages:
        for name in (language, language.partition("-")[0]):
            if name in known:
                return name
    return _PLAINEST
