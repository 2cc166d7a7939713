"""What the theme, the pages for subscribers and the tips say in each language, from gettext catalogues.

`catalogues/messages.pot` has the English messages, and `catalogues/LANGUAGE.po` their translations. The context of a
message (`msgctxt`) says where it stands: its group, which is a page, an email or a part of the theme, and its key.

A group is read when it is first needed, in 0.3 ms. Babel's reader and its imports would take 30 ms of each build, so
only the tests and `scripts/update-catalogues` use it.
"""

import gettext
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "catalogues"
SOURCE = "en"
_FIELD = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr)(?:\[\d\])? ((?:".*"\n?)+)', re.MULTILINE)
_FUZZY = re.compile(r"^#,.*\bfuzzy\b", re.MULTILINE)
_PLURAL = re.compile(r"plural=([^;\\]+)")
_ENGLISH_PLURAL = "n != 1"


@cache
def spoken_languages() -> tuple[str, ...]:
    """Return the codes of the languages that have a catalogue, sorted."""
    return tuple(sorted({SOURCE, *(path.stem for path in FOLDER.glob("*.po"))}))


def spoken(languages: Iterable[str]) -> str:
    """Return the first of these languages that has a catalogue, with or without its region, or else English."""
    known = spoken_languages()
    for language in languages:
        for name in (language, language.partition("-")[0]):
            if name in known:
                return name
    return SOURCE


@cache
def words_of(language: str, group: str) -> Mapping[str, str]:
    """Return the messages of a group by their keys, in a language that `spoken` returned.

    They are in English if they have no translation. A message with a number has its form for one; see `counted`.
    """
    return {key: forms[0] for key, forms in {**_messages(SOURCE, group), **_messages(language, group)}.items()}


def counted(language: str, group: str, key: str, number: int) -> str:
    """Return a message with a number, in the form that the language has for it. `{number}` is filled in."""
    spoken_in = language if key in _messages(language, group) else SOURCE
    return _messages(spoken_in, group)[key][_plural_form(spoken_in)(number)].format(number=number)


@cache
def _messages(language: str, group: str) -> Mapping[str, tuple[str, ...]]:
    """Return the translated messages of a group by their keys: one form each, or the forms for numbers."""
    found = {}
    for block in _blocks(language):
        if f'msgctxt "{group}.' not in block or _FUZZY.search(block):
            continue
        fields: dict[str, list[str]] = {}
        for name, lines in _FIELD.findall(block):
            fields.setdefault(name, []).append("".join(map(json.loads, lines.splitlines())))
        forms = fields["msgstr"] if language != SOURCE else [*fields["msgid"], *fields.get("msgid_plural", ())]
        if all(forms):
            found[fields["msgctxt"][0].removeprefix(f"{group}.")] = tuple(forms)
    return found


@cache
def _plural_form(language: str) -> Callable[[int], int]:
    """Return the function that gives the place of the form for a number, which the catalogue's header defines."""
    stated = _PLURAL.search(_blocks(language)[0])
    return gettext.c2py(stated[1] if stated else _ENGLISH_PLURAL)


@cache
def _blocks(language: str) -> tuple[str, ...]:
    path = FOLDER / ("messages.pot" if language == SOURCE else f"{language}.po")
    return tuple(path.read_text(encoding="utf-8").split("\n\n"))
