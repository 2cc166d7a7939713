"""Reads dates in the forms that people write, only to show the form that a file needs."""

import re
from datetime import date, datetime, time
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?::\d\d)?[ \t]*(?P<half>[ap])?(?:\.?m\.?)?")
_DATES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})[-/. ](?P<number>\d{1,2})[-/. ](?P<day>\d{1,2})",
        rf"{_DAY}[ -](?:of )?{_MONTH},?[ -](?P<year>\d{{4}})",
        rf"{_MONTH} {_DAY},? (?P<year>\d{{4}})",
        r"(?P<day>\d{1,2})\. ?(?P<number>\d{1,2})\. ?(?P<year>\d{4})",  # with dots, the day comes first everywhere
    )
)
_LONGEST: Final = 60


def date_as_needed(written: str) -> str | None:
    """Return a date, or a date with a time, as `2026-02-25` or `2026-02-25 08:00`.

    Return None if the text is something else, or could mean two dates, such as 2/3/2026.
    """
    text = " ".join(written.split())[:_LONGEST]
    for form in _DATES:
        match = form.match(text)
        if match is None:
            continue
        found = match.groupdict()
        month = int(found["number"]) if "number" in found else _MONTHS.index(found["month"].lower()) + 1
        rest = re.sub(r"^[, Tt]+(?:at )?", "", text[match.end() :])
        try:
            day = date(int(found["year"]), month, int(found["day"]))
            return f"{day:%Y-%m-%d}" if not rest else f"{datetime.combine(day, _clock(rest)):%Y-%m-%d %H:%M}"
        except ValueError:
            return None
    return None


def _clock(text: str) -> time:
    """Return a time of day such as `8:30`, `8 pm` or `20.30`. Raise ValueError if it is not one."""
    match = _CLOCK.fullmatch(text.lower())
    if match is None or (match["minute"] is None and match["half"] is None):
        raise ValueError(text)
    hour = int(match["hour"])
    if match["half"] is not None:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if match["half"] == "p" else 0)
    return time(hour, int(match["minute"] or 0))
