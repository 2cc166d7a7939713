"""`newsletter subscribers edit`: correct what is recorded about one person or about many."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.model.address import person_of
from newsletter.model.edit import EditedPerson, EditReport
from newsletter.system.environment import forget_key
from newsletter.workflows.segment_notes import notes_on
from newsletter.workflows.segments import meant_by
from newsletter.workflows.subscribers.edit import EditRequest, edit_of, edit_subscribers, values_of

_SET = "A value to record, for example first_name=Ana. Repeatable."
_CLEAR = "A column whose value to remove. Repeatable."
_WHERE = "Edit all subscribers who match this expression, for example 'tagged(\"wrong\")'."
_UNCHANGED = "Nothing was changed."


def edit(  # noqa: PLR0913, PLR0917 - each is an option of its own
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL", help="The addresses of the subscribers.")] = [],  # noqa: B006 - Typer copies it
    values: Annotated[list[str], typer.Option("--set", metavar='"COLUMN=VALUE"', help=_SET)] = [],  # noqa: B006
    cleared: Annotated[list[str], typer.Option("--clear", metavar="COLUMN", help=_CLEAR)] = [],  # noqa: B006
    tags: Annotated[list[str], typer.Option("--tag", metavar="TAG", help="A tag to add. Repeatable.")] = [],  # noqa: B006
    untags: Annotated[list[str], typer.Option("--untag", metavar="TAG", help="A tag to remove. Repeatable.")] = [],  # noqa: B006
    where: Annotated[str | None, typer.Option(metavar="EXPRESSION", help=_WHERE)] = None,
    segment: Annotated[
        str | None, typer.Option(metavar="SEGMENT", help="Edit all subscribers in this segment of newsletter.toml.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Correct what is recorded about a subscriber, or about many: values, tags and the address.

    Shows each change. If it is about more than one subscriber, you are asked to confirm.

    A new address (`--set email=NEW`) keeps the person's history, and what they unsubscribed from. The old address is
    blocked. No edit allows email to a person who unsubscribed. Consent can only be set together with its source.
    """
    if sum((bool(emails), where is not None, segment is not None)) != 1:
        raise InputError("choose who to edit in one way: with addresses, with --where or with --segment")
    request = EditRequest(
        values=tuple(values), cleared=tuple(cleared), added_tags=tuple(tags), removed_tags=tuple(untags)
    )
    is_for_one, now, key = len(set(emails)) == 1, datetime.now(UTC), forget_key()
    planned = None
    with opened_database() as (config, database):
        meant = None if emails else meant_by(config, database, segment=segment, where=where, now=now)
        people = meant.condition if meant else emails
        changes = edit_of(database, request, is_for_one=is_for_one, now=now)
        if dry_run or not is_for_one:
            planned = edit_subscribers(database, people, changes, key=key, is_dry_run=True, now=now)
            _print_report(planned)
            output.print_notes(notes_on(database, [meant]) if meant else ())
            if dry_run:
                output.note_dry_run()
                return
            if not planned.changed:
                output.note(_UNCHANGED)
                return
            output.require_yes(f"Edit {output.people_of(len(planned.changed))}?", yes=yes, otherwise=_UNCHANGED)
        report = edit_subscribers(database, people, changes, key=key, is_dry_run=False, confirmed=planned, now=now)
    if not is_for_one:
        output.say(f"{output.people_of(len(report.changed))} changed.")
        return
    _print_report(report)
    if not report.changed:
        output.note(_UNCHANGED)
    _print_address(emails[0], changes.address)


def _print_address(old: str, new: str) -> None:
    """Print a note about the old address if there is a new one, and what to do next."""
    if new and person_of(new) != person_of(old):
        output.note(f"{old} is blocked now, so that no list brings it back.")
    output.print_next(f"newsletter subscribers show {quote(new or old)}", "to see everything about them")


def _print_report(report: EditReport) -> None:
    """Print how many people are changed, and the changes of the first ones."""
    if not report.people:
        output.say("No subscriber matches.")
    elif report.people != 1:
        output.say(f"{output.people_of(report.people)} found, and {len(report.changed):,} of them would change.")
    for person in report.edited:
        output.say(output.styled(person.before["email"], "bold"))
        output.print_facts(_changes(person))
    if len(report.changed) > len(report.edited):
        output.say(f"… and {len(report.changed) - len(report.edited):,} more")
    if report.people == 1 and not report.changed:
        output.say("These values are already recorded.")


def _changes(person: EditedPerson) -> Iterator[tuple[str, str]]:
    before, after = values_of(person.before), values_of(person.after)
    for name in {**before, **after}:
        if before.get(name, "") != after.get(name, ""):
            yield name, f"{before.get(name) or 'none'} → {after.get(name) or 'none'}"
    mailed = [_mailed(person.before), _mailed(person.after)]
    if mailed[0] != mailed[1]:
        yield "consent on record", " → ".join(mailed)


def _mailed(cells: Mapping[str, str]) -> str:
    return "yes" if cells["consented_at"] or cells["consent_basis"] else "no, so no email is sent"
