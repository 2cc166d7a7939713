"""`newsletter subscribers show`: all that is known of a person, on the screen."""

from collections.abc import Callable, Sequence

from newsletter.cli import output
from newsletter.cli.options import Email
from newsletter.cli.workspace import opened_database
from newsletter.model.audience import Subscriber, Suppression
from newsletter.model.ledger import PastDelivery
from newsletter.model.person import KnownPerson, PastEvent, PastSoftBounce
from newsletter.system.secret_key import forget_key
from newsletter.workflows.subscribers.person import show_person

_SHOWN = 20  # of each kind that may be long; `export` has all
_LONGEST_DETAIL = 40  # a link cannot be broken between words, and a terminal has 80 columns
_NOTHING = "nothing on record"

_DELIVERIES: dict[str, Callable[[PastDelivery], str]] = {
    "broadcast": lambda past: str(past.broadcast),
    "issue": lambda past: past.issue,
    "status": lambda past: past.status,
    "when (UTC)": lambda past: output.minute_of(past.at),
    "reason": lambda past: past.reason,
}
_EVENTS: dict[str, Callable[[PastEvent], str]] = {
    "when (UTC)": lambda event: output.minute_of(event.at),
    "issue": lambda event: event.issue or f"broadcast {event.broadcast}",
    "what": lambda event: event.type.value,
    "detail": lambda event: output.shortened(event.detail, _LONGEST_DETAIL),
}
_SOFT_BOUNCES: dict[str, Callable[[PastSoftBounce], str]] = {
    "when (UTC)": lambda bounce: output.minute_of(bounce.at),
    "detail": lambda bounce: bounce.detail,
}


def show(email: Email) -> None:
    """Show everything that is known of a person: fields, tags, consent, suppressions, what they were sent."""
    with opened_database() as (_, database):
        person = show_person(database, email, key=forget_key())
    _show_known(person)
    output.show_next(f"newsletter subscribers export {person.email}", "has all of it, as JSON")


def _show_known(person: KnownPerson) -> None:
    """Print who they are, what they agreed to, whether they are mailed, and what became of their mail."""
    subscriber = person.subscriber
    output.say(output.styled(person.email, "bold"))
    if subscriber is None:
        output.say("  not on the list")
    else:
        output.show_facts(_list_facts(person, subscriber))
        _show_part("Consent", _consent_facts(person, subscriber))
    _show_part("Mail", _mail_facts(person))
    _show_rows("What they were sent", _DELIVERIES, person.deliveries)
    _show_rows("What was reported", _EVENTS, person.events)
    _show_rows("Mailbox could not take mail", _SOFT_BOUNCES, person.soft_bounces)


def _list_facts(person: KnownPerson, subscriber: Subscriber) -> list[tuple[str, str]]:
    record = subscriber.record
    return [
        ("name", f"{record.first_name} {record.last_name}".strip()),
        ("language", record.language),
        ("time zone", record.timezone),
        ("tags", ", ".join(record.tags)),
        *sorted(record.attributes.items()),
        ("joined", output.utc_of(subscriber.joined_at)),
        ("changed", output.utc_of(subscriber.updated_at)),
        ("imported", "\n".join(f"{past.file or 'a list'}, {output.utc_of(past.at)}" for past in person.imports)),
    ]


def _consent_facts(person: KnownPerson, subscriber: Subscriber) -> list[tuple[str, str]]:
    record = subscriber.record
    earlier = [
        f"{output.utc_of(past.consented_at)}, {past.source or 'source unknown'}"
        f"{f', wording {past.wording}' if past.wording else ''}; until {output.utc_of(past.replaced_at)}"
        for past in person.past_consents
    ]
    return [
        ("given", output.utc_of(record.consented_at) or _NOTHING),
        ("source", record.consent_source),
        ("wording", record.consent_wording),
        ("confirmed", output.utc_of(record.consent_confirmed_at)),
        ("basis", record.consent_basis),
        ("before", "\n".join(earlier)),
    ]


def _mail_facts(person: KnownPerson) -> list[tuple[str, str]]:
    lifted = [
        f"{past.reason.value}{f' ({past.topic})' if past.topic else ''}, {past.created_at:%Y-%m-%d} "
        f"to {past.lifted_at:%Y-%m-%d}: {past.because}"
        for past in person.past_suppressions
    ]
    return [
        ("mailed", _standing(person)),
        *[("left topic", f"{left.topic}, {_since(left)}") for left in person.left_topics],
        ("before", "\n".join(lifted)),
    ]


def _standing(person: KnownPerson) -> str:
    if person.suppression is not None:
        return output.styled(f"never: {person.suppression.reason.value}, {_since(person.suppression)}", "red")
    if person.subscriber is None:
        return "no: not on the list"
    if not person.subscriber.record.may_be_mailed:
        return output.styled("no: no consent on record", "yellow")
    return output.styled("yes", "green")


def _since(suppression: Suppression) -> str:
    detail = f" ({suppression.detail})" if suppression.detail else ""
    return f"since {output.utc_of(suppression.created_at)}{detail}"


def _show_part(title: str, facts: Sequence[tuple[str, str]]) -> None:
    if any(value for _, value in facts):
        output.say()
        output.say(output.styled(title, "bold"))
        output.show_facts(facts)


def _show_rows(title: str, columns: dict[str, Callable[[output.Item], str]], items: Sequence[output.Item]) -> None:
    if not items:
        return
    output.say()
    output.say(output.styled(title, "bold"))
    output.show_columns(columns, items[:_SHOWN])
    if len(items) > _SHOWN:
        output.say(f"… and {len(items) - _SHOWN:,} more")
