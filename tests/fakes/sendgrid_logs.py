"""Email Logs, as SendGrid documents them: rows by a query of conditions, and the details of one message."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.fakes.sendgrid_answer import Answer
from tests.fakes.sendgrid_mail import AcceptedMail

_CONDITION = re.compile(r"(\w+)\s*(=|>=|<=|>|<|\bIN\b)\s*(.+)", re.DOTALL)
_TEXT = re.compile(r"'([^']*)'")
_TEXTS = re.compile(r"\(\s*'[^']*'(?:\s*,\s*'[^']*')*\s*\)")
_MOMENT = re.compile(r'TIMESTAMP\s+"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"')
_TEXT_FIELDS = frozenset({"sg_message_id", "subject", "to_email", "reason"})
_LIST_FIELDS = frozenset({"status", "categories"})
_CREATED_AT = "sg_message_id_created_at"
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}
Row = dict[str, Any]


def search(content: Mapping[str, object], mails: Sequence[AcceptedMail], *, now: datetime) -> Answer:
    """`POST /v3/logs`: no order is promised, so the oldest stand first."""
    query, limit = content.get("query", ""), content.get("limit", 10)
    if not isinstance(limit, int) or not 1 <= limit <= 1000:
        return Answer.error(400, "limit must be between 1 and 1000", of="limit")
    rows = [_row(mail, now) for mail in mails]
    try:
        for condition in str(query).split(" AND ") if query else ():
            rows = [row for row in rows if _holds(condition, row)]
    except ValueError as err:
        return Answer.error(400, f"invalid query: {err}", of="query")
    shown = [{name: value for name, value in row.items() if name != "categories"} for row in rows[:limit]]
    return Answer.json(200, {"messages": shown})


def details(sg_message_id: str, mails: Sequence[AcceptedMail], *, now: datetime) -> Answer:
    """`GET /v3/logs/{sg_message_id}`."""
    mail = next((mail for mail in mails if mail.sg_message_id == sg_message_id), None)
    if mail is None:
        return Answer.error(404, "message not found")
    row = _row(mail, now)
    processed = {
        "event": "processed",
        "email": mail.email,
        "sg_message_id": sg_message_id,
        "sg_event_id": f"event-of-{sg_message_id}",
        "smtp-id": f"<{sg_message_id}@fake>",
        "timestamp": int(mail.queued_at.timestamp()),
        "custom_args": dict(mail.custom_args),
    }
    return Answer.json(
        200,
        {
            **{name: row[name] for name in ("from_email", "sg_message_id", "subject", "to_email", "status")},
            "api_key_id": "fake",
            "client_ip": "127.0.0.1",
            "events": [processed],
            "category": list(mail.categories),
            "custom_args": dict(mail.custom_args),
        },
    )


def _row(mail: AcceptedMail, now: datetime) -> Row:
    return {
        "from_email": mail.sender,
        "sg_message_id": mail.sg_message_id,
        "subject": mail.subject,
        "to_email": mail.email,
        "reason": "",
        "status": "delivered" if mail.leaves_at <= now else "processed",
        "categories": mail.categories,
        _CREATED_AT: f"{mail.queued_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _holds(condition: str, row: Row) -> bool:
    match = _CONDITION.fullmatch(condition.strip())
    if match is None:
        raise ValueError(condition)
    name, operator, value = match[1], match[2], match[3].strip()
    if name in _TEXT_FIELDS and operator == "=" and (text := _TEXT.fullmatch(value)):
        return bool(row[name] == text[1])
    if name in _LIST_FIELDS and operator == "IN" and _TEXTS.fullmatch(value):
        wanted = set(_TEXT.findall(value))
        held = row[name]
        return not wanted.isdisjoint(held if isinstance(held, tuple) else (held,))
    if name == _CREATED_AT and operator in _COMPARISONS and (moment := _MOMENT.fullmatch(value)):
        return _COMPARISONS[operator](row[name], moment[1])
    raise ValueError(condition)
