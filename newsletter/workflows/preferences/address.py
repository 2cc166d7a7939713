"""Change an address, once the owners of both mailboxes have confirmed it."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.lists.addresses import checked_address
from newsletter.model.address import person_of
from newsletter.model.edit import Edit
from newsletter.model.personal_links import PersonalLink
from newsletter.model.preferences import LinkRequest, LinkRequestKind
from newsletter.store.database import Connection
from newsletter.store.editing import edit_in
from newsletter.store.forgotten import forgotten_test
from newsletter.store.preferences import ask_for_link, confirm_address, link_requests
from newsletter.workflows.preferences.visit import asked_visit_of, may_ask, visit_of
from newsletter.workflows.suppressions.leave import LinkOwner


class AddressFault(StrEnum):
    """What is wrong with a new address, as the page's words have it."""

    NO_ADDRESS = "bad_email"
    SAME = "same_email"


class ChangeState(StrEnum):
    """How far a change of address is."""

    WAITING = "waiting"  # the other mailbox has not confirmed yet
    DONE = "done"
    IMPOSSIBLE = "impossible"  # the new address cannot be used; nothing has changed


class AddressChange(Struct, frozen=True, kw_only=True):
    """A change of address that was asked for, as the pages show it. Each mailbox knows its own address already."""

    owner: LinkOwner
    old: str
    new: str
    state: ChangeState


def fault_of_address(owner: LinkOwner, email: str) -> AddressFault | None:
    """Return what is wrong with a new address, as far as that says nothing about other people."""
    try:
        checked_address(email)
    except ValueError:
        return AddressFault.NO_ADDRESS
    return AddressFault.SAME if person_of(email) == person_of(owner.address) else None


def ask_to_change(
    link: PersonalLink | None, email: str, *, key: bytes | None, now: datetime
) -> Callable[[Connection], LinkOwner | None]:
    """Return the change that saves that someone wants another address, which has no fault.

    The page cannot be used to find out who is on the list: it says the same about every address.
    That of someone who was erased is not stored. `key` is the key with which people were erased.
    """
    new = checked_address(email)

    def change(connection: Connection) -> LinkOwner | None:
        visit = visit_of(connection, link, now=now)
        if visit is None or visit.is_too_old:
            return None
        number = visit.owner.subscriber.id
        if may_ask(connection, number, now=now) and not _may_be_erased(connection, new, key=key):
            ask_for_link(connection, number, LinkRequestKind.OLD_ADDRESS, visit.owner.address, now=now)
            ask_for_link(connection, number, LinkRequestKind.NEW_ADDRESS, new, now=now)
        return visit.owner

    return change


def change_asked_for(connection: Connection, link: PersonalLink | None, *, now: datetime) -> AddressChange | None:
    """Return the change of address that a link is about, or None if it is about none."""
    visit = asked_visit_of(connection, link, now=now)
    if visit is None or not visit.request.kind.is_about_address:
        return None
    requests = _both(connection, visit.request)
    if len(requests) != len((LinkRequestKind.OLD_ADDRESS, LinkRequestKind.NEW_ADDRESS)):  # the other owner was erased
        return None
    return AddressChange(
        owner=visit.owner,
        old=requests[LinkRequestKind.OLD_ADDRESS].email,
        new=requests[LinkRequestKind.NEW_ADDRESS].email,
        state=ChangeState.WAITING,
    )


def confirm_change(
    link: PersonalLink | None, *, key: bytes | None, now: datetime
) -> Callable[[Connection], AddressChange | None]:
    """Return the change that confirms a change of address from one mailbox, and carries it out if it was the second.

    The person keeps their history and their consent. The old address is blocked, and all links end. `key` is the key
    with which people were erased.
    """

    def change(connection: Connection) -> AddressChange | None:
        asked, visit = change_asked_for(connection, link, now=now), asked_visit_of(connection, link, now=now)
        if asked is None or visit is None:
            return None
        confirm_address(connection, visit.request, now=now)
        both = _both(connection, visit.request).values()
        if not all(each.confirmed_at and each.is_valid(now) for each in both):
            return asked
        edit = Edit(cells={"email": asked.new})
        try:
            edit_in(connection, [asked.owner.subscriber.id], edit, key=key, shown=0, now=now)
        except InputError:
            return AddressChange(owner=asked.owner, old=asked.old, new=asked.new, state=ChangeState.IMPOSSIBLE)
        return AddressChange(owner=asked.owner, old=asked.old, new=asked.new, state=ChangeState.DONE)

    return change


def _may_be_erased(connection: Connection, email: str, *, key: bytes | None) -> bool:
    """Return whether an address is that of an erased person, or may be, because the key is missing."""
    try:
        return forgotten_test(connection, key)(person_of(email))
    except InputError:
        return True


def _both(connection: Connection, request: LinkRequest) -> dict[LinkRequestKind, LinkRequest]:
    """Return the two requests of a change of address, by kind. They were saved together."""
    found = link_requests(connection, request.subscriber)
    pair = [each for each in found if each.kind.is_about_address and each.asked_at == request.asked_at]
    return {each.kind: each for each in reversed(pair)}
