"""What a check is given, and what a rule is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.config import Settings
from newsletter.model.finding import Finding, Severity
from newsletter.model.issue import Issue
from newsletter.model.rendered import RenderedIssue


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is checked: the issue as written, the mail as rendered, and the moment at which it is to be judged."""

    issue: Issue
    rendered: RenderedIssue
    settings: Settings
    at: datetime
    known_fields: frozenset[str] | None  # the merge fields that the audience has; None where it is not known


Check = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its id, what it asks, why, and the check that holds mail to it."""

    id: str
    severity: Severity  # the highest that it gives
    title: str
    why: str
    source: str  # who asks for it
    check: Check
