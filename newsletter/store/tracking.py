"""What is stored about tracking: where the links of a broadcast lead, and who has agreed to it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from newsletter.model.readership import TrackingMode
from newsletter.model.tracked_address import LinkTarget, TrackedAddress
from newsletter.store.database import Connection
from newsletter.store.preferences import former_tokens
from newsletter.store.queries import change, query_one
from newsletter.system.moments import text_of


class FoundLink(NamedTuple):
    """A tracked link, and what is needed to check whose it is."""

    target: str  # empty for the picture, and for the link that no person sees
    version: str  # of the issue, if clicks and opens are counted by version
    nonce: str  # of the broadcast
    mode: TrackingMode
    token: str  # of the person; empty if they are not on the list
    consented_at: datetime | None  # since when the person agrees to tracking

    @property
    def is_consented(self) -> bool:
        """Whether what this person does may be saved."""
        return self.consented_at is not None


_SET_MODE = change("tracking", "set_mode")
_ADD_LINK = change("tracking", "add_link")
_FIND_LINK = query_one("tracking", "find_link", FoundLink)
_AGREE = change("tracking", "agree")
_WITHDRAW = change("tracking", "withdraw")
_FORGET_REACTIONS = change("tracking", "forget_reactions")


def keep_tracking(
    connection: Connection, broadcast_id: int, mode: TrackingMode, links: Mapping[int, LinkTarget]
) -> None:
    """Save how a new broadcast is tracked, and where its links lead."""
    if mode is TrackingMode.OFF:
        return
    _SET_MODE(connection, broadcast=broadcast_id, mode=mode.value)
    _ADD_LINK.for_each(
        connection,
        [
            {"broadcast": broadcast_id, "number": number, "target": target.address, "version": target.version}
            for number, target in links.items()
        ],
    )


def find_link(connection: Connection, address: TrackedAddress, *, now: datetime) -> FoundLink | None:
    """Return the link that an address names, or None if we did not make the address.

    After a change of address, the links in earlier emails still lead on for a while. Nothing is saved about those who
    follow them, because someone else may read the old mailbox now.
    """
    found = _FIND_LINK(connection, broadcast=address.broadcast, number=address.number, subscriber=address.subscriber)
    if found is None:
        return None
    mode, key = (TrackingMode.CONSENTED, found.token) if address.subscriber else (TrackingMode.TOTALS, found.nonce)
    if found.mode is not mode or not key:
        return None
    if address.is_made_with(key):
        return found
    former = former_tokens(connection, address.subscriber, now=now) if address.subscriber else ()
    return found._replace(consented_at=None) if any(map(address.is_made_with, former)) else None


def agree_to_tracking(connection: Connection, subscriber_id: int, *, now: datetime) -> bool:
    """Save that a person agrees to tracking from now on. Return whether they had not agreed before."""
    return _AGREE(connection, subscriber=subscriber_id, now=text_of(now)) > 0


def withdraw_tracking(connection: Connection, subscriber_id: int) -> bool:
    """End a person's consent to tracking, and forget which broadcasts they opened and clicked.

    From then on, nothing is saved about them, whatever links they follow in emails that they already have. Return
    whether they had agreed.
    """
    had_agreed = _WITHDRAW(connection, subscriber=subscriber_id) > 0
    forget_reactions(connection, [subscriber_id])
    return had_agreed


def forget_reactions(connection: Connection, subscribers: Iterable[int]) -> None:
    """Forget which broadcasts people opened and clicked, because they do not agree to tracking anymore."""
    _FORGET_REACTIONS.for_each(connection, [{"subscriber": subscriber} for subscriber in subscribers])
