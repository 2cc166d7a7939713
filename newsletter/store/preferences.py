"""Save what people ask for and decide on the pages with their preferences."""

import secrets
from datetime import datetime

from newsletter.model.address import canonical_address, person_of
from newsletter.model.preferences import FORMER_TOKEN_VALID_FOR, LinkRequest, LinkRequestKind, TrackingChoice
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of

_ASK = change("preferences", "ask")
_REQUESTS = query_all("preferences", "requests", LinkRequest)
_SENT_TO = query_all("preferences", "sent_to", LinkRequest)
_CONFIRM = change("preferences", "confirm")
_END_REQUESTS = change("preferences", "end_requests")
_END_SENT_REQUESTS = change("preferences", "end_sent_requests")
_SET_TOKEN = change("preferences", "set_token")
_KEEP_FORMER_TOKEN = change("preferences", "keep_former_token")
_FORMER_TOKENS = query_all("preferences", "former_tokens", str)
_ADD_TRACKING_CHOICE = change("preferences", "add_tracking_choice")
_TRACKING_CHOICES = query_all("preferences", "tracking_choices", TrackingChoice)
_TOKEN_BYTES = 16


def ask_for_link(connection: Connection, subscriber: int, kind: LinkRequestKind, email: str, *, now: datetime) -> None:
    """Save that someone asked for a link, which is sent to this address later. Each link has a key of its own.

    The person's token is no key for it: it is in the unsubscribe link of every email, also of those that are forwarded.
    """
    _ASK(
        connection,
        subscriber=subscriber,
        kind=kind.value,
        person=person_of(email),
        email=canonical_address(email),
        token=secrets.token_hex(_TOKEN_BYTES),
        now=text_of(now),
    )


def link_requests(connection: Connection, subscriber: int) -> tuple[LinkRequest, ...]:
    """Return the links that someone asked for, the newest first."""
    return tuple(_REQUESTS(connection, subscriber=subscriber))


def link_requests_of(database: Database, subscriber: int) -> tuple[LinkRequest, ...]:
    """Do the same as `link_requests`, in a read transaction of its own."""
    return _REQUESTS.ask(database, subscriber=subscriber)


def requests_sent_to(connection: Connection, recipient: int) -> tuple[LinkRequest, ...]:
    """Return the links that were sent to the person whom the ledger knows by this id, the newest first."""
    return tuple(_SENT_TO(connection, recipient=recipient))


def confirm_address(connection: Connection, request: LinkRequest, *, now: datetime) -> None:
    """Save that the owner of an address confirmed that it is to be changed or used."""
    _CONFIRM(connection, request=request.id, now=text_of(now))


def renew_token(connection: Connection, subscriber: int, *, now: datetime) -> None:
    """End all personal links of someone.

    For a while, they can still leave with the links in earlier emails, and the tracked links there still lead on.
    """
    _KEEP_FORMER_TOKEN(connection, subscriber=subscriber, ends_at=text_of(now + FORMER_TOKEN_VALID_FOR))
    _SET_TOKEN(connection, subscriber=subscriber, token=secrets.token_hex(_TOKEN_BYTES))
    _END_REQUESTS(connection, subscriber=subscriber)
    _END_SENT_REQUESTS(connection, subscriber=subscriber)


def former_tokens(connection: Connection, subscriber: int, *, now: datetime) -> tuple[str, ...]:
    """Return the former tokens of someone with which they can still leave, and their tracked links lead on."""
    return tuple(_FORMER_TOKENS(connection, subscriber=subscriber, now=text_of(now)))


def keep_tracking_choice(connection: Connection, subscriber: int, *, agrees: bool, wording: str, now: datetime) -> None:
    """Save that someone agreed to tracking, or withdrew. It is the proof; the column on the list is what counts."""
    _ADD_TRACKING_CHOICE(connection, subscriber=subscriber, agrees=int(agrees), wording=wording, now=text_of(now))


def tracking_choices(connection: Connection, subscriber: int) -> tuple[TrackingChoice, ...]:
    """Return when someone agreed to tracking or withdrew, the newest first."""
    return tuple(_TRACKING_CHOICES(connection, subscriber=subscriber))


def tracking_choices_of(database: Database, subscriber: int) -> tuple[TrackingChoice, ...]:
    """Do the same as `tracking_choices`, in a read transaction of its own."""
    return _TRACKING_CHOICES.ask(database, subscriber=subscriber)
