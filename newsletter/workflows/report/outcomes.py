"""Count the fate of the emails to each group of recipients. Everyone is counted in exactly one outcome."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from newsletter.model.mailbox import MailboxProvider
from newsletter.statistics.intervals import Interval, Proportion, weighted_interval
from newsletter.store.report import Counted, LeaverRow, TroubleRow

# Mailbox providers that tell no sender who marked an email as spam (https://support.google.com/a/answer/2618874).
REPORT_NO_COMPLAINTS = frozenset({MailboxProvider.GMAIL.value})
_FEWEST_KNOWN = 30  # people in a group, for an estimate of its own


class Outcomes(Struct, kw_only=True):
    """The numbers of emails or people, of one group or of all.

    accepted = delivered + bounced + blocked + dropped + waiting + silent.
    """

    accepted: int = 0  # by the provider
    delivered: int = 0  # the receiving server accepted it, and did not return it later
    bounced: int = 0  # refused for good
    blocked: int = 0  # refused for now, or because of the sender, and not delivered since
    dropped: int = 0  # by the provider, which did not send it
    waiting: int = 0  # the provider is still trying
    delayed: int = 0  # delivered after a delay; part of `delivered`
    complaints: int = 0  # marked as spam
    may_complain: int = 0  # got it, at mailboxes that report complaints
    left: int = 0
    known: int = 0  # agreed to tracking, so opens and clicks are known
    opened: int = 0  # of these, opened or clicked
    clicked: int = 0
    hears_of_delivery: bool = False  # whether the provider reports deliveries

    @property
    def silent(self) -> int:
        """Return of how many emails nothing was heard."""
        return self.accepted - self.delivered - self.bounced - self.blocked - self.dropped - self.waiting

    @property
    def received(self) -> int:
        """Return how many people got the email. If no one reports deliveries, no news is good news."""
        return self.delivered if self.hears_of_delivery else self.delivered + self.silent

    @property
    def arrival(self) -> Proportion:
        """Return the share of the accepted emails that arrived."""
        return Proportion(self.received, self.accepted)

    @property
    def bounce(self) -> Proportion:
        """Return the share of the accepted emails that bounced."""
        return Proportion(self.bounced, self.accepted)

    @property
    def complaint(self) -> Proportion:
        """Return the share of the people who marked it as spam, where that is reported."""
        return Proportion(self.complaints, self.may_complain)

    @property
    def leaving(self) -> Proportion:
        """Return the share of the recipients who left."""
        return Proportion(self.left, self.accepted)

    @property
    def opening(self) -> Proportion:
        """Return the share of those who let us know that opened."""
        return Proportion(self.opened, self.known)

    @property
    def clicking(self) -> Proportion:
        """Return the share of those who let us know that clicked."""
        return Proportion(self.clicked, self.known)

    def take(self, other: "Outcomes") -> None:
        """Add the numbers of another group."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.hears_of_delivery = self.hears_of_delivery or other.hears_of_delivery


_COUNTS = tuple(name for name in Outcomes.__struct_fields__ if name != "hears_of_delivery")


class RecipientGroup(Struct, frozen=True):
    """Recipients of one variant with the same language and mailbox provider."""

    broadcast: int
    variant: int
    language: str
    mailbox: str  # empty if they are no longer on the list


class Causes(Struct, frozen=True):
    """How many emails bounced or were refused for now, by the name of the cause in `refusals.toml`."""

    bounced: Mapping[str, int]
    blocked: Mapping[str, int]


def outcomes_by_group(counted: Counted, leavers: Iterable[LeaverRow]) -> tuple[dict[RecipientGroup, Outcomes], Causes]:
    """Return the outcomes of each group, and the causes of failures."""
    groups: defaultdict[RecipientGroup, Outcomes] = defaultdict(Outcomes)
    causes: tuple[defaultdict[str, int], defaultdict[str, int]] = (defaultdict(int), defaultdict(int))
    for reach in counted.reach:
        found = groups[RecipientGroup(*reach[:4])]
        found.accepted += reach.accepted
        found.delivered += reach.delivered
        found.known += reach.known
    hears = any(found.delivered for found in groups.values())
    for trouble in counted.troubles:
        _count_trouble(groups[RecipientGroup(*trouble[:4])], trouble)
        if trouble.bounced:
            causes[0][trouble.bounced[1:]] += trouble.people
        elif trouble.blocked and not trouble.is_delivered:
            causes[1][trouble.blocked[1:]] += trouble.people
    for reaction in counted.reactions:
        found = groups[RecipientGroup(*reaction[:4])]
        found.opened += reaction.people if reaction.type != "clicked" else 0
        found.clicked += reaction.people if reaction.type != "opened" else 0
    for leaver in leavers:
        groups[RecipientGroup(*leaver[:4])].left += leaver.people
    for group, found in groups.items():
        found.hears_of_delivery = hears
        # Of those who are no longer on the list, it is not known which mailbox they had.
        hears_complaints = group.mailbox and group.mailbox not in REPORT_NO_COMPLAINTS
        found.may_complain = max(found.received, found.complaints) if hears_complaints else found.complaints
    return dict(groups), Causes(dict(causes[0]), dict(causes[1]))


def _count_trouble(found: Outcomes, trouble: TroubleRow) -> None:
    """Count people with the same troubles. A server may accept an email and return it later: then it bounced."""
    people = trouble.people
    found.complaints += people if trouble.is_complaint else 0
    if trouble.bounced:
        found.bounced += people
        found.delivered -= people if trouble.is_delivered else 0
    elif trouble.is_delivered:
        found.delayed += people if trouble.is_deferred or trouble.blocked else 0
    elif trouble.blocked:
        found.blocked += people
    elif trouble.is_dropped:
        found.dropped += people
    elif trouble.is_deferred:
        found.waiting += people


def total_of(groups: Iterable[Outcomes]) -> Outcomes:
    """Return the sum of several groups."""
    total = Outcomes()
    for each in groups:
        total.take(each)
    return total


class Estimate(Struct, frozen=True):
    """What is estimated of all recipients from those who let us know."""

    rate: float
    interval: Interval
    of: int  # the people it stands for


def estimate(groups: Mapping[RecipientGroup, Outcomes], *, clicks: bool = False) -> Estimate | None:
    """Estimate how many of all recipients opened or clicked, from those with the same language and mailbox provider.

    Groups in which too few let us know are estimated together. Return None if there are too few in all of them. It
    assumes that within a group, those who let us know open as often as the others.
    """
    alike: defaultdict[tuple[str, str], Outcomes] = defaultdict(Outcomes)
    for group, found in groups.items():
        alike[group.language, group.mailbox].take(found)
    large = [found for found in alike.values() if found.known >= _FEWEST_KNOWN]
    rest = total_of(found for found in alike.values() if found.known < _FEWEST_KNOWN)
    parts = [*large, rest] if rest.known >= _FEWEST_KNOWN else large
    if rest.known < _FEWEST_KNOWN and large:
        parts[-1] = total_of([large[-1], rest])  # too few for a group of their own
    people = sum(part.accepted for part in parts)
    if not people:
        return None
    rates = [(part.accepted / people, part.clicking if clicks else part.opening) for part in parts]
    middle = sum(weight * rate.rate for weight, rate in rates)
    return Estimate(middle, weighted_interval(rates), people)
