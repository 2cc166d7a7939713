"""All that is known of a person, for a machine."""

import json
from datetime import UTC, datetime
from pathlib import Path

from newsletter.lists.person_json import person_json
from newsletter.model.audience import PastSuppression, Subscriber, SubscriberRecord, Suppression, SuppressionReason
from newsletter.model.event import EventType
from newsletter.model.imports import PastConsent, PastImport
from newsletter.model.ledger import PastDelivery
from newsletter.model.person import KnownPerson, PastEvent, PastSoftBounce

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
TEXT = "2026-02-19T08:00:00Z"
NOTHING = KnownPerson(
    email="ana@example.org",
    subscriber=None,
    past_consents=(),
    suppressions=(),
    past_suppressions=(),
    deliveries=(),
    events=(),
    soft_bounces=(),
    imports=(),
)
EVERYTHING = KnownPerson(
    email="ana@example.org",
    subscriber=Subscriber(
        id=7,
        record=SubscriberRecord(
            email="ana@example.org",
            first_name="Ána",
            tags=("member",),
            consented_at=NOW,
            consent_source="phone",
            attributes={"city": "Lisbon"},
        ),
        token="0f",
        joined_at=NOW,
        updated_at=NOW,
    ),
    past_consents=(PastConsent(replaced_at=NOW, consented_at=NOW, source="form", wording="v1", confirmed_at=None),),
    suppressions=(
        Suppression(email="ana@example.org", reason=SuppressionReason.MANUAL, created_at=NOW, detail="asked"),
        Suppression(email="ana@example.org", reason=SuppressionReason.UNSUBSCRIBED, created_at=NOW, topic="events"),
    ),
    past_suppressions=(
        PastSuppression(reason=SuppressionReason.BOUNCED, created_at=NOW, lifted_at=NOW, because="it works again"),
    ),
    deliveries=(PastDelivery(broadcast=1, issue="2026-02", status="accepted", at=NOW, reason=""),),
    events=(PastEvent(at=NOW, type=EventType.CLICKED, broadcast=1, issue="2026-02", detail="https://example.org"),),
    soft_bounces=(PastSoftBounce(at=NOW, detail="full"),),
    imports=(
        PastImport(
            at=NOW, file="list.csv", added=1, updated=0, unchanged=0, rejected=0, basis="members", tags=("member",)
        ),
    ),
)


def test_every_fact_has_its_field() -> None:
    assert json.loads(person_json(EVERYTHING, now=NOW)) == {
        "schema": "newsletter.person",
        "version": 1,
        "exported_at": TEXT,
        "email": "ana@example.org",
        "subscriber": {
            "id": 7,
            "email": "ana@example.org",
            "first_name": "Ána",
            "last_name": "",
            "language": "",
            "timezone": "",
            "tags": ["member"],
            "attributes": {"city": "Lisbon"},
            "joined_at": TEXT,
            "updated_at": TEXT,
            "unsubscribe_token": "0f",
        },
        "consent": {"consented_at": TEXT, "source": "phone", "wording": "", "confirmed_at": None, "basis": ""},
        "past_consents": [
            {"consented_at": TEXT, "source": "form", "wording": "v1", "confirmed_at": None, "replaced_at": TEXT}
        ],
        "suppressions": [
            {"topic": None, "reason": "manual", "detail": "asked", "since": TEXT},
            {"topic": "events", "reason": "unsubscribed", "detail": "", "since": TEXT},
        ],
        "past_suppressions": [
            {"topic": None, "reason": "bounced", "since": TEXT, "lifted_at": TEXT, "because": "it works again"}
        ],
        "deliveries": [{"broadcast": 1, "issue": "2026-02", "status": "accepted", "at": TEXT, "reason": ""}],
        "events": [
            {"at": TEXT, "type": "clicked", "broadcast": 1, "issue": "2026-02", "detail": "https://example.org"}
        ],
        "soft_bounces": [{"at": TEXT, "detail": "full"}],
        "imports": [{"at": TEXT, "file": "list.csv", "basis": "members", "tags": ["member"]}],
    }


def test_every_field_is_there_for_whoever_is_not_on_the_list() -> None:
    found = json.loads(person_json(NOTHING, now=NOW))

    assert found.keys() == json.loads(person_json(EVERYTHING, now=NOW)).keys()
    assert (found["subscriber"], found["consent"], found["events"]) == (None, None, [])


def test_every_field_is_documented() -> None:
    def fields(data: object) -> set[str]:
        if isinstance(data, list):
            return {name for each in data for name in fields(each)}
        if not isinstance(data, dict):
            return set()
        return {str(name) for name in data} | {
            name for key, each in data.items() if key != "attributes" for name in fields(each)
        }

    documented = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert [
        name for name in sorted(fields(json.loads(person_json(EVERYTHING, now=NOW)))) if f"`{name}`" not in documented
    ] == []
