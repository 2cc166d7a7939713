"""Read the form with someone's preferences, and save it as a whole."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from newsletter.config import Config
from newsletter.language.catalogue import spoken_languages
from newsletter.language.offered import language_names, zone_names
from newsletter.model.audience import Subscriber
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit
from newsletter.model.permission import end_of_pause
from newsletter.model.person_names import doubt_about_name
from newsletter.model.personal_links import PersonalLink
from newsletter.model.preferences import LONGEST_PAUSE
from newsletter.model.values import OneLine
from newsletter.store.database import Connection
from newsletter.store.editing import edit_in
from newsletter.system.moments import text_of
from newsletter.workflows.preferences.visit import Visit, visit_of
from newsletter.workflows.suppressions.leave import set_topics
from newsletter.workflows.tracking.consent import choose_tracking, is_tracking_asked, wording_of_page

LONGEST_NAME = 100  # characters
_LINE: TypeAdapter[str] = TypeAdapter(OneLine)


class Wrong(StrEnum):
    """What is wrong with a field, as the page's words have it."""

    LANGUAGE = "bad_language"
    ZONE = "bad_zone"
    NAME = "bad_name"
    DAY = "bad_day"
    DAY_TOO_SOON = "day_too_soon"
    DAY_TOO_LATE = "day_too_late"


class Choices(Struct, frozen=True, kw_only=True):
    """What the form contains, as it is shown and as it was typed."""

    topics: frozenset[str]
    language: str
    timezone: str
    first_name: str
    last_name: str
    pause: str  # a day, such as 2026-03-01; empty for no pause
    agrees: bool | None  # to tracking; None if the form did not ask


def choices_of(visit: Visit, *, topics: Iterable[str], now: datetime) -> Choices:
    """Return what is on record."""
    record = visit.owner.subscriber.record
    return Choices(
        topics=frozenset(topics) - visit.owner.left_topics,
        language=record.language,
        timezone=record.timezone,
        first_name=record.first_name,
        last_name=record.last_name,
        pause=_pause_of(record, now=now),
        agrees=record.tracking_consented_at is not None,
    )


def _pause_of(record: SubscriberRecord, *, now: datetime) -> str:
    until = record.paused_until
    return f"{until:%Y-%m-%d}" if until and until > now else ""


def offered_languages(config: Config, subscriber: Subscriber) -> list[tuple[str, str]]:
    """Return the languages that someone can choose, by code, each with its own name."""
    own = filter(None, (subscriber.record.language, config.settings.newsletter.language))
    return language_names((*spoken_languages(), *own))


def offered_zones(subscriber: Subscriber, *, language: str) -> list[tuple[str, str]]:
    """Return the time zones that someone can choose, each with its country and city."""
    zones, own = zone_names(language), subscriber.record.timezone
    known = {zone for zone, _ in zones}
    return [*zones, *([(own, own)] if own and own not in known else [])]


def faults_of(config: Config, subscriber: Subscriber, choices: Choices, *, now: datetime) -> Mapping[str, Wrong]:
    """Return what is wrong with each field of the form, in the order of the form."""
    faults: dict[str, Wrong] = {}
    if choices.language and choices.language not in dict(offered_languages(config, subscriber)):
        faults["language"] = Wrong.LANGUAGE
    is_known = not choices.timezone or choices.timezone in dict(offered_zones(subscriber, language="en"))
    if not is_known:
        faults["timezone"] = Wrong.ZONE
    record = subscriber.record
    names = {"first_name": (choices.first_name, record.first_name), "last_name": (choices.last_name, record.last_name)}
    faults.update({field: Wrong.NAME for field, (name, known) in names.items() if not _is_name(name, known=known)})
    is_same_day = choices.pause == _pause_of(record, now=now)  # it may be today already where they are
    if choices.pause and not is_same_day and (fault := _fault_of_day(config, choices, is_zone_known=is_known, now=now)):
        faults["pause"] = fault
    return faults


def save_choices(
    config: Config, link: PersonalLink | None, choices: Choices, *, language: str, now: datetime
) -> Callable[[Connection], Visit | None]:
    """Return the change that saves everything in the form, which has no faults. `language` is that of the page.

    It returns None if the link is not good for that, or the person has left.
    """
    topics = config.settings.topics

    def change(connection: Connection) -> Visit | None:
        visit = visit_of(connection, link, now=now)
        if visit is None or visit.is_too_old or visit.owner.suppression is not None:
            return None
        subscriber = visit.owner.subscriber
        set_topics(connection, visit.owner, choices.topics, topics=topics, now=now)
        cells = {
            "language": choices.language,
            "timezone": choices.timezone,
            "first_name": choices.first_name,
            "last_name": choices.last_name,
            "paused_until": _pause_cell(config, choices),
        }
        if choices.agrees is not None and is_tracking_asked(config, subscriber.record):
            wording = wording_of_page(language)
            choose_tracking(connection, subscriber.id, agrees=choices.agrees, wording=wording, now=now)
        edit_in(connection, [subscriber.id], Edit(cells=cells), key=None, shown=0, now=now)
        return visit_of(connection, link, now=now)

    return change


def _zone_of(config: Config, name: str) -> ZoneInfo:
    own = config.settings.newsletter.timezone
    try:
        return ZoneInfo(name or own)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the database of zones may be older than the list
        return ZoneInfo(own)


def _is_name(name: str, *, known: str) -> bool:
    """Return whether someone can be called that. A name that is on record already is theirs."""
    if not name or name == known:
        return True
    try:
        _LINE.validate_python(name)
    except ValidationError:
        return False
    return len(name) <= LONGEST_NAME and not doubt_about_name(name)


def _fault_of_day(config: Config, choices: Choices, *, is_zone_known: bool, now: datetime) -> Wrong | None:
    day = _day_in(choices.pause)
    if day is None:
        return Wrong.DAY
    zone = choices.timezone if is_zone_known else ""
    today = now.astimezone(_zone_of(config, zone)).date()
    if day <= today:
        return Wrong.DAY_TOO_SOON
    return Wrong.DAY_TOO_LATE if day > today + LONGEST_PAUSE else None


def _day_in(text: str) -> date | None:
    """Return the day in a text as a browser sends it: year, month and day (HTML, valid date string)."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if text == day.isoformat() else None


def _pause_cell(config: Config, choices: Choices) -> str:
    day = _day_in(choices.pause)
    return text_of(end_of_pause(day, _zone_of(config, choices.timezone))) if day else ""
