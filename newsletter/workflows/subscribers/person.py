"""Look up everything known about one person, or add one person by hand."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from newsletter.errors import InputError
from newsletter.language.clock import show_day
from newsletter.language.codes import checked_language
from newsletter.language.written_moments import written_day_or_moment
from newsletter.lists.addresses import checked_address, doubts_of
from newsletter.lists.exports import batch_of
from newsletter.model.audience import Subscriber, normal_tag, normal_text
from newsletter.model.columns import SubscriberRecord
from newsletter.model.imports import DoubtfulRow, ImportReport, ImportTerms, PastImport
from newsletter.model.person import KnownPerson
from newsletter.model.values import OneLine, TimeZone
from newsletter.store.database import Database
from newsletter.store.forgotten import count_forgotten, forgotten_since
from newsletter.store.merge import merge_subscribers, past_imports
from newsletter.store.preferences import link_requests_of, tracking_choices_of
from newsletter.store.service import leaving_remarks
from newsletter.store.subscribers import events_of, find_subscriber, history, past_consents, soft_bounces_of
from newsletter.store.suppressions import past_suppressions, suppressions_of

Value = TypeVar("Value")

_BY_HAND = "added by hand"  # recorded in place of a file name when one person is added
_TIME_ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)
_LINE: TypeAdapter[str] = TypeAdapter(OneLine)
_SEPARATOR = re.compile(r"[;,|\x00-\x1f]")  # separators between tags in a list, and control characters


class NewPerson(Struct, frozen=True, kw_only=True):
    """The unchecked input about one person. Options that were not given are empty."""

    email: str
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()
    consent_source: str
    consented_at: str | None = None  # a date, with or without a time; None means now
    consent_wording: str = ""


def require_person(database: Database, email: str, *, key: bytes | None = None) -> KnownPerson:
    """Return everything that is known about the person with this address.

    Raise InputError if nothing is known. The message says whether the person was erased or, without the `key`, that
    this cannot be checked.
    """
    with database.read():  # all reads see the same snapshot
        person = known_person(database, email)
    if person.is_anything_known:
        return person
    since = forgotten_since(database, email, key=key) if key else None
    if since is not None:
        raise InputError(
            f"{email} was erased on {show_day(since)}, so nothing else is known and no email is sent to them; "
            "if they have given new consent since then, add them with `newsletter subscribers add`"
        )
    if key is None and count_forgotten(database):
        raise InputError(
            f"nothing is known about {email!r}, and only the key can show whether this person was erased; "
            "set the NEWSLETTER_KEY environment variable, or check the spelling of the address"
        )
    raise InputError(
        f"nothing is known about {email!r}; check the spelling, or search by name: "
        "`newsletter subscribers list --where 'last_name = \"…\"'`"
    )


def known_person(database: Database, email: str) -> KnownPerson:
    """Return everything that is known about the person with this address, which may be nothing."""
    subscriber = find_subscriber(database, email)
    return KnownPerson(
        email=subscriber.record.email if subscriber else email,
        subscriber=subscriber,
        past_consents=past_consents(database, subscriber.id) if subscriber else (),
        suppressions=suppressions_of(database, email),
        past_suppressions=past_suppressions(database, email),
        deliveries=history(database, subscriber.id) if subscriber else (),
        events=events_of(database, subscriber.id) if subscriber else (),
        soft_bounces=soft_bounces_of(database, email),
        leaving_remarks=leaving_remarks(database, subscriber.id) if subscriber else (),
        tracking_choices=tracking_choices_of(database, subscriber.id) if subscriber else (),
        link_requests=link_requests_of(database, subscriber.id) if subscriber else (),
        imports=_imports_of(subscriber, past_imports(database)) if subscriber else (),
    )


def add_person(database: Database, person: NewPerson, *, key: bytes | None, now: datetime) -> ImportReport:
    """Add one person, or update an existing subscriber, with the same rules as an import.

    Raise InputError if a value is not valid, or if the person may not be added again.
    """
    record = _record(person, now=now)
    doubts = doubts_of([record.email])
    batch = replace(
        batch_of([record]),
        doubtful=tuple(DoubtfulRow(line=1, email=record.email, doubt=doubt) for doubt in doubts.values()),
    )
    report = merge_subscribers(database, [batch], terms=ImportTerms(file=_BY_HAND, is_by_hand=True), key=key, now=now)
    if report.rejected:
        reasons = "; ".join(row.reason for row in report.rejected_rows)
        raise InputError(f"{record.email} was not added: {reasons}")
    return report


def _imports_of(subscriber: Subscriber, imports: tuple[PastImport, ...]) -> tuple[PastImport, ...]:
    """Return the imports that added the subscriber or last changed them."""
    return tuple(each for each in imports if each.at in {subscriber.joined_at, subscriber.updated_at})


def _record(person: NewPerson, *, now: datetime) -> SubscriberRecord:
    """Return the person as a record, parsed as in an import. Raise InputError with everything that is wrong."""
    faults: list[str] = []

    def checked(check: Callable[[str], Value], text: str, otherwise: Value) -> Value:
        try:
            return check(normal_text(text)) if text.strip() else otherwise
        except ValidationError as err:
            faults.append(str(err.errors()[0]["ctx"]["error"]))
        except ValueError as err:
            faults.append(str(err))
        return otherwise

    record = SubscriberRecord(
        email=checked(checked_address, person.email, ""),
        first_name=checked(_LINE.validate_python, person.first_name, ""),
        last_name=checked(_LINE.validate_python, person.last_name, ""),
        language=checked(checked_language, person.language, ""),
        timezone=checked(_TIME_ZONE.validate_python, person.timezone, ""),
        tags=tuple(sorted({tag for each in person.tags if (tag := checked(_tag, each, ""))})),
        consented_at=checked(lambda text: past_moment(text, now=now), person.consented_at or "", now),
        consent_source=checked(_LINE.validate_python, person.consent_source, ""),
        consent_wording=checked(_LINE.validate_python, person.consent_wording, ""),
    )
    if not person.email.strip():
        faults.append("the address is missing; write it, for example newsletter subscribers add name@example.org")
    if not person.consent_source.strip():
        faults.append('the source of the consent is missing; add it, for example --consent-source "May workshop"')
    if faults:
        raise InputError("\n".join(faults))
    return record


def _tag(text: str) -> str:
    if _SEPARATOR.search(text):
        raise ValueError(
            f"--tag {text!r} is more than one tag; write --tag before each, for example --tag teacher --tag donor"
        )
    return normal_tag(text)


def past_moment(text: str, *, now: datetime) -> datetime:
    """Parse a date in any form that a list may use. An empty text means now.

    Raise ValueError if it is not a date or is in the future.
    """
    named = written_day_or_moment(text) if text else now
    moment = named if isinstance(named, datetime) else datetime.combine(named, time(), UTC)
    if moment > now:
        raise ValueError(f"--consented-at {text!r} is in the future; write the day on which the person consented")
    return moment
