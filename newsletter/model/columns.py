"""The columns of a subscriber: the table from which the SQL, list files, JSON and pages are made.

`docs/extending/column.md` shows how to add one: a line in `COLUMNS`, a field of `SubscriberRecord`, and a migration for
each engine.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from msgspec import Struct, field

NAME_COLUMNS = frozenset({"first_name", "last_name"})  # what people call themselves, or others call them
ColumnValue = str | datetime | tuple[str, ...] | Mapping[str, str] | None


class ColumnType(StrEnum):
    """The type of a column. The database stores every type as text; an empty string means that the value is unknown."""

    ADDRESS = "address"  # a checked email address with its domain in lowercase
    TEXT = "text"  # one line
    LANGUAGE = "language"  # a code such as pt-BR
    ZONE = "zone"  # a name from the time zone database
    MOMENT = "moment"  # in UTC: 2026-02-19T08:00:00Z
    TAGS = "tags"  # sorted, each between bars: |member|teacher|
    ATTRIBUTES = "attributes"  # a JSON object of strings: the list's columns that are not in COLUMNS


class MergeRule(StrEnum):
    """How a row of an import changes a known person; `store/importing/merge_rules.py` applies it.

    Under every rule, an empty cell changes nothing, and neither does a cell that repeats the recorded value.
    """

    NEWER = "newer"  # the row's cell replaces the recorded one
    UNION = "union"  # all tags, from the row and from the record
    BY_NAME = "by name"  # all attributes; if both have an attribute of the same name, the row's value is kept
    EARLIER = "earlier"  # the earlier of two times
    CONSENT = "consent"  # the later of two consent times
    OF_CONSENT = "of consent"  # newer consent replaces it, the same consent completes it, older consent changes nothing
    WITHOUT_CONSENT = "without consent"  # the row's cell, unless consent is on record


NOW = "now"  # as a default: the time of the import


class SubscriberColumn(Struct, frozen=True, kw_only=True):
    """One column. Its name is the same in the database, list files, expressions and merge fields."""

    name: str
    label: str  # on a person's page; columns with the same label are shown together
    type: ColumnType = ColumnType.TEXT
    merge: MergeRule = MergeRule.NEWER
    default: str = ""  # the value for a new person if their row has none
    in_lists: bool = True  # a list file may contain it, and an export does
    is_field: bool = True  # merge fields and expressions may name it

    @property
    def is_consent(self) -> bool:
        """Whether it records permission to email the person, rather than a fact about the person."""
        return self.merge in {MergeRule.CONSENT, MergeRule.OF_CONSENT, MergeRule.WITHOUT_CONSENT}

    @property
    def key(self) -> str:
        """Return its name in the JSON about one person, in which consent is a separate object."""
        return self.name.removeprefix("consent_")


COLUMNS = (
    SubscriberColumn(name="email", label="address", type=ColumnType.ADDRESS),
    SubscriberColumn(name="first_name", label="name"),
    SubscriberColumn(name="last_name", label="name"),
    SubscriberColumn(name="language", label="language", type=ColumnType.LANGUAGE),
    SubscriberColumn(name="timezone", label="time zone", type=ColumnType.ZONE),
    SubscriberColumn(name="tags", label="tags", type=ColumnType.TAGS, merge=MergeRule.UNION, is_field=False),
    SubscriberColumn(
        name="attributes",
        label="attributes",
        type=ColumnType.ATTRIBUTES,
        merge=MergeRule.BY_NAME,
        default="{}",
        in_lists=False,
        is_field=False,
    ),
    SubscriberColumn(name="joined_at", label="joined", type=ColumnType.MOMENT, merge=MergeRule.EARLIER, default=NOW),
    SubscriberColumn(name="consented_at", label="given", type=ColumnType.MOMENT, merge=MergeRule.CONSENT),
    SubscriberColumn(name="consent_source", label="source", merge=MergeRule.OF_CONSENT),
    SubscriberColumn(name="consent_wording", label="wording", merge=MergeRule.OF_CONSENT),
    SubscriberColumn(
        name="consent_confirmed_at", label="confirmed", type=ColumnType.MOMENT, merge=MergeRule.OF_CONSENT
    ),
    SubscriberColumn(name="consent_basis", label="basis", merge=MergeRule.WITHOUT_CONSENT),
    SubscriberColumn(
        name="tracking_consented_at",
        label="agreed to tracking",
        type=ColumnType.MOMENT,
        in_lists=False,
        is_field=False,
    ),
    SubscriberColumn(name="paused_until", label="paused until", type=ColumnType.MOMENT, in_lists=False, is_field=False),
)
COLUMN_NAMES = tuple(column.name for column in COLUMNS)
LIST_COLUMNS = tuple(column.name for column in COLUMNS if column.in_lists)
CONSENT_COLUMNS = frozenset(column.name for column in COLUMNS if column.is_consent)
FIELD_COLUMNS = frozenset(column.name for column in COLUMNS if column.is_field)

_values_of = attrgetter(*COLUMN_NAMES)


class SubscriberRecord(Struct, frozen=True, kw_only=True):
    """One row of a list, with one field for each of COLUMNS. An empty field means that the value is unknown."""

    email: str
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()  # sorted, without duplicates
    attributes: Mapping[str, str] = field(default_factory=dict)
    joined_at: datetime | None = None
    consented_at: datetime | None = None
    consent_source: str = ""  # where they consented
    consent_wording: str = ""  # the version of the wording that they consented to
    consent_confirmed_at: datetime | None = None  # when they confirmed it from their mailbox
    consent_basis: str = ""  # the basis that was stated for all rows of an import
    tracking_consented_at: datetime | None = None  # since when we may record which emails they open and which links
    paused_until: datetime | None = None  # they want no email until then

    @property
    def values(self) -> tuple[ColumnValue, ...]:
        """Return the values in the order of COLUMNS."""
        values: tuple[ColumnValue, ...] = _values_of(self)
        return values

    @property
    def may_be_mailed(self) -> bool:
        """Whether consent or a stated basis is on record."""
        return self.consented_at is not None or bool(self.consent_basis)
