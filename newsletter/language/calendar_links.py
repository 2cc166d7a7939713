"""Links that open a calendar service with an event filled in, one function for each service.

They hold instants, not words, wherever a service allows it. Each is shorter than 2,000 characters, so that servers and
email apps do not cut it off. `docs/calendars.md` says what each service does with its link.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import quote

from babel.core import get_global

from newsletter.language.words import colon_after, status_words
from newsletter.model.issue import Item, Occurrence

USUAL_LENGTH: Final = timedelta(hours=1)  # of an event that does not say when it ends; calendars hide one without
_MOST: Final = 1_990  # characters of a link
_STAMP, _DAY = "%Y%m%dT%H%M%SZ", "%Y%m%d"
_GOOGLE = "https://calendar.google.com/calendar/render"
_YAHOO = "https://calendar.yahoo.com/"
OUTLOOK, OFFICE_365 = "outlook.live.com", "outlook.office.com"


def summary_of(item: Item, language: str) -> str:
    """Return the title of an event for calendars. That it is canceled or postponed comes first."""
    said = status_words(item.fields.status, language)
    return f"{said}{colon_after(said, language)}{item.fields.title}" if said else item.fields.title


def details_of(item: Item, page: str) -> str:
    """Return the plain text for the description of an event: its subtitle, its links, and the address of its page.

    In an email, where the event has no page, its links stand beside the one to the calendar, and each byte counts.
    """
    fields = item.fields
    targets = (fields.button, fields.link) if page else ()
    links = (f"{link.label}: {link.url}" for link in targets if link is not None)
    return "\n".join(text for text in (fields.subtitle or "", *links, page) if text)


def google_url(item: Item, page: str = "", *, language: str = "en") -> str | None:
    """Return the address of Google Calendar's page with the event, or None if it has no date.

    A series keeps the time on the clocks of its zone, so it is given in that time, with the zone. Google knows only
    zones that are named after a place, and takes the viewer's zone for any other, so those are given in UTC.
    """
    days, time, zone = _days_of(item), _first_time(item), _place_of(item)
    if days is None:
        return None
    query = {"action": "TEMPLATE", "text": summary_of(item, language)}
    weeks = (days[1] - days[0]).days // 7 + 1 if item.fields.repeats == "weekly" else 1
    if time is None:
        last = days[0] if weeks > 1 else days[1]
        query["dates"] = f"{days[0]:{_DAY}}/{last + timedelta(days=1):{_DAY}}"  # the end is exclusive
    else:
        clocks = [moment.astimezone(item.zone) for moment in time]
        is_series_in_zone = weeks > 1 and zone and not any(clock.fold for clock in clocks)
        dates = (
            f"{clock:{_STAMP[:-1]}}" if is_series_in_zone else f"{clock.astimezone(UTC):{_STAMP}}" for clock in clocks
        )
        query["dates"] = "/".join(dates)
        query |= {"ctz": zone} if zone else {}
    if weeks > 1:
        query["recur"] = f"RRULE:FREQ=WEEKLY;COUNT={weeks}"
    return _link(_GOOGLE, query, {"location": item.fields.location or ""}, ("details", details_of(item, page)))


def outlook_url(
    item: Item, page: str = "", *, language: str = "en", host: str = OUTLOOK, on_phone: bool = False
) -> str | None:
    """Return the address of Outlook's page with the event, or with its first time, or None if it has no date.

    `host` is `OUTLOOK` or `OFFICE_365`. Outlook's page for phones drops the times of the link for computers.
    """
    days, time = _days_of(item), _first_time(item)
    if days is None:
        return None
    path = "/calendar/0/deeplink/compose" if on_phone else "/calendar/0/action/compose"
    query = {"path": "/calendar/action/compose"} if on_phone else {}
    query |= {"rru": "addevent", "subject": summary_of(item, language)}
    if time is None:
        last = days[0] if item.fields.repeats == "weekly" else days[1]
        query |= {"startdt": f"{days[0]}", "enddt": f"{last + timedelta(days=1)}", "allday": "true"}
    else:
        query |= {key: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for key, moment in zip(("startdt", "enddt"), time, strict=True)}
    location = {"location": item.fields.location or ""}
    return _link(f"https://{host}{path}", query, location, ("body", details_of(item, page)))


def yahoo_url(item: Item, page: str = "", *, language: str = "en") -> str | None:
    """Return the address of Yahoo's page with the event, or with its first time, or None if it has no date.

    A single whole day is `dur=allday` without an end. Yahoo shows several whole days as times at midnight.
    """
    days, time = _days_of(item), _first_time(item)
    if days is None:
        return None
    query = {"v": "60", "title": summary_of(item, language)}
    if time is not None:
        query |= {key: f"{moment:{_STAMP}}" for key, moment in zip(("st", "et"), time, strict=True)}
    elif days[0] == days[1] or item.fields.repeats == "weekly":
        query |= {"st": f"{days[0]:{_DAY}}", "dur": "allday"}
    else:
        query |= {"st": f"{days[0]:{_DAY}}", "et": f"{days[1] + timedelta(days=1):{_DAY}}"}
    return _link(_YAHOO, query, {"in_loc": item.fields.location or ""}, ("desc", details_of(item, page)))


def subscription_urls(calendar: str, name: str) -> Mapping[str, str]:
    """Return the addresses that subscribe to a calendar, by service. `calendar` is its address, with https."""
    webcal = f"webcal://{calendar.partition('://')[2]}"
    added = f"url={quote(calendar, safe='')}&name={quote(name, safe='')}"
    return {
        "Apple": webcal,
        "Google": f"https://calendar.google.com/calendar/u/0/r?cid={quote(webcal, safe='')}",
        "Outlook.com": f"https://{OUTLOOK}/calendar/0/addfromweb/?{added}",
        "Office 365": f"https://{OFFICE_365}/calendar/0/addfromweb/?{added}",
    }


def _days_of(item: Item) -> tuple[date, date] | None:
    first, last = item.fields.first_day, item.fields.last_day
    return None if first is None or last is None else (first, last)


def _first_time(item: Item) -> tuple[datetime, datetime] | None:
    """Return the start and the end of the first time in UTC, or None for whole days."""
    times = item.times()
    return in_utc(times[0]) if times else None


def in_utc(time: Occurrence) -> tuple[datetime, datetime]:
    """Return the start and the end of a time in UTC. Without an end, it lasts an hour."""
    starts = time.starts.astimezone(UTC)
    return starts, starts + (time.length or USUAL_LENGTH)


def _place_of(item: Item) -> str:
    """Return the zone's name by its place, or an empty string if it is a fixed difference from UTC."""
    aliases: Mapping[str, str] = get_global("zone_aliases")
    key = aliases.get(item.zone.key, item.zone.key)
    return key if "/" in key and not key.startswith("Etc/") else ""


def _link(page: str, query: Mapping[str, str], short: Mapping[str, str], long: tuple[str, str]) -> str:
    """Return a link that is not too long. First its last text is cut, then the one before, each after a word."""
    link = f"{page}?" + "&".join(f"{key}={_encoded(value, 900)}" for key, value in query.items())
    for (key, value), most in (*((each, 500) for each in short.items()), (long, _MOST)):
        if cut := _encoded(value, min(most, _MOST - len(link) - len(key) - 2)):
            link += f"&{key}={cut}"
    return link


def _encoded(text: str, room: int) -> str:
    """Return a text as it is in a link: as many of its words as take `room` characters, or else of its signs."""
    if len(whole := quote(text, safe="")) <= room:
        return whole
    signs = [quote(sign, safe="") for sign in text]
    used, end, word = 0, 0, 0
    for end, sign in enumerate(signs):
        word = end if text[end].isspace() else word
        used += len(sign)
        if used > room:
            break
    return "".join(signs[: word or end])
