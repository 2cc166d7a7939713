"""Read the header of a list: find the tool that wrote it, and what each column contains."""

import difflib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from newsletter.errors import Mistake, MistakesError
from newsletter.language.commands import map_option
from newsletter.lists.attribute_names import KNOWN_BY_LETTERS, attribute_name, is_attribute_name, name_fault
from newsletter.lists.column_words import fault_without_addresses, find_columns, sure_column
from newsletter.lists.export_formats import (
    ATTRIBUTE_PREFIX,
    JSON,
    LEFT_OUT,
    LEFT_TOPICS,
    OUR_EXPORT,
    ExportFormat,
    letters_of,
    recognize,
)
from newsletter.lists.leaving import LeavingColumn, LeavingKind
from newsletter.lists.leaving_columns import column_about_leaving
from newsletter.lists.list_columns import LEFT, ListColumn, ListHeader
from newsletter.model.columns import LIST_COLUMNS
from newsletter.model.typography import shortened

MOST_COLUMNS = 1000
_MOST_FAULTS = 50  # of one header
_LONGEST_REMEDY = 1_000  # characters; a command with a longer name of a column is of no use
_RENAME = "give the column a shorter name in the file"


def read_header(
    cells: Sequence[str],
    *,
    delimiter: str,
    mapping: Mapping[str, str],
    path: str,
    line: int,
    sample: Sequence[Sequence[str]] = (),
) -> ListHeader:
    """Return the header. Raise MistakesError with everything that is wrong with it.

    `mapping` gives the target of a column: one of LIST_COLUMNS, LEFT, the name of an attribute, or an empty string to
    skip the column. Names are compared by their letters, so `First name`, `firstname` and `FIRST_NAME` are the same. An
    unknown column becomes an attribute, whose name is written in plain letters. `sample` holds the first rows below.
    """
    names = column_names(cells, path=path, line=line)
    wanted, faults = _wanted(names, mapping)
    form = recognize(names)
    columns = {place: _mapped(names[place], place, target, form) for place, target in wanted.items()}
    for place, name in enumerate(names):
        if place not in wanted and (known := _explained(name, place, form)):
            columns[place] = known
    columns |= _unexplained(
        {place: name for place, name in enumerate(names) if place not in columns}, columns, form, sample
    )
    ordered = tuple(columns[place] for place in range(len(names)))
    faults += _faults(ordered, sample)
    if faults:
        raise header_mistakes(path, line, faults)
    return ListHeader(form=form, delimiter=delimiter, columns=ordered)


def _unexplained(
    names: Mapping[int, str], known: Mapping[int, ListColumn], form: ExportFormat, sample: Sequence[Sequence[str]]
) -> dict[int, ListColumn]:
    """Return the columns that only their names in some language explain, and attributes for all others."""
    columns = {place: _as_attribute(name, place, form) for place, name in names.items()}
    if form.is_ours:
        return columns
    judged = {place for place, column in columns.items() if column.judges}
    taken = {field for column in known.values() for field in column.fields}
    asked = {place: name for place, name in names.items() if place not in judged}
    found = find_columns(asked, taken=taken, sample=sample)
    for place, field in found.sure.items():
        columns[place] = ListColumn(name=names[place], place=place, fields=(field,))
    for place, field in found.perhaps.items():
        if columns[place].leaving is None:
            columns[place] = replace(columns[place], suggestion=field)
    return columns


def require_replaced(header: ListHeader, replaced: AbstractSet[str], *, path: str, line: int) -> None:
    """Raise MistakesError for each column or attribute to replace that the list does not have as a column."""
    targets = [target for column in header.columns for target in (*column.fields, column.attribute) if target]
    faults = []
    for name in sorted(replaced - {*targets}):
        read_as = [
            target
            for column in header.columns
            if attribute_name(column.name) == name
            for target in (*column.fields, column.attribute)
            if target
        ]
        close = read_as or difflib.get_close_matches(name, targets, n=1, cutoff=0.5)
        remedy = f"did you mean --replace {close[0]}?" if close else f"it has {', '.join(targets[:20])}"
        faults.append((f"the file has no column {name} to replace", remedy))
    if faults:
        raise header_mistakes(path, line, faults)


def column_names(cells: Sequence[str], *, path: str, line: int) -> list[str]:
    """Return the names of the columns. Raise MistakesError if there are too many, or if the file is not text."""
    if len(cells) > MOST_COLUMNS:
        what = f"the file has {len(cells):,} columns, and the limit is {MOST_COLUMNS:,}"
        remedy = "open it in a spreadsheet, and delete the columns that you do not need"
        raise header_mistakes(path, line, [(what, remedy)])
    if any("\0" in cell for cell in cells):
        remedy = "open the file in a spreadsheet, and save a copy as CSV UTF-8"
        raise header_mistakes(path, line, [("the file is not text", remedy)])
    return [" ".join(cell.split()) for cell in cells]


def _wanted(names: Sequence[str], mapping: Mapping[str, str]) -> tuple[dict[int, str], list[tuple[str, str]]]:
    """Return the targets that the mapping gives, by the places of the columns, and what is wrong with it."""
    wanted: dict[int, str] = {}
    faults = []
    for name, target in mapping.items():
        places = [place for place, other in enumerate(names) if other == name.strip()] or [
            place for place, other in enumerate(names) if letters_of(other) == letters_of(name)
        ]
        if not places:
            close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            choice = ", ".join(map(repr, names[:20]))
            remedy = f"write {map_option(close[0], target)}" if close else f"write one of these after --map: {choice}"
            faults.append((f"--map names the column {name!r}, which is not in the file", remedy))
        near = difflib.get_close_matches(target.strip().lower(), LIST_COLUMNS, n=1, cutoff=0.85)
        if near and letters_of(target) not in KNOWN_BY_LETTERS:
            remedy = (
                f"write {map_option(name, near[0])}, or choose a name for a column of your own that is less similar"
            )
            faults.append((f"--map gives a column the unknown name {target.strip()!r}", remedy))
        wanted.update(dict.fromkeys(places, target.strip()))
    return wanted, faults


def _mapped(name: str, place: int, target: str, form: ExportFormat) -> ListColumn:
    known = KNOWN_BY_LETTERS.get(letters_of(target))
    if known:
        return ListColumn(name=name, place=place, fields=(known,), is_answered=True)
    if letters_of(target) == LEFT:
        ours = recognized_column(name, place, form)
        if ours.fields:
            words = LeavingColumn(name=name, kind=LeavingKind.WORDS)
            return replace(ours, leaving=words, is_answered=True)
        about = None if form.topic_in(name) else column_about_leaving(name)
        column = about or LeavingColumn(name=name, kind=LeavingKind.LEFT)
        certain = replace(column, is_certain=True, is_free=False)
        return ListColumn(name=name, place=place, leaving=certain, is_answered=True)
    return ListColumn(name=name, place=place, attribute=target.lower(), is_answered=True)


def recognized_column(name: str, place: int, form: ExportFormat) -> ListColumn:
    """Return what a column of this format is used for, which its name alone tells."""
    column = _explained(name, place, form) or _as_attribute(name, place, form)
    may_be_ours = (column.attribute and not column.judges) or column.left_topic
    field = sure_column(name) if may_be_ours and not form.is_ours else ""
    return ListColumn(name=name, place=place, fields=(field,)) if field else column


def _explained(name: str, place: int, form: ExportFormat) -> ListColumn | None:
    """Return what a column is used for if its format says so, or if it has a name of ours."""
    letters = letters_of(name)
    if form is OUR_EXPORT and letters == letters_of(LEFT_TOPICS):
        return ListColumn(name=name, place=place, has_left_topics=True)
    if form is OUR_EXPORT and name.startswith(ATTRIBUTE_PREFIX):
        return ListColumn(name=name, place=place, attribute=name.removeprefix(ATTRIBUTE_PREFIX), is_answered=True)
    targets = next((targets for known, targets in form.columns.items() if letters_of(known) == letters), None)
    if targets is None and form.is_address_book:
        targets = (LEFT_OUT,)
    elif targets is None and letters in KNOWN_BY_LETTERS:
        targets = (KNOWN_BY_LETTERS[letters],)
    return None if targets is None else _used_for(name, place, targets, _leaving_of(name, form, targets))


def _leaving_of(name: str, form: ExportFormat, targets: tuple[str, ...]) -> LeavingColumn | None:
    """Return what a column that a tool explains says about leaving. It is judged even if it is not imported."""
    own = _own_leaving(name, form)
    about = column_about_leaving(name) if own is None and targets == (LEFT_OUT,) and not form.is_ours else None
    return own or (about if about and (about.is_certain or form.is_address_book) else None)


def _as_attribute(name: str, place: int, form: ExportFormat) -> ListColumn:
    """Return a column that becomes an attribute, unless it is only judged.

    That is a column that a tool has only to say who left, or one about leaving whose name no attribute can have.
    """
    own = _own_leaving(name, form)
    if own is None and (topic := form.topic_in(name)):
        return ListColumn(name=name, place=place, left_topic=topic)
    leaving, attribute = own or column_about_leaving(name), attribute_name(name) or name
    is_tools = bool(form.tool) and leaving is not None and leaving.is_certain and not leaving.is_free
    is_only_judged = is_tools or (leaving is not None and not is_attribute_name(attribute))
    targets = (LEFT_OUT,) if is_only_judged else (attribute,)
    return _used_for(name, place, targets, leaving)


def _own_leaving(name: str, form: ExportFormat) -> LeavingColumn | None:
    return next((found for found in form.leaving if letters_of(found.name) == letters_of(name)), None)


def _used_for(name: str, place: int, targets: tuple[str, ...], leaving: LeavingColumn | None) -> ListColumn:
    fields = tuple(target for target in targets if target in LIST_COLUMNS)
    return ListColumn(
        name=name,
        place=place,
        fields=fields,
        attribute="" if fields or targets == (JSON,) else targets[0],
        is_json=targets == (JSON,),
        leaving=leaving,
    )


def _faults(columns: Sequence[ListColumn], sample: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Return all problems of the columns, each with its remedy."""
    faults = []
    takers: dict[str, ListColumn] = {}
    for column in columns:
        if column.attribute and (fault := name_fault(column.attribute, column.name, suggestion=column.suggestion)):
            faults.append(fault)
        for target in (*column.fields, *([column.attribute] if column.attribute else [])):
            first = takers.setdefault(target, column)
            if first is not column:
                what = f"the columns {first.name!r} and {column.name!r} are both read as {target}"
                remedy = "in the first line, rename one of the columns, or delete that column"
                faults.append(
                    (what, remedy if first.name == column.name else f"to skip one, add {map_option(column.name, '')}")
                )
    if "email" not in takers:
        faults.append(fault_without_addresses([column.name for column in columns], sample))
    return faults


def header_mistakes(path: str, line: int, faults: Sequence[tuple[str, str]]) -> MistakesError:
    """Return the mistakes in a header, each with its remedy, as one error to raise."""
    shown = [(what, remedy if len(remedy) <= _LONGEST_REMEDY else _RENAME) for what, remedy in faults[:_MOST_FAULTS]]
    return MistakesError(Mistake(path=path, line=line, what=shortened(what), remedy=remedy) for what, remedy in shown)
