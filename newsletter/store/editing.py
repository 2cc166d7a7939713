"""Correct what is recorded about people: change and clear cells, add and remove tags, and change an address.

Nothing here lets anyone be emailed who left: no suppression is lifted, and a new address is suppressed as the old one
was.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from shlex import quote
from typing import NamedTuple, cast

import orjson
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.model.address import person_of
from newsletter.model.audience import SuppressionReason, normal_tag, tags_in, tags_text
from newsletter.model.columns import COLUMN_NAMES
from newsletter.model.edit import Edit, EditedPerson, EditReport
from newsletter.model.segment import Condition
from newsletter.store.database import Connection, Database
from newsletter.store.dry_run import unless_dry_run
from newsletter.store.erasing import FIND_SUBSCRIBER
from newsletter.store.forgotten import forgotten_test, text_cleaner
from newsletter.store.importing.import_record import confirm, time_by_hand
from newsletter.store.importing.intake import ADD_TAG_NAME
from newsletter.store.importing.merging import change_table, make_changes
from newsletter.store.preferences import renew_token
from newsletter.store.queries import change, query_all
from newsletter.store.segments import member_ids
from newsletter.store.suppressions import add_reported, hear_reported, reported_table, suppressions_in
from newsletter.store.tracking import forget_reactions
from newsletter.system.moments import text_of


class CellsRow(NamedTuple):
    """A subscriber, whose cells follow."""

    subscriber: int


_CELLS = query_all("editing", "cells", CellsRow)
_SET_PERSON = change("editing", "set_person")
_COPY_SUPPRESSIONS = change("editing", "copy_suppressions")
_COPY_LIFTED_BY_IMPORT = change("editing", "copy_lifted_by_import")
_PAGE = 1000
_OF_CONSENT = ("consent_source", "consent_wording", "consent_confirmed_at")
_MOVED = "this subscriber has another address now"


def edit_people(
    database: Database,
    people: Condition | Sequence[str],
    edit: Edit,
    *,
    key: bytes | None = None,
    is_dry_run: bool = False,
    confirmed: EditReport | None = None,
    shown: int,
    now: datetime,
) -> EditReport:
    """Edit the people in a segment, or those with the given addresses. Return what changed, with the first people.

    A new address is for one person. `confirmed` is the report of a dry run that someone confirmed: only the people
    in it are edited. Raise InputError if an address is not on the list, if the new address cannot be used, or if
    details of a consent are to be set where no consent is recorded. `key` is the key with which people were erased.
    """
    with unless_dry_run(database.transaction(), is_dry_run=is_dry_run) as connection:
        ids = _require_ids(connection, people) if isinstance(people, Sequence) else member_ids(database, people)
        if confirmed is not None:
            ids = sorted({*ids}.intersection(confirmed.changed))
        return edit_in(connection, ids, edit, key=key, shown=shown, now=now)


def edit_in(
    connection: Connection, ids: Sequence[int], edit: Edit, *, key: bytes | None, shown: int, now: datetime
) -> EditReport:
    """Edit the people with these ids, in a transaction that is open already. Raise InputError as `edit_people` does."""
    edited: list[EditedPerson] = []
    changed: list[int] = []

    def changes(connection: Connection, ids: Sequence[int]) -> Iterator[tuple[object, ...]]:
        for subscriber, before in _cells_of(connection, ids):
            after = edited_cells(before, edit)
            if after != before:
                changed.append(subscriber)
                if len(edited) < shown:
                    edited.append(EditedPerson(before=_named(before), after=_named(after)))
                yield len(changed), subscriber, *after

    if clean := text_cleaner(connection, key):
        edit = _cleaned(edit, clean)
    ADD_TAG_NAME.for_each(connection, [{"name": tag} for tag in _new_tags(edit)])
    if edit.address:
        _move(connection, ids[0], edit.address, key=key, now=now)
    at = time_by_hand(connection, now)
    with change_table(connection):
        left = changes(connection, ids)
        while page := list(islice(left, _PAGE)):
            connection.load("change", page)
        make_changes(connection, now=at)
    confirm(connection, ids, now=at)
    if edit.cells.get("tracking_consented_at") == "":
        forget_reactions(connection, changed)
    return EditReport(people=len(ids), changed=tuple(changed), edited=tuple(edited))


def edited_cells(known: Sequence[str], edit: Edit) -> tuple[str, ...]:
    """Return the cells to store after an edit of the known cells, both in the order of COLUMNS.

    A consent is edited as a whole: another time of consent has only the details that come with it. Raise InputError for
    details without a consent. A basis is only stored where no consent is.
    """
    before = _named(known)
    after = {**before, **edit.cells}
    if after["consented_at"] != before["consented_at"]:
        after.update({name: edit.cells.get(name, "") for name in _OF_CONSENT})
    if not after["consented_at"] and any(edit.cells.get(name) for name in _OF_CONSENT):
        raise InputError(
            f"no consent of {before['email']} is recorded; set the date and the source together, for example "
            '--set consented_at=2026-01-31 --set "consent_source=May workshop"'
        )
    if after["consented_at"] and after["consent_basis"]:
        after["consent_basis"] = before["consent_basis"]
    if edit.added_tags or edit.removed_tags:
        after["tags"] = tags_text({*tags_in(after["tags"])} - edit.removed_tags | edit.added_tags)
    if edit.attributes:
        attributes: dict[str, str] = orjson.loads(before["attributes"])
        merged = {name: text for name, text in {**attributes, **edit.attributes}.items() if text}
        after["attributes"] = before["attributes"] if merged == attributes else orjson.dumps(merged).decode()
    return tuple(after[name] for name in COLUMN_NAMES)


def _cleaned(edit: Edit, clean: Callable[[str], str]) -> Edit:
    """Return an edit whose texts do not have the addresses of erased people. A new address is tested elsewhere."""
    cells = {name: text if name == "email" else clean(text) for name, text in edit.cells.items()}
    if "tags" in cells:
        cells["tags"] = tags_text([*map(normal_tag, tags_in(cells["tags"]))])
    return replace(
        edit,
        cells=cells,
        attributes={name: clean(text) for name, text in edit.attributes.items()},
        added_tags=frozenset(normal_tag(clean(tag)) for tag in edit.added_tags),
    )


def _named(cells: Sequence[str]) -> dict[str, str]:
    return dict(zip(COLUMN_NAMES, cells, strict=True))


def _cells_of(connection: Connection, ids: Sequence[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in range(0, len(ids), _PAGE):
        asked = orjson.dumps(list(ids[start : start + _PAGE])).decode()
        for subscriber, *cells in connection.execute(_CELLS.sql, {"ids": asked}).fetchall():
            yield cast("int", subscriber), tuple(cast("list[str]", cells))


def _require_ids(connection: Connection, emails: Sequence[str]) -> list[int]:
    found = {email: FIND_SUBSCRIBER(connection, person=person_of(email)) for email in emails}
    if missing := [email for email, subscriber in found.items() if subscriber is None]:
        raise InputError(
            "\n".join(f"{email} is not on the list; check the spelling of the address" for email in missing)
        )
    return sorted({subscriber for subscriber in found.values() if subscriber is not None})


def _new_tags(edit: Edit) -> set[str]:
    return {*edit.added_tags, *tags_in(edit.cells.get("tags", ""))}


def _move(connection: Connection, subscriber: int, email: str, *, key: bytes | None, now: datetime) -> None:
    """Give a person another address. The old one is blocked by hand, so that no list brings it back.

    They get a new token, so that the emails in the old mailbox open nothing anymore.

    Deliveries, events and consents belong to the person. Suppressions belong to addresses, so they are copied. Lifted
    ones are not: that someone was allowed to be emailed again at one address says nothing about another.
    """
    ((_, before),) = _cells_of(connection, [subscriber])
    old, person = _named(before)["email"], person_of(email)
    if person == person_of(old):
        return
    _require_free(connection, email, key=key)
    renew_token(connection, subscriber, now=now)
    _SET_PERSON(connection, subscriber=subscriber, person=person)
    for copy in (_COPY_SUPPRESSIONS, _COPY_LIFTED_BY_IMPORT):
        copy(connection, old=person_of(old), person=person, email=email)
    at = text_of(now)
    with reported_table(connection):
        row = (0, person_of(old), "", old, SuppressionReason.MANUAL.value, _MOVED, at, at, "")
        connection.load("reported", [row])
        hear_reported(connection)
        add_reported(connection)


def _require_free(connection: Connection, email: str, *, key: bytes | None) -> None:
    """Raise InputError if an address is taken, suppressed or that of an erased person, or if the key is missing."""
    person = person_of(email)
    if FIND_SUBSCRIBER(connection, person=person) is not None:
        raise InputError(
            f"{email} belongs to another subscriber; to see both, run `newsletter subscribers show` with each address"
        )
    if blocked := suppressions_in(connection, email):
        topic = blocked[0].topic
        what, option = (f"email about {topic}", f" --topic {topic}") if topic else ("all email", "")
        raise InputError(
            f"{email} is blocked for {what} ({blocked[0].reason.value}), so it cannot be used; if the person asks for "
            f'email there, first run `newsletter suppressions remove {quote(email)}{option} --because "…"`'
        )
    if forgotten_test(connection, key)(person):
        raise InputError(f"the person with the address {email} asked to be erased, so it cannot be recorded again")
