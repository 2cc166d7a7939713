"""A segment as a tree: what a boolean expression over columns, attributes, tags and engagement means."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from newsletter.model.audience import Subscriber, SuppressionReason

EVERYONE = "everyone"  # the segment that every workspace has: the whole audience
# The words that mean something where a field stands in an expression, so that no attribute can be named so.
KEYWORDS = frozenset({"or", "and", "not", "in", "everyone"})
AD_HOC = "ad hoc"  # what an expression that was typed goes by; no segment of a workspace can be called so


class Operator(StrEnum):
    """How a field is compared with a value."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class Deed(StrEnum):
    """What somebody did with an issue, or what was done for them."""

    RECEIVED = "received"  # the provider took the message to them
    OPENED = "opened"  # a provider reported it; a mail program that shows no pictures, or asks for all, misleads it
    CLICKED = "clicked"  # a link was followed


class Occasion(StrEnum):
    """A moment in what is known of a person, as an expression names it."""

    JOINED = "joined"
    CONSENTED = "consented"
    LAST_RECEIVED = "last_received"
    LAST_OPENED = "last_opened"
    LAST_CLICKED = "last_clicked"


class All(Struct, frozen=True):
    """True of everyone."""


class And(Struct, frozen=True):
    """True where every part is."""

    parts: tuple["Condition", ...]


class Or(Struct, frozen=True):
    """True where one part is."""

    parts: tuple["Condition", ...]


class Not(Struct, frozen=True):
    """True where the part is not."""

    part: "Condition"


class Compare(Struct, frozen=True):
    """Compares a column or an attribute with a value, as text; a field that a person lacks counts as empty text."""

    field: str
    operator: Operator
    value: str


class OneOf(Struct, frozen=True):
    """True where a column or an attribute has one of the values."""

    field: str
    values: tuple[str, ...]


class Tagged(Struct, frozen=True):
    """True of a person who has the tag."""

    tag: str


class Did(Struct, frozen=True):
    """True of a person who received, opened or clicked an issue; any issue, where none is named."""

    deed: Deed
    issue: str | None


class Since(Struct, frozen=True):
    """True of a person whose occasion was at the moment or later; not of one who never had it."""

    occasion: Occasion
    moment: datetime


class Left(Struct, frozen=True):
    """True of a person who left the topic, and was not taken off the list altogether."""

    topic: str


Condition = All | And | Or | Not | Compare | OneOf | Tagged | Did | Since | Left


class Segment(Struct, frozen=True, kw_only=True):
    """A saved filter over the audience: its name, its expression as written, and what that means."""

    name: str
    expression: str
    condition: Condition


class KnownNames(Struct, frozen=True, kw_only=True):
    """The names that an expression may use; None where it cannot be known yet which there are."""

    fields: tuple[str, ...] | None  # columns and attributes
    tags: tuple[str, ...] | None
    issues: tuple[str, ...]
    topics: tuple[str, ...]


class Member(Struct, frozen=True, kw_only=True):
    """Somebody of a segment, and why they are not mailed, where they are suppressed."""

    suppressed: SuppressionReason | None
    subscriber: Subscriber

    @property
    def is_mailed(self) -> bool:
        """Whether nothing on record keeps mail from them."""
        return self.suppressed is None and self.subscriber.record.may_be_mailed

    @property
    def standing(self) -> str:
        """`mailed`, or in a word or two why not."""
        if self.suppressed is not None:
            return self.suppressed.value
        return "mailed" if self.subscriber.record.may_be_mailed else "no consent"
