"""The lists of whom an account does not mail, as SendGrid documents them: paged, within windows of time.

The order of their rows is not documented; here the newest stand first, so that what is added between two pages would
move the rest, and only a window whose end is past is read safely.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from tests.fakes.sendgrid_answer import Answer

LISTS = ("unsubscribes", "bounces", "blocks", "invalid_emails", "spam_reports")
MOST_ROWS = 500
_WITH_REASON = frozenset({"bounces", "blocks", "invalid_emails"})
_WITH_STATUS = frozenset({"bounces", "blocks"})
_PARAMETERS = frozenset({"limit", "offset", "start_time", "end_time", "email"})
_ADDRESS = re.compile(r"[\x21-\x7e]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An address on a list."""

    email: str
    created: int
    reason: str = ""
    status: str = ""


@dataclass
class Suppressions:
    """All lists of an account."""

    lists: dict[str, list[Entry]] = field(default_factory=lambda: {name: [] for name in LISTS})
    _lock: Lock = field(default_factory=Lock)

    def put(self, name: str, email: str, at: datetime, *, reason: str = "550 5.1.1 no such user") -> None:
        """An address gets onto a list, as by an event."""
        status = "5.1.1" if name in _WITH_STATUS else ""
        entry = Entry(email=email, created=int(at.timestamp()), reason=reason, status=status)
        with self._lock:
            self.lists[name].append(entry)

    def emails(self, name: str) -> list[str]:
        """Who is on a list, sorted."""
        return sorted(entry.email for entry in self.lists[name])

    def page(self, name: str, query: Mapping[str, str]) -> Answer:
        """`GET /v3/suppression/{list}`."""
        if unknown := sorted(set(query) - _PARAMETERS):
            return Answer.error(400, f"unknown parameter {unknown[0]}", of=unknown[0])
        for parameter in ("limit", "offset", "start_time", "end_time"):
            if not query.get(parameter, "0").isdecimal():
                return Answer.error(400, f"{parameter} must be an integer", of=parameter)
        limit, offset = int(query.get("limit", MOST_ROWS)), int(query.get("offset", 0))
        if not 1 <= limit <= MOST_ROWS:
            return Answer.error(400, f"limit must be between 1 and {MOST_ROWS}", of="limit")
        start, end = int(query.get("start_time", 0)), int(query.get("end_time", 1 << 60))
        with self._lock:
            inside = [entry for entry in self.lists[name] if start <= entry.created <= end]
        newest_first = sorted(inside, key=lambda entry: (-entry.created, entry.email))
        return Answer.json(200, [_row(name, entry) for entry in newest_first[offset : offset + limit]])

    def add(self, content: Mapping[str, object], now: datetime) -> Answer:
        """`POST /v3/asm/suppressions/global`: all of the addresses, or none."""
        emails = content.get("recipient_emails")
        if not isinstance(emails, list) or not emails:
            return Answer.error(400, "recipient_emails must be an array of addresses", of="recipient_emails")
        for email in emails:
            if not isinstance(email, str) or not _ADDRESS.fullmatch(email):
                return Answer.error(400, "an address is not valid", of="recipient_emails")
        known = {entry.email.lower() for entry in self.lists["unsubscribes"]}
        for email in emails:
            if email.lower() not in known:
                self.put("unsubscribes", email, now, reason="")
        return Answer.json(201, {"recipient_emails": emails})

    def remove(self, name: str, email: str) -> Answer:
        """`DELETE /v3/suppression/{list}/{email}`; of the unsubscribes `DELETE /v3/asm/suppressions/global/{email}`."""
        with self._lock:
            left = [entry for entry in self.lists[name] if entry.email.lower() != email.lower()]
            was_there = len(left) < len(self.lists[name])
            self.lists[name] = left
        return Answer(status=204) if was_there or name == "unsubscribes" else Answer.error(404, "not found")


def _row(name: str, entry: Entry) -> dict[str, object]:
    row: dict[str, object] = {"created": entry.created, "email": entry.email}
    if name in _WITH_REASON:
        row["reason"] = entry.reason
    if name in _WITH_STATUS:
        row["status"] = entry.status
    if name == "spam_reports":
        row["ip"] = "127.0.0.1"
    return row
