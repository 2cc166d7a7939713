"""Decide what each sign-up needs, and put the emails about them in the ledger."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from newsletter.model.permission import may_be_asked
from newsletter.model.readership import LANGUAGE, Readership
from newsletter.model.signup import MOST_PER_ADDRESS, VALID_FOR, Signup, SignupRefusal, SignupState
from newsletter.store.database import Connection, Database
from newsletter.store.erasing import FIND_SUBSCRIBER
from newsletter.store.forgotten import key_if_forgotten
from newsletter.store.ledger.rolling import Answers, add_answers, name_for_answer
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.store.signups import (
    RETURNING_ERASED,
    SIGNUP_READS,
    TOKEN_BYTES,
    count_refusal,
    erased_person,
    gets_email,
    new_subscriber_id,
)
from newsletter.store.suppressions import suppression_in
from newsletter.system.moments import text_of


class Rush(NamedTuple):
    """How many people were asked to confirm, and how many did."""

    last_hour: int
    usually: int  # from a month to a day ago
    lately: int  # in the last two hours
    confirmed: int  # of these


_MAILED_SINCE = query_value("signups", "mailed_since", int)
_RESERVED_ID = query_one("signups", "reserved_id", int)
_KEEP_MAILED = change("signups", "keep_mailed")
_KEEP_BROADCAST = change("signups", "keep_broadcast")
_PUT_BACK = change("signups", "put_back")
_DROP = change("signups", "drop")
_RUSH = query_value("signups", "rush", Rush)
_ASKED = query_all("signups", "asked", Signup, SIGNUP_READS)
_AT_ONCE = 500  # sign-ups that are decided in one transaction
_LONGEST_LIMIT = max(MOST_PER_ADDRESS)
_FEWEST_IN_A_RUSH = 60  # an hour with fewer sign-ups is no rush, even for a list that nearly no one joins
_TIMES_THE_USUAL = 3
_RUSH_CONFIRMED = 0.2  # if more of them confirm, they are people
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LETTER = "letter"  # the axis of the emails about sign-ups


def readership_of_answer(language: str, state: SignupState) -> Readership:
    """Return the readers of one variant of the emails about sign-ups: those who are asked, or told, in a language."""
    return Readership.of({LANGUAGE: language, _LETTER: state.value})


class Queued(Struct, frozen=True, kw_only=True):
    """The result for the sign-ups about which nothing had been decided."""

    mailed: int = 0
    refused: Mapping[SignupRefusal, int] = {}
    waiting: int = 0  # people who are asked later, because of a rush or because a person must look first
    is_rush: bool = False
    is_held: bool = False  # whether the broadcast of confirmations was paused, stopped or canceled


def queue_confirmations(database: Database, answers: Answers, *, day: str, key: bytes | None, now: datetime) -> Queued:
    """Decide what each sign-up needs, and put the emails in the ledger. Return the numbers.

    People who may be asked get the email that asks them to confirm, and people who are on the list already the one that
    says so. Each address gets at most as many as MOST_PER_ADDRESS says. No one else gets anything. In a rush of people
    who do not confirm, most of them wait. `answers` names the content. All emails of one day, whose name is `day`,
    are in one broadcast, and further emails to the same person in further ones.
    """
    with database.transaction() as connection:
        asked = _ASKED(connection, size=_AT_ONCE)
        if not asked:
            return Queued()
        free, is_rush = _free_in_rush(connection, now=now)
        round_ = _Round(connection, answers, day, key, now)
        for place, signup in enumerate(asked):
            if free is not None and len(round_.mailed) >= free:
                return round_.end(waiting=len(asked) - place, is_rush=is_rush)
            round_.decide(signup)
        return round_.end(waiting=0, is_rush=False)


class _Round:
    """The sign-ups that are decided in one transaction."""

    def __init__(
        self,
        connection: Connection,
        answers: Answers,
        day: str,
        key: bytes | None,
        now: datetime,
    ) -> None:
        self._connection, self._answers, self._now = connection, answers, now
        self._day = day
        self._key = key_if_forgotten(connection, key)
        self.mailed: list[int] = []
        self._refused: Counter[SignupRefusal] = Counter()
        # The name of the broadcast → the readership → the sign-ups, each with the id of its person.
        self._groups: dict[str, dict[Readership, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))

    def decide(self, signup: Signup) -> None:
        """Put the email about a sign-up in the ledger, or delete the sign-up."""
        connection = self._connection
        found = self._refusal(signup)
        if found is not None:
            _DROP(connection, signup=signup.id)
            count_refusal(connection, found, now=self._now)
            self._refused[found] += 1
            return
        state = SignupState.KNOWN if gets_email(connection, signup) else SignupState.MAILED
        subscriber = FIND_SUBSCRIBER(connection, person=signup.person) or self._reserved_id(signup.person)
        issue = name_for_answer(connection, self._answers.kind, self._day, subscriber)
        self._groups[issue][readership_of_answer(signup.language, state)][signup.id] = subscriber
        self.mailed.append(signup.id)
        named = {"signup": signup.id, "state": state.value, "subscriber": subscriber}
        _KEEP_MAILED(connection, **named, token=secrets.token_hex(TOKEN_BYTES), now=text_of(self._now))

    def end(self, *, waiting: int, is_rush: bool) -> Queued:
        """Put the emails in the ledger, all of one content together. Return the numbers."""
        held = 0
        for issue, groups in self._groups.items():
            people = {readership: sorted(signups.values()) for readership, signups in groups.items()}
            broadcast = add_answers(self._connection, self._answers, issue, people, now=self._now)
            ids = [{"signup": signup} for signups in groups.values() for signup in signups]
            if broadcast is None:
                held += _PUT_BACK.for_each(self._connection, ids)
            else:
                _KEEP_BROADCAST.for_each(self._connection, [{**each, "broadcast": broadcast} for each in ids])
        return Queued(
            mailed=len(self.mailed) - held,
            refused=dict(self._refused),
            waiting=waiting + held,
            is_rush=is_rush,
            is_held=bool(held),
        )

    def _refusal(self, signup: Signup) -> SignupRefusal | None:
        """Return why a sign-up gets no email, or None."""
        connection, now = self._connection, self._now
        if now - signup.asked_at > VALID_FOR:
            return SignupRefusal.LATE
        for span, most in MOST_PER_ADDRESS.items():
            if mailed_since(connection, signup.person, now - span) >= most:
                return SignupRefusal.ADDRESS
        suppression = suppression_in(connection, signup.email)
        if not may_be_asked(suppression.reason if suppression else None):
            return SignupRefusal.BLOCKED
        erased = erased_person(connection, signup.person, self._key)
        return None if erased is None or erased.reason in RETURNING_ERASED else SignupRefusal.ERASED

    def _reserved_id(self, person: str) -> int:
        """Return the id that a person had before they were erased, that is reserved for them, or a new one."""
        erased = erased_person(self._connection, person, self._key)
        if erased is not None and erased.subscriber is not None:
            return erased.subscriber
        return _RESERVED_ID(self._connection, person=person) or new_subscriber_id(self._connection)


def mailed_since(connection: Connection, person: str, since: datetime) -> int:
    """Return how many emails about sign-ups were sent to someone since a time."""
    return _MAILED_SINCE(connection, person=person, since=text_of(since))


def _free_in_rush(connection: Connection, *, now: datetime) -> tuple[int | None, bool]:
    """Return how many more people may be asked now, or None if there is no limit, and whether there is a rush.

    It is a rush if more than three times as many as usual were asked in the last hour, and hardly any confirm.
    """
    rush = _RUSH(
        connection,
        hour_ago=text_of(now - _HOUR),
        day_ago=text_of(now - _DAY),
        month_ago=text_of(now - _LONGEST_LIMIT),
        two_hours_ago=text_of(now - 2 * _HOUR),
    )
    usual = rush.usually / ((_LONGEST_LIMIT - _DAY) / _HOUR)
    most = max(_FEWEST_IN_A_RUSH, round(_TIMES_THE_USUAL * usual))
    if rush.lately >= _FEWEST_IN_A_RUSH and rush.confirmed >= _RUSH_CONFIRMED * rush.lately:
        return None, False
    return max(most - rush.last_hour, 0), True
