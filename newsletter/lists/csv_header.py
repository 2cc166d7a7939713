"""Read the header of a list: find the tool that wrote it, and what each column contains."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct

from newsletter.errors import Mistake, MistakesError
from newsletter.lists.export_formats import JSON, LEFT_OUT, SYNONYMS, ExportFormat, StatusColumn, letters_of, recognize
from newsletter.model.columns import COLUMN_NAMES, LIST_COLUMNS
from newsletter.model.segment import KEYWORDS
from newsletter.model.slots import LINK_FIELDS

MOST_COLUMNS = 1000
LONGEST_NAME = 100
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_KNOWN_BY_LETTERS = {letters_of(column): column for column in LIST_COLUMNS}
_RESERVED = LINK_FIELDS.keys() | KEYWORDS | {*COLUMN_NAMES} - {*LIST_COLUMNS}


class ListColumn(Struct, frozen=True, kw_only=True):
    """A column of a list, and what it is used for."""

    name: str  # its name in the file
    place: int  # counted from 0
    fields: tuple[str, ...] = ()  # the columns of LIST_COLUMNS that its cells may fill
    attribute: str = ""
    is_json: bool = False  # whether its cells are JSON objects with more attributes
    status: StatusColumn | None = None  # how its cells may say that a row must not be imported

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of it is imported."""
        return not (self.fields or self.attribute or self.is_json or self.status)

    @property
    def use(self) -> str:
        """Return a description of what it is used for."""
        if self.is_left_out:
            return "left out"
        if self.is_json:
            return "attributes"
        if self.attribute:
            return f"attribute {self.attribute}" + (", and whether they may be emailed" if self.status else "")
        return ", ".join(self.fields) or "whether they may be emailed"


class ListHeader(Struct, frozen=True, kw_only=True):
    """What the first line of a list says about its columns."""

    form: ExportFormat
    delimiter: str
    columns: tuple[ListColumn, ...]

    @property
    def tool(self) -> str:
        """The tool that wrote the list; empty for your own list."""
        return self.form.tool

    @property
    def width(self) -> int:
        """The number of cells in each row."""
        return len(self.columns)

    @property
    def email(self) -> ListColumn:
        """The column with the addresses, which every list has."""
        return next(column for column in self.columns if "email" in column.fields)

    def column_of(self, field: str) -> ListColumn | None:
        """Return the column that fills one of LIST_COLUMNS, or None if the list does not have it."""
        return next((column for column in self.columns if field in column.fields), None)


def read_header(
    cells: Sequence[str], *, delimiter: str, mapping: Mapping[str, str], path: str, line: int
) -> ListHeader:
    """Return the header. Raise MistakesError with everything that is wrong with it.

    `mapping` gives the target of a column: one of LIST_COLUMNS, the name of an attribute, or an empty text to skip
    the column. Names are compared by their letters, so `First name`, `firstname` and `FIRST_NAME` are the same. An
    unknown column becomes an attribute, whose name is written in plain letters.
    """
    names = column_names(cells, path=path, line=line)
    wanted, faults = _wanted(names, mapping)
    form = recognize(frozenset(map(letters_of, names)))
    columns = [
        _mapped(name, place, wanted[place]) if place in wanted else recognized_column(name, place, form)
        for place, name in enumerate(names)
    ]
    faults += _faults(columns)
    if faults:
        raise header_mistakes(path, line, faults)
    return ListHeader(form=form, delimiter=delimiter, columns=tuple(columns))


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
            remedy = f'write --map "{close[0]}={target}"' if close else f"write one of these after --map: {choice}"
            faults.append((f"--map names the column {name!r}, which is not in the file", remedy))
        near = difflib.get_close_matches(target.strip().lower(), LIST_COLUMNS, n=1, cutoff=0.85)
        if near and letters_of(target) not in _KNOWN_BY_LETTERS:
            remedy = f'write --map "{name}={near[0]}", or choose a name for a column of your own that is less similar'
            faults.append((f"--map gives a column the unknown name {target.strip()!r}", remedy))
        wanted.update(dict.fromkeys(places, target.strip()))
    return wanted, faults


def _mapped(name: str, place: int, target: str) -> ListColumn:
    known = _KNOWN_BY_LETTERS.get(letters_of(target))
    if known:
        return ListColumn(name=name, place=place, fields=(known,))
    return ListColumn(name=name, place=place, attribute=target.lower())


def recognized_column(name: str, place: int, form: ExportFormat) -> ListColumn:
    """Return what a column of this format is used for, which its name tells."""
    letters = letters_of(name)
    status = next((found for found in form.status if letters_of(found.name) == letters), None)
    meanings = {**SYNONYMS, **form.columns} if form.tool else form.columns
    targets = next((targets for known, targets in meanings.items() if letters_of(known) == letters), None)
    if targets is None:
        known = _KNOWN_BY_LETTERS.get(letters)
        targets = (known,) if known else (LEFT_OUT,) if status and form.tool else (attribute_name(name) or name,)
    fields = tuple(target for target in targets if target in LIST_COLUMNS)
    return ListColumn(
        name=name,
        place=place,
        fields=fields,
        attribute="" if fields or targets == (JSON,) else targets[0],
        is_json=targets == (JSON,),
        status=status,
    )


def attribute_name(name: str) -> str:
    """Return a name in the form of an attribute: lowercase letters without accents, digits and underscores."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def is_attribute_name(name: str) -> bool:
    """Return whether an attribute can have this name."""
    return (
        _NAME.fullmatch(name) is not None
        and len(name) <= LONGEST_NAME
        and name not in _RESERVED
        and letters_of(name) not in _KNOWN_BY_LETTERS
    )


def _faults(columns: Sequence[ListColumn]) -> list[tuple[str, str]]:
    """Return all problems of the columns, each with its remedy."""
    faults = []
    takers: dict[str, ListColumn] = {}
    for column in columns:
        if fault := _name_fault(column):
            faults.append(fault)
        for target in (*column.fields, *([column.attribute] if column.attribute else [])):
            first = takers.setdefault(target, column)
            if first is not column:
                what = f"the columns {first.name!r} and {column.name!r} are both read as {target}"
                remedy = "in the first line, rename one of the columns, or delete that column"
                faults.append(
                    (what, remedy if first.name == column.name else f'to skip one of them, add --map "{column.name}="')
                )
    if "email" not in takers and any("@" in column.name for column in columns):
        what = "the first line contains an address instead of the names of the columns"
        faults.append((what, "insert a first line with the names of the columns, for example email,first_name"))
    elif "email" not in takers:
        near = next((column.name for column in columns if "mail" in column.name.lower()), "Email Address")
        remedy = f'in the first line, name the column that contains the addresses "email", or add --map "{near}=email"'
        faults.append(("there is no column named email", remedy))
    return faults


def _name_fault(column: ListColumn) -> tuple[str, str] | None:
    """Return what is wrong with the name of an attribute, with its remedy, or None if the name is valid."""
    name = column.attribute
    if not name or is_attribute_name(name):
        return None
    remedy = f'add --map "{column.name}=another_name" to rename it, or --map "{column.name}=" to skip it'
    if name in _RESERVED:
        return (f"a column cannot be named {name}, because that name is reserved", remedy)
    if len(name) > LONGEST_NAME:
        return (f"the name of the column {column.name[:40]!r}… is longer than {LONGEST_NAME} characters", remedy)
    return (
        f"the column {column.name!r} needs a name that contains only a-z, digits and _, and begins with a letter",
        remedy,
    )


def header_mistakes(path: str, line: int, faults: Sequence[tuple[str, str]]) -> MistakesError:
    """Return the mistakes in a header, each with its remedy, as one error to raise."""
    return MistakesError(Mistake(path=path, line=line, what=what, remedy=remedy) for what, remedy in faults)
