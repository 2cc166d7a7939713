"""A segment as a tree of conditions on columns, attributes, tags and engagement."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from newsletter.model.audience import Subscriber, SuppressionReason

EVERYONE = "everyone"  # the segment that every workspace has: the whole audience
# Words that have a meaning in expressions, so no attribute can have one of these names.
KEYWORDS = frozenset({"or", "and", "not", "in", "everyone"})
AD_HOC = "ad hoc"  # the name for an expression from the command line; no segment of a workspace can have it


def in_one_line(expression: str) -> str:
    """Return an expression with a space in place of each line break."""
    return " ".join(expression.splitlines()).strip()


class Operator(StrEnum):
    """The operators that compare a field with a value."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class Deed(StrEnum):
    """Something that a subscriber did with an issue: received, opened or clicked it."""

    RECEIVED = "received"  # the provider accepted the email to them
    OPENED = "opened"  # reported by a provider; wrong if an email app loads no images, or always loads them
    CLICKED = "clicked"  # a link was followed


class Occasion(StrEnum):
    """The dates in a person's record, with their names in expressions."""

    JOINED = "joined"
    CONSENTED = "consented"
    CONFIRMED = "consent_confirmed_at"
    LAST_RECEIVED = "last_received"
    LAST_OPENED = "last_opened"
    LAST_CLICKED = "last_clicked"


class All(Struct, frozen=True):
    """True for everyone."""


class And(Struct, frozen=True):
    """True if every part is true."""

    parts: tuple["Condition", ...]


class Or(Struct, frozen=True):
    """True if at least one part is true."""

    parts: tuple["Condition", ...]


class Not(Struct, frozen=True):
    """True if the part is not true."""

    part: "Condition"


class Compare(Struct, frozen=True):
    """True if the comparison of a column or an attribute with the value, as text, is true.

    A missing field counts as an empty string, which is never less than a value. The value is in the form in which the
    list stores the field. The form of an address is the key of its person, see `person_of`.
    """

    field: str
    operator: Operator
    value: str


class CompareNumber(Struct, frozen=True):
    """True if the value of a column or an attribute is a number, and the comparison with the number is true."""

    field: str
    operator: Operator
    number: float


class OneOf(Struct, frozen=True):
    """True if a column or an attribute has one of the values."""

    field: str
    values: tuple[str, ...]


class Tagged(Struct, frozen=True):
    """True for a person who has the tag."""

    tag: str


class Did(Struct, frozen=True):
    """True for a person who received, opened or clicked this issue. If `issue` is None, any issue counts."""

    deed: Deed
    issue: str | None


class Since(Struct, frozen=True):
    """True for a person whose recorded date of the occasion is this time or later."""

    occasion: Occasion
    moment: datetime


class Left(Struct, frozen=True):
    """True for a person who left the topic, but is not suppressed from all email."""

    topic: str


class Among(Struct, frozen=True):
    """True for the subscribers with these ids. No expression can ask for it."""

    people: tuple[int, ...]


Condition = All | And | Or | Not | Compare | CompareNumber | OneOf | Tagged | Did | Since | Left | Among


class Segment(Struct, frozen=True, kw_only=True):
    """A saved filter over the audience: its name, its expression as written, and its meaning."""

    name: str
    expression: str
    condition: Condition


class KnownNames(Struct, frozen=True, kw_only=True):
    """The names that an expression may use. Fields or tags are None if they are not known yet."""

    fields: tuple[str, ...] | None  # columns and attributes
    tags: tuple[str, ...] | None
    issues: tuple[str, ...]
    topics: tuple[str, ...]
    # Return the field as which an import saves a column with this name, such as `language` for "Sprache", or empty.
    field_of: Callable[[str], str] = lambda _: ""


MAILED = "mailed"  # the standing of someone who gets email


class Member(Struct, frozen=True, kw_only=True):
    """A member of a segment, with the reason if they are suppressed."""

    suppressed: SuppressionReason | None
    subscriber: Subscriber

    @property
    def is_mailed(self) -> bool:
        """Whether they may be emailed."""
        return self.suppressed is None and self.subscriber.record.may_be_mailed

    @property
    def standing(self) -> str:
        """Return `mailed`, or a word or two on why the person is not emailed."""
        if self.suppressed is not None:
            return self.suppressed.value
        return MAILED if self.subscriber.record.may_be_mailed else "no consent"
