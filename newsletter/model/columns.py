"""The columns of a subscriber: one table, from which the SQL, the list files, the JSON and the pages take theirs.

`docs/extending/column.md` shows how to add one: a line in `COLUMNS`, a field of `SubscriberRecord`, and a migration for
each engine.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from msgspec import Struct, field

ColumnValue = str | datetime | tuple[str, ...] | Mapping[str, str] | None


class ColumnType(StrEnum):
    """What a column holds. The database keeps each as text, and an empty text where nothing is known."""

    ADDRESS = "address"  # a checked email address, its domain in lowercase
    TEXT = "text"  # one line
    LANGUAGE = "language"  # a code such as pt-BR
    ZONE = "zone"  # a name of the time zone database
    MOMENT = "moment"  # in UTC: 2026-02-19T08:00:00Z
    TAGS = "tags"  # sorted, each between bars: |member|teacher|
    ATTRIBUTES = "attributes"  # a JSON object of texts: the columns of a list that are not in this table


class MergeRule(StrEnum):
    """What is on record of a known person after a row of an import; `store/importing/merging.py` carries it out.

    Under every rule an empty cell says nothing, and neither does a cell that repeats what is on record.
    """

    NEWER = "newer"  # the row's cell replaces the one on record
    UNION = "union"  # the tags of both
    BY_NAME = "by name"  # the attributes of both; of two with the same name, the row's
    EARLIER = "earlier"  # the earlier of two moments
    CONSENT = "consent"  # the moment of a consent: the later of two
    OF_CONSENT = "of consent"  # a newer consent replaces it, the same one completes it, an older one says nothing
    WITHOUT_CONSENT = "without consent"  # the row's cell, unless a consent is on record


NOW = "now"  # as a default: the moment of the import


class SubscriberColumn(Struct, frozen=True, kw_only=True):
    """One column: its name is the same in the database, in a list file, in an expression and in a merge field."""

    name: str
    label: str  # on the page of one person, where columns with the same label are shown as one
    type: ColumnType = ColumnType.TEXT
    merge: MergeRule = MergeRule.NEWER
    default: str = ""  # what is kept of a new person where their row says nothing
    in_lists: bool = True  # a list file may bring it, and an export has it
    is_field: bool = True  # a merge field and an expression may name it

    @property
    def is_consent(self) -> bool:
        """Whether it tells what allows you to write to somebody, rather than who they are."""
        return self.merge in {MergeRule.CONSENT, MergeRule.OF_CONSENT, MergeRule.WITHOUT_CONSENT}

    @property
    def key(self) -> str:
        """Its name in the JSON of one person, where the consent is an object of its own."""
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
)
COLUMN_NAMES = tuple(column.name for column in COLUMNS)
LIST_COLUMNS = tuple(column.name for column in COLUMNS if column.in_lists)
FIELD_COLUMNS = frozenset(column.name for column in COLUMNS if column.is_field)

_values_of = attrgetter(*COLUMN_NAMES)


class SubscriberRecord(Struct, frozen=True, kw_only=True):
    """What a row of a list says about one person: a field for each of COLUMNS; an empty one says nothing."""

    email: str
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()  # sorted, without doubles
    attributes: Mapping[str, str] = field(default_factory=dict)
    joined_at: datetime | None = None
    consented_at: datetime | None = None
    consent_source: str = ""  # where they said yes
    consent_wording: str = ""  # the version of the words that they said yes to
    consent_confirmed_at: datetime | None = None  # when they confirmed it from their mailbox
    consent_basis: str = ""  # what an import stated for all of its rows

    @property
    def values(self) -> tuple[ColumnValue, ...]:
        """The values in the order of COLUMNS."""
        values: tuple[ColumnValue, ...] = _values_of(self)
        return values

    @property
    def may_be_mailed(self) -> bool:
        """Whether a consent, or a basis that an import stated, is on record."""
        return self.consented_at is not None or bool(self.consent_basis)
