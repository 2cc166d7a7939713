"""Finds the Markdown files in an issue's folder: its sections, their items, and those that no section shows."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from unicodedata import is_normalized, normalize

from newsletter.model.values import is_language

_ENDING = ".md"
_INDEX = "index.md"
_VERSION = re.compile(r"(.+)\.([A-Za-z])(?:\.([A-Za-z-]+))?", re.DOTALL)
_MARKDOWN_ENDINGS = (".md", ".markdown", ".mdown", ".mkd")


class IssueFolder:
    """The Markdown files in an issue's folder, each named as text, relative to it: `letter.md`, `events/talk.md`.

    It is listed once, when it is made. What cannot be read is left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._top = f"{path}{os.sep}"
        self._files: dict[str, dict[str, None]] = {}  # for each folder in it, its Markdown files, in order
        self._list("")

    def sections(self) -> Mapping[str, str]:
        """Return the file of each section, by name. Of `letter.md` and `letter/index.md`, the first is the section."""
        inside = {
            folder: _joined(folder, _INDEX)
            for folder, names in self._files.items()
            if _INDEX in names and folder and os.sep not in folder
        }
        return _by_name({**inside, **self._written("")})

    def items(self, section: str, languages: Collection[str] = ()) -> Mapping[str, str]:
        """Return the file of each item in a section's folder, by name, without translations and other versions."""
        found = _by_name(self._written(section))
        return {
            name: _joined(section, file)
            for name, file in found.items()
            if file != _INDEX and not (language_in_name(name, found, languages) or version_in_name(name, found))
        }

    def has(self, file: str) -> bool:
        """Return whether a Markdown file was there when the folder was listed."""
        inside, _, name = file.rpartition(os.sep)
        return name in self._files.get(inside, ())

    def versions_of(self, original: str) -> Iterator[tuple[str, str]]:
        """Yield the letter and the file of each version: `letter.b.md` and `letter.b.es.md` for `letter.md`."""
        inside, _, name = original.rpartition(os.sep)
        stem = stem_of(name)
        known, beginning = {stem}, f"{stem}."
        names = (name for name in self._files.get(inside, ()) if name.startswith(beginning) and name.endswith(_ENDING))
        for name in names:
            if letter := version_in_name(name.removesuffix(_ENDING), known):
                yield letter, _joined(inside, name)

    def unused(self, used: Collection[str]) -> tuple[str, ...]:
        """Return the Markdown files that no section shows. Hidden ones are left out."""
        found = {_joined(inside, name) for inside, names in self._files.items() for name in names}
        others = (Path(file) for file in found.difference(used))
        return tuple(sorted(path.as_posix() for path in others if not any(part.startswith(".") for part in path.parts)))

    def _written(self, inside: str) -> dict[str, str]:
        """Return the files in a folder, each by its name without the ending. Editors create hidden ones."""
        return {
            name.removesuffix(_ENDING): name
            for name in self._files.get(inside, ())
            if name.endswith(_ENDING) and not name.startswith(".")
        }

    def _list(self, inside: str) -> None:
        """List a folder and those in it. Links to folders are followed only at the top, so none leads in a circle."""
        with suppress(OSError):
            entries = sorted(os.scandir(self._top + inside), key=attrgetter("name"))
            names = (each.name for each in entries)
            self._files[inside] = dict.fromkeys(name for name in names if name.lower().endswith(_MARKDOWN_ENDINGS))
            for each in entries:
                if each.is_dir(follow_symlinks=not inside):
                    self._list(_joined(inside, each.name))


def item_files(folder: Path) -> Mapping[str, Path]:
    """Return the file of each item in the folder of a section, by name, without translations and other versions."""
    return {name: folder / file for name, file in IssueFolder(folder).items("").items()}


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


def beside(original: str, form: str) -> str:
    """Return the file of a language or version: `letter.es.md` or `letter.b.md` beside `letter.md`."""
    return f"{original.removesuffix(_ENDING)}.{form}{_ENDING}"


def folder_of(file: str) -> str:
    """Return the folder of a file, which is empty at the top: `events` for `events/talk.md`."""
    return file.rpartition(os.sep)[0]


def stem_of(file: str) -> str:
    """Return the name of a file without its folder and ending: `talk` for `events/talk.md`."""
    return file.rpartition(os.sep)[2].removesuffix(_ENDING)


def _by_name(found: Mapping[str, str]) -> Mapping[str, str]:
    """Return the files by name, in the composed spelling (NFC).

    File systems keep letters such as é in different spellings. Of two files, the one in the composed spelling (NFC),
    in which names are written, is taken.
    """
    if all(is_normalized("NFC", name) for name in found):
        return found
    return {normalize("NFC", name): found.get(normalize("NFC", name), path) for name, path in found.items()}


def _joined(inside: str, name: str) -> str:
    return f"{inside}{os.sep}{name}" if inside else name
