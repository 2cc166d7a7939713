"""Leave, return and choose topics through a personal link. The link's secret is all that proves whose it is."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.audience import Subscriber, Suppression, SuppressionReason
from newsletter.model.personal_links import PersonalLink, Purpose, code_of, is_code_of, is_same
from newsletter.store.database import Connection
from newsletter.store.preferences import former_tokens
from newsletter.store.subscribers import subscriber_with_id
from newsletter.store.suppressions import lift_suppression_in, suppress_listed_in, suppressions_in

BY_ONE_CLICK, ON_THE_PAGE = "unsubscribed in an email app", "unsubscribed on the page"
HOW_THEY_LEFT = frozenset({BY_ONE_CLICK, ON_THE_PAGE})
UNDO_WITHIN = timedelta(days=1)
_NOBODY = "0" * 32  # compared with a secret whose owner does not exist, so that the comparison takes place all the same
_CHOSEN = "chosen on the page for subscribers"
_UNDONE = "undone on the page for subscribers"


class LinkOwner(Struct, frozen=True, kw_only=True):
    """The owner of a personal link, and what they have left so far."""

    subscriber: Subscriber
    suppressions: tuple[Suppression, ...]
    is_former: bool = False  # whether the link is from before a change of address: it is only good for leaving

    @property
    def address(self) -> str:
        """Their address."""
        return self.subscriber.record.email

    @property
    def suppression(self) -> Suppression | None:
        """What keeps all email from them, or None if nothing does."""
        return next((each for each in self.suppressions if not each.topic), None)

    @property
    def left_topics(self) -> frozenset[str]:
        """The topics that they left."""
        return frozenset(each.topic for each in self.suppressions if each.topic)

    def may_undo(self, now: datetime) -> bool:
        """Return whether they left by this link in the last day, and no one has reported a leaving since."""
        found = self.suppression
        if found is None or found.reason is not SuppressionReason.UNSUBSCRIBED or found.detail not in HOW_THEY_LEFT:
            return False
        return found.last == found.created_at and now - found.created_at < UNDO_WITHIN


def owner_of(connection: Connection, link: PersonalLink | None, *, now: datetime | None = None) -> LinkOwner | None:
    """Return the owner of a link, or None if no one on the list has it. Both take the same time.

    Its secret is the token, as in emails, or the code for leaving, as on the page with preferences.
    With `now`, a link from before a change of address also counts, for as long as it is good for leaving.
    """
    number, secret = (link.subscriber, link.secret) if link else (0, "")
    subscriber = subscriber_with_id(connection, number)
    token = subscriber.token if subscriber else _NOBODY
    is_owner = is_same(secret, token) | is_code_of(secret, token, Purpose.LEAVE, str(number))
    is_former = False
    if not is_owner and now is not None:
        is_former = any(is_same(secret, former) for former in former_tokens(connection, number, now=now))
    if subscriber is None or not (is_owner or is_former):
        return None
    suppressions = suppressions_in(connection, subscriber.record.email)
    return LinkOwner(subscriber=subscriber, suppressions=suppressions, is_former=is_former)


def link_to_leave(subscriber: Subscriber) -> str:
    """Return what follows `/u/` in a link for leaving on a page. The token, the key of all links, is not in it."""
    return f"{subscriber.id}-{code_of(subscriber.token, Purpose.LEAVE, str(subscriber.id))}"


def leave(link: PersonalLink | None, *, detail: str, now: datetime) -> Callable[[Connection], LinkOwner | None]:
    """Return the change by which the owner of a link leaves. It returns None if the link has no owner.

    Leaving again keeps the first time, and is recorded as a further report, unless it follows at once.
    `detail` says how they left: one of HOW_THEY_LEFT.
    """

    def change(connection: Connection) -> LinkOwner | None:
        owner = owner_of(connection, link, now=now)
        if owner is None or owner.may_undo(now):
            return owner
        suppress_listed_in(connection, [_unsubscribed(owner.address, detail=detail, now=now)])
        return replace(owner, suppressions=suppressions_in(connection, owner.address))

    return change


def undo_leaving(link: PersonalLink | None, *, now: datetime) -> Callable[[Connection], LinkOwner | None]:
    """Return the change by which the owner of a link returns, if they may still undo that they left."""

    def change(connection: Connection) -> LinkOwner | None:
        owner = owner_of(connection, link, now=now)
        if owner is None or not owner.may_undo(now):
            return owner
        lift_suppression_in(connection, owner.address, topic="", because=_UNDONE, now=now)
        return owner_of(connection, link, now=now)

    return change


def choose_topics(
    link: PersonalLink | None, wanted: Iterable[str], *, topics: Mapping[str, str], now: datetime
) -> Callable[[Connection], LinkOwner | None]:
    """Return the change after which the owner of a link gets these topics and none of the others.

    `topics` are those of the workspace. A topic is given back only to someone who left it themselves.
    """
    kept = frozenset(wanted)

    def change(connection: Connection) -> LinkOwner | None:
        owner = owner_of(connection, link)
        if owner is None:
            return None
        set_topics(connection, owner, kept, topics=topics, now=now)
        return owner_of(connection, link)

    return change


def set_topics(
    connection: Connection, owner: LinkOwner, kept: frozenset[str], *, topics: Mapping[str, str], now: datetime
) -> None:
    """Do what `choose_topics` says in a transaction that is open already."""
    gone = [name for name in topics if name not in kept and name not in owner.left_topics]
    suppress_listed_in(connection, [_unsubscribed(owner.address, topic=name, detail=_CHOSEN, now=now) for name in gone])
    for each in owner.suppressions:
        if each.topic in kept & topics.keys() and each.reason is SuppressionReason.UNSUBSCRIBED:
            lift_suppression_in(connection, owner.address, topic=each.topic, because=_CHOSEN, now=now)


def _unsubscribed(address: str, *, topic: str = "", detail: str, now: datetime) -> Suppression:
    return Suppression(email=address, reason=SuppressionReason.UNSUBSCRIBED, created_at=now, topic=topic, detail=detail)
