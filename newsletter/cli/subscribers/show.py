"""`newsletter subscribers show`: everything about one person, on the screen."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from shlex import quote
from zoneinfo import ZoneInfo

from newsletter.cli import output
from newsletter.cli.options import Email
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_consent_time, show_day, show_zoned
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


def _deliveries(zone: str) -> dict[str, Callable[[PastDelivery], str]]:
    return {
        "broadcast": lambda past: str(past.broadcast),
        "issue": lambda past: past.issue,
        "status": lambda past: label_of(past.status),
        "when": lambda past: show_zoned(past.at, zone),
        "reason": lambda past: past.reason,
    }


def _events(zone: str) -> dict[str, Callable[[PastEvent], str]]:
    return {
        "when": lambda event: show_zoned(event.at, zone),
        "issue": lambda event: event.issue or f"broadcast {event.broadcast}",
        "what": lambda event: event.type.value,
        "detail": lambda event: output.shortened(event.detail, _LONGEST_DETAIL),
    }


def _soft_bounces(zone: str) -> dict[str, Callable[[PastSoftBounce], str]]:
    return {
        "when": lambda bounce: show_zoned(bounce.at, zone),
        "detail": lambda bounce: bounce.detail,
    }


_REASONS = {
    "often": "too many emails",
    "content": "not what they expected",
    "never": "never signed up",
    "other": "another reason",
}


def _remarks(zone: str) -> dict[str, Callable[[LeavingRemark], str]]:
    return {
        "when": lambda left: show_zoned(left.at, zone),
        "reason": lambda left: _REASONS.get(left.reason, left.reason),
        "in their words": lambda left: left.remark,
    }


def show(email: Email) -> None:
    """Show everything that is recorded about one person.

    Shows the person's fields, tags and consent, whether the address is blocked and why they left, and the emails
    sent to it.
    """
    with opened_database() as (config, database):
        person = require_person(database, email, key=forget_key())
    _print_known(person, zone=config.settings.newsletter.timezone, now=datetime.now(UTC))
    output.print_next(f"newsletter subscribers export {quote(person.email)}", "to export all of it as JSON")


def _print_known(person: KnownPerson, *, zone: str, now: datetime) -> None:
    """Print the person's fields and consent, whether they can be emailed, and what happened to their emails."""
    subscriber = person.subscriber
    output.say(output.styled(person.email, "bold"))
    if subscriber is None:
        output.say("  not on the list")
    else:
        imports = "\n".join(
            f"{past.file or 'a list'}, {show_zoned(past.at, zone)}{', undone since' if past.undone_at else ''}"
            for past in person.imports
        )
        columns = _column_facts(subscriber.record, zone, is_consent=False)
        output.print_facts([*columns, ("changed", show_zoned(subscriber.updated_at, zone)), ("imported", imports)])
        _print_part("Consent", _consent_facts(person, subscriber, zone))
    _print_part("Email", _mail_facts(person, zone, now=now))
    _print_rows("Why they left", _remarks(zone), person.leaving_remarks)
    _print_rows("What they were sent", _deliveries(zone), person.deliveries)
    _print_rows("What was reported", _events(zone), person.events)
    _print_rows("Soft bounces", _soft_bounces(zone), person.soft_bounces)


def _consent_facts(person: KnownPerson, subscriber: Subscriber, zone: str) -> list[tuple[str, str]]:
    earlier = [
        f"{show_consent_time(past.consented_at, zone)}, {past.source or 'source unknown'}"
        f"{f', wording {past.wording}' if past.wording else ''}; until {show_zoned(past.replaced_at, zone)}"
        for past in person.past_consents
    ]
    return [
        ("given", "" if subscriber.record.consented_at else _NOTHING),
        *_column_facts(subscriber.record, zone, is_consent=True),
        ("before", "\n".join(earlier)),
    ]


def _column_facts(record: SubscriberRecord, zone: str, *, is_consent: bool) -> list[tuple[str, str]]:
    """Return a label and a string per column. Adjacent columns with the same label, such as the names, are joined."""
    facts: list[tuple[str, str]] = []
    for column, value in zip(COLUMNS, record.values, strict=True):
        if column.is_consent is not is_consent or column.type is ColumnType.ADDRESS:
            continue
        if isinstance(value, Mapping):
            facts += sorted(value.items())
        elif facts and facts[-1][0] == column.label:
            facts[-1] = (column.label, f"{facts[-1][1]} {_text(value, zone)}".strip())
        else:
            facts.append((column.label, _text(value, zone)))
    return facts


def _text(value: str | datetime | tuple[str, ...] | None, zone: str) -> str:
    if isinstance(value, datetime):
        return show_consent_time(value, zone)
    return ", ".join(value) if isinstance(value, tuple) else value or ""


def _mail_facts(person: KnownPerson, zone: str, *, now: datetime) -> list[tuple[str, str]]:
    own = ZoneInfo(zone)
    lifted = [
        f"{past.reason.value}{f' ({past.topic})' if past.topic else ''}, {show_day(past.created_at.astimezone(own))} "
        f"to {show_day(past.lifted_at.astimezone(own))}: {past.because}"
        for past in person.past_suppressions
    ]
    return [
        ("emailed", _standing(person, zone, now=now)),
        *[("left topic", f"{left.topic}, {_since(left, zone)}") for left in person.left_topics],
        ("before", "\n".join(lifted)),
    ]


def _standing(person: KnownPerson, zone: str, *, now: datetime) -> str:
    if person.suppression is not None:
        return output.styled(f"never: {person.suppression.reason.value}, {_since(person.suppression, zone)}", "red")
    if person.subscriber is None:
        return "no: not on the list"
    if not person.subscriber.record.may_be_mailed:
        return output.styled("no: no consent on record", "yellow")
    if pause := pause_at(person.subscriber.record.paused_until, now):
        return output.styled(f"not now: {pause}", "yellow")
    return output.styled("yes", "green")


def _since(suppression: Suppression, zone: str) -> str:
    detail = f" ({suppression.detail})" if suppression.detail else ""
    return f"since {show_zoned(suppression.created_at, zone)}{detail}"


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
