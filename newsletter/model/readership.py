"""The reader of an issue, and the readership: the readers who get the same variant."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Self

from msgspec import Struct, field

from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of


class TrackingMode(StrEnum):
    """Whether opens and clicks are recorded."""

    OFF = "off"  # the email contains nothing that reports back
    TOTALS = "totals"  # the same links and picture for all readers, so only totals can be counted
    CONSENTED = "consented"  # for each reader who has agreed; all others get the email without it


class Reader(Struct, frozen=True, kw_only=True):
    """A subscriber, a reviewer, or an invented person for a preview.

    `fields` has a value for each known column and attribute. If it is missing or empty, the issue's default is shown.
    `segments` contains the segments to which the reader belongs, out of those that were requested.
    """

    email: str
    id: int = 0  # the subscriber's; 0 for someone who is not on the list
    token: str = ""  # the unguessable part of their personal links
    fields: Mapping[str, str] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    agrees_to_tracking: bool = False  # whether we may record what this reader opens and clicks
    version: str = ""  # of the issue, drawn or chosen for this reader; empty if there is only one, or it is not known

    @property
    def mailbox(self) -> MailboxProvider:
        """Return the provider of the reader's mailbox, as far as the address shows it."""
        return mailbox_provider_of(self.email)

    @property
    def language(self) -> str:
        """Return the recorded language, or an empty string if there is none."""
        return self.fields.get("language", "")

    @property
    def timezone(self) -> str:
        """Return the recorded time zone, or an empty string if there is none."""
        return self.fields.get("timezone", "")


ONLY = "only "  # the axis of a segment named by `only:` is called "only SEGMENT"
MAILBOX = "mailbox"
LANGUAGE = "language"
TRACKING = "tracking"
VERSION = "version"
VERSIONS = ("A", "B", "C", "D")  # what is written without a letter is version A
SHOWN, HIDDEN = "shown", "hidden"  # the values of a segment's axis: whether its sections are shown
_ELSEWHERE = "other mailboxes"


class Readership(Struct, frozen=True):
    """The readers of one variant, described by one value for each axis, in the order of the axes."""

    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        """Return the readership with these values, which must be in the order of the axes."""
        return cls(tuple(values.items()))

    def value(self, axis: str) -> str | None:
        """Return the value for an axis, or None if the issue has no such axis."""
        return next((value for name, value in self.values if name == axis), None)

    def having(self, axis: str, value: str) -> Self:
        """Return the same readership with another value for one axis, or unchanged if there is no such axis."""
        return type(self)(tuple((name, value if name == axis else other) for name, other in self.values))

    @property
    def segments(self) -> frozenset[str]:
        """Return the segments whose sections these readers see."""
        shown = (name for name, value in self.values if value == SHOWN)
        return frozenset(name.removeprefix(ONLY) for name in shown if name.startswith(ONLY))

    @property
    def language(self) -> str:
        """Return the language of the email to them, or an empty string if the issue has only its own."""
        return self.value(LANGUAGE) or ""

    @property
    def mailbox(self) -> MailboxProvider | None:
        """Return their mailbox provider, or None if the issue is the same for all providers."""
        value = self.value(MAILBOX)
        return MailboxProvider(value) if value else None

    @property
    def tracking(self) -> TrackingMode:
        """Return whether the email to these readers reports opens and clicks."""
        return TrackingMode(self.value(TRACKING) or TrackingMode.OFF)

    @property
    def version(self) -> str:
        """Return the version of the issue that they get, or an empty string if it has only one."""
        return self.value(VERSION) or ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the special content that these readers see, for file names and URLs."""
        mailbox = [self.mailbox.value] if self.mailbox else []
        language = [self.language] if self.language else []
        version = [f"version-{self.version.lower()}"] if self.version not in {"", VERSIONS[0]} else []
        return (*language, *sorted(self.segments), *mailbox, *(["tracked"] if self._is_tracked else []), *version)

    @property
    def label(self) -> str:
        """Return the label that people see for these readers. It is empty if they see no special content."""
        tracked = [*(["tracked"] if self._is_tracked else []), *([f"version {self.version}"] if self.version else [])]
        named = filter(None, [_name_of(self.language), *sorted(self.segments), self._at])
        return " + ".join([*named, *tracked])

    @property
    def sees(self) -> str:
        """Return a description of the content that only these readers see. It is empty if there is none."""
        language = [f"the email in {_name_of(self.language)}"] if self.language else []
        seen = [f"what is only for {' and '.join(sorted(self.segments))}"] if self.segments else []
        steps = [f"the steps for {self._at}"] if self._at else []
        tracked = ["the link that stops tracking"] if self._is_tracked else []
        version = [f"version {self.version}"] if self.version else []
        return ", and ".join([*version, *language, *seen, *steps, *tracked])

    @property
    def _is_tracked(self) -> bool:
        return self.tracking is TrackingMode.CONSENTED

    @property
    def _at(self) -> str:
        if self.mailbox is None:
            return ""
        return _ELSEWHERE if self.mailbox is MailboxProvider.OTHER else self.mailbox.label


@cache
def _name_of(language: str) -> str:
    if not language:
        return ""
    from babel.core import Locale, UnknownLocaleError  # loaded here because its tables are large

    try:
        return Locale.parse(language, sep="-").get_display_name("en") or language
    except (UnknownLocaleError, ValueError):
        return language
