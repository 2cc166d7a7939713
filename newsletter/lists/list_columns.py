"""The columns of a list, and what each is used for."""

from msgspec import Struct

from newsletter.lists.export_formats import ExportFormat
from newsletter.lists.leaving import LeavingColumn
from newsletter.model.columns import LIST_COLUMNS

LEFT = "unsubscribed"  # the target that `--map` gives to a column that says who unsubscribed


class ListColumn(Struct, frozen=True, kw_only=True):
    """A column of a list, and what it is used for."""

    name: str  # its name in the file
    place: int  # counted from 0
    fields: tuple[str, ...] = ()  # the columns of LIST_COLUMNS that its cells may fill
    attribute: str = ""
    is_json: bool = False  # whether its cells are JSON objects with more attributes
    leaving: LeavingColumn | None = None  # what its cells say about leaving
    has_left_topics: bool = False  # whether its cells are the topics that the person left
    left_topic: str = ""  # the topic that the person left if the cell is a yes, as the list calls it
    is_answered: bool = False  # whether the person who imports the list said what to use it for
    suggestion: str = ""  # the column of ours that its name may stand for

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of it is imported or judged."""
        has_topics = self.has_left_topics or self.left_topic
        return not (self.fields or self.attribute or self.is_json or self.judges or has_topics)

    @property
    def use(self) -> str:
        """Return a description of what it is used for."""
        if self.is_left_out:
            return "left out"
        if self.is_json:
            return "attributes"
        if self.has_left_topics:
            return "the topics that they left"
        if self.left_topic:
            return f"whether they left the topic {self.left_topic}"
        used_for = [f"attribute {self.attribute}"] if self.attribute else list(self.fields)
        return ", ".join([*used_for, *(["who left"] if self.judges else [])])

    @property
    def judges(self) -> bool:
        """Whether its cells decide, for sure, whether people may be emailed."""
        return self.leaving is not None and self.leaving.is_certain


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
    def is_our_whole_export(self) -> bool:
        """Whether this is an export of this program with all of its columns, whose names were checked before."""
        return self.form.is_ours and all(map(self.column_of, LIST_COLUMNS))

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
