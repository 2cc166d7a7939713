"""Synchronize our suppressions with the provider's lists, in both directions.

Entries that only the provider has are added to our list, with the provider's time and reason. Addresses that only we
suppress are added to the provider's unsubscribe list. If we lifted a suppression, the provider's older entries are
outdated and are removed from its lists; newer entries are valid and suppress the address again. A sync can be repeated
safely: nothing is done twice.

If someone is on our list, each entry of the provider is one more report about them, which the policy on consent and
leaving combines with what is known. A later time is recorded, so that consent given between the two times does not add
them back, and a reason that no consent lifts is kept. An entry that we added ourselves does not count.
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
from newsletter.store.standing import LastHeard, keep_handed_over, standing_of
from newsletter.store.suppressions import (
    add_suppressions,
    list_suppressions,
    repeat_suppressions,
)

_PAGE = 500  # people looked up in one query
_Item = TypeVar("_Item")

# The reason for suppression that each list implies. A single block does not suppress an address, but many in a row do
# (`store/soft_bounces.py`).
REASONS: Mapping[ProviderList, SuppressionReason] = {
    ProviderList.UNSUBSCRIBES: SuppressionReason.UNSUBSCRIBED,
    ProviderList.BOUNCES: SuppressionReason.BOUNCED,
    ProviderList.INVALID_EMAILS: SuppressionReason.INVALID,
    ProviderList.SPAM_REPORTS: SuppressionReason.COMPLAINED,
}


class SyncPlan(Struct, frozen=True, kw_only=True):
    """The content of the provider's lists, and the differences between the two sides."""

    provider: str
    there: Counter[ProviderList]  # the number of addresses on each list
    new_here: tuple[ListedAddress, ...]  # to add to our list; one per person
    blocks: tuple[ListedAddress, ...]  # blocks of people who are not suppressed
    left_again: tuple[ListedAddress, ...]  # later entries of people who are suppressed, or will be
    further: tuple[ListedAddress, ...]  # other entries of these people, which may say why no consent lets them return
    new_there: tuple[str, ...]  # addresses to add to the provider's unsubscribe list
    off_there: tuple[ListedAddress, ...]  # outdated entries to remove from its lists, because we lifted the suppression
    forgotten: int  # addresses of erased people; their entries are not changed
    unusable: int  # the number of entries without a valid address

    @property
    def changes_there(self) -> int:
        """The number of addresses that would change on the provider's lists."""
        return len(self.new_there) + len(self.off_there)

    @property
    def people_again(self) -> int:
        """The number of people who left again."""
        return len({person_of(entry.email) for entry in self.left_again})


class TakenOver(Struct, frozen=True, kw_only=True):
    """The number of changes made on our side."""

    suppressed: int
    soft_bounces: int  # the number of new blocks
    worn_out: int  # addresses suppressed because of too many soft bounces in a row


def require_lists(provider: Provider) -> SuppressionLists:
    """Return the provider's suppression lists. Raise InputError if it has none."""
    if provider.suppression_lists is None:
        raise InputError(
            f"{provider.name} keeps no list of blocked addresses, so there is nothing to sync; "
            "if emails bounce back to you, add the addresses with `newsletter suppressions add`"
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
    """Read the provider's lists and compare them with ours. Change nothing.

    With `since`, read only entries from that time on. `on_read` is called with the number of entries just read. Raise
    ProviderError if a list cannot be read. Raise InputError if the provider has no lists, or if people were erased and
    the key is missing.
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
        left_again=tuple(found.left_again),
        further=tuple(found.further),
        new_there=tuple(_unknown_there(database, found.persons, since)),
        off_there=off_there,
        forgotten=len(found.forgotten),
        unusable=found.unusable,
    )


def take_over(
    database: Database, plan: SyncPlan, policy: SoftBouncePolicy, *, key: bytes | None, now: datetime
) -> TakenOver:
    """Add the provider's suppressions and blocks to our list, and suppress addresses with too many blocks."""
    suppressed = add_suppressions(database, (_suppression(entry, plan.provider) for entry in plan.new_here), key=key)
    again = (_suppression(entry, plan.provider) for entry in (*plan.left_again, *plan.further))
    repeat_suppressions(database, again, key=key)
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
    """Update the provider's lists from ours. Return the addresses that the provider refused.

    People who have been suppressed or allowed again since the plan was made are skipped. `on_done` is called with the
    number of addresses just finished. Raise ProviderError if the provider fails. Changes made before that remain, and
    the next sync continues from there.
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
        not_added = lists.add(meant)
        # The time is recorded after the response. If the sync stops before that, our entry later counts as a new
        # unsubscribe, which is safe.
        keep_handed_over(database, [email for email in meant if email not in not_added], now=clock())
        refused += not_added
        on_done(len(emails))
    return tuple(refused)


def _pages(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _PAGE] for start in range(0, len(items), _PAGE))


class _Comparison(Struct, kw_only=True):
    """The result of the comparison, collected while the lists are read page by page."""

    database: Database
    key: bytes | None
    there: Counter[ProviderList] = field(default_factory=Counter)
    persons: set[str] = field(default_factory=set)  # people on any list that makes the provider reject email to them
    blocks: list[ListedAddress] = field(default_factory=list)
    left_again: list[ListedAddress] = field(default_factory=list)
    further: list[ListedAddress] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    unusable: int = 0
    _open: dict[str, list[ListedAddress]] = field(default_factory=dict)  # entries of people whom we do not suppress
    _allowed_since: dict[str, datetime] = field(default_factory=dict)

    def add(self, listed: ProviderList, page: tuple[ListedAddress, ...]) -> None:
        """Add one page. The database is only queried between requests to the provider, never during one."""
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
                if _is_report(entry, heard) and self._stands(person, entry):
                    again = self.left_again if entry.created_at > heard.said_at else self.further
                    again.append(entry)
                continue
            if not _is_address(entry.email):
                self.unusable += 1
            elif listed is not ProviderList.BLOCKS:
                self._open.setdefault(person, []).append(entry)
            elif self._stands(person, entry):
                self.blocks.append(entry)

    def decided(self) -> tuple[tuple[ListedAddress, ...], tuple[ListedAddress, ...]]:
        """Return the entries to add to our list, one per person (the earliest valid one), and the outdated entries."""
        suppress, outdated = [], []
        for person, entries in sorted(self._open.items()):
            standing = [entry for entry in entries if self._stands(person, entry)]
            if standing:
                standing.sort(key=lambda entry: entry.created_at)
                suppress.append(standing[0])
                for entry in standing[1:]:
                    again = self.left_again if entry.created_at > standing[0].created_at else self.further
                    again.append(entry)
            else:
                outdated += entries
        return tuple(suppress), tuple(outdated)

    def _stands(self, person: str, entry: ListedAddress) -> bool:
        """Return whether an entry is valid: not older than the permission to email the person again.

        If no such permission is known, the entry is valid.
        """
        allowed_since = self._allowed_since.get(person)
        return allowed_since is None or entry.created_at >= allowed_since


def _is_report(entry: ListedAddress, heard: LastHeard) -> bool:
    """Return whether an entry of a suppressed person says that they left. Our own entries do not.

    We add people only to the unsubscribe list. The time of an entry that we added is the time at which we added it, or
    earlier.
    """
    is_ours = heard.handed_over_at is not None and entry.created_at <= heard.handed_over_at
    return entry.on is not ProviderList.BLOCKS and not (is_ours and entry.on is ProviderList.UNSUBSCRIBES)


def _unknown_there(database: Database, persons: set[str], since: datetime | None) -> Iterator[str]:
    """Yield addresses that we suppress but that are on none of the provider's lists.

    With `since`, skip older suppressions.
    """
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
