"""Reads an issue in the other languages that the newsletter offers, and notes what is not translated."""

from collections.abc import Mapping
from shlex import quote
from typing import Generic, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.content.issue_folder import IssueFolder, beside
from newsletter.content.parts import PartReader
from newsletter.content.records import Read, item_of, record_of, section_of, without_type
from newsletter.content.source import Document, Reading
from newsletter.content.tips import read_tips
from newsletter.content.translations import (
    HEADING_KEYS,
    MARKS,
    has_words,
    heading_in,
    languages_of_heading,
    translated,
    without_marks,
)
from newsletter.language.words import language_name
from newsletter.model.finding import Place
from newsletter.model.issue import Gap, Issue, Item, Section, Tips
from newsletter.model.issue_fields import EventFields, IssueFields, SectionFields, TipsFields
from newsletter.model.values import Fields

_FieldsT = TypeVar("_FieldsT", bound=Fields)


class OriginalPart(Struct, Generic[_FieldsT], frozen=True, eq=False):
    """An item of an issue, or the file of a section without its items, as written in the issue's own language."""

    file: str
    read: Read[_FieldsT]
    model: type[_FieldsT]

    @property
    def is_neutral(self) -> bool:
        """Whether it has no words, so that it needs no translation."""
        return self.read.prose.is_empty and not has_words(self.read.document.keys, self.model)


class OriginalSection(Struct, frozen=True, eq=False):
    """A section with its parts."""

    section: Section
    index: OriginalPart[SectionFields]
    items: tuple[tuple[Item, OriginalPart[EventFields]], ...]


class ReadSection(Struct, frozen=True, eq=False):
    """A section as it was read in one language: the parts of its original, in the same order."""

    whole: OriginalSection
    index: Read[SectionFields]
    items: tuple[Read[EventFields], ...]


class Translator(Struct):
    """Reads the translations of one issue into `languages`."""

    parts: PartReader
    folder: IssueFolder
    languages: tuple[str, ...]
    gaps: list[Gap] = field(default_factory=list)
    read: dict[tuple[str, str], ReadSection] = field(default_factory=dict)  # by language and the section's name
    _tips: dict[str, Tips | None] = field(default_factory=dict)

    def translations(
        self, issue: Issue, heading: Document, originals: Mapping[str, OriginalSection]
    ) -> Mapping[str, Issue]:
        """Return the issue in each language in which something is translated."""
        found = {}
        for key, code in languages_of_heading(heading).items():
            if code not in (*self.languages, issue.language):
                what = f"`{key}` is in {{language}}, which the newsletter does not offer"
                remedy = f'add "{code}" to `offered` under [languages] in newsletter.toml, or delete the line'
                self._gap(code, "", heading.source.at(key), what, remedy)
        for code in self.languages:
            fields, source = issue.fields, issue.source
            keys = [key for key in HEADING_KEYS if f"{key}.{code}" in heading.data]
            for key in set(HEADING_KEYS) - set(keys):
                remedy = f"write it below, as `{key}.{code}: …`"
                self._gap(code, "", issue.source.at(key), f"`{key}` is not in {{language}}", remedy)
            if keys:
                own = heading_in(heading, code)
                fields, source = record_of(own, IssueFields, self.parts.reading) or fields, own.source
            sections = {name: self._section(code, whole) for name, whole in originals.items()}
            if not keys and not any(section and section.language for section in sections.values()):
                continue
            found[code] = replace(
                issue,
                language=code,
                fields=fields,
                source=source,
                sections=tuple(sections.get(section.name) or section for section in issue.sections),
                tips=self._tips.get(code),
            )
        return found

    def _section(self, code: str, whole: OriginalSection) -> Section | None:
        """Return the translation of a section, or None if it is not complete."""
        section, fields = whole.section, whole.section.fields
        before = len(self.gaps), len(self.parts.reading.mistakes)
        if isinstance(fields, TipsFields) and fields.show and self._tips_in(code, section) is None:
            place = section.source.at("show")
            self._gap(
                code, section.name, place, "the theme has no steps in {language}", "write your own below `cards:`"
            )
        index = self._part(code, section.name, whole.index)
        items = [(item, self._part(code, section.name, part)) for item, part in whole.items]
        if index is None or before != (len(self.gaps), len(self.parts.reading.mistakes)):
            return None
        reads = [(item, read) for item, read in items if read is not None]
        self.read[code, section.name] = ReadSection(whole, index, tuple(read for _, read in reads))
        in_language = tuple(item_of(item.name, item.uid, item.zone, read) for item, read in reads)
        if not section.language:
            return section
        return section_of(section.name, section.type, section.only, index, in_language, code)

    def _part(self, code: str, section: str, part: OriginalPart[_FieldsT]) -> Read[_FieldsT] | None:
        """Return a part in a language, or None if there is no translation. Note what it lacks."""
        if part.is_neutral:
            return part.read
        original, file = part.read.document, beside(part.file, code)
        if not self.folder.has(file):
            self._gap(
                code,
                section,
                Place(path=original.path),
                "it is not translated into {language}",
                f"create the file {self.parts.shown(file)}",
            )
            return None
        document = self.parts.document(file)
        if document is None:
            return None
        document, open_sentences = without_marks(document)
        if open_sentences:
            what = f"{open_sentences:,} of its sentences are not in {{language}}"
            remedy = f"see them with: newsletter translations {quote(self.parts.folder.name)}"
            self._gap(code, section, document.source.at(MARKS), what, remedy)
        found = translated(without_type(document), original.keys, part.model, original.path)
        self.parts.reading.note(found.mistakes)
        for location in found.missing:
            key = ".".join(map(str, location))
            self._gap(
                code,
                section,
                document.source.at(*location),
                f"`{key}` is not in {{language}}",
                "add the line in this file",
            )
        read = self.parts.read(found.document, part.model)
        if read is not None and read.prose.is_empty and not part.read.prose.is_empty:
            self._gap(
                code, section, Place(path=document.path), "the text is not in {language}", "write it below the keys"
            )
        return read

    def _tips_in(self, code: str, section: Section) -> Tips | None:
        if code not in self._tips:
            at = section.source.at("show")
            self._tips[code] = read_tips(self.parts.config, code, asked_at=at, reading=Reading())
        return self._tips[code]

    def _gap(self, code: str, section: str, place: Place, what: str, remedy: str) -> None:
        what = what.format(language=language_name(code))
        self.gaps.append(Gap(language=code, section=section, place=place, what=what, remedy=remedy))
