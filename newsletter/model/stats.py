"""Statistics of the audience: its size, growth and sources, and the people who no longer read the newsletter.

Months and days are in UTC, like the times in the database.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct, field

from newsletter.model.audience import SegmentCount
from newsletter.model.imports import PastImport
from newsletter.model.mailbox import MailboxProvider


class TopicCount(Struct, frozen=True, kw_only=True):
    """The number of people who left one topic, but may be emailed about others."""

    topic: str
    title: str  # from newsletter.toml; the topic itself if it is not defined there
    people: int


class AudienceFacts(Struct, frozen=True, kw_only=True):
    """The people on the list, counted by whether they may be emailed.

    mailable + suppressed + without consent + paused = people.
    """

    people: int
    suppressed: Mapping[str, int]  # reason → number of people, the most common reason first
    without_consent: int  # among the people who are not suppressed
    paused: int  # among all others: people who want no email for a while
    consents: int  # people with consent on record
    consents_without_source: int
    consents_without_confirmation: int
    on_stated_basis: int  # people with only a basis that was stated for an import, not consent
    topics: tuple[TopicCount, ...] = ()

    @property
    def all_suppressed(self) -> int:
        """Return how many people get no email at all."""
        return sum(self.suppressed.values())

    @property
    def mailable(self) -> int:
        """Return how many people may be emailed."""
        return self.people - self.all_suppressed - self.without_consent - self.paused


class MonthlyGrowth(Struct, frozen=True, kw_only=True):
    """The number of people who joined, returned and left in one month."""

    month: date  # its first day
    joined: int = 0
    returned: int = 0  # people whose suppression was lifted
    left: Mapping[str, int] = field(default_factory=dict)  # the reason for their suppression → number of people

    @property
    def all_left(self) -> int:
        """Return how many people left, for any reason."""
        return sum(self.left.values())

    @property
    def gained(self) -> int:
        """Return how many people joined or returned."""
        return self.joined + self.returned

    @property
    def net(self) -> int:
        """Return by how many people the audience grew; negative if it shrank."""
        return self.gained - self.all_left


class Growth(Struct, frozen=True, kw_only=True):
    """Consecutive months up to the current one: before + the net of each month = after."""

    months: tuple[MonthlyGrowth, ...]
    after: int  # people on the list now who are not suppressed

    @property
    def before(self) -> int:
        """Return how many of these people there were when the first month began."""
        return self.after - sum(month.net for month in self.months)

    @property
    def joined(self) -> int:
        """Return how many people joined in all months together."""
        return sum(month.joined for month in self.months)

    @property
    def returned(self) -> int:
        """Return how many people returned in all months together."""
        return sum(month.returned for month in self.months)

    @property
    def left(self) -> Mapping[str, int]:
        """Return how many people left in all months together, by reason. The most common reason comes first."""
        reasons = {reason for month in self.months for reason in month.left}
        total = {reason: sum(month.left.get(reason, 0) for month in self.months) for reason in reasons}
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


class Group(Struct, frozen=True, kw_only=True):
    """People who have something in common."""

    name: str  # the value on the list; empty if there is none
    people: int
    title: str = ""  # a more readable name, if there is one
    left: int | None = None  # how many of the people are suppressed; None if that was not counted


class Breakdown(Struct, frozen=True, kw_only=True):
    """The people on the list, grouped by one property, the largest group first. The parts add up to the total."""

    groups: tuple[Group, ...]
    unknown: int = 0  # people for whom the property is not known
    further: int = 0  # the number of smaller groups, which are not listed
    further_people: int = 0  # the number of people in the smaller groups


class MailboxGroup(Struct, frozen=True, kw_only=True):
    """The number of people who use one mailbox provider."""

    provider: MailboxProvider
    people: int


class Mailboxes(Struct, frozen=True, kw_only=True):
    """The people on the list, grouped by mailbox provider. The largest group comes first."""

    providers: tuple[MailboxGroup, ...]
    domains: Breakdown  # the domains of people with another provider


class Engagement(Struct, frozen=True, kw_only=True):
    """How people reacted to the email of the last `days` days: clicked + opened + neither = received."""

    days: int
    received: int  # people on the list who received at least one issue
    clicked: int
    opened: int  # opened at least one issue, but clicked none
    opens_known_since: datetime | None  # when an open was first reported; None if that never happened

    @property
    def neither(self) -> int:
        """Return how many people neither clicked nor opened."""
        return self.received - self.clicked - self.opened


class LetterPurpose(StrEnum):
    """What to do about people who no longer read the newsletter."""

    RE_ENGAGE = "re-engage"  # ask them whether they still want the newsletter
    SUNSET = "sunset"  # stop emailing them


class Candidates(Struct, frozen=True, kw_only=True):
    """People who received issues for a long time, but never opened or clicked one."""

    purpose: LetterPurpose
    issues: int  # the number of issues that the period must contain
    days: int  # the length of the period: long enough for these issues and this purpose
    expression: str  # the expression of a segment of exactly these people
    count: SegmentCount | None  # None if there is not enough data yet
    because: str = ""  # why there is not enough data


class AudienceStats(Struct, frozen=True, kw_only=True):
    """All statistics of the audience at a certain time."""

    at: datetime
    facts: AudienceFacts
    growth: Growth
    sources: Breakdown
    imports: tuple[PastImport, ...]  # the newest comes first
    languages: Breakdown
    zones: Breakdown
    regions: Breakdown  # the regions of the same zones
    mailboxes: Mailboxes
    engagement: Engagement
    candidates: tuple[Candidates, ...]
