"""Reads the header of a list: which column holds what."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from newsletter.audience.segments import KEYWORDS
from newsletter.errors import Mistake, MistakesError
from newsletter.model.audience import SUBSCRIBER_COLUMNS
from newsletter.model.merge import RESERVED_FIELDS

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_KNOWN_BY_LETTERS = {column.replace("_", ""): column for column in SUBSCRIBER_COLUMNS}
_RESERVED = RESERVED_FIELDS | KEYWORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the columns of a list stand, counted from 0."""

    width: int
    email: int
    pick: Callable[[Sequence[str]], tuple[str, ...]]  # SUBSCRIBER_COLUMNS of a row that "" was appended to
    attributes: tuple[tuple[str, int], ...]  # name and place of every other column


def read_header(cells: Sequence[str], *, path: str, line: int) -> Header:
    """The header; raises MistakesError with all that is wrong with it.

    Names are taken in lower case, with spaces and dashes as underscores; a known column is known by its letters, so
    that `First name`, `firstname` and `E-Mail` are what they say.
    """
    names = [_name_of(cell) for cell in cells]
    faults = [fault for place, name in enumerate(names) if (fault := _fault(cells[place], name, names[:place]))]
    if "email" not in names:
        faults.append(("there is no column email", "the first line names the columns; call one of them email"))
    if faults:
        raise MistakesError(Mistake(path=path, line=line, what=what, remedy=remedy) for what, remedy in faults)
    return Header(
        width=len(names),
        email=names.index("email"),
        pick=itemgetter(*(names.index(column) if column in names else len(names) for column in SUBSCRIBER_COLUMNS)),
        attributes=tuple((name, place) for place, name in enumerate(names) if name not in SUBSCRIBER_COLUMNS),
    )


def _name_of(cell: str) -> str:
    name = re.sub(r"[\s-]+", "_", cell.strip().lower())
    return _KNOWN_BY_LETTERS.get(name.replace("_", ""), name)


def _fault(cell: str, name: str, earlier: Sequence[str]) -> tuple[str, str] | None:
    """What is wrong with a column's name, and what to do."""
    if not name:
        return (f"column {len(earlier) + 1} has no name", "name it, or delete the column")
    if not _NAME.fullmatch(name):
        return (
            f"{cell!r} cannot be the name of a column",
            "use plain letters, digits and underscores, and begin with a letter",
        )
    if name in _RESERVED:
        return (f"a column cannot be named {name}, which has a meaning of its own", "rename it")
    if name in earlier:
        return (f"there are two columns {name}", "rename or delete one of them")
    return None
