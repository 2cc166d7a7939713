"""What a look at the newsletter's surroundings comes to, and the DNS records that put them right."""

from enum import StrEnum

from msgspec import Struct


class DnsRecord(Struct, frozen=True, kw_only=True):
    """Name, type and value of a record."""

    name: str  # in full, without a dot at its end
    type: str  # TXT, CNAME, MX
    value: str  # as it is typed into a form: without quotes

    def __str__(self) -> str:
        value = f'"{self.value}"' if self.type == "TXT" else self.value
        return f"{self.name} {self.type} {value}"


class Health(StrEnum):
    """How things stand with one item."""

    OK = "ok"
    WARNING = "warning"  # it works, and will do harm one day
    ERROR = "error"  # mail cannot leave, or will not arrive
    NOT_JUDGED = "not judged"  # it could not be looked at: it counts neither way


class HealthItem(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    id: str  # for scripts: a word such as `clock`, or the id of a rule
    health: Health
    what: str
    remedy: str = ""  # what to do about it, where something is wrong
    records: tuple[DnsRecord, ...] = ()  # to be published exactly so


class HealthSection(Struct, frozen=True, kw_only=True):
    """Items that belong together."""

    title: str
    items: tuple[HealthItem, ...]


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All sections, in the order in which they are read."""

    sections: tuple[HealthSection, ...]

    @property
    def items(self) -> tuple[HealthItem, ...]:
        """The items of all sections."""
        return tuple(item for section in self.sections for item in section.items)

    def count(self, health: Health) -> int:
        """How many items stand so."""
        return sum(item.health is health for item in self.items)


def ok(id_: str, what: str) -> HealthItem:
    """Something in order."""
    return HealthItem(id=id_, health=Health.OK, what=what)


def warning(id_: str, what: str, remedy: str) -> HealthItem:
    """Something that works, and will do harm one day."""
    return HealthItem(id=id_, health=Health.WARNING, what=what, remedy=remedy)


def error(id_: str, what: str, remedy: str) -> HealthItem:
    """Something that keeps mail from leaving or arriving."""
    return HealthItem(id=id_, health=Health.ERROR, what=what, remedy=remedy)


def not_judged(id_: str, what: str, remedy: str = "") -> HealthItem:
    """Something that could not be looked at."""
    return HealthItem(id=id_, health=Health.NOT_JUDGED, what=what, remedy=remedy)


def from_words(id_: str, health: Health, words: object) -> HealthItem:
    """An item of an error's message, which says what is wrong before its last semicolon, and then what to do."""
    what, _, remedy = str(words).rpartition("; ")
    return HealthItem(id=id_, health=health, what=what or remedy, remedy=remedy if what else "")
