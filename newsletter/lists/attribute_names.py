"""The names that attributes can have, and the columns of ours that a name means."""

import re
import unicodedata

from newsletter.language.commands import map_option
from newsletter.lists.export_formats import letters_of
from newsletter.model.columns import COLUMN_NAMES, LIST_COLUMNS
from newsletter.model.segment import KEYWORDS
from newsletter.model.slots import LINK_FIELDS

_LONGEST = 100  # characters
KNOWN_BY_LETTERS = {letters_of(column): column for column in LIST_COLUMNS}
_RESERVED = LINK_FIELDS.keys() | KEYWORDS | {*COLUMN_NAMES} - {*LIST_COLUMNS}
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def target_named(name: str) -> str:
    """Return the column of LIST_COLUMNS with this name in any spelling, or the name as that of an attribute."""
    return KNOWN_BY_LETTERS.get(letters_of(name)) or attribute_name(name)


def attribute_name(name: str) -> str:
    """Return a name in the form of an attribute: lowercase letters without accents, digits and underscores."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def is_attribute_name(name: str) -> bool:
    """Return whether an attribute can have this name."""
    return (
        _NAME.fullmatch(name) is not None
        and len(name) <= _LONGEST
        and name not in _RESERVED
        and letters_of(name) not in KNOWN_BY_LETTERS
    )


def name_fault(name: str, column: str, *, suggestion: str) -> tuple[str, str] | None:
    """Return what is wrong with the name of an attribute, with its remedy, or None if the name is valid.

    `column` is the name of its column in the file, and `suggestion` the column of ours that it may stand for, if any.
    """
    if is_attribute_name(name):
        return None
    known = suggestion or "another_name"
    remedy = f"add {map_option(column, known)} to rename it, or {map_option(column, '')} to skip it"
    if name in _RESERVED:
        return (f"a column cannot be named {name}, because that name is reserved", remedy)
    if len(name) > _LONGEST:
        return (f"the name of the column {column[:40]!r}… is longer than {_LONGEST} characters", remedy)
    return f"the column {column!r} needs a name that contains only a-z, digits and _, and begins with a letter", remedy
