"""Compare an event with what was last published about it, and read and write the file that records it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import msgspec

from newsletter.errors import InputError
from newsletter.model.announced import Announced
from newsletter.model.issue import Item

RECORD_FILE = "calendar.json"  # in the folder of an issue
_MOST_BYTES = 5_000_000


def facts_of(item: Item) -> Announced:
    """Return what calendars need to know about an event that has a date, as if nothing was published about it yet."""
    words = (item.fields.title, item.fields.subtitle, item.fields.button, item.fields.link)
    return Announced(
        changed=datetime.fromtimestamp(0, UTC),
        times=times_of(item),
        zone=item.zone.key,
        location=item.fields.location or "",
        status=item.fields.status or "",
        words=blake2b(repr(words).encode(), digest_size=8).hexdigest(),
    )


def announced(facts: Announced, before: Announced | None, now: datetime) -> Announced:
    """Return what is to be published about an event with these facts.

    `before` is what was last published. If nothing has changed since then, it is returned, so that files stay the same.
    """
    facts = msgspec.structs.replace(facts, changed=now.astimezone(UTC).replace(microsecond=0))
    if before is None:
        return facts
    are_times_new = facts.times != before.times
    is_same = _told(facts) == _told(before)
    if is_same and facts.words == before.words:
        return before
    return msgspec.structs.replace(
        facts,
        sequence=before.sequence + (not is_same),
        before=before.times if are_times_new else before.before,
    )


def times_of(item: Item) -> tuple[str, ...]:
    """Return each time of an event as ISO 8601 writes an interval, or the first and last of its days."""
    if times := item.times():
        return tuple("/".join(moment.isoformat("T", "minutes") for moment in time if moment) for time in times)
    first, last = item.fields.first_day, item.fields.last_day
    if first is None or last is None:
        return ()
    if item.fields.repeats == "weekly":
        weeks = (last - first).days // 7 + 1
        return tuple(f"{first + timedelta(weeks=week)}" for week in range(weeks))
    return (f"{first}" if first == last else f"{first}/{last}",)


def _told(facts: Announced) -> tuple[object, ...]:
    """Return the facts whose change raises the sequence."""
    return facts.times, facts.zone, facts.location, facts.status


def read_record(content: bytes, shown: str) -> dict[str, Announced]:
    """Return what was published about each event, by its id. Raise InputError if the file was damaged."""
    try:
        if len(content) > _MOST_BYTES:
            raise msgspec.DecodeError("too long")
        return msgspec.json.decode(content, type=dict[str, Announced])
    except msgspec.DecodeError as err:
        what = f"{shown} cannot be read, and calendars need it to follow each change of an event"
        raise InputError(f"{what}; restore it from your version control or a backup") from err


def written_record(record: Mapping[str, Announced]) -> bytes:
    """Return the content of the file, with the events in the order of their ids."""
    content = msgspec.json.encode(dict(sorted(record.items())))
    return msgspec.json.format(content, indent=2) + b"\n"
