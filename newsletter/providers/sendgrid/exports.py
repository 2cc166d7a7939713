"""Read events from files: what SendGrid's webhook posts, saved as JSON, and the CSV export of its Email Activity.

The CSV has one row per event. Its `unique_args` column repeats the custom arguments of our emails, which identify the
delivery (https://www.twilio.com/docs/sendgrid/api-reference/email-activity/request-a-csv).
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import orjson

from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.providers.sendgrid.posts import Entry

_COLUMNS = frozenset({"processed", "event", "unique_args"})
_LARGEST_BYTES = 200_000_000
# The names of events in the export that differ from those in the webhook.
_NAMES = {
    "drop": "dropped",
    "defer": "deferred",
    "bounced": "bounce",
    "block": "bounce",
    "blocked": "bounce",
    "opened": "open",
    "clicked": "click",
    "spam_report": "spamreport",
    "spam report": "spamreport",
    "group unsubscribe": "group_unsubscribe",
}
_BLOCKS = frozenset({"block", "blocked"})
_EXPECTED = "import what SendGrid's Event Webhook posts, or the CSV file of its Email Activity, unchanged"


def is_export(first_line: bytes) -> bool:
    """Return whether a file that begins with this line contains events, and not email."""
    start = first_line.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start[:1] in {b"[", b"{"} or _is_header(start)


def entries_in_export(lines: Iterable[bytes], *, name: str) -> Iterator[Entry]:
    """Yield the events as the webhook posts them. Raise InputError or MistakesError if the file is not an export."""
    each = iter(lines)
    first = next(each, b"").removeprefix(b"\xef\xbb\xbf")
    found = _in_json(first, each, name) if first.lstrip()[:1] in {b"[", b"{"} else _in_csv(first, each, name)
    yield from (entry for entry in found if isinstance(entry, dict))


def _is_header(line: bytes) -> bool:
    return {"processed", "event"} <= set(_columns_of(line))


def _columns_of(line: bytes) -> list[str]:
    try:
        return [column.strip().lower() for column in next(csv.reader([_text_of(line)]), [])]
    except csv.Error:
        return []


def _text_of(line: bytes) -> str:
    return line.decode("utf-8", "replace").replace("\0", "")


def _in_json(first: bytes, rest: Iterator[bytes], name: str) -> Iterator[object]:
    """Yield the entries of JSON: an array, or one object or array per line."""
    content = bytearray(first)
    for line in rest:
        content += line
        if len(content) > _LARGEST_BYTES:
            raise InputError(f"{name} is larger than {_LARGEST_BYTES // 1_000_000} MB; split it into several files")
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        whole = None
    if whole is not None:
        yield from whole if isinstance(whole, list) else [whole]
        return
    for number, line in enumerate(bytes(content).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError as err:
            mistake = Mistake(path=name, line=number, what="this line is not JSON", remedy=_EXPECTED)
            raise MistakesError([mistake]) from err
        yield from entry if isinstance(entry, list) else [entry]


def _in_csv(first: bytes, rest: Iterator[bytes], name: str) -> Iterator[object]:
    header = _columns_of(first)
    if missing := sorted(_COLUMNS - set(header)):
        what = f"the columns {', '.join(missing)} are missing, so no row says which email it is about"
        raise MistakesError([Mistake(path=name, line=1, what=what, remedy=_EXPECTED)])
    rows = csv.reader(map(_text_of, rest))
    try:
        for row in rows:
            if entry := _entry(dict(zip(header, row, strict=False))):
                yield entry
    except csv.Error as err:
        what = f"the file cannot be read as CSV ({err})"
        raise MistakesError([Mistake(path=name, line=rows.line_num + 1, what=what, remedy=_EXPECTED)]) from err


def _entry(row: Mapping[str, str]) -> dict[str, object] | None:
    """Return a row of the CSV file as the webhook would post it, or None if it has no time."""
    try:
        args = orjson.loads(row.get("unique_args") or "{}")
    except orjson.JSONDecodeError:
        args = {}
    at = _moment_of(row.get("processed", ""))
    if at is None:
        return None
    named = row.get("event", "").strip().lower()
    return {
        **(args if isinstance(args, dict) else {}),
        "email": row.get("email", ""),
        "event": _NAMES.get(named, named),
        "type": "blocked" if named in _BLOCKS else row.get("type", "").strip().lower(),
        "timestamp": int(at.timestamp()),
        "reason": row.get("reason", ""),
        "url": row.get("url", ""),
        "useragent": row.get("user_agent", ""),
        "ip": row.get("originating_ip", ""),
    }


def _moment_of(text: str) -> datetime | None:
    """Return the time of a row, which is in UTC: `2026-11-23 08:00:00`, or with a `T` and a `Z`."""
    text = text.strip().removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except ValueError:
        return None
