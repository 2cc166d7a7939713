"""Save sign-ups, put the email about them in the ledger, and add the people who confirm theirs.

Answering the form saves what was asked for and looks nothing up, so it takes the same time for everyone's address.
Everything that depends on the person is decided later, by `queue_confirmations` in `store/confirmations.py`.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.address import canonical_address, person_of
from newsletter.model.audience import Suppression, SuppressionReason, tags_in, tags_text
from newsletter.model.permission import Consent, Leaving, may_be_asked, returns_by_signup
from newsletter.model.signup import (
    FormWording,
    Signup,
    SignupRefusal,
    SignupRequest,
    SignupState,
)
from newsletter.store.database import Connection, Database
from newsletter.store.erasing import FIND_SUBSCRIBER
from newsletter.store.forgotten import digest_of, key_if_forgotten
from newsletter.store.importing.import_record import confirm, time_by_hand
from newsletter.store.queries import Reads, change, query_all, query_one, query_value
from newsletter.store.subscribers import subscriber_with_id
from newsletter.store.suppressions import (
    lift_suppression_in,
    suppress_listed_in,
    suppression_in,
    suppressions_in,
)
from newsletter.system.moments import text_of


class ErasedPerson(NamedTuple):
    """The record of an erased person."""

    subscriber: int | None
    reason: str
    created_at: datetime


class RefusalCount(NamedTuple):
    """How many sign-ups were not followed up for one reason."""

    reason: str
    signups: int


class DueWelcome(NamedTuple):
    """Someone who is to get the welcome email."""

    signup: int
    person: str


SIGNUP_READS: Reads = {tuple[str, ...]: tags_in}
_KEEP_WORDING = change("signups", "keep_wording")
_FIND_WORDING = query_one("signups", "find_wording", FormWording)
_ADD = change("signups", "add")
_COUNT_REFUSAL = change("signups", "count_refusal")
_REFUSALS = query_all("signups", "refusals", RefusalCount)
_IS_ANYONE_WAITING = query_value("signups", "is_anyone_waiting", bool)
_OF_SUBSCRIBER = query_all("signups", "of_subscriber", Signup, SIGNUP_READS)
_OF_PERSON = query_all("signups", "of_person", Signup, SIGNUP_READS)
_KEEP_CONFIRMED = change("signups", "keep_confirmed")
_ADD_SUBSCRIBER = change("signups", "add_subscriber")
_KEEP_PAST_CONSENT = change("signups", "keep_past_consent")
_RENEW_CONSENT = change("signups", "renew_consent")
_FILL_IN = change("signups", "fill_in")
_FIND_ERASED = query_one("signups", "find_erased", ErasedPerson)
_RETURN_ERASED = change("signups", "return_erased")
_WELCOMES_DUE = query_all("signups", "welcomes_due", DueWelcome)
_KEEP_WELCOMED = change("signups", "keep_welcomed")

_AT_ONCE = 500  # welcome emails that are put in the ledger in one transaction
TOKEN_BYTES = 16
_CHOSEN = "chosen when they joined"
_UNSUBSCRIBED = SuppressionReason.UNSUBSCRIBED
RETURNING_ERASED = frozenset({"forgotten", SuppressionReason.UNSUBSCRIBED.value})  # erased without a report


def add_signup(request: SignupRequest, *, key: bytes | None, now: datetime) -> Callable[[Connection], None]:
    """Return the change that saves what someone filled in.

    If anyone was erased and the key is missing or different, it only counts the sign-up: the address might be theirs.
    """
    email = canonical_address(request.email)

    def save(connection: Connection) -> None:
        try:
            key_if_forgotten(connection, key)
        except InputError:
            count_refusal(connection, SignupRefusal.NO_KEY, now=now)
            return
        keep_wording(connection, request.wording, now=now)
        _ADD(
            connection,
            person=person_of(email),
            email=email,
            first_name=request.first_name,
            language=request.language,
            topics=tags_text(request.topics),
            wants_tracking=int(request.wants_tracking),
            source=request.source,
            wording=request.wording.version,
            now=text_of(now),
        )

    return save


def refuse_signup(reason: SignupRefusal, *, now: datetime) -> Callable[[Connection], None]:
    """Return the change that counts a sign-up that is not followed up. Nothing of it is saved."""
    return lambda connection: count_refusal(connection, reason, now=now)


def refusals_since(database: Database, since: datetime) -> Mapping[SignupRefusal, int]:
    """Return how many sign-ups were not followed up since a time, by reason."""
    found = _REFUSALS.ask(database, since=text_of(_hour_of(since)))
    return {SignupRefusal(row.reason): row.signups for row in found}


def signups_of(database: Database, email: str) -> tuple[Signup, ...]:
    """Return everything that someone asked for with the form, the newest first."""
    return _OF_PERSON.ask(database, person=person_of(email))


def wording_of(database: Database, version: str) -> FormWording | None:
    """Return the words of one version, or None if no form ever showed it."""
    return _FIND_WORDING.ask(database, version=version)


def is_anyone_waiting(database: Database) -> bool:
    """Return whether anyone waits for an email about a sign-up, or for the welcome email. This is a quick look."""
    return _IS_ANYONE_WAITING.ask(database)


class Confirmation(Struct, frozen=True, kw_only=True):
    """What came of pressing the button that confirms a sign-up."""

    signup: Signup
    is_on_list: bool  # whether they get email now
    is_late: bool = False  # whether the link has ended
    joined: int | None = None  # the id of someone who joined just now


def keep_wording(connection: Connection, wording: FormWording, *, now: datetime) -> None:
    """Save the words that a form showed, unless this version is known."""
    _KEEP_WORDING(connection, version=wording.version, language=wording.language, words=wording.words, now=text_of(now))


def find_signup(connection: Connection, subscriber: int, is_right: Callable[[Signup], bool]) -> Signup | None:
    """Return the newest sign-up with this id for which `is_right` is true. Each is tried, even after the right one."""
    found = [signup for signup in _OF_SUBSCRIBER(connection, subscriber=subscriber) if is_right(signup)]
    return found[0] if found else None


def confirm_signup(
    connection: Connection,
    signup: Signup,
    *,
    key: bytes | None,
    has_welcome: bool,
    topics: Collection[str],
    now: datetime,
) -> Confirmation:
    """Add the person to the list, with the consent of the moment at which they asked. Many uses have one effect.

    Someone who unsubscribed before they asked comes back. No other suppression is lifted, and not one that is newer. If
    they chose some of the `topics`, they leave the others.
    """
    if signup.state is SignupState.CONFIRMED or not signup.is_valid(now):
        is_confirmed = signup.state is SignupState.CONFIRMED
        return Confirmation(signup=signup, is_on_list=gets_email(connection, signup), is_late=not is_confirmed)
    erased = erased_person(connection, signup.person, key_if_forgotten(connection, key))
    if erased is not None and (erased.reason not in RETURNING_ERASED or erased.created_at >= signup.asked_at):
        return Confirmation(signup=signup, is_on_list=False)
    if signup.is_asked_again and FIND_SUBSCRIBER(connection, person=signup.person) is None:
        return Confirmation(signup=signup, is_on_list=False)  # they have another address now, or were removed
    if not _lift(connection, signup, now=now):
        return Confirmation(signup=signup, is_on_list=False)
    if erased is not None and key is not None:
        _RETURN_ERASED(connection, digest=digest_of(signup.person, key))
    joined = _keep_person(connection, signup, now=now)
    if not signup.is_asked_again:
        _choose_topics(connection, signup, topics, now=now)
    welcome = "due" if has_welcome and not signup.is_asked_again else ""
    _KEEP_CONFIRMED(connection, signup=signup.id, welcome=welcome, now=text_of(now))
    return Confirmation(signup=signup, is_on_list=True, joined=joined)


def welcomes_due(database: Database) -> tuple[DueWelcome, ...]:
    """Return the people who are to get the welcome email, the first first."""
    return _WELCOMES_DUE.ask(database, size=_AT_ONCE)


def keep_welcomed(connection: Connection, signups: list[int]) -> None:
    """Save that these people's welcome emails are in the ledger, or that they get none."""
    _KEEP_WELCOMED.for_each(connection, [{"signup": signup} for signup in signups])


def _lift(connection: Connection, signup: Signup, *, now: datetime) -> bool:
    """Lift an unsubscription that was before the sign-up. Return whether the person may be emailed then."""
    found = suppression_in(connection, signup.email)
    if found is None:
        return True
    subscriber = subscriber_with_id(connection, FIND_SUBSCRIBER(connection, person=signup.person) or 0)
    record = subscriber.record if subscriber else None
    known = Consent(
        at=text_of(record.consented_at) if record and record.consented_at else "",
        source=record.consent_source if record else "",
    )
    left = Leaving(
        reason=found.reason,
        left_at=text_of(found.created_at),
        until=text_of(found.last),
        consent_on_record=text_of(found.consent_on_record) if found.consent_on_record else "",
    )
    consent = Consent(at=text_of(signup.asked_at), source=signup.source)
    if not returns_by_signup(left, consent, known=known, now=text_of(now)):
        return False
    because = f"new consent of {consent.at} ({consent.source})"
    return lift_suppression_in(connection, signup.email, topic="", because=because, consented_at=consent.at, now=now)


def _keep_person(connection: Connection, signup: Signup, *, now: datetime) -> int:
    """Save the consent and what was filled in. Return the person's id."""
    at, asked = time_by_hand(connection, now), text_of(signup.asked_at)
    known = FIND_SUBSCRIBER(connection, person=signup.person)
    consent = {
        "consented_at": asked,
        "source": signup.source,
        "wording": signup.wording,
        "confirmed_at": text_of(now),
    }
    if known is None:
        new = signup.subscriber or new_subscriber_id(connection)
        _ADD_SUBSCRIBER(
            connection,
            subscriber=new,
            person=signup.person,
            token=secrets.token_hex(TOKEN_BYTES),
            joined_at=text_of(now),
            email=signup.email,
            first_name=signup.first_name,
            language=signup.language,
            now=at,
            **consent,
        )
        return new
    _KEEP_PAST_CONSENT(connection, subscriber=known, consented_at=asked, now=at)
    _RENEW_CONSENT(connection, subscriber=known, now=at, **consent)
    _FILL_IN(
        connection,
        subscriber=known,
        first_name=signup.first_name,
        language="" if signup.is_asked_again else signup.language,  # then it may be a guess
        now=at,
    )
    confirm(connection, [known], now=at)
    return known


def _choose_topics(connection: Connection, signup: Signup, topics: Collection[str], *, now: datetime) -> None:
    """Leave the topics that were not chosen, and come back to those that were, if the person left them themselves."""
    wanted = set(signup.topics) or set(topics)
    for each in suppressions_in(connection, signup.email):
        if each.topic in wanted and may_be_asked(each.reason) and each.last < signup.asked_at:
            lift_suppression_in(connection, signup.email, topic=each.topic, because=_CHOSEN, now=now)
    gone = [topic for topic in topics if topic not in wanted]
    suppress_listed_in(
        connection,
        [
            Suppression(email=signup.email, reason=_UNSUBSCRIBED, created_at=now, topic=topic, detail=_CHOSEN)
            for topic in gone
        ],
    )


def gets_email(connection: Connection, signup: Signup) -> bool:
    """Return whether the person who asked is on the list, with a consent or a basis, and has not left."""
    subscriber = subscriber_with_id(connection, FIND_SUBSCRIBER(connection, person=signup.person) or 0)
    is_mailed = subscriber is not None and subscriber.record.may_be_mailed
    return is_mailed and suppression_in(connection, signup.email) is None


def erased_person(connection: Connection, person: str, key: bytes | None) -> ErasedPerson | None:
    """Return the record of a person if they were erased. Without a key, no one was."""
    return None if key is None else _FIND_ERASED(connection, digest=digest_of(person, key))


def new_subscriber_id(connection: Connection) -> int:
    """Reserve the next id of a subscriber, so that the ledger can name someone who is not on the list yet."""
    new = connection.last_ids().get("subscriber", 0) + 1
    connection.raise_last_ids({"subscriber": new})
    return new


def count_refusal(connection: Connection, reason: SignupRefusal, *, now: datetime) -> None:
    """Count a sign-up that is not followed up, in its hour."""
    _COUNT_REFUSAL(connection, hour_at=text_of(_hour_of(now)), reason=reason.value)


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
