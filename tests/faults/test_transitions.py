"""The table of transitions against the text of the store's statements: what one says, the other can do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import newsletter.store
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus
from newsletter.store.queries import queries_in
from tests.faults.transitions import HELD, NEW, STATEMENTS, TRANSITIONS, Writes

FOLDER = Path(newsletter.store.__file__).parent / "sql"
UPDATE = re.compile(r"UPDATE (chunk|broadcast)\b\s+SET\b(.*?)(?:\bWHERE\b(.*))?$", re.DOTALL)
INSERT = re.compile(r"INSERT INTO (chunk|broadcast|settlement)\b")
STATE = re.compile(r"\bstate = (?:'(\w+)'|:state)")
CONDITION = re.compile(r"\bstate (?:= '(\w+)'|IN \(([^)]*)\))")
STATES = {"chunk": set(ChunkState), "broadcast": set(BroadcastState)}


def statements() -> Iterator[tuple[str, str]]:
    for path in sorted(FOLDER.glob("*.sql")):
        yield from ((f"{path.stem}.{name}", sql) for name, sql in queries_in(path.stem).items())


def written_by(sql: str) -> Writes | None:
    """What a statement writes, as far as its text says so."""
    if INSERT.search(sql):
        return Writes(table=INSERT.search(sql)[1], before=None, after=None)
    update = UPDATE.search(sql)
    state = STATE.search(update[2]) if update else None
    if update is None or state is None:
        return None
    condition = CONDITION.search(update[3] or "")
    before = None if condition is None else frozenset(re.findall(r"\w+", condition[1] or condition[2]))
    return Writes(table=update[1], before=before, after=frozenset({state[1]}) if state[1] else None)


FOUND = {name: written for name, sql in statements() if (written := written_by(sql)) is not None}


def test_the_table_names_every_statement_that_writes_a_state() -> None:
    assert FOUND.keys() == STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(name for name, sql in statements() if UPDATE.search(sql) and name in FOUND))
def test_the_table_says_what_the_text_of_an_update_says(name: str) -> None:
    assert STATEMENTS[name] == FOUND[name]


def test_some_statement_can_do_each_transition() -> None:
    for each in TRANSITIONS:
        assert any(
            writes.table == each.table
            and (writes.before is None or each.before in writes.before)
            and (writes.after is None or each.after in writes.after)
            for writes in STATEMENTS.values()
        ), each


def test_each_statement_does_some_transition() -> None:
    for name, writes in STATEMENTS.items():
        for before in writes.before or {None}:
            for after in writes.after or {None}:
                assert any(
                    each.table == writes.table and before in {None, each.before} and after in {None, each.after}
                    for each in TRANSITIONS
                ), (name, before, after)


def test_every_state_is_in_the_table() -> None:
    for table, states in STATES.items():
        of_table = [each for each in TRANSITIONS if each.table == table]
        assert {each.after for each in of_table} == states
        assert {each.before for each in of_table} <= {*states, NEW, HELD}
    assert {each.after for each in TRANSITIONS if each.table == "delivery"} == set(DeliveryStatus)
