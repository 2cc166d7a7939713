"""Writes all that is known of a person as JSON, for them or for another program; `docs/privacy.md` has every field."""

import json
from datetime import datetime

from newsletter.model.audience import PastSuppression, Subscriber, Suppression
from newsletter.model.imports import PastConsent, PastImport
from newsletter.model.ledger import PastDelivery
from newsletter.model.person import KnownPerson, PastEvent, PastSoftBounce
from newsletter.system.moments import text_of

SCHEMA, VERSION = "newsletter.person", 1  # the version changes when a field goes or means something else

_Data = dict[str, object]


def person_json(person: KnownPerson, *, now: datetime) -> str:
    """One object, indented, with a line break at its end; moments in UTC, `null` where something is not known."""
    data: _Data = {
        "schema": SCHEMA,
        "version": VERSION,
        "exported_at": text_of(now),
        "email": person.email,
        "subscriber": _subscriber(person.subscriber) if person.subscriber else None,
        "consent": _consent(person.subscriber) if person.subscriber else None,
        "past_consents": [_past_consent(each) for each in person.past_consents],
        "suppressions": [_suppression(each) for each in person.suppressions],
        "past_suppressions": [_past_suppression(each) for each in person.past_suppressions],
        "deliveries": [_delivery(each) for each in person.deliveries],
        "events": [_event(each) for each in person.events],
        "soft_bounces": [_soft_bounce(each) for each in person.soft_bounces],
        "imports": [_import(each) for each in person.imports],
    }
    return f"{json.dumps(data, ensure_ascii=False, indent=2)}\n"


def _subscriber(subscriber: Subscriber) -> _Data:
    record = subscriber.record
    return {
        "id": subscriber.id,
        "email": record.email,
        "first_name": record.first_name,
        "last_name": record.last_name,
        "language": record.language,
        "timezone": record.timezone,
        "tags": list(record.tags),
        "attributes": dict(record.attributes),
        "joined_at": text_of(subscriber.joined_at),
        "updated_at": text_of(subscriber.updated_at),
        "unsubscribe_token": subscriber.token,
    }


def _consent(subscriber: Subscriber) -> _Data:
    record = subscriber.record
    return {
        "consented_at": _moment(record.consented_at),
        "source": record.consent_source,
        "wording": record.consent_wording,
        "confirmed_at": _moment(record.consent_confirmed_at),
        "basis": record.consent_basis,
    }


def _past_consent(consent: PastConsent) -> _Data:
    return {
        "consented_at": text_of(consent.consented_at),
        "source": consent.source,
        "wording": consent.wording,
        "confirmed_at": _moment(consent.confirmed_at),
        "replaced_at": text_of(consent.replaced_at),
    }


def _suppression(suppression: Suppression) -> _Data:
    return {
        "topic": suppression.topic or None,
        "reason": suppression.reason.value,
        "detail": suppression.detail,
        "since": text_of(suppression.created_at),
    }


def _past_suppression(suppression: PastSuppression) -> _Data:
    return {
        "topic": suppression.topic or None,
        "reason": suppression.reason.value,
        "since": text_of(suppression.created_at),
        "lifted_at": text_of(suppression.lifted_at),
        "because": suppression.because,
    }


def _delivery(delivery: PastDelivery) -> _Data:
    return {
        "broadcast": delivery.broadcast,
        "issue": delivery.issue,
        "status": delivery.status,
        "at": text_of(delivery.at),
        "reason": delivery.reason,
    }


def _event(event: PastEvent) -> _Data:
    return {
        "at": text_of(event.at),
        "type": event.type.value,
        "broadcast": event.broadcast,
        "issue": event.issue,
        "detail": event.detail,
    }


def _soft_bounce(bounce: PastSoftBounce) -> _Data:
    return {"at": text_of(bounce.at), "detail": bounce.detail}


def _import(past: PastImport) -> _Data:
    return {"at": text_of(past.at), "file": past.file, "basis": past.basis, "tags": list(past.tags)}


def _moment(moment: datetime | None) -> str | None:
    return text_of(moment) if moment else None
