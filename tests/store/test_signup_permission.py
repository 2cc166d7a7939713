"""Who gets an email about a sign-up, and who comes back by one: the policy and the SQL say the same."""

from datetime import timedelta
from itertools import product

import pytest

from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.ledger import NO_CONSENT
from newsletter.model.permission import (
    LIFTED_BY_SIGNUP,
    Consent,
    Leaving,
    may_be_asked,
    may_be_asked_again,
    returns_by_signup,
    unasked_again_sql,
    unasked_sql,
)
from newsletter.model.signup import ASKED_AGAIN, SignupState
from newsletter.store.database import Database
from newsletter.store.re_permission import askable_people
from newsletter.store.suppressions import suppress_listed
from newsletter.system.moments import text_of
from tests.store.builders import NOW, add, row

DAY = timedelta(days=1)
REASONS = (None, *SuppressionReason)


@pytest.mark.parametrize("state", [SignupState.MAILED, SignupState.KNOWN, SignupState.CONFIRMED, None])
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("standing", ["no one", "without consent", "with consent", "with a basis"])
def test_the_sql_asks_the_people_who_may_be_asked(
    database: Database, state: SignupState | None, reason: SuppressionReason | None, standing: str
) -> None:
    consented = text_of(NOW) if standing == "with consent" else ""
    basis = "members" if standing == "with a basis" else ""
    query = (
        f"SELECT {unasked_sql('u')} FROM (SELECT CAST(:signup AS INTEGER) AS id, CAST(:state AS TEXT) AS state) AS u "
        "CROSS JOIN (SELECT CAST(:reason AS TEXT) AS reason) AS p "
        "CROSS JOIN (SELECT CAST(:id AS INTEGER) AS id, CAST(:consented AS TEXT) AS consented_at, "
        "CAST(:basis AS TEXT) AS consent_basis) AS s"
    )
    values = {
        "signup": None if state is None else 1,
        "state": state.value if state else None,
        "reason": reason.value if reason else None,
        "id": None if standing == "no one" else 1,
        "consented": None if standing == "no one" else consented,
        "basis": None if standing == "no one" else basis,
    }
    with database.read() as connection:
        row = connection.execute(query, values).fetchone()
    assert row is not None
    assert row[0] == expected(state, reason, standing)


def expected(state: SignupState | None, reason: SuppressionReason | None, standing: str) -> str | None:
    """What the policy says, from Python."""
    if state is None:
        return "removed from the list"
    if state is SignupState.CONFIRMED:
        return "confirmed already"
    if state is SignupState.KNOWN:
        if reason is not None:
            return reason.value
        return {"no one": "removed from the list", "without consent": NO_CONSENT}.get(standing)
    return None if reason is None or may_be_asked(reason) else reason.value


def test_only_an_unsubscription_leaves_room_for_a_question() -> None:
    assert {reason for reason in REASONS if may_be_asked(reason)} == {None, SuppressionReason.UNSUBSCRIBED}
    assert set(LIFTED_BY_SIGNUP) == {SuppressionReason.UNSUBSCRIBED}


@pytest.mark.parametrize("reason", SuppressionReason)
@pytest.mark.parametrize("asked", [-2, -1, 0, 1])  # days after they last left
@pytest.mark.parametrize("on_record", [-3, 0, 2])
def test_only_a_signup_after_an_unsubscription_brings_back(
    reason: SuppressionReason, asked: int, on_record: int
) -> None:
    left = Leaving(reason=reason, left_at=text_of(NOW - DAY), until=text_of(NOW), consent_on_record="")
    consent = Consent(at=text_of(NOW + asked * DAY), source="join")
    known = Consent(at=text_of(NOW + on_record * DAY), source="form")

    returns = returns_by_signup(left, consent, known=known, now=text_of(NOW + 9 * DAY))

    assert returns == (reason is SuppressionReason.UNSUBSCRIBED and asked > 0 and asked > on_record)


PERMISSIONS = ({"consented_at": NOW}, {"consent_basis": "members"}, {})
PAUSES = (None, NOW, NOW + DAY)
LEAVINGS = ((), *product(SuppressionReason, ("", "news")))  # a reason, and the topic that was left
TAGS = ((), ("member",), (ASKED_AGAIN, "member"), (f"not-{ASKED_AGAIN}",))
MARKS = ("", "by person", "by id")


def test_the_sql_asks_again_the_people_who_may_be_asked_again(database: Database) -> None:
    """Every combination of what decides, each as one person."""
    cases = list(product(PERMISSIONS, PAUSES, LEAVINGS, TAGS, MARKS))
    people = [
        row(
            f"p{n}@example.org",
            **{"consented_at": None, "consent_source": "", **consent},
            paused_until=pause,
            tags=tags,
        )
        for n, (consent, pause, _, tags, _) in enumerate(cases)
    ]
    add(database, *people)
    suppress_listed(
        database,
        [
            Suppression(email=person.email, reason=SuppressionReason(case[2][0]), created_at=NOW, topic=case[2][1])
            for person, case in zip(people, cases, strict=True)
            if case[2]
        ],
    )
    with database.transaction() as connection:
        for person, case in zip(people, cases, strict=True):
            pause = text_of(person.paused_until) if person.paused_until else ""
            named = {"email": person.email, "pause": pause}
            connection.execute("UPDATE subscriber SET paused_until = :pause WHERE person = :email", named)
            if case[4]:
                values = {
                    "email": person.email,
                    "person": person.email if case[4] == "by person" else "old@example.org",
                }
                connection.execute(MARK, values)

    asked, left_out = askable_people(database, now=NOW)

    may = {
        person.email
        for person, (_, _, leaving, _, mark) in zip(people, cases, strict=True)
        if may_be_asked_again(person, leaving[:1], was_asked=bool(mark), at=NOW)  # type: ignore[arg-type]
    }
    assert {each.email for each in asked} == may
    assert len(may) == 2 * 3  # pauses that are over, and tags that say nothing
    assert sum(each.people for each in left_out) == len([each for each in people if not each.may_be_mailed]) - len(may)


MARK = (
    "INSERT INTO signup (person, email, first_name, language, topics, wants_tracking, source, wording, asked_at, "
    "subscriber, is_asked_again) SELECT :person, :email, '', '', '', 0, '', '', '', id, 1 FROM subscriber "
    "WHERE person = :email"
)


@pytest.mark.parametrize(
    "standing", ["no sign-up", "no one", "another address", "confirmed", "left", "consent", "as it was"]
)
def test_the_claim_asks_only_whoever_may_still_be_asked(database: Database, standing: str) -> None:
    add(database, row("ana@example.org", consented_at=NOW if standing == "consent" else None, consent_source=""))
    if standing == "left":
        reason = SuppressionReason.UNSUBSCRIBED
        suppress_listed(database, [Suppression(email="ana@example.org", reason=reason, created_at=NOW)])
    query = (
        f"SELECT {unasked_again_sql('u')} FROM (SELECT CAST(:signup AS INTEGER) AS id, CAST(:state AS TEXT) AS state, "
        "CAST(:person AS TEXT) AS person) AS u LEFT JOIN subscriber AS s ON s.id <> :none"
    )
    values = {
        "signup": None if standing == "no sign-up" else 1,
        "state": "confirmed" if standing == "confirmed" else "mailed",
        "person": "bo@example.org" if standing == "another address" else "ana@example.org",
        "none": 1 if standing == "no one" else 0,
        "at": text_of(NOW),
    }
    with database.read() as connection:
        found = connection.execute(query, values).fetchone()
    assert found is not None
    assert found[0] == {
        "confirmed": "confirmed already",
        "left": "unsubscribed",
        "consent": "a consent or basis is on record",
        "as it was": None,
    }.get(standing, "removed from the list")
