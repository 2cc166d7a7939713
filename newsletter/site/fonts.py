"""Find an installed font that has all letters of a text. The program brings no fonts of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from msgspec import Struct
from PIL import ImageFont

_FOLDERS = {
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("%WINDIR%/Fonts", "%LOCALAPPDATA%/Microsoft/Windows/Fonts"),
}
_ELSEWHERE = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_ENDINGS = frozenset({".ttf", ".otf", ".ttc"})
_MOST_FILES = 5_000
# The beginnings of the names of font files, without spaces and dashes, the best first. Any other font comes last.
_SERIF = ("georgia", "notoserif", "sourceserif", "palatino", "times", "dejavuserif", "liberationserif", "tinos")
_SANS = ("notosans", "helvetica", "segoeui", "arial", "dejavusans", "liberationsans", "arimo")
# Han characters look different in each of these languages. The names are tried before all others.
_BY_LANGUAGE = {
    "ja": ("notoserifcjk", "notoserifjp", "notosanscjk", "notosansjp", "hiragino", "yumincho", "yugothic", "ipa"),
    "zh": ("notoserifcjk", "notoserifsc", "notosanscjk", "notosanssc", "songti", "pingfang", "simsun", "msyh", "wqy"),
    "ko": ("notoserifcjk", "notoserifkr", "notosanscjk", "notosanskr", "applemyungjo", "applesd", "batang", "malgun"),
    "ar": ("notonaskharabic", "notosansarabic", "geeza", "amiri", "tahoma", "dejavusans"),
    "he": ("notoserifhebrew", "notosanshebrew", "newpeninim", "david", "arialhb", "dejavusans"),
}
_CJK_FACES = {"ja": 0, "ko": 1, "zh": 2}  # the order of the faces in Noto's collections
_UNUSUAL = ("bold", "italic", "oblique", "light", "black", "thin", "mono", "condensed", "medium", "emoji", "symbol")
_ABSENT = "\U000fffff"  # a character of no font, whose place is marked as every missing character's is


class FontFile(Struct, frozen=True):
    """A font: its file, and its number in a file with several."""

    path: str
    index: int = 0


def font_for(text: str, language: str, *, is_serif: bool) -> FontFile | None:
    """Return the best installed font with every letter of a text, or None if there is none."""
    letters = {sign for sign in text if not sign.isspace() and sign.isprintable()}
    spoken = language.partition("-")[0]
    for path in _ranked(spoken, is_serif=is_serif):
        font = FontFile(path, _CJK_FACES.get(spoken, 0) if "cjk" in path.lower() and path.endswith(".ttc") else 0)
        if all(_has(font, letter) for letter in letters):
            return font
    return None


@cache
def _ranked(spoken: str, *, is_serif: bool) -> tuple[str, ...]:
    wanted = (*_BY_LANGUAGE.get(spoken, ()), *(_SERIF if is_serif else _SANS), *(_SANS if is_serif else _SERIF))
    return tuple(sorted(_font_files(), key=lambda path: _rank(path, wanted)))


def _rank(path: str, wanted: tuple[str, ...]) -> tuple[bool, int, int, str]:
    name = Path(path).stem.lower().replace("-", "").replace("_", "").replace(" ", "")
    place = next((number for number, begins in enumerate(wanted) if name.startswith(begins)), len(wanted))
    return any(word in name for word in _UNUSUAL), place, len(name), path


@cache
def _has(font: FontFile, letter: str) -> bool:
    """Return whether a font has a letter. A missing letter is drawn like a character that no font has."""
    opened = _opened(font)
    return opened is not None and bytes(opened[0].getmask(letter)) != opened[1]


@cache
def _opened(font: FontFile) -> tuple[ImageFont.FreeTypeFont, bytes] | None:
    """Return a font and the mark of a missing letter, or None if its file cannot be read."""
    with suppress(OSError, ValueError):
        opened = ImageFont.truetype(font.path, 24, index=font.index)
        return opened, bytes(opened.getmask(_ABSENT))
    return None


@cache
def _font_files() -> tuple[str, ...]:
    return tuple(found for _, found in zip(range(_MOST_FILES), _found(), strict=False))


def _found() -> Iterator[str]:
    for folder in _FOLDERS.get(sys.platform, _ELSEWHERE):
        for path, _, names in os.walk(os.path.expandvars(Path(folder).expanduser())):
            yield from (f"{path}/{name}" for name in sorted(names) if Path(name).suffix.lower() in _ENDINGS)
