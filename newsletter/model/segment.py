"""A segment as a tree: what a boolean expression over columns, attributes and tags means."""

from dataclasses import dataclass
from enum import StrEnum

EVERYONE = "everyone"  # the segment that every workspace has: the whole audience


class Operator(StrEnum):
    """How a field is compared with a value."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class All:
    """True of everyone."""


@dataclass(frozen=True, slots=True)
class And:
    """True where every part is."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where one part is."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where the part is not."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Compare:
    """Compares a column or an attribute with a value, as text; a field that a person lacks counts as empty text."""

    field: str
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """True where a column or an attribute has one of the values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """True of a person who has the tag."""

    tag: str


Condition = All | And | Or | Not | Compare | OneOf | Tagged


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A saved filter over the audience: its name, its expression as written, and what that means."""

    name: str
    expression: str
    condition: Condition
