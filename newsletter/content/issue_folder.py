"""Finds the Markdown files in an issue's folder: its sections, their items, and those that no section shows."""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from unicodedata import normalize

from newsletter.model.values import is_language

_WRITTEN = "[!.]*.md"  # skips the hidden files that editors and operating systems create
_INDEX = "index.md"
_VERSION = re.compile(r"(.+)\.([A-Za-z])(?:\.([A-Za-z-]+))?", re.DOTALL)
_MARKDOWN_ENDINGS = (".md", ".markdown", ".mdown", ".mkd")


def section_files(folder: Path) -> Mapping[str, Path]:
    """Return the file of each section, by name. Of `letter.md` and `letter/index.md`, the first is the section."""
    folders = [(path.parent.name, path) for path in sorted(folder.glob(f"*/{_INDEX}"))]
    return _by_name([*folders, *((path.stem, path) for path in sorted(folder.glob(_WRITTEN)))])


def item_files(folder: Path, languages: tuple[str, ...] = ()) -> Mapping[str, Path]:
    """Return the file of each item in a section's folder, by name, without translations and other versions."""
    found = _by_name([(path.stem, path) for path in sorted(folder.glob(_WRITTEN))])
    return {
        name: path
        for name, path in found.items()
        if path.name != _INDEX and not (language_in_name(name, found, languages) or version_in_name(name, found))
    }


def language_in_name(stem: str, known: Collection[str], languages: Collection[str] = ()) -> str:
    """Return the language of a file named `letter.es`, or an empty string if it is not a translation.

    It is one if the file `letter` is among the `known`, or if the language is one of the newsletter's `languages`.
    """
    original, _, code = stem.rpartition(".")
    is_translation = bool(original) and is_language(code) and (original in known or code in languages)
    return code if is_translation else ""


def version_in_name(stem: str, known: Collection[str]) -> str:
    """Return the letter of a file named `letter.b` or `letter.b.es`, or an empty string if it has none.

    `letter` must be among the `known` files. Letters that name no version are returned too, as they are mistakes.
    """
    match = _VERSION.fullmatch(stem)
    return match[2] if match and match[1] in known and (match[3] is None or is_language(match[3])) else ""


def beside(original: Path, form: str) -> Path:
    """Return the file of a language or version: `letter.es.md` or `letter.b.md` beside `letter.md`."""
    return original.with_name(f"{original.stem}.{form}{original.suffix}")


def _by_name(found: list[tuple[str, Path]]) -> Mapping[str, Path]:
    """Return the last file of each name.

    File systems keep letters such as é in different spellings. Of two files, the one in the composed spelling (NFC),
    in which names are written, is taken.
    """
    last = dict(found)
    return {normalize("NFC", name): last.get(normalize("NFC", name), path) for name, path in last.items()}


def unused_files(folder: Path, used: Collection[Path]) -> tuple[str, ...]:
    """Return the Markdown files of an issue that no section shows, relative to its folder."""
    found = (
        Path(inside, name)
        for inside, folders, files in os.walk(folder)  # pathlib's own walk takes much longer
        for name in (*folders, *files)
        if name.lower().endswith(_MARKDOWN_ENDINGS)
    )
    paths = (path.relative_to(folder) for path in found if path not in used)
    return tuple(sorted(path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)))
