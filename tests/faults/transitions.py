"""The transitions of the ledger: the table of all of them, and what watches a database for those that really happen.

Triggers write each change of a state into a table of the run's own, in the transaction of the change. So a change
that is rolled back is not seen, and no process can forget to say what it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus
from newsletter.store.database import Connection, Database

NEW = "new"  # where there was nothing before
HELD = "held"  # by the provider, in a chunk that was recalled: its people get a new one
_CHUNK, _BROADCAST, _DELIVERY = "chunk", "broadcast", "delivery"


@dataclass(frozen=True, slots=True, order=True)
class Transition:
    """A chunk or a broadcast changes its state, or a delivery in a chunk of that state gets a status of its own."""

    table: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.table}: {self.before} → {self.after}"


class Reached(StrEnum):
    """Where a transition is sure to happen, if it is."""

    DRAWN = "in runs that are drawn from their seeds"
    STAGED = "in test_staged.py, because chance brings it about too rarely"
    POSTGRESQL = "in test_staged.py on PostgreSQL alone, where a process can outlive its connection"


_D, _S, _P = Reached.DRAWN, Reached.STAGED, Reached.POSTGRESQL
_R = ChunkState
_B = BroadcastState
TRANSITIONS: Mapping[Transition, Reached] = {
    Transition(_CHUNK, NEW, _R.READY): _D,
    Transition(_CHUNK, HELD, _R.READY): _S,  # recalled, to be sent again without those who left
    Transition(_CHUNK, _R.READY, _R.INFLIGHT): _D,  # claimed
    Transition(_CHUNK, _R.READY, _R.CANCELLED): _D,  # with its broadcast
    Transition(_CHUNK, _R.READY, _R.REJECTED): _S,  # closed, because everyone in it has left
    Transition(_CHUNK, _R.INFLIGHT, _R.ACCEPTED): _D,
    Transition(_CHUNK, _R.INFLIGHT, _R.REJECTED): _D,
    Transition(_CHUNK, _R.INFLIGHT, _R.READY): _D,
    Transition(_CHUNK, _R.INFLIGHT, _R.UNKNOWN): _D,
    Transition(_CHUNK, _R.INFLIGHT, _R.DEFERRED): _D,  # set aside
    Transition(_CHUNK, _R.DEFERRED, _R.INFLIGHT): _S,  # tried again
    Transition(_CHUNK, _R.DEFERRED, _R.READY): _S,  # acquitted: so many in a row were refused that it is ours
    Transition(_CHUNK, _R.DEFERRED, _R.REJECTED): _D,  # the refusal was about them, as the end of the broadcast shows
    Transition(_CHUNK, _R.DEFERRED, _R.CANCELLED): _S,  # with its broadcast
    Transition(_CHUNK, _R.DEFERRED, _R.UNKNOWN): _S,  # restored from a backup
    Transition(_CHUNK, _R.ACCEPTED, _R.CANCELLED): _D,  # recalled from the provider
    Transition(_CHUNK, _R.ACCEPTED, _R.UNKNOWN): _S,  # perhaps recalled too late
    Transition(_CHUNK, _R.UNKNOWN, _R.ACCEPTED): _D,  # by evidence or a decision
    Transition(_CHUNK, _R.UNKNOWN, _R.READY): _D,  # by a decision
    Transition(_CHUNK, _R.UNKNOWN, _R.CANCELLED): _D,  # recalled, or given up with its broadcast
    # An outcome that arrives after the chunk was taken from its process: the process was cut off, and lived.
    Transition(_CHUNK, _R.UNKNOWN, _R.REJECTED): _P,
    Transition(_CHUNK, _R.READY, _R.ACCEPTED): _P,
    Transition(_CHUNK, _R.READY, _R.UNKNOWN): _P,
    Transition(_CHUNK, _R.CANCELLED, _R.ACCEPTED): _P,
    Transition(_CHUNK, _R.CANCELLED, _R.UNKNOWN): _P,
    Transition(_CHUNK, _R.CANCELLED, _R.READY): _P,
    Transition(_CHUNK, _R.UNKNOWN, _R.DEFERRED): _P,
    Transition(_CHUNK, _R.READY, _R.DEFERRED): _P,
    Transition(_CHUNK, _R.CANCELLED, _R.DEFERRED): _P,
    Transition(_BROADCAST, NEW, _B.RUNNING): _D,
    Transition(_BROADCAST, NEW, _B.SCHEDULED): _D,
    Transition(_BROADCAST, _B.SCHEDULED, _B.RUNNING): _D,
    Transition(_BROADCAST, _B.SCHEDULED, _B.PAUSED): _S,
    Transition(_BROADCAST, _B.SCHEDULED, _B.CANCELLING): _S,
    Transition(_BROADCAST, _B.RUNNING, _B.PAUSED): _D,
    Transition(_BROADCAST, _B.RUNNING, _B.STOPPED): _D,
    Transition(_BROADCAST, _B.RUNNING, _B.DONE): _D,
    Transition(_BROADCAST, _B.RUNNING, _B.CANCELLING): _D,
    Transition(_BROADCAST, _B.RUNNING, _B.WATCHING): _S,  # the first wave was sent
    Transition(_BROADCAST, _B.WATCHING, _B.RUNNING): _S,  # the rest follows
    Transition(_BROADCAST, _B.WATCHING, _B.PAUSED): _S,  # the rest is held
    Transition(_BROADCAST, _B.WATCHING, _B.CANCELLING): _S,
    Transition(_BROADCAST, _B.PAUSED, _B.RUNNING): _D,
    Transition(_BROADCAST, _B.PAUSED, _B.STOPPED): _S,  # two requests were on their way
    Transition(_BROADCAST, _B.PAUSED, _B.CANCELLING): _S,
    Transition(_BROADCAST, _B.DONE, _B.RUNNING): _D,  # email was recalled, or people who were set aside are tried again
    Transition(_BROADCAST, _B.DONE, _B.PAUSED): _D,  # what was unknown is to be sent again
    Transition(_BROADCAST, _B.DONE, _B.CANCELLING): _D,  # while the provider holds email, or people are set aside
    Transition(_BROADCAST, _B.STOPPED, _B.CANCELLING): _S,
    Transition(_BROADCAST, _B.CANCELLING, _B.CANCELLED): _D,
    Transition(_DELIVERY, NEW, DeliveryStatus.EXCLUDED): _D,  # by the freeze
    Transition(_DELIVERY, _R.READY, DeliveryStatus.EXCLUDED): _D,  # left before the claim
    Transition(_DELIVERY, _R.DEFERRED, DeliveryStatus.EXCLUDED): _S,  # left before they were tried again
    Transition(_DELIVERY, _R.INFLIGHT, DeliveryStatus.INVALID): _D,
    Transition(_DELIVERY, _R.DEFERRED, DeliveryStatus.INVALID): _S,  # the refusal was about them after all
    Transition(_DELIVERY, _R.UNKNOWN, DeliveryStatus.INVALID): _P,
    Transition(_DELIVERY, _R.READY, DeliveryStatus.INVALID): _P,
    Transition(_DELIVERY, _R.CANCELLED, DeliveryStatus.INVALID): _P,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """What a statement of the store can change; None stands for any state."""

    table: str
    before: frozenset[str] | None
    after: frozenset[str] | None


def _writes(table: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> Writes:
    return Writes(
        table=table,
        before=None if before is None else frozenset(before),
        after=None if after is None else frozenset(after),
    )


# Every statement in the store's SQL that writes a state. A test holds this table against the text of the statements.
STATEMENTS: Mapping[str, Writes] = {
    "freeze.add_broadcast": _writes(_BROADCAST, (NEW,), None),
    "freeze.add_chunk": _writes(_CHUNK, (NEW,), (_R.READY,)),
    "freeze.add_settlement": _writes(_DELIVERY, (NEW,), (DeliveryStatus.EXCLUDED,)),
    "claim.mark_inflight": _writes(_CHUNK, None, (_R.INFLIGHT,)),  # the claim has found and locked it
    "record.settle_taken": _writes(_CHUNK, (_R.INFLIGHT, _R.UNKNOWN), None),
    "chunks.set_state": _writes(_CHUNK, None, None),
    "chunks.make_ready": _writes(_CHUNK, None, (_R.READY,)),
    "chunks.add_chunk_like": _writes(_CHUNK, None, None),  # a part of another chunk, which has its state
    "chunks.add_to_settlement": _writes(_DELIVERY, None, None),
    "resolve.settle": _writes(_CHUNK, None, None),  # it has just been found unknown
    "deferrals.acquit": _writes(_CHUNK, (_R.DEFERRED,), (_R.READY,)),
    "deferrals.reject_outdated": _writes(_CHUNK, (_R.DEFERRED,), (_R.REJECTED,)),
    "recall.add_chunk_again": _writes(_CHUNK, (HELD,), (_R.READY,)),
    "recall.close_chunk": _writes(_CHUNK, None, (_R.CANCELLED,)),  # it has just been found accepted or unknown
    "recall.leave_open": _writes(_CHUNK, (_R.ACCEPTED,), (_R.UNKNOWN,)),
    # Sent after the backup, perhaps.
    "restore.make_unknown": _writes(_CHUNK, (_R.READY, _R.INFLIGHT, _R.DEFERRED), (_R.UNKNOWN,)),
    "broadcasts.set_state": _writes(_BROADCAST, None, None),
    "broadcasts.end": _writes(_BROADCAST, None, None),
    "broadcasts.cancel_ready": _writes(_CHUNK, (_R.READY, _R.DEFERRED), (_R.CANCELLED,)),
}

_SEEN = "CREATE TABLE {schema}fault_seen (issue TEXT, kind TEXT, before TEXT, after TEXT)"
_NOTE = """
INSERT INTO {schema}fault_seen
SELECT b.issue, '{table}', {before}, {after} FROM {schema}broadcast AS b WHERE b.id = {id}
"""
_STATE_OF_CHUNK = "(SELECT c.state FROM {schema}chunk AS c WHERE c.broadcast = OLD.broadcast AND c.number = OLD.chunk)"
_STATUS = (
    "(SELECT t.status FROM {schema}settlement AS t WHERE t.broadcast = NEW.broadcast AND t.number = NEW.settlement)"
)
# Name → event, condition, table, before, after, id of the broadcast. A part of a chunk begins with the state of the
# whole, which is no transition.
_TRIGGERS = {
    "chunk_made": (
        "INSERT ON",
        "NEW.state = 'ready' AND NEW.attempt = 0",
        _CHUNK,
        "'new'",
        "NEW.state",
        "NEW.broadcast",
    ),
    # A chunk for people whose email was recalled has the attempts of the one before, and no runner yet.
    "chunk_made_again": (
        "INSERT ON",
        "NEW.state = 'ready' AND NEW.attempt > 0 AND NEW.runner = ''",
        _CHUNK,
        "'held'",
        "NEW.state",
        "NEW.broadcast",
    ),
    "chunk_changed": ("UPDATE ON", "OLD.state <> NEW.state", _CHUNK, "OLD.state", "NEW.state", "NEW.broadcast"),
    "broadcast_made": ("INSERT ON", "1 = 1", _BROADCAST, "'new'", "NEW.state", "NEW.id"),
    "broadcast_changed": ("UPDATE ON", "OLD.state <> NEW.state", _BROADCAST, "OLD.state", "NEW.state", "NEW.id"),
    "delivery_made": ("INSERT ON", "NEW.settlement IS NOT NULL", _DELIVERY, "'new'", _STATUS, "NEW.broadcast"),
    "delivery_settled": (
        "UPDATE ON",
        "OLD.settlement IS NULL AND NEW.settlement IS NOT NULL",
        _DELIVERY,
        _STATE_OF_CHUNK,
        _STATUS,
        "NEW.broadcast",
    ),
}


def watch(database: Database, *, is_postgresql: bool) -> None:
    """Put the triggers into a database, unless they are there already."""
    schema = "newsletter." if is_postgresql else ""
    with database.transaction() as connection:
        if _is_watched(connection, is_postgresql=is_postgresql):
            return
        connection.execute(_SEEN.format(schema=schema))
        for name, (event, condition, table, before, after, number) in _TRIGGERS.items():
            note = _NOTE.format(schema=schema, table=table, before=before, after=after, id=number).format(schema=schema)
            if is_postgresql:
                body = f"BEGIN {note}; RETURN NULL; END"
                connection.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
                tail = f"EXECUTE FUNCTION {name}()"
            else:
                tail = f"BEGIN {note}; END"
            connection.execute(f"CREATE TRIGGER {name} AFTER {event} {table} FOR EACH ROW WHEN ({condition}) {tail}")


def transitions_of(database: Database, issue: str) -> frozenset[Transition]:
    """Every transition that the broadcasts of an issue have made."""
    with database.read() as connection:
        found = connection.execute(
            "SELECT DISTINCT kind, before, after FROM fault_seen WHERE issue = :issue", {"issue": issue}
        ).fetchall()
    return frozenset(Transition(*map(str, row)) for row in found)


def _is_watched(connection: Connection, *, is_postgresql: bool) -> bool:
    where = (
        "SELECT count(*) FROM pg_tables WHERE tablename = 'fault_seen'"
        if is_postgresql
        else "SELECT count(*) FROM sqlite_schema WHERE name = 'fault_seen'"
    )
    return connection.execute(where, {}).fetchone() != (0,)
