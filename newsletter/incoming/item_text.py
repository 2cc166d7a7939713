"""Write an entry of a feed or calendar as the file of an item, which the editor reads and checks like any other."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.incoming.entries import IncomingEntry


def item_name(position: int, entry: IncomingEntry) -> str:
    """Return the name of an entry's file, without `.md`: its position from 1, and its key."""
    return f"{position:02}-{entry.key}"


def item_text(entry: IncomingEntry, zone: ZoneInfo, link_label: str) -> str:
    """Return the text of an entry's file: front matter and Markdown.

    A time in a named zone stays in it. One in UTC, or at an offset, is written in `zone`, the newsletter's own. So is a
    time without a zone, which is the same everywhere.
    """
    keys: dict[str, object] = {"title": entry.title, **_times(entry, zone), "location": entry.location}
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items() if value]
    if entry.link:
        label, url = (json.dumps(text, ensure_ascii=False) for text in (link_label, entry.link))
        lines += ["link:", f"  label: {label}", f"  url: {url}"]
    text = f"\n{entry.text}\n" if entry.text else ""
    return "\n".join(["---", *lines, "---", text])


def _times(entry: IncomingEntry, zone: ZoneInfo) -> dict[str, object]:
    starts, ends = entry.starts, entry.ends
    if not isinstance(starts, datetime):
        is_later = starts is not None and not isinstance(ends, datetime) and ends is not None and ends > starts
        return {"starts": starts and starts.isoformat(), "ends": ends.isoformat() if is_later and ends else ""}
    if starts.tzinfo is not None:
        named = starts.tzinfo
        zone = named if isinstance(named, ZoneInfo) and _is_place(named.key) else zone
        starts = starts.astimezone(zone)
    times = {"starts": _written(starts), "ends": _written_end(starts, ends), "timezone": zone.key}
    return {**times, "offset": _offset(starts, zone)}


def _is_place(name: str) -> bool:
    return "/" in name and not name.startswith("Etc/")


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _written_end(starts: datetime, ends: date | None) -> str:
    """Return the end in the zone of the start. An end that cannot be compared with the start is left out."""
    if not isinstance(ends, datetime) or (ends.tzinfo is None) != (starts.tzinfo is None):
        return ""
    local = ends if starts.tzinfo is None else ends.astimezone(starts.tzinfo)
    return _written(local) if local.replace(tzinfo=None) > starts.replace(tzinfo=None) else ""


def _offset(starts: datetime, zone: ZoneInfo) -> str:
    """Return the difference from UTC if the clocks show this time twice, otherwise an empty text."""
    first, second = (starts.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    difference = starts.utcoffset()
    if difference is None or first is None or second is None or first <= second:
        return ""
    minutes = abs(difference) // timedelta(minutes=1)
    return f"{'-' if difference < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
