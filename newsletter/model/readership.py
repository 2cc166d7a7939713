"""One reader as an issue sees them, and the readers who share a variant: one value for each axis of the issue."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct, field

from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of


class Reader(Struct, frozen=True, kw_only=True):
    """A subscriber, a reviewer or a person made up for a preview.

    `fields` has a text for each column and attribute that is known of them; what is missing or empty gets the default
    that the issue gives. `segments` are those of the segments asked about that they belong to.
    """

    email: str
    id: int = 0  # the subscriber's; 0 for somebody who is not on the list
    token: str = ""  # the unguessable part of their own links
    fields: Mapping[str, str] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()

    @property
    def mailbox(self) -> MailboxProvider:
        """Who runs their mailbox, as far as the address tells."""
        return mailbox_provider_of(self.email)

    @property
    def language(self) -> str:
        """The language on record; empty where none is."""
        return self.fields.get("language", "")

    @property
    def timezone(self) -> str:
        """The time zone on record; empty where none is."""
        return self.fields.get("timezone", "")


ONLY = "only "  # begins the name of the axis of a segment that some section is shown to alone
MAILBOX = "mailbox"
LANGUAGE = "language"
SHOWN, HIDDEN = "shown", "hidden"  # the values of an axis of a segment: whether its sections are seen
_ELSEWHERE = "other mailboxes"


class Readership(Struct, frozen=True):
    """One value for each axis, in the order of the axes. No two variants of an issue have the same."""

    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        """Return the readership with these values, which stand in the order of the axes."""
        return cls(tuple(values.items()))

    def value(self, axis: str) -> str | None:
        """Return the value for an axis; None where the issue has no such axis."""
        return next((value for name, value in self.values if name == axis), None)

    def having(self, axis: str, value: str) -> Self:
        """Return the same readership with another value for one axis, which may be one that the issue lacks."""
        return type(self)(tuple((name, value if name == axis else other) for name, other in self.values))

    @property
    def segments(self) -> frozenset[str]:
        """The segments whose sections they see."""
        shown = (name for name, value in self.values if value == SHOWN)
        return frozenset(name.removeprefix(ONLY) for name in shown if name.startswith(ONLY))

    @property
    def mailbox(self) -> MailboxProvider | None:
        """Who runs their mailbox; None where that makes no difference to the issue."""
        value = self.value(MAILBOX)
        return MailboxProvider(value) if value else None

    @property
    def names(self) -> tuple[str, ...]:
        """What tells them apart, for file names and addresses; nothing for readers without anything of their own."""
        return (*sorted(self.segments), *([self.mailbox.value] if self.mailbox else []))

    @property
    def label(self) -> str:
        """What tells them apart, for people; empty for readers without anything of their own."""
        return " + ".join([*sorted(self.segments), *([self._at] if self._at else [])])

    @property
    def sees(self) -> str:
        """What they see and others do not, for people; empty where that is nothing."""
        seen = [f"what is only for {' and '.join(sorted(self.segments))}"] if self.segments else []
        return ", and ".join([*seen, *([f"the steps for {self._at}"] if self._at else [])])

    @property
    def _at(self) -> str:
        if self.mailbox is None:
            return ""
        return _ELSEWHERE if self.mailbox is MailboxProvider.OTHER else self.mailbox.label
