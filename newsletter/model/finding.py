"""What a check found, and how much it matters."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding holds the mail back."""

    ERROR = "error"  # blocks a broadcast
    WARNING = "warning"  # is shown, and does not block


class Means(StrEnum):
    """What some rules need besides the issue: they take seconds, and cannot be judged everywhere."""

    BROWSER = "browser"  # Chromium
    NETWORK = "network"  # DNS and the web
    SPAMASSASSIN = "spamassassin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A spot in a user's file: the path as the user would type it, and the line where known."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A rule that nobody judged, and why: it counts neither as kept nor as broken."""

    rule: str
    why: str
