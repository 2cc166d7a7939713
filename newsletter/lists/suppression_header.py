"""Read the header of a list of addresses that must not be mailed: which columns count, and what they say.

Such a list is either of those who left alone, or a tool's list of everybody in which a column says who did. What it
must not be is a list of subscribers that says nothing about it: all of them would be suppressed.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from newsletter.lists.csv_header import ListColumn, ListHeader, column_names, header_mistakes, recognised_column
from newsletter.lists.export_formats import (
    ANYTHING,
    BOUNCED,
    COMPLAINED,
    OUR_EXPORT,
    ExportFormat,
    StatusColumn,
    letters_of,
    recognise,
)
from newsletter.model.columns import COLUMNS, LIST_COLUMNS

LEFT_AT = "left_at"  # the field of a column that says when somebody left; one that says nothing is empty

# What columns hold, by the letters of their names.
_FIELDS = {
    **{name: name for name in ("topic", "reason", "detail")},
    **dict.fromkeys(("createdat", "created", "date"), "created_at"),
}
_EMAILS = frozenset({"email", "emailaddress", "recipient"})
_STREETS = "address"  # holds addresses of mail where no other column does
_REPORT = frozenset({"line", "email", "fate", "remark"})
# Fields that only a list of subscribers has; and those that describe people.
_OF_SUBSCRIBERS = frozenset({"joined_at", *(column.name for column in COLUMNS if column.is_consent)})
_ABOUT_PEOPLE = frozenset(LIST_COLUMNS) - {"email"}
_LEFT = "unsubscribed"
_MOMENTS = {
    **dict.fromkeys(("unsubtime", "unsubscribedat", "unsubscribeat", "unsubscribedon", "unsubscribetime"), _LEFT),
    **dict.fromkeys(("unsubscribedate", "unsubscriptiondate", "optedoutat", "optouttime", "optoutdate"), _LEFT),
    **dict.fromkeys(("leftat", "suppressedat", "deletedat"), _LEFT),
    **dict.fromkeys(("bouncedat", "bouncetime", "cleantime"), BOUNCED),
    **dict.fromkeys(("complainedat", "complaintat", "complainttime"), COMPLAINED),
}


def email_places(names: Sequence[str]) -> list[int]:
    """Return the places of the columns that hold addresses.

    A column `address` may hold streets: it counts where no other holds addresses.
    """
    letters = list(map(letters_of, names))
    places = [place for place, each in enumerate(letters) if each in _EMAILS]
    return places or [place for place, each in enumerate(letters) if each == _STREETS][:1]


def read_suppression_header(cells: Sequence[str], *, delimiter: str, path: str, line: int) -> ListHeader:
    """Return the header; raise MistakesError where the list is not of people who must not be mailed."""
    names = column_names(cells, path=path, line=line)
    emails = email_places(names)
    form = recognise(frozenset(map(letters_of, names)))
    columns = [_column(name, place, form, is_email=place in emails) for place, name in enumerate(names)]
    if fault := _fault(columns, emails, form):
        raise header_mistakes(path, line, [fault])
    if not _tells_when(columns, form):
        columns = [replace(each, fields=()) if each.fields == ("created_at",) else each for each in columns]
    return ListHeader(form=form, delimiter=delimiter, columns=tuple(columns))


def _column(name: str, place: int, form: ExportFormat, *, is_email: bool) -> ListColumn:
    letters = letters_of(name)
    if is_email:
        return ListColumn(name=name, place=place, fields=("email",))
    known = recognised_column(name, place, form)
    if letters in _MOMENTS:
        status = known.status or StatusColumn(name=name, reasons={ANYTHING: _MOMENTS[letters]})
        return ListColumn(name=name, place=place, fields=(LEFT_AT,), status=status)
    if known.status is None and letters in _FIELDS and not form.tool:
        return ListColumn(name=name, place=place, fields=(_FIELDS[letters],))
    return ListColumn(name=name, place=place, fields=known.fields, status=known.status)


def _tells_when(columns: Sequence[ListColumn], form: ExportFormat) -> bool:
    """Return whether a column such as `created_at` says since when they are not mailed, and not when they joined."""
    holds_people = form.tool or any(column.fields and column.fields[0] in _ABOUT_PEOPLE for column in columns)
    says_why = any(column.fields == ("reason",) for column in columns)
    return not holds_people and (says_why or not any(column.status for column in columns))


def _fault(columns: Sequence[ListColumn], emails: Sequence[int], form: ExportFormat) -> tuple[str, str] | None:
    """Return what is wrong with the columns, and what to do."""
    if {letters_of(column.name) for column in columns} >= _REPORT:
        what = "it is the report of an import: it says what became of each row, and not who left"
        return what, "give a list of those who left"
    if not emails:
        remedy = "write an address a line, or name the columns in the first line, one of them email"
        return "there is no address here, and no column email", remedy
    if len(emails) > 1:
        what = f"the columns {' and '.join(repr(columns[place].name) for place in emails)} both hold addresses"
        return what, "leave one, and add the others after"
    says_who_left = any(column.status or column.fields == ("reason",) for column in columns)
    is_of_subscribers = form.tool or form is OUR_EXPORT or any(_OF_SUBSCRIBERS & {*each.fields} for each in columns)
    if is_of_subscribers and not says_who_left:
        what = f"it is a list of subscribers{f' of {form.tool}' if form.tool else ''}, and no column says who left"
        return what, "give the addresses of those who left alone, one a line"
    return None
