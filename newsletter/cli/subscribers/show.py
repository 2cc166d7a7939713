"""`newsletter subscribers show`: everything about one person, on the screen."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from shlex import quote

from newsletter.cli import output
from newsletter.cli.options import Email
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_day, show_minute, show_utc
from newsletter.model.audience import Subscriber, Suppression
from newsletter.model.broadcast import label_of
from newsletter.model.columns import COLUMNS, ColumnType, SubscriberRecord
from newsletter.model.ledger import PastDelivery
from newsletter.model.permission import pause_at
from newsletter.model.person import KnownPerson, LeavingRemark, PastEvent, PastSoftBounce
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.person import require_person

_SHOWN = 20  # rows per table; `export` includes all of them
_LONGEST_DETAIL = 40  # links cannot be wrapped, and a terminal has 80 columns
_NOTHING = "nothing on record"

_DELIVERIES: dict[str, Callable[[PastDelivery], str]] = {
    "broadcast": lambda past: str(past.broadcast),
    "issue": lambda past: past.issue,
    "status": lambda past: label_of(past.status),
    "when (UTC)": lambda past: show_minute(past.at),
    "reason": lambda past: past.reason,
}
_EVENTS: dict[str, Callable[[PastEvent], str]] = {
    "when (UTC)": lambda event: show_minute(event.at),
    "issue": lambda event: event.issue or f"broadcast {event.broadcast}",
    "what": lambda event: event.type.value,
    "detail": lambda event: output.shortened(event.detail, _LONGEST_DETAIL),
}
_SOFT_BOUNCES: dict[str, Callable[[PastSoftBounce], str]] = {
    "when (UTC)": lambda bounce: show_minute(bounce.at),
    "detail": lambda bounce: bounce.detail,
}
_REASONS = {
    "often": "too many emails",
    "content": "not what they expected",
    "never": "never signed up",
    "other": "another reason",
}
_REMARKS: dict[str, Callable[[LeavingRemark], str]] = {
    "when (UTC)": lambda left: show_minute(left.at),
    "reason": lambda left: _REASONS.get(left.reason, left.reason),
    "in their words": lambda left: left.remark,
}


def show(email: Email) -> None:
    """Show everything that is recorded about one person.

    Shows the person's fields, tags and consent, whether the address is blocked and why they left, and the emails
    sent to it.
    """
    with opened_database() as (_, database):
        person = require_person(database, email, key=forget_key())
    _print_known(person, now=datetime.now(UTC))
    output.print_next(f"newsletter subscribers export {quote(person.email)}", "to export all of it as JSON")


def _print_known(person: KnownPerson, *, now: datetime) -> None:
    """Print the person's fields and consent, whether they can be emailed, and what happened to their emails."""
    subscriber = person.subscriber
    output.say(output.styled(person.email, "bold"))
    if subscriber is None:
        output.say("  not on the list")
    else:
        imports = "\n".join(
            f"{past.file or 'a list'}, {show_utc(past.at)}{', undone since' if past.undone_at else ''}"
            for past in person.imports
        )
        columns = _column_facts(subscriber.record, is_consent=False)
        output.print_facts([*columns, ("changed", show_utc(subscriber.updated_at)), ("imported", imports)])
        _print_part("Consent", _consent_facts(person, subscriber))
    _print_part("Email", _mail_facts(person, now=now))
    _print_rows("Why they left", _REMARKS, person.leaving_remarks)
    _print_rows("What they were sent", _DELIVERIES, person.deliveries)
    _print_rows("What was reported", _EVENTS, person.events)
    _print_rows("Soft bounces", _SOFT_BOUNCES, person.soft_bounces)


def _consent_facts(person: KnownPerson, subscriber: Subscriber) -> list[tuple[str, str]]:
    earlier = [
        f"{show_utc(past.consented_at)}, {past.source or 'source unknown'}"
        f"{f', wording {past.wording}' if past.wording else ''}; until {show_utc(past.replaced_at)}"
        for past in person.past_consents
    ]
    return [
        ("given", "" if subscriber.record.consented_at else _NOTHING),
        *_column_facts(subscriber.record, is_consent=True),
        ("before", "\n".join(earlier)),
    ]


def _column_facts(record: SubscriberRecord, *, is_consent: bool) -> list[tuple[str, str]]:
    """Return a label and a string per column. Adjacent columns with the same label, such as the names, are joined."""
    facts: list[tuple[str, str]] = []
    for column, value in zip(COLUMNS, record.values, strict=True):
        if column.is_consent is not is_consent or column.type is ColumnType.ADDRESS:
            continue
        if isinstance(value, Mapping):
            facts += sorted(value.items())
        elif facts and facts[-1][0] == column.label:
            facts[-1] = (column.label, f"{facts[-1][1]} {_text(value)}".strip())
        else:
            facts.append((column.label, _text(value)))
    return facts


def _text(value: str | datetime | tuple[str, ...] | None) -> str:
    if isinstance(value, datetime):
        return show_utc(value)
    return ", ".join(value) if isinstance(value, tuple) else value or ""


def _mail_facts(person: KnownPerson, *, now: datetime) -> list[tuple[str, str]]:
    lifted = [
        f"{past.reason.value}{f' ({past.topic})' if past.topic else ''}, {show_day(past.created_at)} "
        f"to {show_day(past.lifted_at)}: {past.because}"
        for past in person.past_suppressions
    ]
    return [
        ("emailed", _standing(person, now=now)),
        *[("left topic", f"{left.topic}, {_since(left)}") for left in person.left_topics],
        ("before", "\n".join(lifted)),
    ]


def _standing(person: KnownPerson, *, now: datetime) -> str:
    if person.suppression is not None:
        return output.styled(f"never: {person.suppression.reason.value}, {_since(person.suppression)}", "red")
    if person.subscriber is None:
        return "no: not on the list"
    if not person.subscriber.record.may_be_mailed:
        return output.styled("no: no consent on record", "yellow")
    if pause := pause_at(person.subscriber.record.paused_until, now):
        return output.styled(f"not now: {pause}", "yellow")
    return output.styled("yes", "green")


def _since(suppression: Suppression) -> str:
    detail = f" ({suppression.detail})" if suppression.detail else ""
    return f"since {show_utc(suppression.created_at)}{detail}"


def _print_part(title: str, facts: Sequence[tuple[str, str]]) -> None:
    if any(value for _, value in facts):
        output.say()
        output.say(output.styled(title, "bold"))
        output.print_facts(facts)


def _print_rows(title: str, columns: dict[str, Callable[[output.Item], str]], items: Sequence[output.Item]) -> None:
    if not items:
        return
    output.say()
    output.say(output.styled(title, "bold"))
    output.print_columns(columns, items[:_SHOWN])
    if len(items) > _SHOWN:
        output.say(f"… and {len(items) - _SHOWN:,} more")
