"""Holds the ledger of a run against what the API took: every way in which the promise of delivery is broken."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, Tally
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import tally_of
from tests.fakes.sendgrid_mail import AcceptedMail
from tests.faults.api import FaultyApi, request_of
from tests.faults.eventlog import EventLog

_LEDGER = """
SELECT
    d.broadcast, s.email, coalesce(c.state, t.status), coalesce(c.reason, t.reason),
    coalesce(c.number, 0), coalesce(c.attempt, 0), coalesce(c.runner, ''), coalesce(c.hold_until, '')
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
LEFT JOIN settlement AS t ON t.broadcast = d.broadcast AND t.number = d.settlement
WHERE d.broadcast = :broadcast
"""
_ENDS = frozenset({BroadcastState.DONE, BroadcastState.STOPPED, BroadcastState.CANCELLED})
_ORPHANED = "the program ended"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One delivery as the ledger has it."""

    email: str
    state: str
    reason: str
    chunk: int
    attempt: int
    runner: str
    hold_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One broadcast as the ledger has it."""

    id: int
    mailing: str
    state: BroadcastState
    tally: Tally
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
                state=broadcast.state,
                tally=tally_of(database, broadcast.id),
                lines=tuple(
                    Line(
                        email=email,
                        state=state,
                        reason=reason,
                        chunk=chunk,
                        attempt=attempt,
                        runner=runner,
                        hold_until=hold_until,
                    )
                    for _, email, state, reason, chunk, attempt, runner, hold_until in rows
                ),
            )
        )
    return tuple(accounts)


def broken_promises(
    accounts: Sequence[Account], api: FaultyApi, log: EventLog, *, people: Collection[str], concurrency: int
) -> list[str]:
    """Everything that should not be, in words; nothing where the promise was held."""
    return [
        *_twice(api),
        *(
            wrong
            for account in accounts
            for wrong in (
                *_lost(account, people),
                *_not_adding_up(account),
                *_not_true(account, api),
                *_not_known(account, api),
                *_not_explained(account, log, concurrency=concurrency),
            )
        ),
        *(f"a process crashed: {event}" for event in log.events() if event.what.endswith("crashed")),
    ]


def _twice(api: FaultyApi) -> Iterator[str]:
    """No address is taken twice, unless what was taken first was surely given back."""
    reached = Counter(mail.email for mail in api.mails() if not api.gave_back(mail))
    for email, times in reached.items():
        if times > 1:
            yield f"{email} was accepted {times} times"


def _lost(account: Account, people: Collection[str]) -> Iterator[str]:
    """Everyone is in the ledger in a final state, with a reason if they got nothing."""
    emails = Counter(line.email for line in account.lines)
    if emails != Counter(people):
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
        ChunkState.READY.value: tally.waiting,
        ChunkState.INFLIGHT.value: tally.inflight,
        ChunkState.ACCEPTED.value: tally.accepted,
        ChunkState.REJECTED.value: tally.rejected,
        ChunkState.UNKNOWN.value: tally.unknown,
        ChunkState.CANCELLED.value: tally.cancelled,
        ChunkState.DEFERRED.value: tally.deferred,
        DeliveryStatus.INVALID.value: tally.invalid,
        DeliveryStatus.EXCLUDED.value: tally.excluded,
    }
    if counted != Counter({state: number for state, number in told.items() if number}):
        yield f"broadcast {account.id} says {told}, but its deliveries are {dict(counted)}"
    if tally.frozen != len(account.lines):
        yield f"broadcast {account.id} says {tally.frozen} were frozen, and has {len(account.lines)} deliveries"


def _not_true(account: Account, api: FaultyApi) -> Iterator[str]:
    """What the ledger calls accepted was taken, in that very request."""
    taken = {(request_of(mail), mail.email) for mail in _mails(account, api) if not api.gave_back(mail)}
    for line in account.lines:
        request = (account.mailing, line.chunk, line.attempt)
        if line.state == ChunkState.ACCEPTED and (request, line.email) not in taken:
            yield f"{line.email} is accepted in broadcast {account.id}, chunk {line.chunk}, but was not taken"


def _not_known(account: Account, api: FaultyApi) -> Iterator[str]:
    """What was taken is accepted, or unknown; cancelled only where the provider gave it back."""
    states = {line.email: line.state for line in account.lines}
    for mail in _mails(account, api):
        allowed = {ChunkState.ACCEPTED.value, ChunkState.UNKNOWN.value}
        if api.gave_back(mail):
            allowed.add(ChunkState.CANCELLED.value)
        state = states.get(mail.email)
        if state not in allowed:
            yield f"{mail.email} was taken as {request_of(mail)}, but is {state} in broadcast {account.id}"


def _not_explained(account: Account, log: EventLog, *, concurrency: int) -> Iterator[str]:
    """What is unknown was in flight when its process ended, had no clear answer, or was held too short a time."""
    unclear = {
        (event.facts["broadcast"], event.facts["chunk"], event.facts["attempt"])
        for event in log.events("answered")
        if event.facts["verdict"] == "unknown"
    }
    ended = _runners_that_ended(log)
    orphans: dict[str, set[int]] = defaultdict(set)
    for line in account.lines:
        if line.state != ChunkState.UNKNOWN:
            continue
        is_explained = (account.mailing, line.chunk, line.attempt) in unclear or bool(line.hold_until)
        if line.reason.startswith(_ORPHANED):
            orphans[line.runner].add(line.chunk)
            is_explained = line.runner in ended
        if not is_explained:
            yield f"{line.email} is unknown in broadcast {account.id}, chunk {line.chunk}, for no reason: {line.reason}"
    for runner, chunks in orphans.items():
        if len(chunks) > concurrency:
            yield f"runner {runner} left {len(chunks)} chunks unknown, and had {concurrency} under way"


def _runners_that_ended(log: EventLog) -> set[str]:
    """The runners of processes that were killed, lost their database, or were cut off from it."""
    gone = {event.pid for event in log.events("dies", "send failed")}
    gone |= {event.facts["of"] for event in log.events("killed", "cut off")}
    return {event.facts["id"] for event in log.events("runner") if event.pid in gone}


def _mails(account: Account, api: FaultyApi) -> list[AcceptedMail]:
    return [mail for mail in api.mails() if request_of(mail)[0] == account.mailing]
