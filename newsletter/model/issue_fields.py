"""What a director may write above the Markdown: the keys of `issue.yaml`, of each section type, and of an event."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from newsletter.errors import FieldError
from newsletter.model.mailbox import MailApp
from newsletter.model.values import Fields, Language, Link, OneLine, RuleId, Slug, TimeZone


def _moment(value: object) -> object:
    """A date or a date with a time, from text such as `2026-02-25` or `2026-02-25 08:00`."""
    if not isinstance(value, str):
        return value
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            moment = parse(value.strip())
        except ValueError:
            continue
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            raise ValueError(f"{value!r} carries an offset; write the local time and put the zone into `timezone`")
        return moment
    raise ValueError(f"{value!r} is no date that exists; write it as 2026-02-25, or 2026-02-25 08:00 with a time")


class PictureName(str):
    """The path of a picture: told apart from the texts of a record by its type."""

    __slots__ = ()


def _picture(value: str, info: ValidationInfo) -> PictureName:
    """The path of a picture; the loader passes a function that raises ValueError where there is no such picture."""
    if info.context is not None:
        info.context["require_picture"](value)
    return PictureName(value)


Moment = Annotated[datetime | date, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_moment)]
PicturePath = Annotated[OneLine, AfterValidator(_picture)]  # relative to the issue's folder


class LinkFields(Fields):
    """A link: the words that are shown, and where they lead."""

    label: OneLine
    url: Link


class SectionFields(Fields):
    """What every section may have; also all that a section type of a workspace's own theme has."""

    title: OneLine | None = None
    overline: OneLine | None = Field(default=None, description="a few quiet words above the title")
    link: LinkFields | None = Field(default=None, description="a link below the text")
    button: LinkFields | None = Field(default=None, description="the one thing to do; the verb first")


class Signature(Fields):
    """Who signs a letter."""

    name: OneLine
    role: OneLine | None = None
    portrait: PicturePath | None = None
    alt: OneLine | None = Field(default=None, description="what the portrait shows")
    decorative: bool = Field(default=False, description="the portrait says nothing that must be read out")

    @model_validator(mode="after")
    def _described_or_decorative(self) -> "Signature":
        if self.decorative and self.alt is not None:
            raise FieldError("alt", "the portrait is decorative and described all the same; take one of them out")
        return self


class Phrase(Fields):
    """A few words in a language."""

    language: Language
    text: OneLine


class Hint(Fields):
    """A sentence that ends in a link."""

    text: OneLine
    link: LinkFields


class LetterFields(SectionFields):
    """The letter: greeting, prose, closing, signature, thanks."""

    greeting: OneLine | None = None
    closing: OneLine | None = None
    signature: Signature | None = None
    thanks: tuple[Phrase, ...] = ()
    translate: Hint | None = None


class Video(Fields):
    """A video: its still, on which a play mark is drawn, and where it plays."""

    still: PicturePath
    url: Link
    alt: OneLine = Field(description="what plays; `Play:` is put before it")
    length: OneLine | None = Field(default=None, description="for example 8 min")


class MeditationFields(SectionFields):
    """A guided practice with its video."""

    video: Video | None = None


class Card(Fields):
    """Numbered steps under a title."""

    title: OneLine
    steps: tuple[OneLine, ...] = Field(min_length=1)


class TipsFields(SectionFields):
    """How to have the mail arrive in the inbox, by mail app: in the theme's words, or in the issue's own."""

    show: Literal["all", "own"] | None = Field(
        default=None, description="the theme's steps: for all mail apps, or for the app of each reader's own mailbox"
    )
    apps: tuple[MailApp, ...] | None = Field(
        default=None, min_length=1, description="with `show: all`: only these, in this order"
    )
    cards: tuple[Card, ...] = Field(default=(), description="steps in your own words instead")

    @property
    def shows_own(self) -> bool:
        """Whether each reader sees the steps for their own mailbox alone."""
        return self.show == "own"

    @model_validator(mode="after")
    def _agree(self) -> "TipsFields":
        if self.cards and self.show:
            raise FieldError("cards", "`show` brings steps already; keep `cards`, your own words, or `show`")
        if self.apps is None:
            return self
        if self.cards:
            raise FieldError("apps", "`cards` are your own words, for whatever app; take `apps` out")
        if self.show is None:
            raise FieldError("apps", "it chooses from what `show` brings; add `show: all`")
        if self.shows_own:
            raise FieldError("apps", "with `show: own` the reader's mailbox chooses; take it out, or write `show: all`")
        if twice := next((app for app in self.apps if self.apps.count(app) > 1), None):
            raise FieldError("apps", f"{twice} stands twice; keep one of them")
        return self


class ListFields(SectionFields):
    """A section that is made of items, each in a file of its own."""

    layout: Literal["cards", "list"] = "cards"
    items: tuple[Slug, ...] | None = Field(default=None, description="the order; by date where it is left out")


class Deadline(Fields):
    """A date until which something holds, and what does."""

    label: OneLine
    date: Day


class Note(Fields):
    """A labelled line, such as `Ideal for: …`."""

    label: OneLine
    text: OneLine


class EventFields(Fields):
    """An event or an offer. Weekdays, ranges and zone labels are made from these fields, never typed."""

    title: OneLine
    subtitle: OneLine | None = None
    starts: Moment | None = None
    ends: Moment | None = Field(default=None, description="of a repeated event, the end of its last time")
    timezone: TimeZone | None = None
    repeats: Literal["weekly"] | None = None
    weekdays: bool = Field(default=False, description="show the weekdays of an event of several days")
    location: OneLine | None = None
    badge: OneLine | None = None
    deadline: Deadline | None = None
    notes: tuple[Note, ...] = ()
    button: LinkFields | None = None
    link: LinkFields | None = None

    @model_validator(mode="after")
    def _times_agree(self) -> "EventFields":
        if self.starts is None:
            if self.ends is not None or self.repeats is not None:
                raise FieldError("ends" if self.ends is not None else "repeats", "it never starts; add `starts`")
            return self
        if self.ends is None:
            return self
        if isinstance(self.starts, datetime) != isinstance(self.ends, datetime):
            what = "one of `starts` and `ends` has a time and the other has none"
            raise FieldError("ends", f"{what}; give both one, or neither")
        if self.ends < self.starts:
            what = f"it ends {_told(self.ends)}, before it starts {_told(self.starts)}"
            raise FieldError("ends", f"{what}; correct one of them")
        if self.repeats == "weekly" and (_day(self.ends) - _day(self.starts)).days % 7 != 0:
            what = f"{_day(self.starts)} is a {self.starts:%A} and {_day(self.ends)} a {self.ends:%A}"
            raise FieldError("ends", f"it repeats weekly, but {what}; let `ends` be the end of the last time")
        return self


class SectionEntry(Fields):
    """One line of `sections:`: the section, and the segment that alone sees it."""

    section: Slug
    only: Slug | None = None


_ByName = BeforeValidator(lambda value: {"section": value} if isinstance(value, str) else value)
_Several = BeforeValidator(lambda value: [value] if isinstance(value, str) else value)


class IssueFields(Fields):
    """`issue.yaml`."""

    subject: OneLine
    preheader: OneLine
    title: OneLine
    date: Day
    language: Language | None = None
    topics: Annotated[tuple[Slug, ...], _Several] = Field(
        default=(), description="what it is about: names of [topics] in newsletter.toml"
    )
    waive: Mapping[RuleId, OneLine] = Field(default={}, description="check = why it holds this issue not back")
    sections: tuple[Annotated[SectionEntry, _ByName], ...] = Field(min_length=1)


class SectionType(Struct, frozen=True, kw_only=True):
    """What a section of this type may hold; its template is `sections/NAME.mjml.j2` of the theme."""

    fields: type[SectionFields] = SectionFields
    has_items: bool = False


SECTION_TYPES: Mapping[str, SectionType] = {
    "letter": SectionType(fields=LetterFields),
    "research": SectionType(),
    "meditation": SectionType(fields=MeditationFields),
    "events": SectionType(fields=ListFields, has_items=True),
    "community": SectionType(fields=ListFields, has_items=True),
    "text": SectionType(),
    "donate": SectionType(),
    "about": SectionType(),
    "tips": SectionType(fields=TipsFields),
}


def _told(moment: datetime | date) -> str:
    """As a user writes it: without seconds."""
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else str(moment)


def _day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
