"""Reads the versions of an issue: a file such as `letter.b.md` beside `letter.md`, and keys such as `subject.b`.

A version says only what differs. What it does not say is as in version A, which has no letter. In another language, the
letter comes first: `letter.b.es.md` and `subject.b.es`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from os import sep
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.content.issue_folder import IssueFolder, beside, stem_of
from newsletter.content.parts import PartReader
from newsletter.content.records import Read, item_of, record_of, section_of, without_type
from newsletter.content.source import Document
from newsletter.content.translations import heading_in, parts_of_key, translated, without_marks
from newsletter.content.translator import OriginalPart, OriginalSection, ReadSection
from newsletter.language.words import language_name
from newsletter.model.finding import Place
from newsletter.model.issue import Gap, Issue, Section
from newsletter.model.issue_fields import IssueFields
from newsletter.model.values import Fields
from newsletter.model.versions import OTHER_VERSIONS

_FieldsT = TypeVar("_FieldsT", bound=Fields)
_KEY = re.compile(r"(?:subject|preheader|title)\.([A-Za-z])(?:\.[A-Za-z-]+)?")


class VersionReader(Struct):
    """Reads versions B, C and D of one issue. `translated` has the sections as they were read in each language."""

    parts: PartReader
    folder: IssueFolder
    heading: Document  # as written
    originals: Mapping[str, OriginalSection]
    translated: Mapping[tuple[str, str], ReadSection]  # by language and the section's name
    gaps: list[Gap] = field(default_factory=list)

    def versions(self, issue: Issue) -> Mapping[str, Issue]:
        """Return the issue in each other version in which something is written. Note mistakes in the letters."""
        written = [*self._in_heading(), *self._in_files()]
        for letter, place, name, better in written:
            if letter not in OTHER_VERSIONS:
                is_own = letter in {"a", "A"}
                what = f"`{name}` names version {letter.upper()}, " + (
                    "which is the one without a letter" if is_own else "but versions are called b, c and d"
                )
                remedy = f"write {better.format('b')}" if letter.lower() not in OTHER_VERSIONS else ""
                self.parts.reading.add(place.path, place.line, what, remedy or f"write {better.format(letter.lower())}")
        used = sorted({letter for letter, *_ in written if letter in OTHER_VERSIONS})
        for letter, before in zip(used, OTHER_VERSIONS, strict=False):
            if letter != before:
                _, place, name, better = next(each for each in written if each[0] == letter)
                what = f"`{name}` is in version {OTHER_VERSIONS[letter]}, but there is no version {before.upper()}"
                self.parts.reading.add(place.path, place.line, what, f"rename it: {better.format(before)}")
        return {OTHER_VERSIONS[letter]: self._version(issue, letter) for letter in used}

    def _in_heading(self) -> Iterator[tuple[str, Place, str, str]]:
        """Yield the letter of each key that has one, its place, the key, and how the key is written with a letter."""
        for key in map(str, self.heading.data):
            if match := _KEY.fullmatch(key):
                better = f"{key[: match.start(1)]}{{}}{key[match.end(1) :]}"
                yield match[1], self.heading.source.at(key), key, f"`{better}`"

    def _in_files(self) -> Iterator[tuple[str, Place, str, str]]:
        """Yield the same for each file of a section or an item that is written in a version."""
        for whole in self.originals.values():
            for original in (whole.index.file, *(part.file for _, part in whole.items)):
                for letter, file in self.folder.versions_of(original):
                    self.parts.used.add(file)
                    stem, name = stem_of(original), file.rpartition(sep)[2]
                    better = f"{stem}.{{}}{name[len(stem) + 2 :]}"
                    yield letter, Place(path=self.parts.shown(file)), name, better

    def _version(self, issue: Issue, letter: str) -> Issue:
        sections = {name: self._own_section(name, letter) for name in self.originals}
        own = replace(
            self._heading(issue, letter, ""),
            sections=tuple(sections.get(each.name, each) for each in issue.sections),
        )
        translations = {
            code: replace(
                self._heading(translation, letter, code),
                sections=tuple(self._in_language(each, code, letter, sections) for each in translation.sections),
            )
            for code, translation in issue.translations.items()
        }
        return replace(own, translations=translations)

    def _heading(self, issue: Issue, letter: str, code: str) -> Issue:
        """Return an issue with the keys of `issue.yaml` that its version has."""
        parts = [parts_of_key(key) for key in self.heading.data]
        names = [name for name, version, _ in parts if version == letter]
        own = [name for name, version, language in parts if version == letter and language == code]
        for name in dict.fromkeys(names) if code else ():
            if name not in own and any(part == (name, "", code) for part in parts):
                self._gap(
                    code,
                    "",
                    self.heading.source.at(f"{name}.{letter}"),
                    f"`{name}.{letter}`",
                    f"`{name}.{letter}.{code}: …`",
                )
        if not own:
            return issue
        document = heading_in(self.heading, code, letter)
        fields = record_of(document, IssueFields, self.parts.reading)
        return replace(issue, fields=fields or issue.fields, source=document.source)

    def _own_section(self, name: str, letter: str) -> Section:
        whole = self.originals[name]
        return self._section(
            ReadSection(whole, whole.index.read, tuple(part.read for _, part in whole.items)), letter, ""
        )

    def _in_language(self, section: Section, code: str, letter: str, own: Mapping[str, Section]) -> Section:
        read = self.translated.get((code, section.name))
        if read is None or section.language != code:  # as in the issue's own language
            return own.get(section.name, section)
        if own[section.name] is not read.whole.section:
            for file in (read.whole.index.file, *(part.file for _, part in read.whole.items)):
                original = beside(file, letter)
                translation, shown = beside(original, code), self.parts.shown
                if self.folder.has(original) and not self.folder.has(translation):
                    place, what = Place(path=shown(original)), f"version {letter.upper()}"
                    self._gap(code, section.name, place, what, shown(translation))
        return self._section(read, letter, code)

    def _section(self, read: ReadSection, letter: str, code: str) -> Section:
        whole = read.whole
        index = self._part(whole.index, read.index, letter, code)
        items = tuple(
            item_of(item.name, item.uid, item.zone, self._part(part, own, letter, code))
            for (item, part), own in zip(whole.items, read.items, strict=True)
        )
        section = whole.section
        language = code if code and section.language else section.language
        return section_of(section.name, section.type, section.only, index, items, language)

    def _part(self, part: OriginalPart[_FieldsT], read: Read[_FieldsT], letter: str, code: str) -> Read[_FieldsT]:
        """Return a part in a version and language, or as in version A if nothing is written in that version."""
        file = beside(part.file, letter)
        file = beside(file, code) if code else file
        if not self.folder.has(file):
            return read
        document = self.parts.document(file)
        if document is None:
            return read
        document, _ = without_marks(document)
        original = read.document
        found = translated(without_type(document), original.keys, part.model, original.path, "version")
        self.parts.reading.note(found.mistakes)
        if found.document.body.strip():
            return self.parts.read(found.document, part.model) or read
        whole = _with_text_of(found.document, original)
        own = self.parts.read(replace(whole, body=""), part.model)
        return Read(whole, own.fields, read.prose) if own else read

    def _gap(self, code: str, section: str, place: Place, what: str, remedy: str) -> None:
        told = f"{what} is not in {language_name(code)}, so its readers get version A there"
        verb = "create the file" if section else "add the line"
        self.gaps.append(Gap(language=code, section=section, place=place, what=told, remedy=f"{verb} {remedy}"))


@lru_cache(maxsize=256)
def _with_text_of(document: Document, original: Document) -> Document:
    """Return a version without a text of its own, as a document with the text of its original."""
    digest = f"{document.digest}-{original.digest}"
    return replace(document, body=original.body, body_lines=original.body_lines, digest=digest)
