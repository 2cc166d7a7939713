"""Correct what is recorded about people: read what to set and clear, and save it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import orjson
from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from newsletter.errors import InputError
from newsletter.language.codes import language_of, time_zone_of
from newsletter.lists.addresses import checked_address
from newsletter.lists.attribute_names import target_named
from newsletter.lists.cells import LONGEST_CELL, require_one_line
from newsletter.lists.tags import tags_in_cell
from newsletter.model.audience import normal_text, tags_in, tags_text
from newsletter.model.columns import COLUMNS, CONSENT_COLUMNS, LIST_COLUMNS, ColumnType
from newsletter.model.edit import Edit, EditReport
from newsletter.model.segment import Condition
from newsletter.model.values import OneLine
from newsletter.settings.mistakes import suggestion
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.subscribers import attribute_names, known_tags
from newsletter.system.moments import text_of
from newsletter.workflows.subscribers.person import past_moment

SHOWN = 5  # the number of people whose changes are shown
_LINE: TypeAdapter[str] = TypeAdapter(OneLine)
_TYPES = {column.name: column.type for column in COLUMNS}
_NEVER_CLEARED = {
    "email": "an address cannot be cleared; to erase the person, run `newsletter subscribers forget`",
    "joined_at": "everyone joined at some time, so joined_at cannot be cleared; set another date",
}


class EditRequest(Struct, frozen=True, kw_only=True):
    """What to change about people, as it was typed."""

    values: tuple[str, ...] = ()  # such as `first_name=Ana`
    cleared: tuple[str, ...] = ()  # columns and attributes
    added_tags: tuple[str, ...] = ()
    removed_tags: tuple[str, ...] = ()


def edit_of(database: Database, request: EditRequest, *, is_for_one: bool, now: datetime) -> Edit:
    """Return the edit that a request describes. Raise InputError with everything that is wrong with it.

    An address, and a consent, can only be set for one person.
    """
    attributes = attribute_names(database)
    faults: list[str] = []
    cells: dict[str, str] = {}

    def change(name: str, text: str | None) -> None:
        try:
            target = _require_column(name, attributes)
            if target in cells:
                raise ValueError(f"{target} is named twice; name it only once")
            cells[target] = _cleared(target) if text is None else _cell(target, text, now=now)
        except ValidationError as err:
            faults.append(str(err.errors()[0]["ctx"]["error"]))
        except ValueError as err:
            faults.append(str(err))

    for option in request.values:
        name, equals, text = option.partition("=")
        if equals and name.strip():
            change(name, normal_text(text))
        else:
            faults.append(f"--set {option!r} is not in the form first_name=Ana")
    for name in request.cleared:
        change(name, None)
    added, removed = _tags("--tag", request.added_tags), _tags("--untag", request.removed_tags)
    faults += _tag_faults(database, added, removed, cells) + _consent_faults(cells, is_for_one=is_for_one)
    if not (cells or added or removed or faults):
        faults.append("nothing to change; add --set, --clear, --tag or --untag")
    if faults:
        raise InputError("\n".join(faults))
    return Edit(
        cells={name: cell for name, cell in cells.items() if name in _TYPES},
        attributes={name: cell for name, cell in cells.items() if name not in _TYPES},
        added_tags=frozenset(added),
        removed_tags=frozenset(removed),
    )


def edit_subscribers(
    database: Database,
    people: Condition | Sequence[str],
    changes: Edit,
    *,
    key: bytes | None,
    is_dry_run: bool,
    confirmed: EditReport | None = None,
    now: datetime,
) -> EditReport:
    """Edit the people in a segment, or those with these addresses, in one transaction.

    `confirmed` is the report of a dry run that someone confirmed: only the people in it are edited. Raise
    InputError if one of them is not on the list, or if the new address cannot be used.
    """
    return edit_people(
        database, people, changes, key=key, is_dry_run=is_dry_run, confirmed=confirmed, shown=SHOWN, now=now
    )


def values_of(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a person as a reader would write them, with one value for each attribute."""
    texts = {name: cell for name, cell in cells.items() if _TYPES[name] is not ColumnType.ATTRIBUTES}
    return {**texts, "tags": ", ".join(tags_in(cells["tags"])), **orjson.loads(cells["attributes"])}


def _require_column(name: str, attributes: Sequence[str]) -> str:
    target = target_named(name)
    if target in {*LIST_COLUMNS, *attributes}:
        return target
    remedy = "write first_name or last_name" if target == "name" else suggestion(target, [*LIST_COLUMNS, *attributes])
    raise ValueError(f"there is no column {name.strip()!r}; {remedy}")


def _cell(target: str, text: str, *, now: datetime) -> str:
    """Return the text of an option as the database stores it. Raise ValueError if it is not a value of the column."""
    if not text:
        raise ValueError(f"--set {target}= has no value; to clear it, write --clear {target}")
    if len(text) > LONGEST_CELL:
        raise ValueError(f"{target} has {len(text):,} characters; shorten it to {LONGEST_CELL:,} at most")
    _LINE.validate_python(text)
    return _READERS[_TYPES.get(target, ColumnType.TEXT)](text, now)


_READERS: Mapping[ColumnType, Callable[[str, datetime], str]] = {
    ColumnType.ADDRESS: lambda text, _: checked_address(text),
    ColumnType.TEXT: lambda text, _: text,
    ColumnType.LANGUAGE: lambda text, _: language_of(text),
    ColumnType.ZONE: lambda text, _: time_zone_of(text),
    ColumnType.MOMENT: lambda text, now: text_of(past_moment(text, now=now)),
    ColumnType.TAGS: lambda text, _: tags_text(tags_in_cell(text)),
}


def _cleared(target: str) -> str:
    if target in _NEVER_CLEARED:
        raise ValueError(_NEVER_CLEARED[target])
    return ""


def _tags(name: str, options: Sequence[str]) -> set[str]:
    return {tag for option in options for tag in tags_in_cell(require_one_line(name, option))}


def _tag_faults(database: Database, added: set[str], removed: set[str], cells: Mapping[str, str]) -> list[str]:
    known = known_tags(database)
    faults = [
        f"no subscriber has the tag {tag!r}; {suggestion(tag, known) if known else 'check the spelling'}"
        for tag in sorted(removed.difference(known))
    ]
    if both := sorted(added & removed):
        faults.append(f"the tag {both[0]!r} is to be added and removed; choose one")
    if "tags" in cells and (added or removed):
        faults.append("tags is set or cleared as a whole; leave out --tag and --untag")
    return faults


def _consent_faults(cells: Mapping[str, str], *, is_for_one: bool) -> list[str]:
    """Return why these cells would record a consent that may not have been given, or one address for many people."""
    faults = []
    if "email" in cells and not is_for_one:
        faults.append("an address belongs to one person; change it for one EMAIL at a time")
    given = sorted(name for name in CONSENT_COLUMNS - {"consent_basis"} if cells.get(name))
    if given and not is_for_one:
        faults.append(f"{given[0]} can only be set for one person, because everyone gives their own consent")
    elif cells.get("consented_at") and not cells.get("consent_source"):
        faults.append('a consent needs its source; add the source, for example --set "consent_source=May workshop"')
    if cells.get("consented_at") and cells.get("consent_basis"):
        faults.append("consent_basis is for people whose consent is not known; leave it out")
    return faults
