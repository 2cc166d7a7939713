"""`newsletter subscribers list`: all subscribers, or some of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import AsJson
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.lists.exports import subscriber_data
from newsletter.lists.tags import cell_with_tags
from newsletter.model.segment import MAILED, Member
from newsletter.system.moments import text_of
from newsletter.workflows.segment_notes import notes_on
from newsletter.workflows.segments import meant_by, standing_at
from newsletter.workflows.subscribers.export import count_people, list_people, write_people

_SHOWN = 20
_WHERE = "Only subscribers who match this expression, for example 'tagged(\"teacher\")'."
_LIMIT = f"The maximum number of subscribers to show. Default: {_SHOWN}, or all with --csv or --json."


def list_(
    where: Annotated[str | None, typer.Option(metavar="EXPRESSION", help=_WHERE)] = None,
    segment: Annotated[
        str | None, typer.Option(metavar="SEGMENT", help="Only subscribers in this segment of newsletter.toml.")
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help=_LIMIT)] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the result as CSV, in a form that can be imported.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List your subscribers, or those in a segment, and whether each can be emailed.

    docs/segments.md explains how to write expressions.
    """
    if where is not None and segment is not None:
        raise InputError("--where and --segment cannot be combined; give only one of them")
    if as_csv and as_json:
        raise InputError("--csv and --json cannot be combined; give only one of them")
    now = datetime.now(UTC)
    with opened_database() as (config, database):
        meant = meant_by(config, database, where=where, segment=segment, now=now)
        if as_csv:
            write_people(database, meant, output.result_stream(), most=limit)
        elif as_json:
            output.print_json_items(_data(member, now=now) for member in list_people(database, meant, most=limit))
        else:
            people = tuple(list_people(database, meant, most=limit or _SHOWN))
            _print_people(people, total=count_people(database, meant), where=where, segment=segment, now=now)
        output.print_notes(notes_on(database, [meant]))


def print_members(members: Sequence[Member], *, now: datetime) -> None:
    """Print one row per member, with why they would get no email now."""
    columns: Mapping[str, Callable[[Member], str]] = {
        "address": lambda member: member.subscriber.record.email,
        "name": _name,
        "language": lambda member: member.subscriber.record.language,
        "not emailed": lambda member: "" if (standing := standing_at(member, now)) == MAILED else standing,
        "tags": lambda member: cell_with_tags(member.subscriber.record.tags, separator=", "),
    }
    output.print_columns(columns, members)


def _print_people(
    people: Sequence[Member], *, total: int, where: str | None, segment: str | None, now: datetime
) -> None:
    if people:
        print_members(people, now=now)
    if not total and where is None and segment is None:
        output.say("There are no subscribers yet.")
        output.print_next("newsletter subscribers import FILE", "to import a list")
    elif not total:
        output.say("No subscriber matches this expression." if where else f"No subscriber is in {segment}.")
    elif len(people) == total:
        output.note(f"{output.count_of(total, 'subscriber')} in total.")
    else:
        output.note(
            f"{len(people):,} of {total:,}. --limit {min(total, 10 * _SHOWN)} shows more; --csv prints all of them."
        )


def _name(member: Member) -> str:
    record = member.subscriber.record
    return f"{record.first_name} {record.last_name}".strip()


def _data(member: Member, *, now: datetime) -> dict[str, object]:
    consented_at = member.subscriber.record.consented_at
    return {
        **subscriber_data(member.subscriber),
        "consented_at": text_of(consented_at) if consented_at else None,
        "mail": standing_at(member, now),
    }
