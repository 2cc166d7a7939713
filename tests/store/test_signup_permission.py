"""Who gets an email about a sign-up, and who comes back by one: the policy and the SQL say the same."""

from datetime import timedelta

import pytest

from newsletter.model.audience import SuppressionReason
from newsletter.model.ledger import NO_CONSENT
from newsletter.model.permission import LIFTED_BY_SIGNUP, Consent, Leaving, may_be_asked, returns_by_signup, unasked_sql
from newsletter.model.signup import SignupState
from newsletter.store.database import Database
from newsletter.system.moments import text_of
from tests.store.builders import NOW

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
