"""What the reviewers have to be told about scheduled broadcasts, and whether they have been told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from newsletter.model.address import masked
from newsletter.model.broadcast import Broadcast
from newsletter.model.notice import Alarm, Notice
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of

_RECENT = timedelta(days=1)  # an older pause is no news, and the same failure is reported again after that time


class StuckBroadcast(NamedTuple):
    """A scheduled broadcast that was paused or stopped."""

    broadcast: int
    state: str
    reason: str
    at: datetime
    is_passing: bool  # whether it continues without a person


_STUCK = query_all("notices", "stuck", StuckBroadcast)
_ADD = change("notices", "add")
_ADD_ALARM = change("notices", "add_alarm")
_LAST_TRIED = query_one("notices", "last_tried", datetime)
_UNTOLD = query_all("notices", "untold", Notice)
_SAY_TRIED = change("notices", "say_tried")
_SAY_TOLD = change("notices", "say_told")


def notice_failure(database: Database, broadcast: Broadcast, failure: str, *, now: datetime) -> None:
    """Note that a scheduled broadcast could not be sent now. The same failure is noted once a day."""
    with database.transaction() as connection:
        _add(connection, broadcast.id, broadcast.state.value, failure, at=now, since=now - _RECENT)


def notice_alarm(database: Database, broadcast: Broadcast, kind: Alarm, what: str, *, now: datetime) -> None:
    """Note that too much came back about a broadcast. Each kind is noted once for each broadcast."""
    with database.transaction() as connection:
        _ADD_ALARM(connection, broadcast=broadcast.id, at=text_of(now), what=what, kind=kind.value)


def notices_to_tell(database: Database, *, not_after: datetime, now: datetime) -> tuple[Notice, ...]:
    """Return what the reviewers are to be told now, and note that they are being told.

    Broadcasts that were recently paused or stopped are noticed here, by any process, so that a crash hides none.
    Return nothing if the reviewers were emailed after `not_after`. Of several processes, only one gets the notices.
    """
    with database.transaction() as connection:
        for stuck in _STUCK(connection, since=text_of(now - _RECENT)):
            since = stuck.at - _RECENT if stuck.is_passing else stuck.at
            _add(connection, stuck.broadcast, stuck.state, stuck.reason, at=stuck.at, since=since)
        last = _LAST_TRIED(connection)
        notices = _UNTOLD(connection)
        if not notices or (last is not None and last > not_after):
            return ()
        _SAY_TRIED.for_each(connection, [{**_key(notice), "tried_at": text_of(now)} for notice in notices])
    return tuple(notices)


def keep_result(database: Database, notices: Sequence[Notice], failure: str, *, now: datetime) -> None:
    """Save that an email about the notices was accepted, or why it was not. They are then tried again."""
    told = {"told_at": "" if failure else text_of(now), "failure": masked(failure)}
    with database.transaction() as connection:
        _SAY_TOLD.for_each(connection, [{**_key(notice), **told} for notice in notices])


def untold_notices(database: Database) -> tuple[Notice, ...]:
    """Return what the reviewers have not been told and still holds."""
    return _UNTOLD.ask(database)


def _add(connection: Connection, broadcast: int, state: str, what: str, *, at: datetime, since: datetime) -> None:
    moment = {"at": text_of(at), "since": text_of(since)}
    _ADD(connection, broadcast=broadcast, what=masked(what), state=state, **moment)


def _key(notice: Notice) -> dict[str, object]:
    return {"broadcast": notice.broadcast, "at": text_of(notice.at), "what": notice.what}
