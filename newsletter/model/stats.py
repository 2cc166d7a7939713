"""What the audience looks like: how many, since when, from where, and who no longer reads.

Months and days are by UTC, as the moments in the database are.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct, field

from newsletter.model.audience import SegmentCount
from newsletter.model.imports import PastImport
from newsletter.model.mailbox import MailboxProvider


class TopicCount(Struct, frozen=True, kw_only=True):
    """How many people left one topic, and may be mailed about others."""

    topic: str
    title: str  # as newsletter.toml has it; the topic itself where it is not defined there
    people: int


class AudienceFacts(Struct, frozen=True, kw_only=True):
    """Everybody on the list: mailable + suppressed + without consent = people."""

    people: int
    suppressed: Mapping[str, int]  # the reason → how many of the people, most frequent first
    without_consent: int  # of those who are not suppressed
    consents: int  # people of whom a consent is on record
    consents_without_source: int
    consents_without_confirmation: int
    on_stated_basis: int  # people whom nothing but the basis that an import stated allows to mail
    topics: tuple[TopicCount, ...] = ()

    @property
    def all_suppressed(self) -> int:
        """How many of the people are not mailed at all."""
        return sum(self.suppressed.values())

    @property
    def mailable(self) -> int:
        """How many of the people may be mailed."""
        return self.people - self.all_suppressed - self.without_consent


class MonthlyGrowth(Struct, frozen=True, kw_only=True):
    """Who came and who went in one month."""

    month: date  # its first day
    joined: int = 0
    returned: int = 0  # whose suppression was lifted
    left: Mapping[str, int] = field(default_factory=dict)  # the reason of their suppression → how many

    @property
    def all_left(self) -> int:
        """How many left, whatever the reason."""
        return sum(self.left.values())

    @property
    def gained(self) -> int:
        """How many came, for the first time or again."""
        return self.joined + self.returned

    @property
    def net(self) -> int:
        """By how many the audience grew; negative where it shrank."""
        return self.gained - self.all_left


class Growth(Struct, frozen=True, kw_only=True):
    """Months in a row, the last of them not over yet; before + the net of each = after."""

    months: tuple[MonthlyGrowth, ...]
    after: int  # people on the list who are not suppressed, now

    @property
    def before(self) -> int:
        """How many there were when the first month began."""
        return self.after - sum(month.net for month in self.months)

    @property
    def joined(self) -> int:
        """How many joined in all of the months."""
        return sum(month.joined for month in self.months)

    @property
    def returned(self) -> int:
        """How many came back in all of the months."""
        return sum(month.returned for month in self.months)

    @property
    def left(self) -> Mapping[str, int]:
        """How many left in all of the months, by reason, the most frequent first."""
        reasons = {reason for month in self.months for reason in month.left}
        total = {reason: sum(month.left.get(reason, 0) for month in self.months) for reason in reasons}
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


class Group(Struct, frozen=True, kw_only=True):
    """People who have something in common."""

    name: str  # what the list says; empty where it says nothing
    people: int
    title: str = ""  # the name in words, where there are better ones
    left: int | None = None  # how many of the people are suppressed; None where that is not asked


class Breakdown(Struct, frozen=True, kw_only=True):
    """Everybody on the list by one trait, the largest groups first; the parts add up to the people."""

    groups: tuple[Group, ...]
    unknown: int = 0  # people of whom it is not known
    further: int = 0  # how many smaller groups there are
    further_people: int = 0  # and the people in them


class MailboxGroup(Struct, frozen=True, kw_only=True):
    """People whose mailboxes one provider runs."""

    provider: MailboxProvider
    people: int


class Mailboxes(Struct, frozen=True, kw_only=True):
    """Everybody on the list by who runs their mailbox, the largest first."""

    providers: tuple[MailboxGroup, ...]
    domains: Breakdown  # of the people with another provider


class Engagement(Struct, frozen=True, kw_only=True):
    """What became of the mail of some days, person by person: clicked + opened + neither = received."""

    days: int
    received: int  # people on the list to whom at least one issue went
    clicked: int
    opened: int  # opened something, and clicked nothing
    opens_known_since: datetime | None  # when the first opening ever was reported; None where none was

    @property
    def neither(self) -> int:
        """How many did neither."""
        return self.received - self.clicked - self.opened


class Purpose(StrEnum):
    """What to do about people who no longer read."""

    RE_ENGAGE = "re-engage"  # ask them whether they still want the newsletter
    SUNSET = "sunset"  # stop mailing them


class Candidates(Struct, frozen=True, kw_only=True):
    """People who received issues for a long time and reacted to none."""

    purpose: Purpose
    issues: int  # how many issues the time must hold
    days: int  # the time: as long as it takes for so many issues, and no shorter than the purpose asks
    expression: str  # of a segment that holds just these people
    count: SegmentCount | None  # None where nothing can be said yet
    because: str = ""  # why nothing can be said


class AudienceStats(Struct, frozen=True, kw_only=True):
    """All that is told of the audience at one moment."""

    at: datetime
    facts: AudienceFacts
    growth: Growth
    sources: Breakdown
    imports: tuple[PastImport, ...]  # the newest first
    languages: Breakdown
    zones: Breakdown
    regions: Breakdown  # of the same zones
    mailboxes: Mailboxes
    engagement: Engagement
    candidates: tuple[Candidates, ...]
