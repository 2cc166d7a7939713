"""Loads an issue's folder into an `Issue`, or reports all mistakes in its files at once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from newsletter.config import Config
from newsletter.content.event_ids import EventIds
from newsletter.content.issue_choices import entries_of, require_segment, require_topics, topics_of
from newsletter.content.issue_folder import item_files, section_files, unused_files
from newsletter.content.markdown import parse_markdown
from newsletter.content.pictures import find_picture, location_of, require_title
from newsletter.content.records import Read, item_of, record_of, section_of, without_type
from newsletter.content.source import Document, Reading, read_front_matter, read_yaml
from newsletter.content.tips import read_tips
from newsletter.errors import FaultError, InputError, Mistake, MistakesError
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, IssueHeading, Item, PictureFile, Section, Source, Tips
from newsletter.model.issue_fields import (
    SECTION_TYPES,
    Day,
    EventFields,
    IssueFields,
    ListFields,
    SectionEntry,
    SectionFields,
    SectionType,
    TipsFields,
)
from newsletter.model.prose import Prose
from newsletter.settings.mistakes import suggestion

ISSUE_FILE = "issue.yaml"
ISSUES_FOLDER = "issues"
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


def load_issue(config: Config, folder: Path, section_types: Mapping[str, SectionType] = SECTION_TYPES) -> Issue:
    """Read `issue.yaml` and every section that it lists.

    Raise MistakesError with all mistakes in all files, and InputError if the folder is not an issue.
    """
    if not (folder / ISSUE_FILE).is_file():
        what = f"{config.shown(folder)} is not the folder of an issue, because it has no {ISSUE_FILE}"
        raise InputError(f"{what}; name another issue, or create one: newsletter new 2026-03")
    found = _IssueReader(config, folder, section_types).read()
    if found.issue is None or found.mistakes:
        raise MistakesError(found.mistakes)
    return found.issue


def load_standing(
    config: Config, folder: Path, section_types: Mapping[str, SectionType], *, last: Issue | None = None
) -> Issue | None:
    """Return an issue without the sections that have mistakes, or with what they were in `last`.

    Return None if `issue.yaml` cannot be read, or if no section is left.
    """
    reader = _IssueReader(config, folder, section_types)
    issue = reader.read().issue
    if issue is None:
        return None
    before = {section.name: section for section in last.sections} if last else {}
    kept = {**before, **{section.name: section for section in reader.standing}}
    names = dict.fromkeys(entry.section for entry in issue.fields.sections)
    sections = tuple(kept[name] for name in names if name in kept)
    pictures = {**(last.pictures if last else {}), **issue.pictures}
    return replace(issue, sections=sections, pictures=pictures) if sections else None


def segments_named(config: Config, folders: Iterable[Path]) -> frozenset[str]:
    """Return the segments that sections of these issues name with `only:`.

    The issues may have mistakes. One whose `issue.yaml` cannot be read counts as naming none.
    """
    paths = (folder / ISSUE_FILE for folder in folders)
    documents = (read_yaml(path, config.shown(path), Reading(), IssueFields) for path in paths)
    return frozenset(entry.only for each in documents if each for entry in entries_of(each.data) if entry.only)


class _Loaded(Struct, frozen=True):
    """An issue with all sections that could be read, if `issue.yaml` could be read too, and all mistakes."""

    issue: Issue | None
    mistakes: tuple[Mistake, ...]


class _IssueReader(Struct):
    """Reads the files of one issue, and collects their mistakes, merge fields and images."""

    config: Config
    folder: Path
    section_types: Mapping[str, SectionType]
    reading: Reading = field(default_factory=Reading)
    pictures: dict[str, PictureFile] = field(default_factory=dict)
    files: Mapping[str, Path] | None = None  # the file of each section; None until it is first asked for
    used: set[Path] = field(default_factory=set)  # the Markdown files that were read
    standing: list[Section] = field(default_factory=list)  # the sections without a mistake
    ids: EventIds | None = None  # None until an event is read

    def read(self) -> _Loaded:
        path = self.folder / ISSUE_FILE
        document = read_yaml(path, self.config.shown(path), self.reading, IssueFields)
        fields = None if document is None else record_of(document, IssueFields, self.reading)
        sections: tuple[Section, ...] = ()
        if document is not None:
            # Sections are read even if issue.yaml has mistakes, so that the mistakes in all files are reported at once.
            entries = entries_of(document.data) if fields is None else fields.sections
            sections = self._sections(entries, document.source)
            topics = topics_of(document.data) if fields is None else fields.topics
            require_topics(topics, document.source, self.config.settings, self.reading)
        language = (fields and fields.language) or self.config.settings.newsletter.language
        tips = self._tips(sections, language)
        mistakes = tuple(sorted(self.reading.mistakes, key=lambda mistake: (mistake.path, mistake.line or 0)))
        if fields is None or document is None:
            return _Loaded(None, mistakes)
        issue = Issue(
            name=self.folder.name,
            fields=fields,
            language=language,
            zone=ZoneInfo(self.config.settings.newsletter.timezone),
            sections=sections,
            pictures=self.pictures,
            merge_fields=tuple(self.reading.merge_fields),
            source=document.source,
            tips=tips,
            unused=unused_files(self.folder, self.used),
        )
        return _Loaded(issue, mistakes)

    def _sections(self, entries: tuple[SectionEntry, ...], source: Source) -> tuple[Section, ...]:
        sections: dict[str, Section] = {}
        for index, entry in enumerate(entries):
            place = source.at("sections", index)
            before = len(self.reading.mistakes)
            if entry.section in sections:
                what = f"the section {entry.section!r} is listed twice"
                self.reading.add(place.path, place.line, what, "delete this line")
            elif (section := self._section(entry, place)) is not None:
                sections[entry.section] = section
            require_segment(entry.only, source.at("sections", index, "only"), self.config.settings, self.reading)
            if entry.section in sections and len(self.reading.mistakes) == before:
                self.standing.append(sections[entry.section])
        return tuple(sections.values())

    def _tips(self, sections: tuple[Section, ...], language: str) -> Tips | None:
        """Return the theme's steps, or None if no section shows them."""
        for section in sections:
            if isinstance(section.fields, TipsFields) and section.fields.show:
                return read_tips(self.config, language, asked_at=section.source.at("show"), reading=self.reading)
        return None

    def _section(self, entry: SectionEntry, place: Place) -> Section | None:
        path = self._section_file(entry.section, place)
        if path is None:
            return None
        self.used.add(path)
        document = read_front_matter(path, self.config.shown(path), self.reading)
        if document is None:
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
            self.reading.add(document.path, line, what, remedy)
            return None
        document = without_type(document)
        fields = record_of(document, section_type.fields, self.reading, self._picture_reader(document))
        prose = self._prose(document)
        items = self._items(path, document, fields) if section_type.has_items else ()
        if fields is None:
            return None
        return section_of(entry.section, type_name, entry.only, Read(document, fields, prose), items)

    def _section_file(self, name: str, place: Place) -> Path | None:
        if self.files is None:
            self.files = section_files(self.folder)
        there = self.files
        if name in there:
            return there[name]
        remedy = f"create the file {name}.md in {self.config.shown(self.folder)}/"
        if there:
            remedy += f", or write one of these sections on this line: {', '.join(sorted(there))}"
        self.reading.add(place.path, place.line, f"there is no section {name!r}", remedy)
        return None

    def _items(self, index: Path, document: Document, fields: SectionFields | None) -> tuple[Item, ...]:
        if index.name != "index.md":
            return ()
        files = item_files(index.parent)
        items = {name: item for name, path in files.items() if (item := self._item(name, path)) is not None}
        order = fields.items if isinstance(fields, ListFields) else None
        if order is None:
            return tuple(sorted(items.values(), key=_by_start))
        for position, name in enumerate(order):
            if name not in files:
                create = f"create the file {name}.md in {self.config.shown(index.parent)}/"
                remedy = f"{create}, or delete {name} from `items`"
                line = document.lines.get(("items", position))
                self.reading.add(
                    document.path, line, f"there is no item {name!r}", suggestion(name, list(files), otherwise=remedy)
                )
        for name in files.keys() - set(order):
            line = document.lines.get(("items",))
            remedy = f"add {name} to `items`, or delete the file {self.config.shown(files[name])}"
            self.reading.add(document.path, line, f"the item {name!r} is not in `items`", remedy)
        return tuple(items[name] for name in order if name in items)

    def _item(self, name: str, path: Path) -> Item | None:
        self.used.add(path)
        document = read_front_matter(path, self.config.shown(path), self.reading)
        if document is None:
            return None
        fields = record_of(document, EventFields, self.reading, self._picture_reader(document))
        prose = self._prose(document)
        if fields is None:
            return None
        uid = self._ids().uid_of(path, document, fields.id, self.reading)
        zone = ZoneInfo(fields.timezone or self.config.settings.newsletter.timezone)
        return item_of(name, uid, zone, Read(document, fields, prose))

    def _ids(self) -> EventIds:
        if self.ids is None:
            domain = self.config.settings.newsletter.from_email.rpartition("@")[2]
            self.ids = EventIds(self.folder, domain)
        return self.ids

    def _picture_reader(self, document: Document) -> Callable[[str], None]:
        """Return a function that takes the name of an image, and raises FaultError if the image cannot be used."""

        def require_picture(name: str) -> None:
            self._require_picture(name, document.source.at(*location_of(name, document.data)))

        return require_picture

    def _prose(self, document: Document) -> Prose:
        parsed = parse_markdown(document.body, path=document.path, lines=document.body_lines)
        for loss in parsed.losses:
            self.reading.add(document.path, loss.line, loss.what, loss.remedy, fix=loss.fix)
        for picture in parsed.prose.pictures:
            try:
                require_title(picture)
                self._require_picture(picture.path, picture.place)
            except FaultError as err:
                self.reading.add(picture.place.path, picture.place.line, err.what, err.remedy, fix=err.fix)
        return parsed.prose

    def _require_picture(self, name: str, place: Place) -> None:
        self.pictures.setdefault(
            name, PictureFile(path=find_picture(self.folder, name, shown=self.config.shown), place=place)
        )


def _by_start(item: Item) -> tuple[bool, datetime, str]:
    starts = item.starts_at()
    undated = datetime.combine(date.max, time.min, item.zone)
    return starts is None, starts or undated, item.name
