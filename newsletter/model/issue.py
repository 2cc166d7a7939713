"""An issue as written in its files: its settings and prose, where they are written, and the theme's steps."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import Field

from newsletter.errors import Location
from newsletter.model.finding import Place
from newsletter.model.issue_fields import Card, Day, EventFields, IssueFields, SectionFields, TipsFields
from newsletter.model.mailbox import APPS_OF_MAILBOX, MailApp, MailboxProvider
from newsletter.model.prose import Prose
from newsletter.model.slots import MERGE_TOKEN, OWN_FIELDS, MergeField
from newsletter.model.values import Fields


class AppTips(Card):
    """The steps for one email app."""

    looked_at: Day = Field(description="the date on which the steps were last checked")


class Tips(Fields):
    """The steps for every email app, in one language."""

    gmail_phone: AppTips = Field(alias=MailApp.GMAIL_PHONE.value)
    gmail_desktop: AppTips = Field(alias=MailApp.GMAIL_DESKTOP.value)
    apple_mail: AppTips = Field(alias=MailApp.APPLE_MAIL.value)
    outlook: AppTips = Field(alias=MailApp.OUTLOOK.value)
    yahoo: AppTips = Field(alias=MailApp.YAHOO.value)
    other: AppTips = Field(alias=MailApp.OTHER.value)

    def of(self, app: MailApp) -> AppTips:
        """Return the steps for an app."""
        return {
            MailApp.GMAIL_PHONE: self.gmail_phone,
            MailApp.GMAIL_DESKTOP: self.gmail_desktop,
            MailApp.APPLE_MAIL: self.apple_mail,
            MailApp.OUTLOOK: self.outlook,
            MailApp.YAHOO: self.yahoo,
            MailApp.OTHER: self.other,
        }[app]


def cards_of(fields: TipsFields, tips: Tips | None, mailbox: MailboxProvider | None) -> tuple[Card, ...]:
    """Return the cards of a tips section for the readers at a mailbox provider: the section's own, or the theme's."""
    if fields.show is None or tips is None:
        return fields.cards
    own = APPS_OF_MAILBOX[mailbox or MailboxProvider.OTHER]
    apps = own if fields.shows_own else fields.apps or tuple(MailApp)
    return tuple(tips.of(app) for app in apps)


class PictureFile(Struct, frozen=True, kw_only=True):
    """An image that an issue uses: its file, and the first place that names it."""

    path: Path
    place: Place


class Source(Struct, frozen=True, kw_only=True):
    """A user's file: its path as messages show it, and the line of each key in it."""

    path: str
    lines: Mapping[Location, int] = field(default_factory=dict)

    def at(self, *location: str | int) -> Place:
        """Return the place of a key. If the key is not written, return the place of the nearest key around it."""
        for length in range(len(location), -1, -1):
            if (line := self.lines.get(location[:length])) is not None:
                return Place(path=self.path, line=line)
        return Place(path=self.path)


class Occurrence(NamedTuple):
    """One time at which an event takes place, in its zone."""

    starts: datetime
    ends: datetime | None  # None if the event does not say when it ends

    @property
    def length(self) -> timedelta:
        """How long it takes. The clocks may change meanwhile, so the time on them is not enough to tell."""
        return timedelta() if self.ends is None else self.ends.astimezone(UTC) - self.starts.astimezone(UTC)


class Item(Struct, frozen=True, kw_only=True, eq=False):
    """One event or offer of a section. Instances are compared by identity."""

    name: str
    uid: str  # the same in every language and every issue that names the event (RFC 7986, 5.3)
    fields: EventFields
    prose: Prose
    source: Source
    digest: str  # a hash of its file
    zone: ZoneInfo  # the event's own, or the newsletter's

    @property
    def slug(self) -> str:
        """The event's id, which is also its name in the archive's addresses."""
        return self.uid.rpartition("@")[0]

    @lru_cache(maxsize=4096)  # noqa: B019 - asked for a hundred times in each build; a build keeps few items anyway
    def times(self) -> tuple[Occurrence, ...]:
        """Return each time at which it takes place. Without a time of day, there is none.

        A weekly event keeps the time on the clocks, also when they change (RFC 5545, 3.3.10).
        """
        starts, ends, last = self.fields.starts, self.fields.ends, self.fields.last_day
        if not isinstance(starts, datetime) or last is None:
            return ()
        if not isinstance(ends, datetime) or ends == starts:
            return (Occurrence(self._moment(starts), None),)
        if self.fields.repeats is None:
            return (Occurrence(self._moment(starts), self._moment(ends)),)
        closes = datetime.combine(starts.date(), ends.time())
        closes += timedelta(days=closes <= starts)
        weeks = [timedelta(weeks=week) for week in range((last - starts.date()).days // 7 + 1)]
        return tuple(Occurrence(self._moment(starts + week), self._moment(closes + week)) for week in weeks)

    def starts_at(self) -> datetime | None:
        """Return when it starts, in its zone. Without a time of day, it starts at midnight."""
        starts = self.fields.starts
        if starts is None or isinstance(starts, datetime):
            return None if starts is None else self._moment(starts)
        return datetime.combine(starts, time.min, self.zone)

    def ends_at(self) -> datetime | None:
        """Return when it ends, in its zone. Without a time of day, it ends at the end of the day."""
        if times := self.times():
            return times[-1].ends or times[-1].starts
        last = self.fields.last_day
        return None if last is None else datetime.combine(last, time.max, self.zone)

    def deadline_at(self) -> datetime | None:
        """Return the end of the deadline's day, in its zone."""
        deadline = self.fields.deadline
        return None if deadline is None else datetime.combine(deadline.date, time.max, self.zone)

    def _moment(self, wall_time: datetime) -> datetime:
        """Return a time in the zone. If the clocks show it twice, it is the first one unless `offset` names the second.

        A time that the clocks skip counts from the time before the change (RFC 5545, 3.3.5).
        """
        first = wall_time.replace(tzinfo=self.zone, fold=0)
        if self.fields.offset is None:
            return first
        second = first.replace(fold=1)
        return second if second.utcoffset() == self.fields.offset != first.utcoffset() else first


class Section(Struct, frozen=True, kw_only=True, eq=False):
    """A section of an issue. Instances are compared by identity."""

    name: str
    type: str
    only: str | None  # the only segment that sees it
    fields: SectionFields
    prose: Prose
    items: tuple[Item, ...]
    source: Source
    fingerprint: str  # changes whenever one of its files changes
    language: str = ""  # the language it is written in; empty if it has no words

    @property
    def differs_by_mailbox(self) -> bool:
        """Whether it shows each reader the steps for their own mailbox provider."""
        return isinstance(self.fields, TipsFields) and self.fields.shows_own

    @property
    def paths(self) -> frozenset[str]:
        """The paths of its files."""
        return frozenset({self.source.path, *(item.source.path for item in self.items)})


class MergeFieldUse(Struct, frozen=True, kw_only=True):
    """A merge field, and one place in the files that uses it."""

    field: MergeField
    place: Place


class CarriedOver(Struct, frozen=True, kw_only=True):
    """A text that an issue has in common with the one before."""

    place: Place
    what: str  # "the letter", "the preheader"
    issue: str  # the name of the issue before


class IssueHeading(Struct, frozen=True, kw_only=True):
    """What tells an issue from the others: its name, date and subject."""

    name: str
    date: date | None  # None if it cannot be read
    subject: str  # its merge fields are tokens; empty if it cannot be read
    preheader: str = ""
    title: str = ""
    language: str = ""  # empty if it is the newsletter's own
    visibility: str = ""  # as written; empty if it is that of [archive]


class Gap(Struct, frozen=True, kw_only=True):
    """Something that is not translated, or not completely."""

    language: str
    section: str  # its name; empty for a key of issue.yaml
    place: Place
    what: str
    remedy: str


class Issue(Struct, frozen=True, kw_only=True):
    """One issue, loaded and valid. Its text contains merge fields as tokens."""

    name: str
    fields: IssueFields
    language: str
    zone: ZoneInfo
    sections: tuple[Section, ...]
    pictures: Mapping[str, PictureFile]  # every image used, by its path relative to the issue's folder
    merge_fields: tuple[MergeFieldUse, ...]
    source: Source  # issue.yaml
    tips: Tips | None = None  # the theme's steps in the issue's language, if a section shows them
    unused: tuple[str, ...] = ()  # the Markdown files in its folder that no section shows
    versions: Mapping[str, "Issue"] = {}  # the issue in version B, C and D, each with its own translations
    untranslated_versions: tuple[Gap, ...] = ()  # what differs between the versions, but not in some language
    translations: Mapping[str, "Issue"] = {}  # the issue in each language in which something is translated
    gaps: tuple[Gap, ...] = ()  # what is missing in the languages that the newsletter offers
    mixes_languages: bool = False  # whether readers get a section that is not translated in its own language
    instead: Mapping[str, tuple[str, ...]] = {}  # the languages for readers of a language that is not offered

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which it can be sent, its own first."""
        return (self.language, *filter(self._can_be_sent_in, self.translations))

    def in_language(self, code: str) -> "Issue":
        """Return the issue as readers of a language get it. A section that is not translated keeps its own language."""
        return self.translations.get(code, self)

    def having(self, **facts: object) -> "Issue":
        """Return the issue with facts that are the same in every version and language."""
        versions = {name: each.having(**facts) for name, each in self.versions.items()}
        translations = {code: replace(each, **facts) for code, each in self.translations.items()}
        return replace(self, versions=versions, translations=translations, **facts)

    def in_version(self, name: str) -> "Issue":
        """Return the issue as readers of a version get it. Version A is the issue itself."""
        return self.versions.get(name, self)

    @property
    def in_every_form(self) -> tuple["Issue", ...]:
        """The issue in each version and language in which something is written, version A in its own language first."""
        return tuple(form for each in (self, *self.versions.values()) for form in (each, *each.translations.values()))

    def barred(self, code: str) -> frozenset[str]:
        """Return the segments whose readers cannot get the issue in a language, because their sections lack it."""
        untranslated = {section.only for section in self.in_language(code).borrowed if section.only}
        return frozenset() if self.mixes_languages else frozenset(untranslated)

    def with_sections(self, sections: tuple[Section, ...], *, without: frozenset[str] = frozenset()) -> "Issue":
        """Return the issue with these sections only, in every language. `without` names files that cannot be used."""

        def in_place_of(section: Section, code: str) -> Section:
            own = (each for each in self.translations[code].sections if each.name == section.name)
            usable = (each for each in own if each.language == code and not without & each.paths)
            return next(usable, section)

        translations = {
            code: replace(each, sections=tuple(in_place_of(section, code) for section in sections))
            for code, each in self.translations.items()
        }
        versions = {
            name: each.with_sections(_kept_in(each.sections, sections, without), without=without)
            for name, each in self.versions.items()
        }
        return replace(self, sections=sections, translations=translations, versions=versions)

    @property
    def borrowed(self) -> tuple[Section, ...]:
        """The sections that are not translated into its language."""
        return tuple(section for section in self.sections if section.language not in {"", self.language})

    def _can_be_sent_in(self, code: str) -> bool:
        translation = self.translations[code]
        if any(gap.language == code and not gap.section for gap in self.gaps):
            return False
        if self.mixes_languages:
            return any(section.language == code for section in translation.sections)
        return not any(section.only is None for section in translation.borrowed)

    @property
    def shown_title(self) -> str:
        """The title with its merge fields as they are written."""
        return self.readable(self.fields.title)

    def readable(self, text: str) -> str:
        """Return the text with each merge token replaced by the merge field as the user wrote it."""
        if MERGE_TOKEN.search(text) is None:
            return text
        fields = {
            *OWN_FIELDS,
            *[use.field for use in self.merge_fields],
        }  # a text can use the same few a thousand times
        written = {field.token: str(field) for field in fields}
        return MERGE_TOKEN.sub(lambda token: written.get(token[0], token[0]), text)

    @property
    def only_segments(self) -> tuple[str, ...]:
        """The segments that sections name with `only:`, sorted."""
        return tuple(sorted({section.only for section in self.sections if section.only}))

    @property
    def differs_by_mailbox(self) -> bool:
        """Whether some section shows each reader the steps for their own mailbox provider."""
        return any(section.differs_by_mailbox for section in self.sections)

    @property
    def date_begins(self) -> datetime:
        """The start of the issue's date, in the newsletter's zone."""
        return datetime.combine(self.fields.date, time.min, self.zone)

    def first_end_after(self, moment: datetime) -> datetime | None:
        """Return when the first event or deadline after a time is over, or None if there is none after it."""
        items = [item for section in self.sections for item in section.items]
        ends = [end for item in items for end in (item.ends_at(), item.deadline_at()) if end is not None]
        return min((end for end in ends if end > moment), default=None)


def _kept_in(own: tuple[Section, ...], sections: tuple[Section, ...], without: frozenset[str]) -> tuple[Section, ...]:
    """Return a version's own sections in place of these, if their files can be used."""
    usable = {section.name: section for section in own if not without & section.paths}
    return tuple(usable.get(section.name, section) for section in sections)
