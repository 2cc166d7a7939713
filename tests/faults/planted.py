"""Faults that can be planted in the program, one at a time, to see that the runs find them.

A fault is planted inside the processes of a run, which end with it. Where the program cannot do wrong what it does not
do yet, there is nothing to plant: the program itself has the fault, and the runs find it as soon as they look for it.
"""

from collections.abc import Callable
from enum import StrEnum

from newsletter.model.broadcast import Recipient
from newsletter.providers.mime import CompiledMessage
from newsletter.providers.smtp import SmtpSession
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning
from newsletter.store.ledger import broadcasts


class Fault(StrEnum):
    """A fault that the runs must find."""

    RESENT_WHEN_IN_DOUBT = "an SMTP email is sent again after an uncertain end"
    ZONE_REPEATED = "a zone whose email was sent is sent again on `resume`"
    HELD_MAIL_NOT_TAKEN_BACK = "email that the provider holds for someone who left is not taken back"
    BLAME_KEPT_PER_CHUNK = "refusals in a row are counted within a chunk only"


def plant(fault: str) -> None:
    """Plant a fault in this process; an empty text plants none."""
    if fault:
        _PLANTS[Fault(fault)]()


def _resend_when_in_doubt() -> None:
    deliver = SmtpSession._deliver

    def deliver_twice(session: SmtpSession, message: CompiledMessage, sender: str, recipient: Recipient) -> Answer:
        answer = deliver(session, message, sender, recipient)
        if answer.meaning is ReplyMeaning.UNCERTAIN:
            return deliver(session, message, sender, recipient)
        return answer

    SmtpSession._deliver = deliver_twice


def _repeat_zones() -> None:
    broadcasts._LET_OVERDUE_GO = broadcasts._LET_OVERDUE_GO.rewritten(
        "UPDATE chunk SET due_at = '', state = 'ready' "
        "WHERE broadcast = :broadcast AND state IN ('ready', 'accepted') AND due_at <= :now AND due_at <> ''"
    )


def _plant_nothing() -> None:
    """The program has this fault today."""


_PLANTS: dict[Fault, Callable[[], None]] = {
    Fault.RESENT_WHEN_IN_DOUBT: _resend_when_in_doubt,
    Fault.ZONE_REPEATED: _repeat_zones,
    Fault.HELD_MAIL_NOT_TAKEN_BACK: _plant_nothing,
    Fault.BLAME_KEPT_PER_CHUNK: _plant_nothing,
}
