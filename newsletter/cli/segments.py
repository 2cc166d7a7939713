"""`newsletter segments`: list the segments, with the size of each and how many people they have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import AsJson
from newsletter.cli.subscribers.list_ import print_members
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError, MistakesError
from newsletter.model.segment import EVERYONE
from newsletter.store.database import Database
from newsletter.workflows.segment_notes import notes_on
from newsletter.workflows.segments import (
    CountedSegment,
    SegmentsOverview,
    is_large,
    meant_by,
    overview_segments,
    portray_segment,
    steps_of_overview,
)


def segments(
    name: Annotated[
        str | None, typer.Argument(metavar="SEGMENT", help="The segment to show in detail. Default: list all segments.")
    ] = None,
    overlap: Annotated[
        str | None,
        typer.Option(metavar="SEGMENT", help="Show how many people in each segment are also in this one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List your segments, with the size of each and how many people in it can be emailed.

    Also shows how many people each pair of segments has in common, and some sample addresses. Define segments in
    newsletter.toml, under `[segments]`; see docs/segments.md.

    Exits with status 2 if a segment has a mistake. The other segments are still listed.
    """
    if name and overlap:
        raise InputError(
            "--overlap compares all segments with one segment; remove the other segment name, or --overlap"
        )
    now = datetime.now(UTC)
    with opened_database() as (config, database):
        if name is not None:
            segment = meant_by(config, database, segment=name, now=now)
            with _counting(database, 1) as advance:
                portrait = portray_segment(database, segment, now=now)
                advance(1)
            notes = notes_on(database, [segment])
            if as_json:
                output.print_json({**_portrait_data(portrait), "notes": list(notes)})
            else:
                _print_portrait(portrait, now=now)
            output.print_notes(notes)
            return
        steps = steps_of_overview(config, database, other=overlap, now=now)
        with _counting(database, steps) as advance:
            overview = overview_segments(config, database, other=overlap, now=now, on_counted=advance)
    if as_json:
        output.print_json(_overview_data(overview))
    else:
        _print_overview(overview, list(config.settings.segments))
    output.print_notes(overview.notes)
    if overview.unused:
        output.print_notes([_about_unused(overview.unused)])
    if overview.broken:
        raise MistakesError(mistake for each in overview.broken for mistake in each.mistakes)


def _about_unused(names: Sequence[str]) -> str:
    them = "it" if len(names) == 1 else "them"
    return (
        f"Not used yet: {', '.join(names)}. No section of an issue names {them} in `only:`, and nothing was sent to "
        f"{them}. To see what would be sent, run `newsletter send ISSUE --to {quote(names[0])} --dry-run`."
    )


@contextmanager
def _counting(database: Database, steps: int) -> Iterator[bars.Progress]:
    """Show progress if the list is so long that counting takes a while."""
    if not is_large(database):
        yield lambda _: None
        return
    with bars.progress("Counting", steps, unit="counts") as advance:
        yield advance


def _print_overview(overview: SegmentsOverview, names: Sequence[str]) -> None:
    other = overview.other
    heads = ["segment", "people", "can be emailed", *([f"in {other}"] if other else []), "expression"]
    cells = {counted.segment.name: _row(counted) for counted in overview.segments}
    cells |= {each.name: [each.name, "", "", *([""] if other else []), each.expression] for each in overview.broken}
    output.print_table(heads, [cells[name] for name in (EVERYONE, *names)])
    if overview.overlaps:
        output.say()
        largest = sorted(overview.overlaps, key=lambda overlap: (-overlap.people, overlap.one, overlap.other))
        rows = [(f"{overlap.one} and {overlap.other}", f"{overlap.people:,}") for overlap in largest]
        output.print_table(("in both", "people"), rows)
    if any(counted.sample for counted in overview.segments):
        output.say()
        output.say(output.styled("sample addresses", "dim"))
        output.print_facts(
            (counted.segment.name, ", ".join(_addresses(counted)) or "none") for counted in overview.segments
        )
    elif not overview.segments[0].count.members:
        output.print_next("newsletter subscribers import FILE", "to import your list")
        return
    named = overview.segments[1:]
    if not named and not overview.broken:
        output.note("Define your own segments in newsletter.toml, under [segments]: teachers = 'tagged(\"teacher\")'")
    elif named:
        output.print_next(f"newsletter segments {quote(named[0].segment.name)}", "to see one segment in detail")


def _row(counted: CountedSegment) -> list[str]:
    also = [] if counted.also_in_other is None else [f"{counted.also_in_other:,}"]
    count = counted.count
    return [counted.segment.name, f"{count.members:,}", f"{count.mailable:,}", *also, counted.segment.expression]


def _print_portrait(portrait: CountedSegment, *, now: datetime) -> None:
    count = portrait.count
    not_mailed = [f"{people:,} {reason.value}" for reason, people in portrait.suppressed]
    if count.without_consent:
        not_mailed.append(f"{count.without_consent:,} without recorded consent")
    if count.paused:
        not_mailed.append(f"{count.paused:,} paused")
    output.print_facts(
        [
            ("segment", portrait.segment.name),
            ("expression", portrait.segment.expression),
            ("people", f"{count.members:,}"),
            ("can be emailed", f"{count.mailable:,}"),
            ("not emailed", "\n".join(not_mailed)),
        ]
    )
    if not portrait.sample:
        return
    output.say()
    print_members(portrait.sample, now=now)
    if count.members > len(portrait.sample):
        output.print_next(
            f"newsletter subscribers list --segment {quote(portrait.segment.name)}", "to see more of them"
        )
    else:
        command = f"newsletter send ISSUE --to {quote(portrait.segment.name)} --dry-run"
        output.print_next(command, "to see what would happen if you sent them an issue")


def _overview_data(overview: SegmentsOverview) -> dict[str, object]:
    return {
        "segments": [
            {
                **_data(counted),
                **({} if overview.other is None else {"overlap": counted.also_in_other}),
            }
            for counted in overview.segments
        ],
        "broken": [
            {
                "name": each.name,
                "expression": each.expression,
                "mistakes": [
                    {"place": mistake.place, "what": mistake.what, "remedy": mistake.remedy.partition("\n")[0]}
                    for mistake in each.mistakes
                ],
            }
            for each in overview.broken
        ],
        "notes": list(overview.notes),
        "unused": list(overview.unused),
        "overlap_with": overview.other,
        "overlaps": [
            {"segments": [overlap.one, overlap.other], "people": overlap.people} for overlap in overview.overlaps
        ],
    }


def _portrait_data(portrait: CountedSegment) -> dict[str, object]:
    return {**_data(portrait), "suppressed_because": {reason.value: people for reason, people in portrait.suppressed}}


def _data(counted: CountedSegment) -> dict[str, object]:
    count = counted.count
    return {
        "name": counted.segment.name,
        "expression": counted.segment.expression,
        "people": count.members,
        "mailable": count.mailable,
        "suppressed": count.suppressed,
        "without_consent": count.without_consent,
        "paused": count.paused,
        "sample": _addresses(counted),
    }


def _addresses(counted: CountedSegment) -> list[str]:
    return [member.subscriber.record.email for member in counted.sample]
