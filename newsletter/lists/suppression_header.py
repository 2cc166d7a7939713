"""Read the header of a list of addresses that must not be emailed: which columns are used, and what they mean.

The list may contain only people who unsubscribed. It may also be a tool's list of everyone, if a column says who
unsubscribed. A plain list of subscribers is refused, because everyone on it would be suppressed.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from newsletter.language.commands import map_option
from newsletter.lists.csv_header import column_names, header_mistakes, recognized_column
from newsletter.lists.export_formats import ExportFormat, letters_of, recognize
from newsletter.lists.leaving import LeavingColumn, LeavingKind
from newsletter.lists.leaving_columns import column_about_leaving
from newsletter.lists.list_columns import LEFT, ListColumn, ListHeader
from newsletter.model.columns import COLUMNS, LIST_COLUMNS
from newsletter.model.imports import RowFate

# The fields of columns, by the letters of their names.
_FIELDS = {
    **{name: name for name in ("topic", "reason", "detail")},
    **{letters_of(name): name for name in ("repeated_at", "consent_on_record")},
    **dict.fromkeys(("createdat", "created", "date"), "created_at"),
}
_EMAILS = frozenset({"email", "emailaddress", "recipient"})
_STREETS = "address"  # a column with email addresses, if no other column has them
_REPORT = frozenset(RowFate.__struct_fields__)
# Fields that only a list of subscribers has, and fields that describe people.
_OF_SUBSCRIBERS = frozenset({"joined_at", *(column.name for column in COLUMNS if column.is_consent)})
_ABOUT_PEOPLE = frozenset(LIST_COLUMNS) - {"email"}


def email_places(names: Sequence[str]) -> list[int]:
    """Return the places of the columns with email addresses.

    A column `address` may contain street addresses, so it is used only if no other column contains email addresses.
    """
    letters = list(map(letters_of, names))
    places = [place for place, each in enumerate(letters) if each in _EMAILS]
    return places or [place for place, each in enumerate(letters) if each == _STREETS][:1]


def read_suppression_header(
    cells: Sequence[str], *, delimiter: str, mapping: Mapping[str, str], path: str, line: int
) -> ListHeader:
    """Return the header. Raise MistakesError if this is not a list of people who must not be emailed.

    `mapping` says of columns whether they say who left: LEFT, or an empty text. One that may is not `is_certain`.
    """
    names = column_names(cells, path=path, line=line)
    emails = email_places(names)
    form = recognize(names)
    answers, faults = _answers(names, mapping)
    columns = [
        _answered(name, place, answers[name])
        if name in answers and place not in emails
        else _column(name, place, form, is_email=place in emails)
        for place, name in enumerate(names)
    ]
    if faults:
        raise header_mistakes(path, line, faults)
    if fault := _fault(columns, emails, form):
        raise header_mistakes(path, line, [fault])
    if not _tells_when(columns, form):
        columns = [replace(each, fields=()) if each.fields == ("created_at",) else each for each in columns]
    return ListHeader(form=form, delimiter=delimiter, columns=tuple(columns))


def _column(name: str, place: int, form: ExportFormat, *, is_email: bool) -> ListColumn:
    letters = letters_of(name)
    if is_email:
        return ListColumn(name=name, place=place, fields=("email",))
    known = recognized_column(name, place, form)
    is_sure = known.leaving is not None and known.leaving.is_certain
    if not is_sure and letters in _FIELDS and not form.tool:
        return ListColumn(name=name, place=place, fields=(_FIELDS[letters],))
    return ListColumn(name=name, place=place, fields=known.fields, leaving=known.leaving, left_topic=known.left_topic)


def _answers(names: Sequence[str], mapping: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the targets of the columns by name, and what is wrong with the mapping."""
    answers, faults = dict[str, str](), []
    for given, target in mapping.items():
        named = [name for name in names if letters_of(name) == letters_of(given)]
        if not named:
            choice = ", ".join(map(repr, names[:20]))
            faults.append((f"--map names the column {given!r}, which is not in the file", f"choose from {choice}"))
        elif target.strip() and letters_of(target) != LEFT:
            left, unused = map_option(given, LEFT), map_option(given, "")
            remedy = f"write {left} if it says who unsubscribed, or {unused} to leave it out"
            faults.append((f"--map gives the column {given!r} the unknown name {target.strip()!r}", remedy))
        answers |= dict.fromkeys(named, target.strip())
    return answers, faults


def _answered(name: str, place: int, target: str) -> ListColumn:
    """Return a column of which someone said whether it says who left."""
    if not target:
        return ListColumn(name=name, place=place, is_answered=True)
    column = column_about_leaving(name) or LeavingColumn(name=name, kind=LeavingKind.LEFT)
    return ListColumn(name=name, place=place, leaving=replace(column, is_certain=True, is_free=False), is_answered=True)


def _tells_when(columns: Sequence[ListColumn], form: ExportFormat) -> bool:
    """Return whether a column such as `created_at` is the time of unsubscribing rather than of joining."""
    holds_people = form.tool or any(column.fields and column.fields[0] in _ABOUT_PEOPLE for column in columns)
    says_why = any(column.fields == ("reason",) for column in columns)
    return not holds_people and (says_why or not any(column.judges for column in columns))


def _fault(columns: Sequence[ListColumn], emails: Sequence[int], form: ExportFormat) -> tuple[str, str] | None:
    """Return what is wrong with the columns, with its remedy, or None if they are valid."""
    if {letters_of(column.name) for column in columns} >= _REPORT:
        what = "this is the report of an import, which does not say who unsubscribed"
        return what, "name a file that lists only people who unsubscribed"
    if not emails:
        remedy = 'write one address per line, or write "email" in the first line, above the column with the addresses'
        return "there are no addresses, and there is no column named email", remedy
    if len(emails) > 1:
        what = f"the columns {' and '.join(repr(columns[place].name) for place in emails)} both contain addresses"
        return what, "delete one of them, and add its addresses from a second file"
    says_who_left = any(column.judges or column.left_topic or column.fields == ("reason",) for column in columns)
    is_of_subscribers = form.tool or form.is_ours or any(_OF_SUBSCRIBERS & {*each.fields} for each in columns)
    if is_of_subscribers and not says_who_left:
        origin = f" from {form.tool}" if form.tool else ""
        what = f"this is a list of subscribers{origin}, and no column says who unsubscribed"
        return what, "name a file with only the addresses of people who unsubscribed, one per line"
    return None
