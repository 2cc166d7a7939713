"""Find out whose link to preferences or to their data someone has, and save that they ask for another one."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from newsletter.model.personal_links import PersonalLink, Purpose, age_of, is_code_of
from newsletter.model.preferences import PREFERENCES_VALID_FOR, LinkRequest, LinkRequestKind
from newsletter.store.database import Connection
from newsletter.store.preferences import ask_for_link, link_requests, requests_sent_to
from newsletter.store.subscribers import subscriber_with_id
from newsletter.store.suppressions import suppressions_in
from newsletter.workflows.suppressions.leave import LinkOwner

_NOBODY = "0" * 32  # the key for a link whose owner does not exist, so that it takes the same time
_MOST_A_DAY = 8  # requests of one person, because a program that has a link could send any number of them
_A_DAY = timedelta(days=1)


class Visit(Struct, frozen=True, kw_only=True):
    """The owner of a link to preferences, and whether the link is too old to show them."""

    owner: LinkOwner
    is_too_old: bool


class AskedVisit(Struct, frozen=True, kw_only=True):
    """The owner of a link that was sent because they had asked for it."""

    owner: LinkOwner
    request: LinkRequest


def visit_of(connection: Connection, link: PersonalLink | None, *, now: datetime) -> Visit | None:
    """Return whose preferences a link opens, or None if it is not one of ours."""
    number, stamp = (link.subscriber, link.secret) if link else (0, "")
    owner = _owner_with(connection, number)
    age = age_of(stamp, owner.subscriber.token if owner else _NOBODY, Purpose.PREFERENCES, str(number), now=now)
    if owner is None or age is None:
        return None
    return Visit(owner=owner, is_too_old=age > PREFERENCES_VALID_FOR)


def asked_visit_of(connection: Connection, link: PersonalLink | None, *, now: datetime) -> AskedVisit | None:
    """Return what a link opens that someone asked for, or None if it is not one of ours or does not work anymore."""
    number, code = (link.subscriber, link.secret) if link else (0, "")
    is_code_of(code, _NOBODY, Purpose.ASKED, str(number))
    for request in requests_sent_to(connection, number):
        if is_code_of(code, request.token, Purpose.ASKED, str(number)) and request.is_valid(now):
            owner = _owner_with(connection, request.subscriber)
            return AskedVisit(owner=owner, request=request) if owner else None
    return None


def ask_for(
    link: PersonalLink | None, kind: LinkRequestKind, *, now: datetime
) -> Callable[[Connection], LinkOwner | None]:
    """Return the change that saves that the owner of a link to preferences asks for another link.

    The link is sent to their address on the list, so a link that is too old is enough to ask for it.
    """

    def change(connection: Connection) -> LinkOwner | None:
        visit = visit_of(connection, link, now=now)
        if visit is None:
            return None
        if may_ask(connection, visit.owner.subscriber.id, now=now):
            ask_for_link(connection, visit.owner.subscriber.id, kind, visit.owner.address, now=now)
        return visit.owner

    return change


def may_ask(connection: Connection, subscriber: int, *, now: datetime) -> bool:
    """Return whether a further request of someone is saved."""
    return sum(now - each.asked_at < _A_DAY for each in link_requests(connection, subscriber)) < _MOST_A_DAY


def _owner_with(connection: Connection, number: int) -> LinkOwner | None:
    subscriber = subscriber_with_id(connection, number)
    if subscriber is None:
        return None
    return LinkOwner(subscriber=subscriber, suppressions=suppressions_in(connection, subscriber.record.email))
