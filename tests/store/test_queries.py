"""Every query of the store, run on both engines: what comes back fits the record that its handle names."""

import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module
from inspect import unwrap
from operator import attrgetter
from pathlib import Path
from types import FunctionType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from msgspec import Struct

import newsletter.store
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, Envelope
from newsletter.model.columns import COLUMN_NAMES
from newsletter.model.event import EventType
from newsletter.model.ledger import Entry
from newsletter.model.waves import Waves
from newsletter.store.database import Connection, Database
from newsletter.store.queries import Change, Query, QueryOne, is_single, queries_in, with_columns
from tests.store.query_world import BEFORE, CALLS, Call, furnish, seed

FOLDER = Path(newsletter.store.__file__).parent / "sql"
FILES = sorted(path.stem for path in FOLDER.glob("*.sql"))
HEADER = re.compile(r"^-- name: (\w+)\((.*)\)\S*$", re.MULTILINE)
PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

# What is put in the places that a query leaves open, by its name or that of its file.
OPEN: Mapping[str, Mapping[str, str]] = {
    "segments": {":segment": "TRUE", ":few": "TRUE", ":part": "TRUE", ":field": "s.first_name"},
    "freeze.collect_members": {":segment": "TRUE", ":number": "0", ":stratum": "0", ":lookups": ""},
    "claim.deliveries": {":columns": ""},
    "claim.deliveries_with_late": {":columns": ""},
}

# For texts that the record does not name: what is on record about a person, and what the list says.
FURTHER_TEXTS = {"import_merging.candidates": 2 * len(COLUMN_NAMES), "editing.cells": len(COLUMN_NAMES)}

# What a query can never bring back, because of what it asks for.
IMPOSSIBLE = {
    "segments.people": {"subscriber.record.joined_at: None"},
    "subscribers.by_id": {"record.joined_at: None"},
    "subscribers.page": {"record.joined_at: None"},
    "claim.next_deferred": {"due_at: None"},
    "preferences.waiting": {"mailed_at: datetime", "confirmed_at: datetime", "broadcast: int", "recipient: int"},
    "preferences.sent_to": {"mailed_at: None", "broadcast: None", "recipient: None"},
    "proposals.still_open": {"state: released", "state: declined", "broadcast: int"},
    "reviews.open_of": {"ended_at: datetime"},
    "signups.asked": {f"state: {state}" for state in ("mailed", "known", "confirmed")}
    | {"mailed_at: datetime", "confirmed_at: datetime", "broadcast: int", "subscriber: int"},
    "versions.totals": {f"type: {each}" for each in EventType if each not in {EventType.OPENED, EventType.CLICKED}},
    "signups.of_subscriber": {"state: asked", "state: known", "mailed_at: None", "broadcast: None", "subscriber: None"},
}


def handles() -> Iterator[Query[Any] | Change]:
    """Every handle of every module of the store."""
    for found in pkgutil.walk_packages(newsletter.store.__path__, "newsletter.store."):
        yield from _handles_in(list(vars(import_module(found.name)).values()))


def _handles_in(values: list[object]) -> Iterator[Query[Any] | Change]:
    for value in values:
        if isinstance(value, Query | Change):
            yield value
        elif isinstance(value, tuple) and not hasattr(value, "_fields"):
            yield from _handles_in(list(value))


def functions() -> Iterator[FunctionType]:
    """Every function and method that is written in the store."""
    for found in pkgutil.walk_packages(newsletter.store.__path__, "newsletter.store."):
        module = import_module(found.name)
        own = [value for value in vars(module).values() if getattr(value, "__module__", None) == found.name]
        methods = [method for value in own if isinstance(value, type) for method in vars(value).values()]
        for value in (*own, *methods):
            function = value.fget if isinstance(value, property) else unwrap(value) if callable(value) else None
            if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                yield function


HANDLES: dict[str, list[Query[Any] | Change]] = {}
for each in handles():
    if each not in HANDLES.setdefault(".".join(each.name), []):
        HANDLES[".".join(each.name)].append(each)


ENUMS: tuple[type[Enum], ...] = (BroadcastState, ChunkState, DeliveryStatus, Entry, EventType, SuppressionReason)
# Texts that look like members of an enum, and may be others: every reason for which people are not mailed, by name.
OF_SEVERAL_ENUMS = {"restore.suppressions.reason", "stats.left_list.reason", "stats.suppressed.name"}
NULLABLE = (
    ("broadcast", "finished_at"),
    ("delivery", "chunk"),
    ("delivery", "edition"),
    ("delivery", "settlement"),
    ("forgotten", "subscriber"),
    ("import_return", "subscriber"),
    ("link_request", "broadcast"),
    ("link_request", "recipient"),
    ("proposal", "broadcast"),
    ("signup", "broadcast"),
    ("signup", "subscriber"),
)
NULLABLE_COLUMNS = {
    "sqlite": "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c ON TRUE "
    "WHERE t.type = 'table' AND NOT c.\"notnull\" AND NOT c.pk AND t.name <> 'sqlite_sequence'",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = 'newsletter' AND is_nullable = 'YES'",
}
# What is only ever asked about a broadcast that exists, or refers to one.
NEEDS_A_BROADCAST = {
    "recall.keep_batch",
    "chunks.add_to_settlement",
    "chunks.next_number",
    "journal.write",
    "status.count_frozen",
    "waves.add_watch",
} | {
    "topics.add_topic",
    "variants.add_variant",
    "told.add_event",
    "told.keep_clocks",
    "told.add_zones",
    "variants.add_picture",
}


class Watched:
    """A connection that remembers the names of the columns it gave."""

    def __init__(self, connection: Connection) -> None:
        self.names: list[str] = []
        self._connection = connection

    def execute(self, sql: str, parameters: Mapping[str, object]) -> Any:
        cursor: Any = self._connection.execute(sql, parameters)
        self.names = [column[0] for column in cursor.description or ()]
        return cursor


def fits(value: object, kind: object) -> bool:
    """Whether a value is what an annotation says, to the letter: True is no int here."""
    if isinstance(kind, UnionType):
        return any(fits(value, each) for each in get_args(kind))
    return type(value) is class_of(kind)


def class_of(kind: object) -> type:
    """The class of the values that an annotation without alternatives means."""
    found: Any = get_origin(kind) or kind
    return dict if found is Mapping else found


def open_places(name: str) -> Mapping[str, str]:
    return OPEN.get(name) or OPEN.get(name.partition(".")[0], {})


def fields_of(handle: Query[Any]) -> dict[str, object]:
    """The type of each column; a record within the record stands for the columns of its own."""
    return {"": handle.kind} if is_single(handle.kind) else dict(_columns_of(handle.kind))


def _columns_of(kind: object) -> Iterator[tuple[str, object]]:
    for name, type_ in get_type_hints(kind).items():
        if (
            isinstance(type_, type) and issubclass(type_, Struct) and type_ not in {Envelope, Waves}
        ):  # each is one column
            yield from ((f"{name}.{inner}", each) for inner, each in _columns_of(type_))
        else:
            yield name, type_


Seen = dict[tuple[str, str], set[object]]


def run(handle: Query[Any] | Change, connection: Connection, call: Call, seen: Seen) -> None:
    """Runs a query, holds what it gives against its record, and adds the values to those that were seen."""
    name = ".".join(handle.name)
    sql = handle.sql
    for place, piece in open_places(name).items():
        sql = sql.replace(place, piece)
    watched: Any = Watched(connection)
    filled: Any = handle.rewritten(sql)
    if isinstance(handle, Change):
        assert type(filled(connection, **call)) is int
        return
    answer = filled(watched, **call)
    fields = fields_of(handle)
    rows = answer if isinstance(answer, list) else [] if answer is None else [answer]
    assert answer is not None or isinstance(handle, QueryOne), f"{name}: NULL, or no row, which it does not expect"
    if not is_single(handle.kind):
        further = FURTHER_TEXTS.get(name, 0)
        named = [field.rpartition(".")[2] for field in fields]
        assert watched.names[: len(watched.names) - further] == named, f"{name}: the columns are not the record's"
    for row in rows:
        if name in FURTHER_TEXTS:
            assert {type(text) for text in row[len(fields) :]} == {str}
        for field, kind in fields.items():
            value = attrgetter(field)(row) if field else row
            assert fits(value, kind), f"{name}: {field} is {value!r}, and not {kind}"
            seen[name, field].add(value if value is None or isinstance(value, Enum) else type(value))
            if type(value) is str:
                seen[name, f"{field} in words"].add(value)


def missing(handle: Query[Any], seen: Seen) -> list[str]:
    """What the calls of a query have not brought back, of what its record says can come."""
    name = ".".join(handle.name)
    lacking = []
    for field, kind in fields_of(handle).items():
        for each in get_args(kind) if isinstance(kind, UnionType) else (kind,):
            if isinstance(each, type) and issubclass(each, Enum):
                lacking += [f"{field}: {member}" for member in each if member not in seen[name, field]]
            elif each is NoneType:
                lacking += [] if None in seen[name, field] else [f"{field}: None"]
            elif class_of(each) not in seen[name, field]:
                lacking.append(f"{field}: {class_of(each).__name__}")
        if len(words := seen[name, f"{field} in words"]) > 1 and f"{name}.{field}" not in OF_SEVERAL_ENUMS:
            lacking += [f"{field}: no {enum.__name__}" for enum in ENUMS if words <= {member.value for member in enum}]
    return [f"{name}: {lack}" for lack in lacking if lack not in IMPOSSIBLE.get(name, ())]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A connection whose changes are dropped."""
    with pytest.raises(DroppedError), database.transaction() as opened:  # noqa: PT012 - the block is the test
        yield opened
        raise DroppedError


class DroppedError(Exception):
    """Ends a transaction without keeping it."""


def prepare(connection: Connection, file: str) -> None:
    """Run what makes the temporary tables of another file's queries that these need."""
    for name in BEFORE.get(file, ()):
        for handle in HANDLES[name]:
            run(handle, connection, {}, defaultdict(set))


@pytest.mark.parametrize("file", FILES)
def test_rows_of_every_query_fit_its_record(connection: Connection, file: str) -> None:
    seed(connection)
    prepare(connection, file)
    furnish(connection, file)
    seen: Seen = defaultdict(set)

    for name, calls in CALLS:
        for handle in HANDLES[name] if name.startswith(f"{file}.") else ():
            for call in calls:
                run(handle, connection, call, seen)

    queries = [each for name, found in HANDLES.items() if name.startswith(f"{file}.") for each in found]
    assert [lack for each in queries if isinstance(each, Query) for lack in missing(each, seen)] == []


@pytest.mark.parametrize("file", FILES)
def test_rows_of_an_empty_database_fit_too(connection: Connection, file: str) -> None:
    prepare(connection, file)
    for name, calls in CALLS:
        if name.startswith(f"{file}.") and name not in NEEDS_A_BROADCAST:
            for handle in HANDLES[name]:
                run(handle, connection, calls[0], defaultdict(set))


def test_every_column_that_can_be_null_is_so_somewhere_in_the_world(connection: Connection, engine: str) -> None:
    seed(connection)

    for table, column in NULLABLE:
        ((empty, full),) = connection.execute(
            f"SELECT sum(CASE WHEN {column} IS NULL THEN 1 ELSE 0 END), count({column}) FROM {table}", {}
        ).fetchall()
        assert empty, (table, column)
        assert full, (table, column)
    columns = connection.execute(NULLABLE_COLUMNS[engine], {}).fetchall()
    assert sorted(columns) == sorted(NULLABLE)


def test_every_query_is_run_here_and_says_what_it_is_asked_with() -> None:
    called = dict(CALLS)
    assert sorted(called) == sorted(HANDLES)
    for path in FOLDER.glob("*.sql"):
        headers = HEADER.findall(with_columns(path.read_text(encoding="utf-8")))
        assert len(dict(headers)) == len(headers), f"{path.stem}: of two queries with the same name, one is never run"
        for query, declared in headers:
            name = f"{path.stem}.{query}"
            parameters = set(filter(None, declared.split(", ")))
            assert set(PARAMETER.findall(queries_in(path.stem)[query])) == parameters, name
            assert name in called, f"{name} is not run by any test"
            for call in called[name]:
                assert set(call) == parameters - {place[1:] for place in open_places(name)}, name


def test_nothing_untyped_leaves_a_function_of_the_store() -> None:
    """mypy forbids to write Any there; one in an alias of a library it does not see."""
    returned = {f"{each.__module__}.{each.__qualname__}": str(each.__annotations__["return"]) for each in functions()}
    assert len(returned) > 400
    assert [f"{name}: {kind}" for name, kind in returned.items() if re.search(r"\bAny\b", kind)] == []
