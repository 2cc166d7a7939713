"""What is written: the list as CSV, in which a spreadsheet program finds no formula, and one person as JSON."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from newsletter.lists.cells import unguarded
from newsletter.lists.exports import person_json, write_subscribers
from newsletter.model.audience import ExportedPerson, PastSuppression, Subscriber, Suppression, SuppressionReason
from newsletter.model.columns import COLUMNS, LIST_COLUMNS, SubscriberRecord
from newsletter.model.event import EventType
from newsletter.model.imports import PastConsent, PastImport
from newsletter.model.ledger import PastDelivery
from newsletter.model.person import KnownPerson, LeavingRemark, PastEvent, PastSoftBounce
from newsletter.model.preferences import LinkRequest, LinkRequestKind, TrackingChoice

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
TEXT = "2026-02-19T08:00:00Z"
TEXTS = st.text(st.sampled_from("'=+-@ab\" ,;é")).map(str.strip)
RECORDS = st.builds(
    SubscriberRecord,
    email=TEXTS,
    first_name=TEXTS,
    consent_source=TEXTS,
    attributes=st.fixed_dictionaries({"city": TEXTS}),
)


def cells_of(*records: SubscriberRecord, attributes: tuple[str, ...] = ()) -> list[list[str]]:
    file = StringIO(newline="")
    people = [ExportedPerson(record=record) for record in records]
    assert write_subscribers(people, file, attributes=attributes).people == len(records)
    return list(csv.reader(StringIO(file.getvalue(), newline="")))


def test_every_column_and_attribute_is_written() -> None:
    record = SubscriberRecord(
        email="ana@example.org",
        first_name="Ana",
        last_name="Lima",
        language="pt",
        timezone="Europe/Lisbon",
        tags=("member", "teacher"),
        joined_at=NOW,
        consented_at=NOW,
        consent_source="website form",
        consent_wording="v2",
        consent_confirmed_at=NOW,
        consent_basis="members",
        attributes={"city": "Lisbon"},
    )
    head, row = cells_of(record, attributes=("city", "country"))

    assert dict(zip(head, row, strict=True)) == {
        **dict.fromkeys(LIST_COLUMNS, ""),
        "email": "ana@example.org",
        "first_name": "Ana",
        "last_name": "Lima",
        "language": "pt",
        "timezone": "Europe/Lisbon",
        "tags": "member;teacher",
        "joined_at": "2026-02-19T08:00:00Z",
        "consented_at": "2026-02-19T08:00:00Z",
        "consent_source": "website form",
        "consent_wording": "v2",
        "consent_confirmed_at": "2026-02-19T08:00:00Z",
        "consent_basis": "members",
        "status": "subscribed",
        "left_at": "",
        "left_topics": "",
        "city": "Lisbon",
        "country": "",
    }
    assert tuple(head[: len(LIST_COLUMNS)]) == LIST_COLUMNS


def test_the_file_says_who_is_not_mailed_and_why() -> None:
    later = NOW + timedelta(days=1)
    ana = SubscriberRecord(email="ana@example.org", consented_at=NOW)
    left = Suppression(email=ana.email, reason=SuppressionReason.COMPLAINED, created_at=NOW, repeated_at=later)
    topics = [
        Suppression(email=ana.email, reason=SuppressionReason.UNSUBSCRIBED, created_at=NOW, topic=topic)
        for topic in ("news", "events")
    ]
    people = [
        ExportedPerson(record=ana),
        ExportedPerson(record=ana, suppressions=(left, *topics)),
        ExportedPerson(record=ana, suppressions=tuple(topics)),
        ExportedPerson(record=SubscriberRecord(email=ana.email)),
        ExportedPerson(record=SubscriberRecord(email=ana.email), suppressions=(left,)),
    ]
    file = StringIO(newline="")

    assert write_subscribers(people, file, attributes=()) == (5, 3)

    rows = list(csv.DictReader(StringIO(file.getvalue(), newline="")))
    assert [(row["status"], row["left_at"], row["left_topics"]) for row in rows] == [
        ("subscribed", "", ""),
        ("complained", "2026-02-20T08:00:00Z", "events;news"),
        ("subscribed", "", "events;news"),
        ("no consent", "", ""),
        ("complained", "2026-02-20T08:00:00Z", ""),
    ]


def test_an_attribute_is_never_read_as_a_column_about_leaving() -> None:
    head, _ = cells_of(SubscriberRecord(email="ana@example.org"), attributes=("city", "status", "unsubscribed"))

    assert head[-3:] == ["city", "attribute status", "attribute unsubscribed"]


@given(RECORDS)
def test_no_cell_is_a_formula_and_none_is_lost(record: SubscriberRecord) -> None:
    head, row = cells_of(record, attributes=("city",))

    assert [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    found = dict(zip(head, map(unguarded, row), strict=True))
    assert (found["email"], found["first_name"]) == (record.email, record.first_name)
    assert (found["consent_source"], found["city"]) == (record.consent_source, record.attributes["city"])


def test_progress_is_told_as_rows_are_written() -> None:
    told: list[int] = []
    records = (SubscriberRecord(email=f"person{number}@example.org") for number in range(2500))

    write_subscribers(
        (ExportedPerson(record=record) for record in records), StringIO(), attributes=(), on_progress=told.append
    )

    assert told == [1000, 1000, 500]


# --- one person

NOTHING = KnownPerson(
    email="ana@example.org",
    subscriber=None,
    past_consents=(),
    suppressions=(),
    past_suppressions=(),
    deliveries=(),
    events=(),
    soft_bounces=(),
    leaving_remarks=(),
    tracking_choices=(),
    link_requests=(),
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
    leaving_remarks=(LeavingRemark(at=NOW, reason="often", remark="One a month is enough."),),
    tracking_choices=(TrackingChoice(at=NOW, agrees=True, wording="1 en"),),
    link_requests=(
        LinkRequest(
            id=1,
            subscriber=7,
            kind=LinkRequestKind.DATA,
            email="ana@example.org",
            token="secret",
            asked_at=NOW,
            mailed_at=NOW,
            broadcast=2,
            recipient=7,
            confirmed_at=None,
        ),
    ),
    imports=(
        PastImport(
            at=NOW,
            file="list.csv",
            added=1,
            updated=0,
            unchanged=0,
            blocked=0,
            rejected=0,
            basis="members",
            tags=("member",),
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
            **{column.key: "" for column in COLUMNS if not column.is_consent},
            "tracking_consented_at": None,
            "paused_until": None,
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
        "leaving_remarks": [{"at": TEXT, "reason": "often", "remark": "One a month is enough."}],
        "tracking_choices": [{"at": TEXT, "agrees": True, "wording": "1 en"}],
        "link_requests": [{"kind": "data", "email": "ana@example.org", "at": TEXT, "confirmed_at": None}],
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
