"""`newsletter subscribers forget`: show which data about a person would be erased or kept, then erase it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.send.held import held_for, print_held
from newsletter.cli.workspace import opened_database
from newsletter.model.columns import COLUMNS
from newsletter.model.person import KnownPerson
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.forget import PlannedErasure, erase, plan_erasure

_ELSEWHERE = (
    "files that you exported, lists that you imported, import reports, and copies that you passed on",
    "backups of the database",
    "the provider's own lists, and its logs of the emails that it sent",
)
_VACUUM = (
    "Deleted rows remain in PostgreSQL's files until the next VACUUM. Run `VACUUM FULL` to remove them now. They also "
    "remain in its log (WAL) and in backups."
)
_WAL_IS_BUSY = (
    "Another program is reading the database, so its -wal file still contains earlier data. It is removed when the "
    "last program closes the database."
)


def forget(
    person: Annotated[str, typer.Argument(metavar="EMAIL", help="The address of the person who asked to be erased.")],
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Erase a person permanently. A later import does not bring them back.

    Only new consent brings them back. A fingerprint of the address is kept so that imports can recognize it. The
    command needs the NEWSLETTER_KEY environment variable, a secret of at least 32 characters that must be the same
    every time.
    """
    key = forget_key()
    with opened_database() as (config, database):
        planned = plan_erasure(config, database, person, key=key)
        _print_plan(planned)
        if dry_run:
            output.note("Nothing was erased.")
            return
        output.require_yes(f"Erase {planned.person.email} permanently?", yes=yes, otherwise="Nothing was erased.")
        now = datetime.now(UTC)
        is_scrubbed = erase(database, planned, key=key, now=now)
        only = [] if planned.person.subscriber is None else [planned.person.subscriber.id]
        held = held_for(config, database, only=only, now=now)
    apart = ", and apart from the following" if held else ""
    output.say(f"{planned.person.email} was erased, and is not emailed again unless they give new consent{apart}.")
    print_held(config, held, now=now)
    if planned.is_on_server:
        output.note(_VACUUM)
    elif not is_scrubbed:
        output.note(_WAL_IS_BUSY)
    output.note("The following data is not in this database. Please delete it yourself:")
    for line in (*_ELSEWHERE, *_in_workspace(planned)):
        output.note(f"  {line}")


def _in_workspace(planned: PlannedErasure) -> list[str]:
    if not planned.elsewhere:
        return []
    return [f"other files of this workspace that may name them: {', '.join(planned.elsewhere)}"]


def _print_plan(planned: PlannedErasure) -> None:
    """Print what would be erased, and what would be kept."""
    person = planned.person
    output.say(output.styled(person.email, "bold"))
    output.say("would be erased")
    output.print_facts(
        [
            ("list", _row(person)),
            ("consent", _consent(person)),
            ("suppressions", _suppressions(person)),
            ("soft bounces", f"{len(person.soft_bounces):,}" if person.soft_bounces else ""),
            ("reports", f"the text and links of {planned.reported:,}" if planned.reported else ""),
            ("other texts", f"the address in {planned.mentions:,}" if planned.mentions else ""),
            ("outbox", f"{output.count_of(len(planned.mails), 'email')}{_in(planned.mails)}" if planned.mails else ""),
        ]
    )
    output.say("would be kept")
    for line in [*_staying(person), *_in_workspace(planned)]:
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
    return f"the record{f', and {earlier:,} earlier' if earlier else ''}"


def _suppressions(person: KnownPerson) -> str:
    counts = {"in force": len(person.suppressions), "lifted": len(person.past_suppressions)}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def _in(mails: tuple[Path, ...]) -> str:
    folders = sorted({path.parent.name for path in mails})
    return f" in {', '.join(folders[:3])}{' …' if len(folders) > 3 else ''}"


def _staying(person: KnownPerson) -> list[str]:
    lines = ["a fingerprint of the address, so that no import brings the person back"]
    counts = {"delivery": len(person.deliveries), "report": len(person.events)}
    if counted := " and ".join(output.count_of(count, noun) for noun, count in counts.items() if count):
        lines.append(f"{counted} counted in the totals, without a name")
    return [*lines, *_ELSEWHERE]
