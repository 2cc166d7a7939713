"""Corrections of what is recorded about people, made by hand."""

from collections.abc import Mapping

from msgspec import Struct, field


class Edit(Struct, frozen=True, kw_only=True):
    """What to change about each of some people. Cells are texts as the database stores them."""

    cells: Mapping[str, str] = field(default_factory=dict)  # by the names of COLUMNS; an empty text clears the column
    attributes: Mapping[str, str] = field(default_factory=dict)  # an empty text removes the attribute
    added_tags: frozenset[str] = frozenset()
    removed_tags: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        """Return the new address, or an empty text if the address stays."""
        return self.cells.get("email", "")


class EditedPerson(Struct, frozen=True, kw_only=True):
    """The cells of one person before and after an edit, by the names of COLUMNS."""

    before: Mapping[str, str]
    after: Mapping[str, str]


class EditReport(Struct, frozen=True, kw_only=True):
    """What an edit changed, or would change."""

    people: int  # how many were to be edited
    changed: tuple[int, ...]  # the ids of the people it changed
    edited: tuple[EditedPerson, ...]  # the first of those
