"""Loads an issue's folder into an `Issue`, or reports all mistakes in its files at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from newsletter.config import Config
from newsletter.content.event_ids import EventIds
from newsletter.content.issue_choices import entries_of, require_segment, require_topics, topics_of
from newsletter.content.issue_folder import IssueFolder, folder_of, language_in_name, stem_of, version_in_name
from newsletter.content.parts import PartReader
from newsletter.content.records import item_of, record_of, section_of, without_type
from newsletter.content.source import Document, Reading, read_yaml, replace_merge_fields
from newsletter.content.tips import read_tips
from newsletter.content.translations import heading_in, with_subjects
from newsletter.content.translator import OriginalPart, OriginalSection, Translator
from newsletter.content.versions import VersionReader
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, IssueHeading, Item, Section, Source, Tips
from newsletter.model.issue_fields import (
    SECTION_TYPES,
    Day,
    EventFields,
    FetchedItems,
    IssueFields,
    ListFields,
    SectionEntry,
    SectionFields,
    SectionType,
    TipsFields,
)
from newsletter.settings.mistakes import suggestion

ISSUE_FILE = "issue.yaml"
PAGE_FILE = "page.html"  # only past issues of another tool have one
ISSUES_FOLDER = "issues"
ARCHIVE_FOLDER = "archive"  # of past issues from another tool
_DAY: TypeAdapter[date] = TypeAdapter(Day)


def issue_names(config: Config) -> list[str]:
    """Return the names of all issues in a workspace, sorted."""
    return sorted(path.parent.name for path in (config.root / ISSUES_FOLDER).glob(f"*/{ISSUE_FILE}"))


def issue_headings(config: Config) -> tuple[IssueHeading, ...]:
    """Return the heading of each issue in a workspace, oldest first.

    An issue whose date cannot be read comes last, because it is probably the one that is being written.
    """
    headings = [issue_heading(config, name) for name in issue_names(config)]
    return tuple(sorted(headings, key=lambda heading: (heading.date or date.max, heading.name)))


def issue_heading(config: Config, name: str) -> IssueHeading:
    """Return the heading of an issue. What cannot be read is empty."""
    path = config.root / ISSUES_FOLDER / name / ISSUE_FILE
    document = read_yaml(path, config.shown(path), Reading(), IssueFields)
    data = {} if document is None else document.data
    try:
        day = _DAY.validate_python(data.get("date"))
    except ValidationError:
        day = None
    keys = ("subject", "preheader", "title", "language", "visibility")
    texts = {key: text for key in keys if isinstance(text := data.get(key, ""), str)}
    return IssueHeading(name=name, date=day, **{"subject": "", **texts})


def load_issue(
    config: Config,
    folder: Path,
    section_types: Mapping[str, SectionType] = SECTION_TYPES,
    *,
    subjects: Sequence[str] = (),
) -> Issue:
    """Read `issue.yaml` and every section that it lists. `subjects` are used in place of its own (`with_subjects`).

    Raise MistakesError with all mistakes in all files, and InputError if the folder is not an issue.
    """
    if not (folder / ISSUE_FILE).is_file():
        what = f"{config.shown(folder)} is not the folder of an issue, because it has no {ISSUE_FILE}"
        raise InputError(f"{what}; name another issue, or create one: newsletter new 2026-03")
    found = replace(_reader(config, folder, section_types), subjects=tuple(subjects)).read()
    if found.issue is None or found.mistakes:
        raise MistakesError(found.mistakes)
    return found.issue


def load_standing(
    config: Config, folder: Path, section_types: Mapping[str, SectionType], *, last: Issue | None = None
) -> Issue | None:
    """Return an issue without the sections that have mistakes, or with what they were in `last`.

    Return None if `issue.yaml` cannot be read, or if no section is left.
    """
    reader = _reader(config, folder, section_types)
    issue = reader.read().issue
    if issue is None:
        return None
    before = {section.name: section for section in last.sections} if last else {}
    kept = {**before, **{section.name: section for section in reader.standing}}
    names = dict.fromkeys(entry.section for entry in issue.fields.sections)
    sections = tuple(kept[name] for name in names if name in kept)
    pictures = {**(last.pictures if last else {}), **issue.pictures}
    return replace(issue, pictures=pictures).with_sections(sections) if sections else None


def segments_named(config: Config, folders: Iterable[Path]) -> frozenset[str]:
    """Return the segments that sections of these issues name with `only:`.

    The issues may have mistakes. One whose `issue.yaml` cannot be read counts as naming none.
    """
    paths = (folder / ISSUE_FILE for folder in folders)
    documents = (read_yaml(path, config.shown(path), Reading(), IssueFields) for path in paths)
    return frozenset(entry.only for each in documents if each for entry in entries_of(each.data) if entry.only)


def _reader(config: Config, path: Path, section_types: Mapping[str, SectionType]) -> "_IssueReader":
    folder = IssueFolder(path)
    return _IssueReader(PartReader(config, path), section_types, folder, folder.sections())


class _Loaded(Struct, frozen=True):
    """An issue with all sections that could be read, if `issue.yaml` could be read too, and all mistakes."""

    issue: Issue | None
    mistakes: tuple[Mistake, ...]


class _IssueReader(Struct):
    """Reads the files of one issue."""

    parts: PartReader
    section_types: Mapping[str, SectionType]
    folder: IssueFolder
    files: Mapping[str, str]  # the file of each section
    language: str = ""  # the issue's own
    originals: dict[str, OriginalSection] = field(default_factory=dict)  # the sections that were read
    standing: list[Section] = field(default_factory=list)  # the sections without a mistake
    subjects: Sequence[str] = ()  # in place of those in `issue.yaml`
    ids: EventIds | None = None  # None until an event is read

    def read(self) -> _Loaded:
        config, reading = self.parts.config, self.parts.reading
        path, own, offered = self.parts.folder / ISSUE_FILE, config.settings.newsletter, config.settings.languages
        written = read_yaml(path, config.shown(path), reading, IssueFields)
        if written is not None and self.subjects:
            texts = (
                replace_merge_fields(each, path="--subject", lines=(1,), reading=reading) for each in self.subjects
            )
            written = with_subjects(written, tuple(texts))
        languages = (own.language, *offered.offered)
        document = None if written is None else heading_in(written, "")
        fields = None if document is None else record_of(document, IssueFields, reading)
        self.language = (fields and fields.language) or own.language
        sections: tuple[Section, ...] = ()
        if document is not None:
            # Sections are read even if issue.yaml has mistakes, so that the mistakes in all files are reported at once.
            entries = entries_of(document.data) if fields is None else fields.sections
            sections = self._sections(entries, document.source)
            topics = topics_of(document.data) if fields is None else fields.topics
            require_topics(topics, document.source, config.settings, reading)
        tips = self._tips(sections)
        if fields is None or document is None or written is None:
            return _Loaded(None, _sorted(reading.mistakes))
        issue = Issue(
            name=self.parts.folder.name,
            fields=fields,
            language=self.language,
            zone=ZoneInfo(own.timezone),
            sections=sections,
            pictures=self.parts.pictures,
            merge_fields=(),
            source=document.source,
            tips=tips,
            mixes_languages=offered.fallback == "section",
            instead=offered.instead,
        )
        others = tuple(code for code in dict.fromkeys(languages) if code != self.language)
        translator = Translator(self.parts, self.folder, others)
        issue = replace(issue, translations=translator.translations(issue, written, self.originals))
        reader = VersionReader(self.parts, self.folder, written, self.originals, translator.read)
        issue = replace(issue, versions=reader.versions(issue))
        issue = replace(issue, untranslated_versions=tuple(reader.gaps))
        found = {
            "merge_fields": tuple(reading.merge_fields),
            "unused": self.folder.unused(self.parts.used),
            "gaps": tuple(translator.gaps),
        }
        return _Loaded(issue.having(**found), _sorted(reading.mistakes))

    def _sections(self, entries: tuple[SectionEntry, ...], source: Source) -> tuple[Section, ...]:
        reading, sections = self.parts.reading, dict[str, Section]()
        for index, entry in enumerate(entries):
            place = source.at("sections", index)
            before = len(reading.mistakes)
            if entry.section in sections:
                what = f"the section {entry.section!r} is listed twice"
                reading.add(place.path, place.line, what, "delete this line")
            elif (section := self._section(entry, place)) is not None:
                sections[entry.section] = section
            require_segment(entry.only, source.at("sections", index, "only"), self.parts.config.settings, reading)
            if entry.section in sections and len(reading.mistakes) == before:
                self.standing.append(sections[entry.section])
        return tuple(sections.values())

    def _tips(self, sections: tuple[Section, ...]) -> Tips | None:
        """Return the theme's steps, or None if no section shows them."""
        for section in sections:
            if isinstance(section.fields, TipsFields) and section.fields.show:
                asked_at = section.source.at("show")
                return read_tips(self.parts.config, self.language, asked_at=asked_at, reading=self.parts.reading)
        return None

    def _section(self, entry: SectionEntry, place: Place) -> Section | None:
        file = self._section_file(entry.section, place)
        document = None if file is None else self.parts.document(file)
        if file is None or document is None:
            return None
        type_name = str(document.data.get("type", entry.section))
        section_type = self.section_types.get(type_name)
        if section_type is None:
            line = document.lines.get(("type",))
            types = list(self.section_types)
            if line is None:
                what = f"no type of section is called {type_name!r}, so this file must name its type"
                remedy = "begin it with the three lines ---, `type: text` and ---, where the type is one of "
                remedy += ", ".join(types)
            else:
                what, remedy = f"there is no section type {type_name!r}", suggestion(type_name, types)
            self.parts.reading.add(document.path, line, what, remedy)
            return None
        document = without_type(document)
        read = self.parts.read(document, section_type.fields)
        items = self._items(file, document, None if read is None else read.fields) if section_type.has_items else ()
        if read is None:
            return None
        index = OriginalPart(file, read, section_type.fields)
        language = "" if index.is_neutral and not items else self.language
        section = section_of(entry.section, type_name, entry.only, read, tuple(item for item, _ in items), language)
        self.originals[entry.section] = OriginalSection(section, index, items)
        return section

    def _section_file(self, name: str, place: Place) -> str | None:
        there = self.files
        if name in there:
            return there[name]
        remedy = f"create the file {name}.md in {self.parts.config.shown(self.parts.folder)}/"
        if names := [
            each for each in sorted(there) if not (language_in_name(each, there) or version_in_name(each, there))
        ]:
            remedy += f", or write one of these sections on this line: {', '.join(names)}"
        self.parts.reading.add(place.path, place.line, f"there is no section {name!r}", remedy)
        return None

    def _items(
        self, index: str, document: Document, fields: SectionFields | None
    ) -> tuple[tuple[Item, OriginalPart[EventFields]], ...]:
        listed = fields.items if isinstance(fields, ListFields) else None
        folder = folder_of(index)
        if not folder:
            if isinstance(listed, FetchedItems):
                what = "a section without a folder cannot have items"
                remedy = f"move this file to {stem_of(index)}/index.md"
                self.parts.reading.add(document.path, document.lines.get(("items",)), what, remedy)
            return ()
        shown = self.parts.shown
        files = self.folder.items(folder, self.parts.config.settings.languages.offered)
        items = {name: item for name, file in files.items() if (item := self._item(name, file)) is not None}
        if not isinstance(listed, tuple):
            return tuple(sorted(items.values(), key=lambda read: _by_date(read[0])))
        for position, name in enumerate(listed):
            if name not in files:
                create = f"create the file {name}.md in {shown(folder)}/"
                remedy = f"{create}, or delete {name} from `items`"
                line = document.lines.get(("items", position))
                self.parts.reading.add(
                    document.path, line, f"there is no item {name!r}", suggestion(name, list(files), otherwise=remedy)
                )
        for name in files.keys() - set(listed):
            line = document.lines.get(("items",))
            remedy = f"add {name} to `items`, or delete the file {shown(files[name])}"
            self.parts.reading.add(document.path, line, f"the item {name!r} is not in `items`", remedy)
        return tuple(items[name] for name in listed if name in items)

    def _item(self, name: str, file: str) -> tuple[Item, OriginalPart[EventFields]] | None:
        document = self.parts.document(file)
        read = None if document is None else self.parts.read(document, EventFields)
        if read is None:
            return None
        uid = self._ids().uid_of(file, read.document, read.fields.id, self.parts.reading)
        zone = ZoneInfo(read.fields.timezone or self.parts.config.settings.newsletter.timezone)
        return item_of(name, uid, zone, read), OriginalPart(file, read, EventFields)

    def _ids(self) -> EventIds:
        if self.ids is None:
            domain = self.parts.config.settings.newsletter.from_email.rpartition("@")[2]
            self.ids = EventIds(self.folder, domain)
        return self.ids


def _sorted(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda mistake: (mistake.path, mistake.line or 0)))


def _by_date(item: Item) -> tuple[bool, datetime, float, str]:
    """Return what events are sorted by: their start. Of all other items, the last published comes first."""
    starts, published = item.starts_at(), item.fields.published
    undated = datetime.combine(date.max, time.min, item.zone)
    age = 0.0 if published is None else -published.replace(tzinfo=UTC).timestamp()
    return starts is None, starts or undated, age, item.name
