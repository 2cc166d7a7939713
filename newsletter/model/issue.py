"""An issue as its files say it: keys, prose from Markdown, and where each stands; and the steps of the theme's tips."""

from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from markdown_it.token import Token
from msgspec import Struct, field
from pydantic import Field

from newsletter.errors import Location
from newsletter.model.finding import Place
from newsletter.model.issue_fields import Card, Day, EventFields, IssueFields, SectionFields, TipsFields
from newsletter.model.mailbox import APPS_OF_MAILBOX, MailApp, MailboxProvider
from newsletter.model.picture_files import read_picture_title
from newsletter.model.slots import MergeField
from newsletter.model.values import Fields


class AppTips(Card):
    """The steps for one mail app."""

    looked_at: Day = Field(description="the day on which somebody last looked whether they still hold")


class Tips(Fields):
    """The steps for every mail app, in one language."""

    gmail_phone: AppTips = Field(alias=MailApp.GMAIL_PHONE.value)
    gmail_desktop: AppTips = Field(alias=MailApp.GMAIL_DESKTOP.value)
    apple_mail: AppTips = Field(alias=MailApp.APPLE_MAIL.value)
    outlook: AppTips = Field(alias=MailApp.OUTLOOK.value)
    yahoo: AppTips = Field(alias=MailApp.YAHOO.value)
    other: AppTips = Field(alias=MailApp.OTHER.value)

    def of(self, app: MailApp) -> AppTips:
        """The steps for an app."""
        return {
            MailApp.GMAIL_PHONE: self.gmail_phone,
            MailApp.GMAIL_DESKTOP: self.gmail_desktop,
            MailApp.APPLE_MAIL: self.apple_mail,
            MailApp.OUTLOOK: self.outlook,
            MailApp.YAHOO: self.yahoo,
            MailApp.OTHER: self.other,
        }[app]


def cards_of(fields: TipsFields, tips: Tips | None, mailbox: MailboxProvider | None) -> tuple[Card, ...]:
    """What a tips section shows to the readers at a mailbox provider: its own cards, or the theme's."""
    if fields.show is None or tips is None:
        return fields.cards
    own = APPS_OF_MAILBOX[mailbox or MailboxProvider.OTHER]
    apps = own if fields.shows_own else fields.apps or tuple(MailApp)
    return tuple(tips.of(app) for app in apps)


class ProseLink(Struct, frozen=True, kw_only=True):
    """A link in prose."""

    text: str
    url: str
    place: Place


class ProsePicture(Struct, frozen=True, kw_only=True):
    """A picture in prose; `path` is relative to the issue's folder, `title` as it is written."""

    path: str
    alt: str
    title: str
    place: Place

    @property
    def is_decorative(self) -> bool:
        """Whether it says nothing that must be read out."""
        return read_picture_title(self.title).is_decorative


class PictureFile(Struct, frozen=True, kw_only=True):
    """A picture that an issue uses: its file, and where it is named first."""

    path: Path
    place: Place


class Prose(Struct, frozen=True, kw_only=True):
    """Markdown, parsed once: its tokens, and the links and pictures in it with their lines."""

    tokens: tuple[Token, ...]
    first_line: int = 1  # the line of the file on which the Markdown begins; the tokens count from it
    links: tuple[ProseLink, ...] = ()
    pictures: tuple[ProsePicture, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written."""
        return not self.tokens


class Source(Struct, frozen=True, kw_only=True):
    """A user's file: its path as shown, and the line of each key in it."""

    path: str
    lines: Mapping[Location, int] = field(default_factory=dict)

    def at(self, *location: str | int) -> Place:
        """The place of a key; of the nearest key around it where it is not written."""
        for length in range(len(location), -1, -1):
            if (line := self.lines.get(location[:length])) is not None:
                return Place(path=self.path, line=line)
        return Place(path=self.path)


class Item(Struct, frozen=True, kw_only=True):
    """One event or offer of a section."""

    name: str
    fields: EventFields
    prose: Prose
    source: Source
    digest: str  # of its file
    zone: ZoneInfo  # the event's own, or the newsletter's

    def starts_at(self) -> datetime | None:
        """When it begins, with its zone; at midnight where it has no time of day."""
        return None if self.fields.starts is None else _aware(self.fields.starts, time.min, self.zone)

    def ends_at(self) -> datetime | None:
        """When it is over, with its zone; at the end of the day where it has no time of day."""
        last = self.fields.ends if self.fields.ends is not None else self.fields.starts
        return None if last is None else _aware(last, time.max, self.zone)

    def deadline_at(self) -> datetime | None:
        """The end of the deadline's day, with its zone."""
        return None if self.fields.deadline is None else _aware(self.fields.deadline.date, time.max, self.zone)


class Section(Struct, frozen=True, kw_only=True):
    """A block of an issue."""

    name: str
    type: str
    only: str | None  # the segment that alone sees it
    fields: SectionFields
    prose: Prose
    items: tuple[Item, ...]
    source: Source
    fingerprint: str  # changes with any of its files

    @property
    def differs_by_mailbox(self) -> bool:
        """Whether it shows each reader what is for their own mailbox provider."""
        return isinstance(self.fields, TipsFields) and self.fields.shows_own


class MergeFieldUse(Struct, frozen=True, kw_only=True):
    """A merge field, and one place in the files where it is used."""

    field: MergeField
    place: Place


class Issue(Struct, frozen=True, kw_only=True):
    """One edition, loaded and valid. Merge fields stand in its texts as tokens."""

    name: str
    fields: IssueFields
    language: str
    zone: ZoneInfo
    sections: tuple[Section, ...]
    pictures: Mapping[str, PictureFile]  # every picture used, by its path relative to the issue's folder
    merge_fields: tuple[MergeFieldUse, ...]
    source: Source  # issue.yaml
    tips: Tips | None = None  # the theme's steps in the issue's language, where a section shows them

    @property
    def only_segments(self) -> tuple[str, ...]:
        """The segments that some section is shown to alone, sorted."""
        return tuple(sorted({section.only for section in self.sections if section.only}))

    @property
    def differs_by_mailbox(self) -> bool:
        """Whether some section shows each reader what is for their own mailbox provider."""
        return any(section.differs_by_mailbox for section in self.sections)

    @property
    def date_begins(self) -> datetime:
        """The moment at which the issue's own date begins, in the newsletter's zone."""
        return datetime.combine(self.fields.date, time.min, self.zone)


def _aware(moment: datetime | date, clock: time, zone: ZoneInfo) -> datetime:
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=zone)
    return datetime.combine(moment, clock, zone)
