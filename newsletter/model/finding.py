"""What a check found, how much it matters, and what is asked of a broadcast besides mail that is in order."""

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """Whether a finding holds the mail back."""

    ERROR = "error"  # blocks a broadcast
    WARNING = "warning"  # is shown, and does not block


class Means(StrEnum):
    """What some rules need besides the issue: they take seconds, and cannot be judged everywhere."""

    BROWSER = "browser"  # Chromium
    NETWORK = "network"  # DNS and the web
    SPAMASSASSIN = "spamassassin"


class Place(Struct, frozen=True, kw_only=True):
    """A spot in a user's file: the path as the user would type it, and the line where known."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that a check found, where it comes from, and what to do about it."""

    rule: str
    severity: Severity
    place: Place
    what: str
    remedy: str
    waived: str = ""  # why it holds nothing back, where somebody waived its rule

    @property
    def blocks(self) -> bool:
        """Whether it holds a broadcast back."""
        return self.severity is Severity.ERROR and not self.waived

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy} [{self.rule}]"


class NotRun(Struct, frozen=True, kw_only=True):
    """A rule that nobody judged, and why: it counts neither as kept nor as broken."""

    rule: str
    why: str


class Requirement(Struct, frozen=True, kw_only=True):
    """One demand: the id by which it is waived, the setting that turns it on, what it asks, and why."""

    id: str
    setting: str  # the key in `[delivery]`
    title: str
    why: str


class AudienceRule(Struct, frozen=True, kw_only=True):
    """What holds for everybody who is mailed: whoever it does not hold for is left out, and it cannot be waived."""

    id: str
    title: str
    why: str
    source: str  # who asks for it


APPROVAL = Requirement(
    id="R1",
    setting="require_approval",
    title="Somebody approved exactly this content",
    why="A yes holds for what was looked at. Any edit after it, of a word, a picture or the theme, asks for a new one.",
)
TEST = Requirement(
    id="R2",
    setting="require_test",
    title="A test copy of exactly this content was sent",
    why="A preview is not a mail program. What nobody has had in an inbox goes to everybody's at once.",
)
REQUIREMENTS = (APPROVAL, TEST)

CONSENT = AudienceRule(
    id="L3",
    title="Of everybody who is mailed it is on record why they may be",
    why="When they said yes and where, or the basis that was stated for the list that they came with. Whoever has "
    "neither is left out, and `send` says how many they are.",
    source="GDPR, article 7; CASL; CAN-SPAM; Gmail's sender rules",
)
AUDIENCE_RULES = (CONSENT,)
