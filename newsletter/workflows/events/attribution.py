"""Find the delivery that a report in an email is about, and make an event of it.

Anyone can send email to the mailbox. What a report changes is limited by what its sender must know: the code in the
address or the token in the link, which only the person has; or the nonce in the Message-ID, which only those have who
got the same broadcast. An address with a wrong code discredits the whole email. Where each email leaves from an
address with a code, a report about someone on the list needs the person's own.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import NamedTuple

from newsletter.model.event import Event, EventType
from newsletter.model.mail_report import MailReport, ReportKind, Trace, TraceHint
from newsletter.model.return_paths import ReturnPurpose, is_genuine
from newsletter.store.database import Database
from newsletter.store.reported import ReportedDelivery, recent_deliveries, reported_delivery, token_of

EVENT_TYPES = {
    ReportKind.HARD: EventType.BOUNCED,
    ReportKind.SOFT: EventType.BLOCKED,
    ReportKind.BLAMELESS: EventType.BLOCKED,
    ReportKind.DELAYED: EventType.DEFERRED,
    ReportKind.DELIVERED: EventType.DELIVERED,
    ReportKind.COMPLAINT: EventType.COMPLAINED,
    ReportKind.UNSUBSCRIBE: EventType.UNSUBSCRIBED,
}
# How long after an email was sent it may still bounce: servers try for up to five days, and some for seven.
_BOUNCES_WITHIN = timedelta(days=10)
_CLOCKS_DIFFER_BY = timedelta(hours=1)


_WITH_CODE = frozenset({TraceHint.RETURN_PATH, TraceHint.LINK})  # hints that only the person's own email contains


class Trust(StrEnum):
    """Whether the person behind a report is known."""

    FOUND = "found"
    NOT_NEEDED = "not needed"  # the report has no effect, whomever it is about
    NOBODY = "nobody"  # it fits no delivery of this database, or several
    FORGED = "forged"  # it names a person, but its sender does not have that person's code


class Attribution(NamedTuple):
    """The event that a report becomes, or why it becomes none."""

    standing: Trust
    event: Event | None = None


def attribute(database: Database, report: MailReport, *, needs_code: bool) -> Attribution:
    """Return the event of a report. It writes nothing.

    With `needs_code`, neither the recipient's address nor a Message-ID is enough: others can know both.
    """
    type_ = EVENT_TYPES.get(report.kind)
    if type_ is None:
        return Attribution(Trust.NOT_NEEDED)
    delivery: ReportedDelivery | None = None
    for trace in report.traces:
        if trace.hint is TraceHint.ADDRESS:
            break
        delivery = _claimed(database, trace)
        if delivery is not None and not _is_proven(trace, delivery):
            if trace.hint is TraceHint.RETURN_PATH and delivery.token:
                return Attribution(Trust.FORGED)
            delivery = None
        if delivery is not None:
            break
    delivery = delivery or _by_address(database, report)
    if delivery is None:
        return Attribution(Trust.NOBODY)
    if needs_code and delivery.token and not _has_code(database, report, delivery):
        return Attribution(Trust.FORGED)
    event = Event(
        at=report.at,
        type=type_,
        broadcast=delivery.broadcast,
        nonce=delivery.nonce,
        chunk=delivery.chunk,
        attempt=delivery.attempt,
        subscriber=delivery.subscriber,
        detail=report.detail,
        cause=report.cause,
    )
    return Attribution(Trust.FOUND, event)


def _has_code(database: Database, report: MailReport, delivery: ReportedDelivery) -> bool:
    """Return whether a report contains what only the email to this person does."""
    traces = [each for each in report.traces if each.hint in _WITH_CODE and each.subscriber == delivery.subscriber]
    claims = [(trace, _claimed(database, trace)) for trace in traces]
    return any(claimed is not None and _is_proven(trace, claimed) for trace, claimed in claims)


def _claimed(database: Database, trace: Trace) -> ReportedDelivery | None:
    """Return the delivery that a hint names. It is not verified yet."""
    if trace.broadcast:
        return reported_delivery(database, trace.broadcast, trace.subscriber)
    token = token_of(database, trace.subscriber)
    return None if token is None else ReportedDelivery(0, "", trace.subscriber, token, 0, 0)


def _is_proven(trace: Trace, delivery: ReportedDelivery) -> bool:
    """Return whether the sender of a report knows what only the recipients of our email can know."""
    if trace.address:
        purpose = ReturnPurpose(trace.address)
        return is_genuine(purpose, trace.subscriber, trace.broadcast, trace.secret, token=delivery.token)
    secret = delivery.nonce if trace.hint is TraceHint.MESSAGE_ID else delivery.token
    return compare_digest(trace.secret.encode(), secret.encode())


def _by_address(database: Database, report: MailReport) -> ReportedDelivery | None:
    """Return the only delivery that fits the recipient's address and the time of the report."""
    addresses: Sequence[str] = [trace.address for trace in report.traces if trace.hint is TraceHint.ADDRESS]
    if not addresses:
        return None
    until = report.at + _CLOCKS_DIFFER_BY
    found = recent_deliveries(database, addresses, since=report.at - _BOUNCES_WITHIN, until=until)
    return found[0] if len(found) == 1 else None
