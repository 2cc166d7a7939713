"""What forgetting a person erases and what it leaves, on the screen."""

from datetime import datetime
from pathlib import Path

from newsletter.cli import output
from newsletter.model.columns import COLUMNS
from newsletter.model.person import KnownPerson
from newsletter.workflows.subscribers.forget import Erasure, PlannedErasure

_ELSEWHERE = (
    "files that were exported or sent on, and backups of the database",
    "what the provider keeps: its own lists and logs of the mail that it carried",
)
_VACUUM = (
    "PostgreSQL keeps deleted rows in its files until it vacuums; `VACUUM FULL` at once leaves nothing but its WAL "
    "and backups."
)
_WAL_IS_BUSY = (
    "Another program is reading the database, so its -wal file still holds earlier pages; they go when the last "
    "program closes it."
)


def show_plan(planned: PlannedErasure) -> None:
    """What would be erased, and what stays."""
    person = planned.person
    output.say(output.styled(person.email, "bold"))
    output.say("would be erased")
    output.show_facts([(name, value) for name, value in _erased(planned) if value])
    output.say("would stay")
    for line in _staying(person):
        output.say(f"  {line}")


def show_erasure(erasure: Erasure, shown: str) -> None:
    """That it is done; `shown` is how the person was asked for."""
    output.say(f"{shown} is forgotten, and is never mailed again unless they sign up anew")
    if erasure.planned.is_on_server:
        output.note(_VACUUM)
    elif not erasure.is_scrubbed:
        output.note(_WAL_IS_BUSY)
    output.note("Not in this database, and left to you:")
    for line in _ELSEWHERE:
        output.note(f"  {line}")


def _erased(planned: PlannedErasure) -> list[tuple[str, str]]:
    person = planned.person
    return [
        ("list", _row(person)),
        ("consent", _consent(person)),
        ("suppressions", _counted(len(person.suppressions), len(person.past_suppressions))),
        ("soft bounces", f"{len(person.soft_bounces):,}" if person.soft_bounces else ""),
        ("reports", f"the words and links of {planned.reported:,}" if planned.reported else ""),
        ("outbox", f"{output.count_of(len(planned.mails), 'mail')}{_in(planned.mails)}" if planned.mails else ""),
    ]


def _row(person: KnownPerson) -> str:
    if person.subscriber is None:
        return ""
    values = zip(COLUMNS, person.subscriber.record.values, strict=True)
    parts = [
        f"the {column.label}" if isinstance(value, str) else output.count_of(len(value), column.label.removesuffix("s"))
        for column, value in values
        if value and not column.is_consent and not isinstance(value, datetime)
    ]
    return ", ".join(dict.fromkeys(parts))


def _consent(person: KnownPerson) -> str:
    if person.subscriber is None or not person.subscriber.record.may_be_mailed:
        return ""
    earlier = len(person.past_consents)
    return f"the record of it{f', and {earlier:,} earlier' if earlier else ''}"


def _counted(now: int, past: int) -> str:
    return ", ".join([*([f"{now:,} in force"] if now else []), *([f"{past:,} lifted"] if past else [])])


def _in(mails: tuple[Path, ...]) -> str:
    folders = sorted({path.parent.name for path in mails})
    return f" in {', '.join(folders[:3])}{' …' if len(folders) > 3 else ''}"


def _staying(person: KnownPerson) -> list[str]:
    lines = ["a digest made with NEWSLETTER_KEY, by which no import brings them back"]
    if person.subscriber is not None:
        counted = [
            *([output.count_of(len(person.deliveries), "delivery")] if person.deliveries else []),
            *([output.count_of(len(person.events), "report")] if person.events else []),
        ]
        if counted:
            lines.append(f"{' and '.join(counted)} in the sums, under a number that leads to nobody")
    return [*lines, *_ELSEWHERE]
