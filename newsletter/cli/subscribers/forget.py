"""`newsletter subscribers forget`: what forgetting a person erases, and what it leaves."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.workspace import opened_database
from newsletter.model.columns import COLUMNS
from newsletter.model.person import KnownPerson
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.forget import PlannedErasure, erase, plan_erasure

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


def forget(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The address of somebody who asked for it.")],
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Erase a person for good, and remember only that they must never be mailed.

    A keyed digest of the address is what is kept. It needs NEWSLETTER_KEY in the environment: a secret of at least 32
    characters, the same one each time.
    """
    key = forget_key()
    with opened_database() as (config, database):
        planned = plan_erasure(config, database, person, key=key)
        _print_plan(planned)
        if dry_run:
            output.note("Nothing was erased.")
            return
        output.require_yes(f"Erase {planned.person.email} for good?", yes=yes, otherwise="Nothing was erased.")
        is_scrubbed = erase(database, planned, key=key, now=datetime.now(UTC))
    output.say(f"{planned.person.email} is forgotten, and is never mailed again unless they sign up anew")
    if planned.is_on_server:
        output.note(_VACUUM)
    elif not is_scrubbed:
        output.note(_WAL_IS_BUSY)
    output.note("Not in this database, and left to you:")
    for line in _ELSEWHERE:
        output.note(f"  {line}")


def _print_plan(planned: PlannedErasure) -> None:
    """Print what would be erased, and what stays."""
    person = planned.person
    output.say(output.styled(person.email, "bold"))
    output.say("would be erased")
    output.print_facts(
        [
            ("list", _row(person)),
            ("consent", _consent(person)),
            ("suppressions", _suppressions(person)),
            ("soft bounces", f"{len(person.soft_bounces):,}" if person.soft_bounces else ""),
            ("reports", f"the words and links of {planned.reported:,}" if planned.reported else ""),
            ("outbox", f"{output.count_of(len(planned.mails), 'mail')}{_in(planned.mails)}" if planned.mails else ""),
        ]
    )
    output.say("would stay")
    for line in _staying(person):
        output.say(f"  {line}")


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


def _suppressions(person: KnownPerson) -> str:
    counts = {"in force": len(person.suppressions), "lifted": len(person.past_suppressions)}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def _in(mails: tuple[Path, ...]) -> str:
    folders = sorted({path.parent.name for path in mails})
    return f" in {', '.join(folders[:3])}{' …' if len(folders) > 3 else ''}"


def _staying(person: KnownPerson) -> list[str]:
    lines = ["a digest made with NEWSLETTER_KEY, by which no import brings them back"]
    counts = {"delivery": len(person.deliveries), "report": len(person.events)}
    if counted := " and ".join(output.count_of(count, noun) for noun, count in counts.items() if count):
        lines.append(f"{counted} in the sums, under a number that leads to nobody")
    return [*lines, *_ELSEWHERE]
