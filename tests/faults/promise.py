"""Holds the ledger of a run against what the API took: every way in which the promise of delivery is broken."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.model.broadcast import BroadcastKind, BroadcastState, ChunkState, DeliveryStatus, Tally
from newsletter.model.ledger import Entry
from newsletter.model.waves import FIRST, REST, Watch
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.waves import watch_of
from newsletter.system.moments import moment_of, precise_text_of, text_of
from tests.faults.eventlog import EventLog
from tests.faults.plan import Plan
from tests.faults.post import Post, TakenMail

_STATE_OF_PART = {"waiting": ChunkState.READY.value}  # every other part of a tally has the name of its state
_LEDGER = """
SELECT
    d.broadcast, coalesce(s.email, ''), coalesce(c.state, t.status), coalesce(c.reason, t.reason),
    coalesce(c.number, 0), coalesce(c.attempt, 0), coalesce(c.runner, ''), coalesce(c.hold_until, ''),
    coalesce(c.due_at, ''), coalesce(c.claimed_at, ''), coalesce(c.wave, 0), w.subscriber IS NOT NULL
FROM delivery AS d
LEFT JOIN drawn AS w ON w.broadcast = d.broadcast AND w.subscriber = d.subscriber
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
LEFT JOIN settlement AS t ON t.broadcast = d.broadcast AND t.number = d.settlement
WHERE d.broadcast = :broadcast
"""
_ENDS = frozenset({BroadcastState.DONE, BroadcastState.STOPPED, BroadcastState.CANCELLED})
_NAMELESS = ""  # the address of a person who was erased
_ALREADY_IN = "already in broadcast "
_ORPHANED = "the program ended"
_RESTORED = "restored from a backup"
# When a timer that runs takes people who left out of held email, before the time of the email.
_RECALLED_FROM, _RECALLED_UNTIL = timedelta(minutes=20), timedelta(minutes=11)
_NOBODY_KNOWN = "someone no longer on the list"
_IN_A_ROW = 5  # people refused by policy, with nothing accepted between them: it is not about them
_NEEDS_NO_REASON = frozenset({ChunkState.ACCEPTED.value})
_OPEN = frozenset({ChunkState.READY.value, ChunkState.INFLIGHT.value})
_OF_A_DONE_BROADCAST = frozenset(
    {
        ChunkState.ACCEPTED.value,
        ChunkState.UNKNOWN.value,
        ChunkState.REJECTED.value,
        ChunkState.DEFERRED.value,
        DeliveryStatus.EXCLUDED.value,
        DeliveryStatus.INVALID.value,
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery as the ledger has it."""

    email: str
    state: str
    reason: str
    chunk: int
    attempt: int
    runner: str
    hold_until: str
    due_at: str
    claimed_at: str
    wave: int  # 0 if it has a status of its own
    is_drawn: bool  # into the first wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One broadcast as the ledger has it."""

    id: int
    mailing: str
    kind: BroadcastKind
    state: BroadcastState
    grace_until: str  # before which nothing is sent
    tally: Tally
    watch: Watch | None  # if it leaves in waves
    released_at: datetime | None  # when the rest was allowed to leave
    lines: tuple[Line, ...]


def accounts_of(database: Database, issue: str) -> tuple[Account, ...]:
    """Every broadcast of an issue, the oldest first."""
    found = [broadcast for broadcast in reversed(list_broadcasts(database)) if broadcast.issue == issue]
    accounts = []
    for broadcast in found:
        with database.read() as connection:
            rows = connection.execute(_LEDGER, {"broadcast": broadcast.id}).fetchall()
        accounts.append(
            Account(
                id=broadcast.id,
                mailing=f"b{broadcast.id}-{broadcast.nonce}",
                kind=broadcast.kind,
                state=broadcast.state,
                grace_until=text_of(broadcast.grace_until) if broadcast.grace_until else "",
                tally=tally_of(database, broadcast.id),
                watch=watch_of(database, broadcast.id),
                released_at=min(
                    (each.at for each in journal_of(database, broadcast.id) if each.entry is Entry.RELEASED),
                    default=None,
                ),
                lines=tuple(Line(*row[1:]) for row in rows),
            )
        )
    return tuple(accounts)


def broken_promises(
    accounts: Sequence[Account], post: Post, log: EventLog, plan: Plan, *, people: Collection[str]
) -> list[str]:
    """Everything that should not be, in words; nothing where the promise was held."""
    mails = post.mails()
    erased = {event.facts["email"] for event in log.events("leave") if event.facts["way"] == "erased"}
    return [
        *_twice(mails, {account.mailing: account.kind for account in accounts}),
        *_excluded_for_nothing(accounts),
        *(f"nobody got the issue as {kind}" for kind in {*plan.kinds} - {account.kind for account in accounts}),
        *_mailed_after_leaving(log),
        *_held_for_leavers(mails, log, erased),
        *(
            wrong
            for account in accounts
            for wrong in (
                *_lost(account, people, erased),
                *_not_adding_up(account),
                *_not_true(account, mails),
                *_not_known(account, mails, erased),
                *_not_explained(account, log, concurrency=plan.concurrency),
                *_blamed(account, post, plan),
                *_too_early(account, mails, log),
                *_too_fast(account, plan),
                *_not_in_waves(account),
            )
        ),
        *(f"a process crashed: {event}" for event in log.events() if event.what.endswith("crashed")),
    ]


def _twice(mails: Sequence[TakenMail], kinds: Mapping[str, BroadcastKind]) -> Iterator[str]:
    """No address is taken twice for one kind, unless what was taken first was surely given back."""
    # On PostgreSQL, the timer of this run may also have tried people again whom an earlier run had set aside.
    kept = (mail for mail in mails if mail.mailing in kinds and not mail.is_given_back)
    reached = Counter((mail.email, kinds[mail.mailing]) for mail in kept)
    for (email, kind), times in reached.items():
        if times > 1:
            yield f"{email} was accepted {times} times" + (f" as {kind}" if kind is not BroadcastKind.ISSUE else "")


def _excluded_for_nothing(accounts: Sequence[Account]) -> Iterator[str]:
    """An earlier broadcast excludes people only from those of the same kind."""
    kinds = {account.id: account.kind for account in accounts}
    for account in accounts:
        for line in account.lines:
            _, is_earlier, earlier = line.reason.rpartition(_ALREADY_IN)
            if line.state == DeliveryStatus.EXCLUDED and is_earlier and kinds[int(earlier)] is not account.kind:
                yield f"{line.email} is excluded from broadcast {account.id} for nothing: {line.reason}"


def _mailed_after_leaving(log: EventLog) -> Iterator[str]:
    """No one is handed over by a claim that began after they had left."""
    left: dict[str, float] = {}
    for event in log.events("leave ended"):
        left.setdefault(event.facts["email"], event.at)
    for event in log.events("submits"):
        for email in left.keys() & set(event.facts["emails"]):
            if left[email] < event.facts["began"]:
                yield f"{email} had left before they were handed over"


def _held_for_leavers(mails: Sequence[TakenMail], log: EventLog, erased: Collection[str]) -> Iterator[str]:
    """Held email for people who have left is taken back if a timer runs in time, or the timer says that they get it.

    Email that is taken back once, for those who had left by then, is not taken back again.
    """
    left = {event.facts["email"]: moment_of(event.facts["now"]) for event in reversed(log.events("leave ended"))}
    runs = [moment_of(event.facts["now"]) for event in log.events("timer ran")]
    told = [event.facts["failure"] for event in log.events("ran")]
    for mail in mails:
        if mail.email not in left or mail.leaves_at is None or mail.is_given_back:
            continue
        begins = max(mail.leaves_at - _RECALLED_FROM, left[mail.email])
        is_told = any(mail.email in words or (mail.email in erased and _NOBODY_KNOWN in words) for words in told)
        if any(begins < run < mail.leaves_at - _RECALLED_UNTIL for run in runs) and not is_told:
            yield f"{mail.email} has left, and the provider still holds their email"


def _lost(account: Account, people: Collection[str], erased: Collection[str]) -> Iterator[str]:
    """Everyone is in the ledger in a final state, with a reason if they got nothing. An erased person has no name."""
    emails = Counter(line.email for line in account.lines)
    nameless = emails.pop(_NAMELESS, 0)
    missing = Counter(people) - emails
    if emails - Counter(people) or not missing.keys() <= set(erased) or nameless > len(missing):
        yield f"broadcast {account.id} was frozen for {len(emails)} of {len(people)} people"
    if account.state not in _ENDS:
        yield f"broadcast {account.id} is {account.state}, which is no end"
    for line in account.lines:
        if line.state in _OPEN:
            yield f"{line.email} is still {line.state} in broadcast {account.id}"
        elif not line.reason and line.state not in _NEEDS_NO_REASON:
            yield f"{line.email} is {line.state} in broadcast {account.id} without a reason"
        if account.state is BroadcastState.DONE and line.state not in _OF_A_DONE_BROADCAST:
            yield f"{line.email} is {line.state} in broadcast {account.id}, which is done"


def _not_adding_up(account: Account) -> Iterator[str]:
    """The parts add up to the whole, and are what the single deliveries say."""
    tally = account.tally
    if not tally.adds_up:
        yield f"broadcast {account.id} does not add up: {tally}"
    counted = Counter(line.state for line in account.lines)
    told = {
        _STATE_OF_PART.get(part, part): getattr(tally, part) for part in Tally.__struct_fields__ if part != "frozen"
    }
    if counted != Counter({state: number for state, number in told.items() if number}):
        yield f"broadcast {account.id} says {told}, but its deliveries are {dict(counted)}"
    if tally.frozen != len(account.lines):
        yield f"broadcast {account.id} says {tally.frozen} were frozen, and has {len(account.lines)} deliveries"


def _not_true(account: Account, mails: Sequence[TakenMail]) -> Iterator[str]:
    """What the ledger calls accepted was taken, and in that very request where its emails name the request."""
    taken = {mail.email: mail for mail in mails if mail.mailing == account.mailing and not mail.is_given_back}
    for line in account.lines:
        if line.state != ChunkState.ACCEPTED or line.email == _NAMELESS:
            continue
        mail = taken.get(line.email)
        if mail is None or mail.request not in {None, (line.chunk, line.attempt)}:
            yield f"{line.email} is accepted in broadcast {account.id}, chunk {line.chunk}, but was not taken"


def _not_known(account: Account, mails: Sequence[TakenMail], erased: Collection[str]) -> Iterator[str]:
    """What was taken is accepted, or unknown; something else only where the provider gave it back."""
    states = {line.email: line.state for line in account.lines}
    for mail in mails:
        if mail.mailing != account.mailing or (mail.email in erased and mail.email not in states):
            continue
        allowed = {ChunkState.ACCEPTED.value, ChunkState.UNKNOWN.value}
        if mail.is_given_back:  # then the second attempt may have ended in any way
            allowed |= {ChunkState.CANCELLED.value, ChunkState.REJECTED.value, *DeliveryStatus}
        state = states.get(mail.email)
        if state not in allowed:
            yield f"{mail.email} was taken ({mail.request}), but is {state} in broadcast {account.id}"


def _not_explained(account: Account, log: EventLog, *, concurrency: int) -> Iterator[str]:
    """What is unknown was in flight when its process ended, had no clear answer, or was held too short a time."""
    unclear = {(event.facts["mailing"], email) for event in log.events("answered") for email in event.facts["unclear"]}
    ended = _runners_that_ended(log)
    orphans: dict[str, set[int]] = defaultdict(set)
    for line in account.lines:
        if line.state != ChunkState.UNKNOWN or line.email == _NAMELESS:
            continue
        is_explained = (account.mailing, line.email) in unclear or bool(line.hold_until)
        is_explained |= line.reason.startswith(_RESTORED) and bool(log.events("restore ended"))
        is_explained |= line.runner in ended  # its log of replies says how the email ended
        if line.reason.startswith(_ORPHANED):
            orphans[line.runner].add(line.chunk)
            is_explained = line.runner in ended
        if not is_explained:
            yield f"{line.email} is unknown in broadcast {account.id}, chunk {line.chunk}, for no reason: {line.reason}"
    for runner, chunks in orphans.items():
        if len(chunks) > concurrency:
            yield f"runner {runner} left {len(chunks)} chunks unknown, and had {concurrency} under way"


def _blamed(account: Account, post: Post, plan: Plan) -> Iterator[str]:
    """Only people whom the provider refused in person are invalid or rejected.

    Who is rejected is judged where one process at a time sends. The order of refusals is not known between processes.
    """
    states = {line.email: line.state for line in account.lines}
    why = "for a refusal that was not about them"
    for email, state in states.items():
        if post.refused is not None and state == DeliveryStatus.INVALID and email not in {*post.refused, _NAMELESS}:
            yield f"{email} is invalid in broadcast {account.id} {why}"
    is_in_order = all(len(each.senders) == 1 and not each.incidents for each in plan.rounds)
    for people in post.refused_in_a_row or () if is_in_order else ():
        rejected = [email for email in people if states.get(email) == ChunkState.REJECTED]
        if len(rejected) >= _IN_A_ROW:
            yield f"{', '.join(rejected)} are rejected in broadcast {account.id} {why}"


def _too_early(account: Account, mails: Sequence[TakenMail], log: EventLog) -> Iterator[str]:
    """No one gets their email before its time, whether it was held or handed over then, or during the grace period."""
    due = {line.email: max(line.due_at, account.grace_until) for line in account.lines}
    for event in log.events("submits"):
        if event.facts["mailing"] != account.mailing or event.facts["is_held"]:
            continue
        for email in due.keys() & set(event.facts["emails"]):
            if event.facts["now"] < due[email]:
                yield f"{email} was handed over at {event.facts['now']}, before {due[email]}"
    for mail in mails:
        is_held = mail.mailing == account.mailing and mail.leaves_at is not None
        if is_held and text_of(mail.leaves_at) < due.get(mail.email, ""):
            yield f"{mail.email} is held until {mail.leaves_at}, which is before {due[mail.email]}"


def _too_fast(account: Account, plan: Plan) -> Iterator[str]:
    """No minute has more claims than the pace allows."""
    if plan.per_minute is None:
        return
    claims = {(line.chunk, line.attempt): line.claimed_at for line in account.lines if line.claimed_at}
    sizes = Counter((line.chunk, line.attempt) for line in account.lines if line.claimed_at)
    for began in claims.values():
        end = precise_text_of(moment_of(began) + timedelta(minutes=1))
        size = sum(sizes[chunk] for chunk, at in claims.items() if began <= at < end)
        if size > plan.per_minute:
            yield f"{size} were claimed in the minute from {began}, and {plan.per_minute} are allowed"


def _not_in_waves(account: Account) -> Iterator[str]:
    """Those who were drawn leave first, and the others only once that was decided."""
    if account.watch is None:
        return
    drawn = sum(line.is_drawn for line in account.lines)
    if drawn != account.watch.first:
        yield f"{drawn} were drawn in broadcast {account.id}, and {account.watch.first} should have been"
    for line in account.lines:
        if line.wave and bool(line.is_drawn) is not (line.wave == FIRST):
            yield f"{line.email} is in wave {line.wave} of broadcast {account.id}, but was drawn: {line.is_drawn}"
        released_at = account.released_at
        if line.wave == REST and line.claimed_at and not (released_at and released_at <= moment_of(line.claimed_at)):
            yield f"{line.email} was claimed at {line.claimed_at}, and the rest was released at {released_at}"


def _runners_that_ended(log: EventLog) -> set[str]:
    """The runners of processes that were killed, lost their database, or were cut off from it."""
    gone = {event.pid for event in log.events("dies", "send failed")}
    gone |= {event.facts["of"] for event in log.events("killed", "cut off")}
    return {event.facts["id"] for event in log.events("runner") if event.pid in gone}
