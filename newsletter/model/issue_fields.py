"""The settings of an issue: the keys of `issue.yaml`, of each section type, and of an event."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from newsletter.errors import FaultError, FieldError, Fix, Location
from newsletter.model.mailbox import MailApp
from newsletter.model.values import (
    FeedAddress,
    Fields,
    FileName,
    Language,
    Link,
    OneLine,
    RuleId,
    Slug,
    TimeZone,
    refuse_curly_quotes,
)
from newsletter.model.versions import VersionTest
from newsletter.model.written_date import date_as_needed

_OFFSET = re.compile(r"([+\N{MINUS SIGN}-])(\d\d):(\d\d)")
_YEARS = range(1900, 2200)  # a time outside of them cannot be counted in every zone
MOST_FETCHED = 20  # items of one section; an email with more of them is no longer read
_WITHOUT_DASHES = re.compile(r"\d{8}(?!\d)")


def _moment(value: object) -> object:
    """Return a date, or a date with a time, from text such as `2026-02-25` or `2026-02-25 08:00`."""
    if isinstance(value, dict | list):
        raise FaultError("the value is more than a date", "write it as 2026-02-25, or 2026-02-25 08:00 with a time")
    if not isinstance(value, str):
        return value
    refuse_curly_quotes(value)
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            moment = parse(value.strip())
        except ValueError:
            continue
        if "W" in value:  # a week and its day (ISO 8601), which few people can read
            raise FaultError(f"{value!r} is a day of a numbered week", f"write {_told(moment)}")
        if moment.year not in _YEARS:
            what = f"the year {moment.year} in {value!r} is not near enough to the present"
            raise FaultError(what, f"correct it, for example: 2026{value.strip()[4:]}")
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            raise FaultError(
                f"the end of {value!r} is a time difference, not a time zone",
                f"write {_told(moment.replace(tzinfo=None))}, and add a line such as `timezone: Europe/Paris`",
            )
        if _WITHOUT_DASHES.match(value.strip()):
            written = Fix(old=value.strip(), new=_told(moment))
            raise FaultError(f"{value!r} is not a date", f"write {_told(moment)}", fix=written)
        return moment
    needed = date_as_needed(value)
    remedy = f"write {needed}" if needed else "write it as 2026-02-25, or 2026-02-25 08:00 with a time"
    is_impossible = needed is None and re.match(r"\d{4}-\d\d-\d\d", value.strip())
    fix = Fix(old=value.strip(), new=needed) if needed else None
    raise FaultError(f"{value!r} is not a date{' that exists' if is_impossible else ''}", remedy, fix=fix)


def _date(value: object) -> object:
    """Return a date. Raise FaultError for text that also has a time."""
    moment = _moment(value)
    if isinstance(moment, datetime):
        fix = Fix(old=str(value).strip(), new=f"{moment:%Y-%m-%d}")
        raise FaultError(f"{value!r} has a time, but only a date is needed", f"write {moment:%Y-%m-%d}", fix=fix)
    return moment


class PictureName(str):
    """The path of an image. Its type distinguishes it from the other strings of a record."""

    __slots__ = ()


def _picture(value: str, info: ValidationInfo) -> PictureName:
    """Return the path of an image. The loader passes a function that raises ValueError if there is no such image."""
    if info.context is not None:
        info.context["require_picture"](value)
    return PictureName(value)


def _prose_line(value: str, info: ValidationInfo) -> str:
    """Return a line of Markdown as words. The loader passes a function that raises ValueError if readers see signs."""
    words: str = value if info.context is None else info.context["read_line"](value)
    return words


def _plain_line(value: str, info: ValidationInfo) -> str:
    """Return a line of plain words. The loader passes a function that raises ValueError if they contain Markdown."""
    return value if info.context is None else str(info.context["read_plain"](value))


ProseText = Annotated[OneLine, AfterValidator(_prose_line)]  # reads emphasis, links and code
PlainText = Annotated[OneLine, AfterValidator(_plain_line)]  # reads no Markdown
Moment = Annotated[datetime | date, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_date)]
PicturePath = Annotated[OneLine, AfterValidator(_picture)]  # relative to the issue's folder


def _offset(value: object) -> timedelta:
    """Return a difference from UTC, given as text such as `-07:00`."""
    found = _OFFSET.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise FaultError(f"{value!r} is not a difference from UTC", "write it as -07:00 or +01:00")
    length = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return length if found[1] == "+" else -length


Offset = Annotated[timedelta, BeforeValidator(_offset)]


class LinkFields(Fields):
    """A link: its text and its address."""

    label: PlainText
    url: Link


class SectionFields(Fields):
    """The keys of every section. A section type that a workspace adds in its own templates has only these keys."""

    title: PlainText | None = None
    overline: PlainText | None = Field(default=None, description="a short line above the title")
    link: LinkFields | None = Field(default=None, description="a link below the text")
    button: LinkFields | None = Field(default=None, description="the main thing for readers to do; begin with a verb")


class Signature(Fields):
    """The person who signs a letter."""

    name: PlainText
    role: PlainText | None = None
    portrait: PicturePath | None = None
    alt: PlainText | None = Field(default=None, description="what the portrait shows")
    decorative: bool = Field(default=False, description="the portrait needs no description")

    @model_validator(mode="after")
    def _described_or_decorative(self) -> "Signature":
        if self.decorative and self.alt is not None:
            what = "the portrait is marked as decorative, but has a description"
            raise FieldError("alt", what, "delete `decorative` or `alt`")
        return self


class Phrase(Fields):
    """A short text and its language."""

    language: Language
    text: PlainText


class Hint(Fields):
    """A sentence that ends in a link."""

    text: PlainText
    link: LinkFields


class LetterFields(SectionFields):
    """The letter: a greeting, prose, a closing, a signature and thanks."""

    greeting: ProseText | None = None
    closing: ProseText | None = None
    signature: Signature | None = None
    thanks: tuple[Phrase, ...] = ()
    translate: Hint | None = None


class Video(Fields):
    """A video: the address at which it plays, and a thumbnail, on which a play button is drawn."""

    still: PicturePath
    url: Link
    alt: PlainText = Field(description="what the video shows; `Play:` is put before it")
    length: PlainText | None = Field(default=None, description="for example 8 min")


class MeditationFields(SectionFields):
    """A guided practice with a video."""

    video: Video | None = None


class Card(Fields):
    """A title with numbered steps below it."""

    title: PlainText
    steps: tuple[ProseText, ...] = Field(min_length=1)


class TipsFields(SectionFields):
    """The steps that help emails reach the inbox, by email app: the theme's steps, or the issue's own."""

    show: Literal["all", "own"] | None = Field(
        default=None, description="the theme's steps: for all email apps, or only for each reader's own"
    )
    apps: tuple[MailApp, ...] | None = Field(
        default=None, min_length=1, description="with `show: all`: show only these email apps, in this order"
    )
    cards: tuple[Card, ...] = Field(default=(), description="your own steps, instead of the theme's")

    @property
    def shows_own(self) -> bool:
        """Whether each reader sees only the steps for their own mailbox."""
        return self.show == "own"

    @model_validator(mode="after")
    def _agree(self) -> "TipsFields":
        if self.cards and self.show:
            raise FieldError("cards", "`show` already adds the theme's steps", "delete either `cards` or `show`")
        if self.apps is None:
            return self
        if self.cards:
            what = "`apps` chooses from the theme's steps, but `cards` are your own"
            raise FieldError("apps", what, "delete `apps`")
        if self.show is None:
            raise FieldError("apps", "`apps` chooses from the theme's steps, which are not shown", "add `show: all`")
        if self.shows_own:
            what = "with `show: own` each reader sees the steps for their own mailbox"
            raise FieldError("apps", what, "delete `apps`, or write `show: all`")
        if twice := next((app for app in self.apps if self.apps.count(app) > 1), None):
            raise FieldError("apps", f"{twice} is listed twice", "delete one of them")
        return self


class FetchedItems(Fields):
    """Where `newsletter fetch` takes the items of a section from: a feed or a calendar of others."""

    feed: FeedAddress | None = Field(default=None, description="the web address of an RSS or Atom feed")
    calendar: FeedAddress | None = Field(default=None, description="the web address of an .ics calendar")
    most: int = Field(default=5, ge=1, le=MOST_FETCHED, description="how many entries to take at most")
    days: int | None = Field(
        default=None, ge=1, le=366, description="for a calendar: how many days to look ahead from the issue's date"
    )

    @property
    def address(self) -> str:
        """The address of the feed or calendar."""
        return self.feed or self.calendar or ""

    @model_validator(mode="after")
    def _one_source(self) -> "FetchedItems":
        if self.feed and self.calendar:
            raise FieldError("calendar", "the items come from a feed already", "delete either `feed` or `calendar`")
        if not self.address:
            raise FaultError(
                "the items come from nowhere", "add a line such as `feed: https://www.example.org/feed.xml`"
            )
        if self.feed and self.days is not None:
            raise FieldError("days", "a feed has no days to look ahead", "delete `days`, which is for calendars")
        return self


# The two forms of `items`. Pydantic puts the name of the form into the places of mistakes, where `without_form` removes
# it: no key is called like this.
_LISTED, _FETCHED = "<listed>", "<fetched>"


def without_form(location: Location) -> Location:
    """Return the place of a mistake without the names of forms that a value can have."""
    return tuple(step for step in location if step not in {_LISTED, _FETCHED})


def _form_of(value: object) -> str:
    return _FETCHED if isinstance(value, dict | FetchedItems) else _LISTED


ItemsSource = Annotated[
    Annotated[tuple[FileName, ...], Tag(_LISTED)] | Annotated[FetchedItems, Tag(_FETCHED)], Discriminator(_form_of)
]


class ListFields(SectionFields):
    """A section made of items, each in its own file."""

    layout: Literal["cards", "list"] = "cards"
    items: ItemsSource | None = Field(
        default=None,
        description="the order of the items, by default by date; or the feed or calendar that they come from",
    )


class Deadline(Fields):
    """A deadline: a date, and what ends then."""

    label: PlainText
    date: Day


class Note(Fields):
    """A labeled line, such as `Ideal for: …`."""

    label: PlainText
    text: ProseText


def _american(status: object) -> object:
    """Return the American spelling of a status, as both spellings are common."""
    return "canceled" if status == "cancelled" else status


class EventFields(Fields):
    """An event or an offer. Weekdays, date ranges and zone labels are made from these fields automatically."""

    title: PlainText
    subtitle: PlainText | None = None
    id: FileName | None = Field(
        default=None, description="its name for calendars, if it is in several issues; by default, from its file"
    )
    starts: Moment | None = None
    ends: Moment | None = Field(default=None, description="for a repeated event, the end of the last occurrence")
    timezone: TimeZone | None = None
    offset: Offset | None = Field(
        default=None, description="the difference from UTC, if the clocks show a time twice that day"
    )
    repeats: Literal["weekly"] | None = None
    weekdays: bool = Field(default=False, description="show the weekdays of an event that lasts several days")
    status: Annotated[Literal["canceled", "postponed"], BeforeValidator(_american)] | None = Field(
        default=None, description="`canceled` or `postponed`, which the email, the page and calendars then say"
    )
    location: PlainText | None = None
    badge: PlainText | None = None
    deadline: Deadline | None = None
    notes: tuple[Note, ...] = ()
    button: LinkFields | None = None
    link: LinkFields | None = None
    # What `newsletter fetch` writes. The studio shows no field for these.
    origin: str | None = Field(default=None, alias="from", description="the feed or calendar that it was taken from")
    published: datetime | None = Field(default=None, description="when it was published there")
    fetched: datetime | None = Field(default=None, description="when it was taken from there")
    etag: str | None = Field(
        default=None, description="the mark by which the server tells whether it has changed since"
    )
    digest: str | None = Field(default=None, description="a hash, by which an edit of the file is noticed")

    @model_validator(mode="after")
    def _times_agree(self) -> "EventFields":
        if self.starts is None:
            if self.ends is not None or self.repeats is not None:
                raise FieldError(
                    "ends" if self.ends is not None else "repeats",
                    "the event has no start",
                    "add a line such as `starts: 2026-02-25 08:00`",
                )
            return self
        if self.ends is None:
            return self
        if isinstance(self.starts, datetime) != isinstance(self.ends, datetime):
            what = "only one of `starts` and `ends` has a time"
            raise FieldError("ends", what, "write a time in both, for example 2026-02-25 08:00, or in neither")
        if self.ends < self.starts:
            what = f"the event ends on {_told(self.ends)}, before it starts on {_told(self.starts)}"
            raise FieldError("ends", what, "correct the date in `starts` or `ends`")
        last = self.last_day
        if self.repeats == "weekly" and last is not None and (last - _day(self.starts)).days % 7 != 0:
            what = f"{_day(self.starts)} is a {self.starts:%A} and {_day(self.ends)} a {self.ends:%A}"
            remedy = "set `ends` to the end of the last occurrence"
            raise FieldError("ends", f"the event repeats weekly, but {what}", remedy)
        return self

    @property
    def first_day(self) -> date | None:
        """The day on which it starts."""
        return None if self.starts is None else _day(self.starts)

    @property
    def last_day(self) -> date | None:
        """The day on which it ends. For a weekly event, it is the day on which the last occurrence starts.

        An occurrence that ends after midnight may name either of its two days.
        """
        if self.starts is None or self.ends is None:
            return self.first_day
        last = _day(self.ends)
        if self.repeats is None or not isinstance(self.starts, datetime) or not isinstance(self.ends, datetime):
            return last
        is_past_midnight = self.ends.time() <= self.starts.time()
        is_next_day = (last - self.starts.date()).days % 7 == 1
        return last - timedelta(days=1) if is_past_midnight and is_next_day else last


class SectionEntry(Fields):
    """One entry of `sections:`: the section's name, and the only segment that sees it, if there is one."""

    section: FileName
    only: Slug | None = None


_ByName = BeforeValidator(lambda value: {"section": value} if isinstance(value, str) else value)
_Several = BeforeValidator(lambda value: [value] if isinstance(value, str) else value)


class Visibility(StrEnum):
    """Who finds an issue in the public archive."""

    PUBLIC = "public"
    UNLISTED = "unlisted"  # only people who have the address of its page
    NONE = "none"  # it has no page
    AFTER_SENDING = "after sending"  # public as soon as it is being sent, and without a page before


class IssueFields(Fields):
    """The keys of `issue.yaml`."""

    subject: PlainText
    preheader: PlainText
    title: PlainText
    date: Day
    id: FileName | None = Field(
        default=None, description="its name when it was created, which stays the same if the folder is renamed"
    )
    language: Language | None = None
    visibility: Visibility | None = Field(default=None, description="who finds it in the public archive")
    topics: Annotated[tuple[Slug, ...], _Several] = Field(
        default=(), description="the issue's topics: names from [topics] in newsletter.toml"
    )
    versions: VersionTest = Field(default=VersionTest(), description="how the versions of the issue are compared")
    waive: Mapping[RuleId, OneLine] = Field(default={}, description="checks to override here, each with a reason")
    sections: tuple[Annotated[SectionEntry, _ByName], ...] = Field(min_length=1)


class SectionType(Struct, frozen=True, kw_only=True):
    """The settings of a section type. Its template is `sections/NAME.mjml.j2` of the theme."""

    fields: type[SectionFields] = SectionFields
    has_items: bool = False
    is_new_each_time: bool = False  # whether its text must differ from the issue before


SECTION_TYPES: Mapping[str, SectionType] = {
    "letter": SectionType(fields=LetterFields, is_new_each_time=True),
    "research": SectionType(is_new_each_time=True),
    "meditation": SectionType(fields=MeditationFields, is_new_each_time=True),
    "events": SectionType(fields=ListFields, has_items=True),
    "community": SectionType(fields=ListFields, has_items=True),
    "text": SectionType(),
    "donate": SectionType(),
    "about": SectionType(),
    "tips": SectionType(fields=TipsFields),
}


def _told(moment: datetime | date) -> str:
    """Return a date, with its time if it has one, as a user writes it: without seconds."""
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else str(moment)


def _day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
