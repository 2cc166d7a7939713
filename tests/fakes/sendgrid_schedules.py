"""Batches of scheduled mail, as SendGrid documents them: a batch may be given the status `cancel` or `pause`.

A status is given once, and changed or undone afterwards; at most ten batches have one at the same time. What is
cancelled or paused less than ten minutes before its time may be sent all the same, and here it is. Held mail stays in
the queue: at its time it is discarded if it is cancelled then. If the status was deleted before, it is sent. Paused
mail is sent when the pause is deleted later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from tests.fakes.sendgrid_answer import Answer
from tests.fakes.sendgrid_mail import AcceptedMail

MOST_STATUSES = 10
MARGIN = timedelta(minutes=10)
_STATUSES = frozenset({"cancel", "pause"})


@dataclass(frozen=True, kw_only=True)
class Status:
    """What a batch was told, and when. An empty status is none."""

    status: str
    since: datetime


@dataclass
class Schedules:
    """All batches of an account."""

    name: str = "FakeBatch"  # with which the ids of batches begin
    batch_ids: set[str] = field(default_factory=set)
    statuses: dict[str, Status] = field(default_factory=dict)
    history: dict[str, list[Status]] = field(default_factory=dict)  # of each batch, the oldest first
    _lock: Lock = field(default_factory=Lock)

    def open(self) -> Answer:
        """`POST /v3/mail/batch`."""
        with self._lock:
            batch_id = f"{self.name}-{len(self.batch_ids) + 1:06d}"
            self.batch_ids.add(batch_id)
        return Answer.json(201, {"batch_id": batch_id})

    def set(self, content: Mapping[str, object], now: datetime) -> Answer:
        """`POST /v3/user/scheduled_sends`."""
        batch_id, status = content.get("batch_id"), content.get("status")
        if not isinstance(status, str) or status not in _STATUSES:
            return Answer.error(400, "status must be pause or cancel", of="status")
        if not isinstance(batch_id, str) or batch_id not in self.batch_ids:
            return Answer.error(400, "invalid batch id", of="batch_id")
        with self._lock:
            if batch_id in self.statuses:
                return Answer.error(400, "a status update already exists for this batch id", of="batch_id")
            if len(self.statuses) >= MOST_STATUSES:
                return Answer.error(400, "the maximum number of scheduled sends are cancelled or paused")
            self._tell(batch_id, status, now)
        return Answer.json(201, {"batch_id": batch_id, "status": status})

    def list(self) -> Answer:
        """`GET /v3/user/scheduled_sends`."""
        return Answer.json(200, [_shown(batch_id, status) for batch_id, status in self.statuses.items()])

    def get(self, batch_id: str) -> Answer:
        """`GET /v3/user/scheduled_sends/{batch_id}`."""
        status = self.statuses.get(batch_id)
        return Answer.json(200, [] if status is None else [_shown(batch_id, status)])

    def change(self, batch_id: str, content: Mapping[str, object], now: datetime) -> Answer:
        """`PATCH /v3/user/scheduled_sends/{batch_id}`."""
        status = content.get("status")
        if not isinstance(status, str) or status not in _STATUSES:
            return Answer.error(400, "status must be pause or cancel", of="status")
        if batch_id not in self.statuses:
            return Answer.error(404, "batch id not found", of="batch_id")
        with self._lock:
            self._tell(batch_id, status, now)
        return Answer(status=204)

    def undo(self, batch_id: str, now: datetime) -> Answer:
        """`DELETE /v3/user/scheduled_sends/{batch_id}`."""
        with self._lock:
            if self.statuses.pop(batch_id, None) is None:
                return Answer.error(404, "batch id not found", of="batch_id")
            self.history[batch_id].append(Status(status="", since=now))
        return Answer(status=204)

    def leaves(self, mail: AcceptedMail) -> bool:
        """Whether an email is sent: at its time, unless it was cancelled or paused early enough, or after a pause."""
        told = self.history.get(mail.batch_id, [])
        if not mail.is_held:
            return True
        in_time = [status for status in told if status.since <= mail.leaves_at - MARGIN]
        undone = [status for status in told if mail.leaves_at - MARGIN < status.since <= mail.leaves_at]
        held_back = in_time[-1].status if in_time else ""
        if not held_back or any(not status.status for status in undone):
            return True
        return held_back == "pause" and any(not status.status for status in told if status.since > mail.leaves_at)

    def _tell(self, batch_id: str, status: str, now: datetime) -> None:
        self.statuses[batch_id] = Status(status=status, since=now)
        self.history.setdefault(batch_id, []).append(self.statuses[batch_id])


def _shown(batch_id: str, status: Status) -> dict[str, str]:
    return {"batch_id": batch_id, "status": status.status}
