"""The result of `newsletter doctor`, with the DNS records to publish."""

from enum import StrEnum

from msgspec import Struct


class DnsRecord(Struct, frozen=True, kw_only=True):
    """The name, type and value of a DNS record."""

    name: str  # the full name, without a dot at its end
    type: str  # TXT, CNAME, MX
    value: str  # as you type it into a form, without quotes

    def __str__(self) -> str:
        value = f'"{self.value}"' if self.type == "TXT" else self.value
        return f"{self.name} {self.type} {value}"


class Health(StrEnum):
    """The state of one item."""

    OK = "ok"
    WARNING = "warning"  # it works now, but will cause trouble
    ERROR = "error"  # email cannot be sent, or will not arrive
    NOT_JUDGED = "not judged"  # it could not be checked, so it counts neither as good nor as bad


class HealthItem(Struct, frozen=True, kw_only=True):
    """One item that was checked, and the result."""

    id: str  # for programs: a word such as `clock`, or the code of a check
    health: Health
    what: str
    remedy: str = ""  # what to do, if something is wrong
    records: tuple[DnsRecord, ...] = ()  # publish them exactly as written


class HealthSection(Struct, frozen=True, kw_only=True):
    """Items that belong together."""

    title: str
    items: tuple[HealthItem, ...]


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All sections, in the order in which they are shown."""

    sections: tuple[HealthSection, ...]

    @property
    def items(self) -> tuple[HealthItem, ...]:
        """Return the items of all sections."""
        return tuple(item for section in self.sections for item in section.items)

    def count(self, health: Health) -> int:
        """Return how many items are in this state."""
        return sum(item.health is health for item in self.items)


def ok(id_: str, what: str) -> HealthItem:
    """Return an item that is in order."""
    return HealthItem(id=id_, health=Health.OK, what=what)


def warning(id_: str, what: str, remedy: str) -> HealthItem:
    """Return an item that works now, but will cause trouble."""
    return HealthItem(id=id_, health=Health.WARNING, what=what, remedy=remedy)


def error(id_: str, what: str, remedy: str) -> HealthItem:
    """Return an item with an error that keeps email from being sent or from arriving."""
    return HealthItem(id=id_, health=Health.ERROR, what=what, remedy=remedy)


def not_judged(id_: str, what: str, remedy: str = "") -> HealthItem:
    """Return an item that could not be checked."""
    return HealthItem(id=id_, health=Health.NOT_JUDGED, what=what, remedy=remedy)


def from_words(id_: str, health: Health, words: object) -> HealthItem:
    """Return an item made from an error's message. Its last semicolon separates the problem from the remedy."""
    what, _, remedy = str(words).rpartition("; ")
    return HealthItem(id=id_, health=health, what=what or remedy, remedy=remedy if what else "")
