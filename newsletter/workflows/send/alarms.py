"""What came back about a broadcast so far, and the alarm if too much did."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from shlex import quote

from msgspec import Struct

from newsletter.language.rates import say_interval, say_rate
from newsletter.model.broadcast import Broadcast, BroadcastKind
from newsletter.model.notice import Alarm
from newsletter.statistics.intervals import Proportion
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import tally_of
from newsletter.store.notices import notice_alarm
from newsletter.store.report import SentRow, count_leavers, may_complain, sent_between, warnings_of

COMPLAINTS_LIMIT, BOUNCES_LIMIT = 0.001, 0.02  # at these rates, mailbox providers begin to refuse email
_LIMITS = {Alarm.COMPLAINTS: COMPLAINTS_LIMIT, Alarm.BOUNCES: BOUNCES_LIMIT}
_WHAT = {Alarm.COMPLAINTS: "people whose mailboxes report it marked it as spam", Alarm.BOUNCES: "emails bounced"}
_LEAVES_WITHIN = timedelta(days=14)  # of an issue, unless the next one was sent before; later leaving has other causes
_WATCHED = timedelta(days=30)  # after a broadcast was created


class Troubles(Struct, frozen=True, kw_only=True):
    """How many emails of a broadcast bounced, and how many people marked it as spam."""

    bounces: Proportion  # of all emails that the provider accepted
    complaints: Proportion  # of the people whose mailboxes report it; of no one if there is no complaint
    left: int  # recipients who unsubscribed

    @property
    def alarms(self) -> Mapping[Alarm, str]:
        """Return the words for the reviewers, by kind."""
        rates = {Alarm.COMPLAINTS: self.complaints, Alarm.BOUNCES: self.bounces}
        return {
            kind: f"{rate.count:,} of {rate.of:,} {_WHAT[kind]} ({say_interval(rate.interval)}); from "
            f"{say_rate(_LIMITS[kind])} on, mailbox providers begin to refuse your email"
            for kind, rate in rates.items()
            if rate.count and rate.rate >= _LIMITS[kind]
        }


def troubles_of(database: Database, broadcast: int) -> Troubles:
    """Return what came back about one broadcast so far."""
    found = warnings_of(database, [broadcast]).get(broadcast)
    accepted = tally_of(database, broadcast).accepted
    complaints, bounces = (found.complaints, found.bounces) if found else (0, 0)
    may = max(may_complain(database, broadcast), complaints) if complaints else 0
    return Troubles(
        bounces=Proportion(bounces, max(accepted, bounces)),
        complaints=Proportion(complaints, may),
        left=_left(database, broadcast),
    )


def _left(database: Database, number: int) -> int:
    every = list_broadcasts(database)
    broadcast = next(each for each in every if each.id == number)
    sent = sent_between(database, [each.id for each in every])
    if number not in sent:
        return 0
    since = sent[number].first_at
    until = leaves_until(since, every, sent, broadcast.issue)
    return sum(row.people for row in count_leavers(database, [number], since=since, until=until))


def leaves_until(began: datetime, every: Iterable[Broadcast], sent: Mapping[int, SentRow], issue: str) -> datetime:
    """Return until when leaving counts for an issue: two weeks, or until the next one was sent."""
    later = (
        sent[each.id].first_at
        for each in every
        if each.kind is BroadcastKind.ISSUE and each.issue != issue and each.id in sent
    )
    return min([began + _LEAVES_WITHIN, *(at for at in later if at > began)])


def note_alarms(database: Database, *, now: datetime) -> None:
    """Let the reviewers be told of broadcasts of which too many bounced or were marked as spam, once for each."""
    recent = {each.id: each for each in list_broadcasts(database) if now - each.created_at < _WATCHED}
    for number in warnings_of(database, recent):
        if recent[number].kind.is_letter:
            continue
        for kind, alarm in troubles_of(database, number).alarms.items():
            notice_alarm(database, recent[number], kind, alarm, now=now)


def next_step(broadcast: Broadcast) -> tuple[str, str]:
    """Return the command that shows more, and what it does."""
    return f"report {quote(broadcast.issue)}", "see who bounced and why, by mailbox provider"
