"""Read complaints: feedback reports (RFC 5965), and the older form of Outlook.com (JMRP)."""

from newsletter.mailbox.received import MailFields, ReceivedMail
from newsletter.mailbox.refusal import detail_of
from newsletter.mailbox.traces import of_recipients, returned_headers
from newsletter.model.mail_report import ReportKind, Trace

_FEEDBACK = "message/feedback-report"
_KINDS = {
    "abuse": ReportKind.COMPLAINT,
    "fraud": ReportKind.COMPLAINT,
    "virus": ReportKind.COMPLAINT,
    "miscategorized": ReportKind.COMPLAINT,
    "opt-out": ReportKind.UNSUBSCRIBE,
    "opt-out-list": ReportKind.UNSUBSCRIBE,
}
_HOTMAIL, _HOTMAIL_SUBJECT, _HOTMAIL_RECIPIENT = (
    "staff@hotmail.com",
    "complaint about message from",
    "x-hmxmroriginalrecipient",
)


def complaint_in(mail: ReceivedMail) -> tuple[ReportKind, str, tuple[Trace, ...]] | None:
    """Return the kind of a complaint, a description, and the recipients it names. Return None if it is none.

    `not-spam`, `auth-failure` and `dmarc` are reports in the same form, but no complaints. Many senders hide the
    recipient.
    """
    feedback = mail.blocks(_FEEDBACK)
    if feedback:
        merged = MailFields(tuple(pair for block in feedback for pair in block.pairs))
        reported = merged.first("feedback-type").lower()
        kind = _KINDS.get(reported, ReportKind.NOTE)
        by = merged.first("user-agent") or mail.sender
        named = [value.partition(";")[2] or value for value in merged.all("original-rcpt-to", "removal-recipient")]
        return kind, detail_of(f"feedback report ({reported or 'without a type'}) from {by}"), _recipients(named)
    named = [value for header in (mail.header, *returned_headers(mail)) for value in header.all(_HOTMAIL_RECIPIENT)]
    if named or (mail.sender == _HOTMAIL and _HOTMAIL_SUBJECT in mail.header.first("subject").lower()):
        return ReportKind.COMPLAINT, detail_of(f"feedback report from {mail.sender}"), _recipients(named)
    return None


def _recipients(values: list[str]) -> tuple[Trace, ...]:
    return of_recipients(value.strip(" <>").lower() for value in values)
