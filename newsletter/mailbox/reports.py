"""Turn one received email into reports: what happened, why, and hints at whom it happened to.

What an email is, in this order: a complaint, a delivery report, a bounce in plain words, an automatic reply, a request
to unsubscribe, or nothing that is understood. Whatever an email contains, no error is raised.
"""

from collections.abc import Sequence
from datetime import datetime

from newsletter.mailbox.autoreplies import is_autoreply
from newsletter.mailbox.complaints import complaint_in
from newsletter.mailbox.delivery_status import RecipientStatus, statuses_in
from newsletter.mailbox.plain_bounces import plain_bounce_in
from newsletter.mailbox.received import ReceivedMail, moment_in, read_mail
from newsletter.mailbox.refusal import BounceReason, detail_of
from newsletter.mailbox.traces import of_recipients, traces_in
from newsletter.model.mail_report import MailReport, ReportKind, Trace, TraceHint
from newsletter.model.return_paths import ReturnPurpose

# Of several recipients behind one address of ours, the one that fared best counts: our email reached someone.
_BEST_FIRST = (
    ReportKind.DELIVERED,
    ReportKind.NOTE,
    ReportKind.DELAYED,
    ReportKind.SOFT,
    ReportKind.BLAMELESS,
    ReportKind.HARD,
)


def reports_in(content: bytes, *, received_at: datetime) -> tuple[MailReport, ...]:
    """Return the reports in an email, at least one. `received_at` is its time if it has no usable time of its own."""
    try:
        return _reports(content, received_at)
    except Exception as err:  # `email` and the rules are tried with much odd input; the rest is kept for a person
        detail = detail_of(f"this email cannot be read ({type(err).__name__}: {err})")
        return (MailReport(kind=ReportKind.UNCLEAR, at=received_at, detail=detail),)


def _reports(content: bytes, received_at: datetime) -> tuple[MailReport, ...]:
    mail = read_mail(content)
    at = moment_in(mail.header, "date", "received", received_at=received_at)
    traces = traces_in(mail)
    if complaint := complaint_in(mail):
        kind, detail, named = complaint
        return (MailReport(kind=kind, at=at, detail=detail, traces=(*traces, *named)),)
    if statuses := statuses_in(mail):
        return _of_statuses(statuses, traces, at, received_at)
    if bounce := plain_bounce_in(mail, content):
        return (_bounce(bounce.refusal, (*traces, *of_recipients(bounce.addresses)), at),)
    if is_autoreply(mail):
        kind = ReportKind.AUTOREPLY
    else:
        kind = ReportKind.UNSUBSCRIBE if _is_request(traces) else ReportKind.UNCLEAR
    return (MailReport(kind=kind, at=at, detail=detail_of(_subject(mail, kind)), traces=traces),)


def _of_statuses(
    statuses: Sequence[RecipientStatus], traces: tuple[Trace, ...], at: datetime, received_at: datetime
) -> tuple[MailReport, ...]:
    """Return one report, because our emails have one recipient each. Without hints, return one per recipient."""
    if traces:
        best = min(statuses, key=lambda each: _BEST_FIRST.index(each.refusal.kind))
        addresses = [address for status in statuses for address in status.addresses]
        found = [(best, (*traces, *of_recipients(addresses)))]
    else:
        found = [(status, of_recipients(status.addresses)) for status in statuses]
    return tuple(
        _bounce(
            status.refusal, all_traces, moment_in(status.fields, "last-attempt-date", received_at=min(at, received_at))
        )
        for status, all_traces in found
    )


def _bounce(refusal: BounceReason, traces: tuple[Trace, ...], at: datetime) -> MailReport:
    return MailReport(kind=refusal.kind, at=at, cause=refusal.cause, detail=refusal.detail, traces=traces)


def _is_request(traces: Sequence[Trace]) -> bool:
    """Return whether the email was sent to the address with which one person unsubscribes."""
    return any(trace.hint is TraceHint.RETURN_PATH and trace.address == ReturnPurpose.LEAVE for trace in traces)


def _subject(mail: ReceivedMail, kind: ReportKind) -> str:
    return "asked by email to unsubscribe" if kind is ReportKind.UNSUBSCRIBE else mail.header.first("subject")
