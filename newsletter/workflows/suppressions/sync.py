"""Keep our suppressions and a provider's lists alike.

What the provider has and we lack is taken over, with its time and its words. Whom we hold and it does not know is put
on its list of those who left. Where a suppression was lifted here, what the provider's lists say from before then is
out of date and is taken off them; what they say from then on stands, and is taken over again. All of it may be
repeated: what was done already is not done twice.

Whoever is suppressed here, and stands there with a later moment, left again: that is noted, so that no consent from
between the two lets them back. An entry that is there because we put it there says nothing new.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, field

from newsletter.errors import InputError
from newsletter.lists.addresses import checked_address
from newsletter.model.address import person_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.event import ListedAddress, ProviderList, SoftBounce, SoftBouncePolicy
from newsletter.providers.base import Provider, SuppressionLists
from newsletter.store.database import Database
from newsletter.store.soft_bounces import add_soft_bounces, suppress_soft_bounces
from newsletter.store.suppressions import (
    LastHeard,
    add_suppressions,
    keep_handed_over,
    list_suppressions,
    repeat_suppressions,
    standing_of,
)

_PAGE = 500  # people whose standing is looked up at once
_Item = TypeVar("_Item")

# What each list means here. A block is no suppression: many of them in a row are (`store/soft_bounces.py`).
REASONS: Mapping[ProviderList, SuppressionReason] = {
    ProviderList.UNSUBSCRIBES: SuppressionReason.UNSUBSCRIBED,
    ProviderList.BOUNCES: SuppressionReason.BOUNCED,
    ProviderList.INVALID_EMAILS: SuppressionReason.INVALID,
    ProviderList.SPAM_REPORTS: SuppressionReason.COMPLAINED,
}


class SyncPlan(Struct, frozen=True, kw_only=True):
    """What the lists hold, and what differs here and there."""

    provider: str
    there: Counter[ProviderList]  # how many addresses
    new_here: tuple[ListedAddress, ...]  # to be suppressed; one a person
    blocks: tuple[ListedAddress, ...]  # of people who may be mailed
    left_again: tuple[ListedAddress, ...]  # by people who are suppressed, or will be; one a person
    new_there: tuple[str, ...]  # addresses to be put among those who left
    off_there: tuple[ListedAddress, ...]  # what was lifted here since
    forgotten: int  # addresses of people who were forgotten: left where they are
    unusable: int  # entries that are no address

    @property
    def changes_there(self) -> int:
        """How many addresses of the provider's lists would change."""
        return len(self.new_there) + len(self.off_there)


class TakenOver(Struct, frozen=True, kw_only=True):
    """What changed here."""

    suppressed: int
    soft_bounces: int  # blocks that were not known yet
    worn_out: int  # suppressed because of many soft bounces in a row


def require_lists(provider: Provider) -> SuppressionLists:
    """Return the provider's lists; raise InputError where it keeps none."""
    if provider.suppression_lists is None:
        raise InputError(
            f"{provider.name} keeps no lists of whom it does not mail, so there is nothing to sync with; "
            "what comes back to you by mail can be added with `newsletter suppressions add`"
        )
    return provider.suppression_lists


def plan_sync(
    database: Database,
    provider: Provider,
    *,
    since: datetime | None,
    now: datetime,
    key: bytes | None,
    on_read: Callable[[int], None] = lambda _: None,
) -> SyncPlan:
    """Read all lists, or what was put on them since, and compare; change nothing.

    `on_read` hears how many more entries were read. Raise ProviderError where a list cannot be read, and InputError
    where the provider has none, or somebody was forgotten and the key is missing.
    """
    lists = require_lists(provider)
    found = _Comparison(database=database, key=key)
    for listed in ProviderList:
        for page in lists.pull(listed, since=since, until=now):
            found.add(listed, page)
            on_read(len(page))
    new_here, off_there = found.decided()
    return SyncPlan(
        provider=provider.name,
        there=found.there,
        new_here=new_here,
        blocks=tuple(found.blocks),
        left_again=tuple(found.left_again.values()),
        new_there=tuple(_unknown_there(database, found.persons, since)),
        off_there=off_there,
        forgotten=len(found.forgotten),
        unusable=found.unusable,
    )


def take_over(
    database: Database, plan: SyncPlan, policy: SoftBouncePolicy, *, key: bytes | None, now: datetime
) -> TakenOver:
    """Suppress here whom the provider does not mail, keep its blocks, and suppress where they have become many."""
    suppressed = add_suppressions(database, (_suppression(entry, plan.provider) for entry in plan.new_here), key=key)
    repeat_suppressions(database, (_suppression(entry, plan.provider) for entry in plan.left_again))
    blocks = (SoftBounce(email=entry.email, at=entry.created_at, detail=entry.detail) for entry in plan.blocks)
    soft_bounces = add_soft_bounces(database, blocks)
    worn_out = len(suppress_soft_bounces(database, policy, now=now))
    return TakenOver(suppressed=suppressed, soft_bounces=soft_bounces, worn_out=worn_out)


def hand_over(
    database: Database,
    provider: Provider,
    plan: SyncPlan,
    *,
    key: bytes | None,
    clock: Callable[[], datetime],
    on_done: Callable[[int], None] = lambda _: None,
) -> tuple[str, ...]:
    """Bring the provider's lists in line with ours, and return the addresses that it refused.

    Who was suppressed or allowed again since the plan was made is left as they are. `on_done` hears how many more
    addresses are settled. Raise ProviderError where it stops; what was done until then stands, and a further sync
    goes on from there.
    """
    lists = require_lists(provider)
    for entries in _pages(plan.off_there):
        suppressed = standing_of(database, [person_of(entry.email) for entry in entries], key=key).suppressed
        for entry in entries:
            if person_of(entry.email) not in suppressed:
                lists.remove(entry.on, entry.email)
            on_done(1)
    refused: list[str] = []
    for emails in _pages(plan.new_there):
        suppressed = standing_of(database, [person_of(email) for email in emails], key=key).suppressed
        meant = [email for email in emails if person_of(email) in suppressed]
        not_taken = lists.add(meant)
        # By the clock after the answer: what breaks off before this counts as said again, and nobody comes back by it.
        keep_handed_over(database, [email for email in meant if email not in not_taken], now=clock())
        refused += not_taken
        on_done(len(emails))
    return tuple(refused)


def _pages(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _PAGE] for start in range(0, len(items), _PAGE))


class _Comparison(Struct, kw_only=True):
    """What the pages of all lists come to, as they are read."""

    database: Database
    key: bytes | None
    there: Counter[ProviderList] = field(default_factory=Counter)
    persons: set[str] = field(default_factory=set)  # who is on one of the lists by which they are not mailed
    blocks: list[ListedAddress] = field(default_factory=list)
    left_again: dict[str, ListedAddress] = field(default_factory=dict)  # by person
    forgotten: set[str] = field(default_factory=set)
    unusable: int = 0
    _open: dict[str, list[ListedAddress]] = field(default_factory=dict)  # of people who are not suppressed here
    _allowed_since: dict[str, datetime] = field(default_factory=dict)

    def add(self, listed: ProviderList, page: tuple[ListedAddress, ...]) -> None:
        """Take a page into account; nothing is asked of the provider while the database is."""
        self.there[listed] += len(page)
        persons = [person_of(entry.email) for entry in page]
        standing = standing_of(self.database, persons, key=self.key)
        self._allowed_since |= standing.allowed_since
        self.forgotten |= standing.forgotten
        if listed is not ProviderList.BLOCKS:
            self.persons.update(persons)
        for person, entry in zip(persons, page, strict=True):
            if person in standing.forgotten:
                continue
            if (heard := standing.suppressed.get(person)) is not None:
                if _is_news(entry, heard):
                    self._hear(person, entry)
                continue
            if not _is_address(entry.email):
                self.unusable += 1
            elif listed is not ProviderList.BLOCKS:
                self._open.setdefault(person, []).append(entry)
            elif self._stands(person, entry):
                self.blocks.append(entry)

    def _hear(self, person: str, entry: ListedAddress) -> None:
        """Take the latest entry of somebody who left again."""
        known = self.left_again.get(person)
        if known is None or entry.created_at > known.created_at:
            self.left_again[person] = entry

    def decided(self) -> tuple[tuple[ListedAddress, ...], tuple[ListedAddress, ...]]:
        """Return whom to suppress here, each by the first entry that stands, and which entries are out of date."""
        suppress, outdated = [], []
        for person, entries in sorted(self._open.items()):
            standing = [entry for entry in entries if self._stands(person, entry)]
            if standing:
                standing.sort(key=lambda entry: entry.created_at)
                suppress.append(standing[0])
                if standing[-1].created_at > standing[0].created_at:
                    self._hear(person, standing[-1])
            else:
                outdated += entries
        return tuple(suppress), tuple(outdated)

    def _stands(self, person: str, entry: ListedAddress) -> bool:
        """Return whether an entry is not older than what lets its person be mailed again; in doubt it stands."""
        allowed_since = self._allowed_since.get(person)
        return allowed_since is None or entry.created_at >= allowed_since


def _is_news(entry: ListedAddress, heard: LastHeard) -> bool:
    """Return whether an entry of somebody who is suppressed says that they left again.

    We put people on the list of those who left alone; that entry has the moment at which we did, or an earlier one.
    """
    if entry.on is ProviderList.BLOCKS or entry.created_at <= heard.said_at:
        return False
    is_ours = heard.handed_over_at is not None and entry.created_at <= heard.handed_over_at
    return not (is_ours and entry.on is ProviderList.UNSUBSCRIBES)


def _unknown_there(database: Database, persons: set[str], since: datetime | None) -> Iterator[str]:
    """Yield whom we hold and none of the lists does; with `since`, of those suppressed from then on."""
    for held in list_suppressions(database, topic=""):
        if (since is None or held.created_at >= since) and person_of(held.email) not in persons:
            yield held.email


def _suppression(entry: ListedAddress, provider: str) -> Suppression:
    source = f"{provider} {entry.on.replace('_', ' ')}"
    return Suppression(
        email=entry.email,
        reason=REASONS[entry.on],
        created_at=entry.created_at,
        detail=f"{source}: {entry.detail}" if entry.detail else source,
    )


def _is_address(text: str) -> bool:
    try:
        checked_address(text)
    except ValueError:
        return False
    return True
