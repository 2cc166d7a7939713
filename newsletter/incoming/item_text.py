"""Write an entry of a feed or calendar as the file of an item, which the editor reads and checks like any other."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from unicodedata import normalize
from zoneinfo import ZoneInfo

from msgspec import Struct

from newsletter.incoming.entries import SIGNS, IncomingEntry, is_place

_LONGEST_NAME = 40  # characters of a title in the name of its file
_EACH_TIME = ("fetched: ", "etag: ")
_BOOKKEEPING = ("---", "id: ", "from: ", "published: ", "digest: ", *_EACH_TIME)  # keys that tell a director nothing
_PARTS = re.compile(r"---\n(?P<keys>.*?\n)---\n(?P<body>.*)", re.DOTALL)


class Taken(Struct, frozen=True, kw_only=True):
    """Where and when an entry was taken from. `etag` is the mark of what was downloaded, if the server gave one."""

    origin: str
    at: datetime  # in UTC
    etag: str = ""


class ItemPicture(Struct, frozen=True, kw_only=True):
    """The image of an item: its name in the issue, and how wide it is sharp, if that is less than the email."""

    name: str
    width: int | None = None


def item_name(entry: IncomingEntry) -> str:
    """Return the name of an entry's file, without `.md`: a few plain words of its title, and its key."""
    plain = normalize("NFKD", entry.title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_NAME].strip("-")
    return f"{words}-{entry.key}" if words else entry.key


def item_text(
    entry: IncomingEntry, zone: ZoneInfo, link_label: str, taken: Taken, picture: ItemPicture | None = None
) -> str:
    """Return the text of an entry's file: front matter and Markdown.

    A time in a named zone stays in it. One in UTC, or at an offset, is written in `zone`, the newsletter's own. So is a
    time without a zone, which is the same everywhere.
    """
    lines = [f"title: {_quoted(entry.title)}"]
    lines += [f"{key}: {value}" for key, value in _times(entry, zone).items() if value]
    lines += [f"location: {_quoted(entry.location)}"] if entry.location else []
    lines += ["status: canceled"] if entry.is_canceled else []
    if entry.link:
        lines += ["link:", f"  label: {_quoted(link_label)}", f"  url: {_quoted(entry.link)}"]
    lines += [f"id: {entry.key}"] if entry.starts else []
    lines += [f"from: {_quoted(taken.origin)}"]
    lines += [f"published: {_written(entry.published.astimezone(zone))}"] if entry.published else []
    lines += [f"fetched: {_written(taken.at.astimezone(zone))}"]
    lines += [f"etag: {_quoted(taken.etag)}"] if taken.etag else []
    body = "\n\n".join(part for part in (_picture(entry, picture), entry.text) if part)
    lines += [f"digest: {_digest(lines, body)}"]
    return "\n".join(["---", *lines, "---", f"\n{body}\n" if body else ""])


def is_untouched(text: str) -> bool:
    """Return whether the file of an item is as it was written, by its own digest."""
    found = _PARTS.fullmatch("\n".join(text.removeprefix("\ufeff").splitlines()) + "\n")
    if found is None:
        return False
    *lines, digest = found["keys"].splitlines()
    return digest == f"digest: {_digest(lines, found['body'].strip())}"


def told_lines(text: str) -> list[str]:
    """Return the lines of an item's file without the keys that tell a director nothing."""
    lines = text.splitlines()
    end = lines.index("---", 1) if "---" in lines[1:] else 0  # below it, any line may begin like such a key
    return [line for number, line in enumerate(lines) if number > end or not line.startswith(_BOOKKEEPING)]


def _digest(keys: Sequence[str], body: str) -> str:
    """Return a hash of an item's file. The lines that differ each time do not count."""
    counted = [line for line in keys if not line.startswith(_EACH_TIME)]
    return blake2b("\n".join([*counted, body]).encode(errors="replace"), digest_size=8).hexdigest()


def _quoted(text: str) -> str:
    """Return a text in quotes, so that YAML reads it back unchanged."""
    return f'"{text}"' if not re.search(r'["\\]', text) else "'{}'".format(text.replace("'", "''"))


def _picture(entry: IncomingEntry, shown: ItemPicture | None) -> str:
    if shown is None:
        return ""
    alt = SIGNS.sub(r"\\\1", entry.picture.alt) if entry.picture else ""
    title = ", ".join((*([] if alt else ["decorative"]), *([f"{shown.width} px"] if shown.width else [])))
    return f"![{alt}]({shown.name}{_spaced(title)})"


def _spaced(title: str) -> str:
    return f' "{title}"' if title else ""


def _times(entry: IncomingEntry, zone: ZoneInfo) -> dict[str, object]:
    starts, ends = entry.starts, entry.ends
    if not isinstance(starts, datetime):
        is_later = starts is not None and not isinstance(ends, datetime) and ends is not None and ends > starts
        return {"starts": starts and starts.isoformat(), "ends": ends.isoformat() if is_later and ends else ""}
    if starts.tzinfo is not None:
        named = starts.tzinfo
        zone = named if isinstance(named, ZoneInfo) and is_place(named.key) else zone
        starts = starts.astimezone(zone)
    times = {"starts": _written(starts), "ends": _written_end(starts, ends), "timezone": zone.key}
    return {**times, "offset": _offset(starts, zone), "repeats": "weekly" if entry.repeats_weekly else ""}


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
