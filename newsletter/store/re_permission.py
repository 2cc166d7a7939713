"""Ask people on the list, once, for the consent that is not on record, and let those go who do not answer.

That someone was asked is saved with their sign-ups, by person and by id, so it outlasts an undo of an import and a new
address. A tag says it too, because exports contain tags.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.readership import LANGUAGE, Readership
from newsletter.model.signup import ASKED_AGAIN, FormWording
from newsletter.store.database import Database
from newsletter.store.editing import edit_in
from newsletter.store.ledger.rolling import Answers, begin_letters
from newsletter.store.queries import change, query_all
from newsletter.store.signups import keep_wording
from newsletter.store.suppressions import suppress_listed_in
from newsletter.system.moments import text_of


class Askable(NamedTuple):
    """Someone who may be asked for a consent."""

    id: int
    person: str
    email: str
    language: str
    token: str


class LeftOut(NamedTuple):
    """Why some of the people without a consent or a basis are not asked."""

    reason: str
    people: int


class Silent(NamedTuple):
    """Someone who was asked, and has not answered."""

    id: int
    email: str


NO_ANSWER = "did not answer when asked for a consent"
_ISSUE = "consent"  # one name for all, so that they are one edition, which no one gets twice
_SOURCE = "asked-again"  # of the consent
_LEFT_OUT = query_all("re_permission", "left_out", LeftOut)
_ASKABLE = query_all("re_permission", "askable", Askable)
_ADD = change("re_permission", "add")
_SILENT = query_all("re_permission", "silent", Silent)


def readership_of_asking(language: str) -> Readership:
    """Return the readers of the email in one language."""
    return Readership.of({LANGUAGE: language})


def askable_people(database: Database, *, now: datetime) -> tuple[tuple[Askable, ...], tuple[LeftOut, ...]]:
    """Return the people who may be asked, and why others without a consent or a basis are not."""
    with database.read() as connection:
        at = text_of(now)
        return tuple(_ASKABLE(connection, at=at)), tuple(_LEFT_OUT(connection, at=at))


def ask_people(
    database: Database,
    answers: Answers,
    wordings: Mapping[str, FormWording],
    languages: Mapping[int, str],
    *,
    key: bytes | None,
    now: datetime,
) -> tuple[int, int] | None:
    """Put the email in the ledger for the people in `languages`, by their id, as far as they may still be asked.

    Return the number of the broadcast and of the people, or None if no one is left. `wordings` are the words of the
    page with the button, by language.
    """
    with database.transaction() as connection:
        people = [each for each in _ASKABLE(connection, at=text_of(now)) if each.id in languages]
        if not people:
            return None
        groups: dict[Readership, list[int]] = {}
        for each in people:
            groups.setdefault(readership_of_asking(languages[each.id]), []).append(each.id)
        broadcast = begin_letters(connection, answers, _ISSUE, groups, now=now)
        for language in {languages[each.id] for each in people}:
            keep_wording(connection, wordings[language], now=now)
        rows = (
            {
                "person": each.person,
                "email": each.email,
                "language": languages[each.id],
                "wording": wordings[languages[each.id]].version,
                "token": each.token,  # their own, because the email also has their unsubscribe link
                "subscriber": each.id,
                "broadcast": broadcast,
                "source": _SOURCE,
                "now": text_of(now),
            }
            for each in people
        )
        _ADD.for_each(connection, rows)
        tag = Edit(added_tags=frozenset({ASKED_AGAIN}))
        edit_in(connection, [each.id for each in people], tag, key=key, shown=0, now=now)
        return broadcast, len(people)


def silent_people(database: Database, *, before: datetime, now: datetime) -> tuple[Silent, ...]:
    """Return the people who got the email before a time and have not answered it."""
    return _SILENT.ask(database, before=text_of(before), at=text_of(now))


def let_people_go(database: Database, ids: Collection[int], *, before: datetime, now: datetime) -> int:
    """Block all email to the people with these ids, as far as they have still not answered. Return their number.

    They stay on the list, and all totals stay as they are. A new consent of theirs brings them back.
    """
    with database.transaction() as connection:
        people = [each for each in _SILENT(connection, before=text_of(before), at=text_of(now)) if each.id in ids]
        reason = SuppressionReason.UNSUBSCRIBED
        return suppress_listed_in(
            connection,
            [Suppression(email=each.email, reason=reason, created_at=now, detail=NO_ANSWER) for each in people],
        )
