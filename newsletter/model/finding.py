"""The problems that checks find, their severity, and what else a broadcast needs before it may be sent."""

from enum import StrEnum

from msgspec import Struct

from newsletter.errors import Fix


class Severity(StrEnum):
    """Whether a finding blocks sending."""

    ERROR = "error"  # blocks a broadcast
    WARNING = "warning"  # is shown, but does not block


class Means(StrEnum):
    """The tools that some checks need besides the issue. Such checks take seconds, and cannot run on every machine."""

    BROWSER = "browser"  # Chromium
    NETWORK = "network"  # DNS and the web
    SPAMASSASSIN = "spamassassin"


class Place(Struct, frozen=True, kw_only=True):
    """A place in a user's file: the path as the user would type it, and the line if it is known."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Finding(Struct, frozen=True, kw_only=True):
    """One problem that a check found, its place, and how to fix it."""

    rule: str
    severity: Severity
    place: Place
    what: str
    remedy: str
    waived: str = ""  # the reason given for overriding its check; empty if it is not overridden
    fix: Fix | None = None  # if the remedy is exactly this edit of the line

    @property
    def blocks(self) -> bool:
        """Whether it blocks a broadcast."""
        return self.severity is Severity.ERROR and not self.waived

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy} [{self.rule}]"


class NotRun(Struct, frozen=True, kw_only=True):
    """A check that was skipped, and the reason. It counts neither as passed nor as failed."""

    rule: str
    why: str


class Requirement(Struct, frozen=True, kw_only=True):
    """One requirement: the id for overriding it, the setting that turns it on, what is missing, and why it matters."""

    id: str
    setting: str  # the key in `[delivery]`; empty if it always applies
    title: str
    why: str


class AudienceRule(Struct, frozen=True, kw_only=True):
    """A rule that every recipient must meet; all others are excluded. It cannot be overridden."""

    id: str
    title: str
    why: str
    source: str  # the law or provider that requires it


APPROVAL = Requirement(
    id="R1",
    setting="require_approval",
    title="Missing approval",
    why="An approval covers what was reviewed. Any later edit of a word, an image or the theme voids it.",
)
TEST = Requirement(
    id="R2",
    setting="require_test",
    title="Missing test email",
    why="A preview is not an email app. Without a test, no one sees the email in an inbox before all subscribers do.",
)
REPEAT = Requirement(
    id="R3",
    setting="",
    title="Content that recipients already have",
    why="A renamed or copied folder is a new issue. Its content is recognized, so that no one gets it twice.",
)
REQUIREMENTS = (APPROVAL, TEST, REPEAT)

CONSENT = AudienceRule(
    id="L3",
    title="Recipients without recorded consent or basis",
    why="For each recipient, the list records when and where they consented, or the basis that was stated when their "
    "list was imported. Subscribers with neither are excluded, and `send` shows how many there are.",
    source="GDPR, article 7; CASL; CAN-SPAM; Gmail's sender rules",
)
AUDIENCE_RULES = (CONSENT,)
