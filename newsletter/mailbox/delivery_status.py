"""Read delivery reports in the standard form (RFC 3464, and RFC 6533 for addresses that are not ASCII)."""

from collections.abc import Iterator

from msgspec import Struct

from newsletter.mailbox.received import MailFields, ReceivedMail
from newsletter.mailbox.refusal import BounceReason, coded_lines, detail_of, judge
from newsletter.model.mail_report import ReportKind

_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_RECIPIENT_FIELDS = ("final-recipient", "original-recipient", "action", "status")
_KINDS = {
    "delayed": ReportKind.DELAYED,
    "delivered": ReportKind.DELIVERED,
    "relayed": ReportKind.NOTE,
    "expanded": ReportKind.NOTE,
}
_MOST_RECIPIENTS = 100


class RecipientStatus(Struct, frozen=True):
    """What a report says about one recipient."""

    addresses: tuple[str, ...]  # the original and the final address, in lowercase
    refusal: BounceReason
    fields: MailFields


def statuses_in(mail: ReceivedMail) -> tuple[RecipientStatus, ...]:
    """Return what a delivery report says about each recipient. It is empty if the email is not a delivery report."""
    blocks = [block for block in mail.blocks(*_STATUS_PARTS) if block.has(*_RECIPIENT_FIELDS)]
    text = coded_lines(mail.text) if len(blocks) == 1 else ""
    return tuple(_status(block, text) for block in blocks[:_MOST_RECIPIENTS])


def _status(block: MailFields, text: str) -> RecipientStatus:
    kind = _KINDS.get(block.first("action").lower().partition(" ")[0])
    words = _untyped(block.first("diagnostic-code", "x-supplementary-info"))
    status = block.first("status")
    if kind is None:
        host = _untyped(block.first("remote-mta", "reporting-mta"))
        refusal = judge(words or text, status=status, host=host)
    else:
        refusal = BounceReason(kind, "", detail_of(words or status))
    return RecipientStatus(tuple(_addresses(block)), refusal, block)


def _addresses(block: MailFields) -> Iterator[str]:
    for name in ("original-recipient", "final-recipient"):
        for value in block.all(name):
            address = _untyped(value).strip(" <>").lower()
            if "@" in address:
                yield address


def _untyped(value: str) -> str:
    """Return a typed value without its type: `rfc822; ana@example.org` or `smtp;550 5.1.1 …`."""
    kind, separator, rest = value.partition(";")
    return rest.strip() if separator and kind.strip().replace("-", "").isalnum() else value.strip()
