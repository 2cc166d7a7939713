"""`subscribers stats`: what the audience looks like, and who no longer reads."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.model.stats import AudienceStats

_WIDEST, _NARROWEST = 80, 68  # columns of the page
_PATIENCE_SECONDS = 1.0  # before a bar shows that it goes on


def stats(
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="YYYY-MM", help="The first month of growth; a year is shown otherwise."),
    ] = None,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE.svg", help="Also draw growth into an SVG file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the chart where it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Show the audience: how it grows, where it comes from, who may be mailed and who no longer reads."""
    from datetime import UTC, datetime

    from newsletter.cli.stats_data import stats_data
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.subscribers.growth_chart import require_chart_path, write_growth_chart
    from newsletter.workflows.subscribers.stats import STEPS, describe_audience

    first_month = _month(since) if since else None
    if chart:
        require_chart_path(chart, overwrite=force)
    with opened_database() as (config, database), _patient_progress(STEPS) as on_step:
        found = describe_audience(config, database, since=first_month, now=datetime.now(UTC), on_step=on_step)
    name = config.settings.newsletter.name
    if chart:
        write_growth_chart(chart, found.growth, name=name, brand=config.settings.brand, overwrite=force)
        output.note(f"{chart} written")
    if as_json:
        output.show_json(stats_data(found))
        return
    if not found.facts.people:
        output.say("Nobody is on the list yet.")
        output.show_next("newsletter subscribers import FILE", "to bring a list in")
        return
    _show_page(found, name)
    if any(each.count and each.count.mailable for each in found.candidates):
        output.show_next("newsletter segments", "to see them, once they stand in newsletter.toml")
    elif not chart:
        output.show_next("newsletter subscribers stats --chart growth.svg", "to have growth as a picture")


def _show_page(found: "AudienceStats", name: str) -> None:
    from shutil import get_terminal_size

    from newsletter.cli.bars import can_draw, in_ascii
    from newsletter.cli.stats_page import page_of

    lines = page_of(found, name, width=max(_NARROWEST, min(_WIDEST, get_terminal_size().columns)))
    output.show_lines(lines if can_draw(output.result_stream()) else map(in_ascii, lines))


def _month(text: str) -> date:
    from newsletter.errors import InputError

    try:
        return date.fromisoformat(text if len(text) > len("2026-02") else f"{text}-01")
    except ValueError as err:
        raise InputError(f"{text!r} is not a month; write it as 2026-02") from err


@contextmanager
def _patient_progress(total: int) -> Iterator[output.Progress]:
    """A bar for what takes longer than a second; nothing for what does not."""
    from time import monotonic

    started, waiting = monotonic(), 0
    advance: output.Progress | None = None
    with ExitStack() as stack:

        def on_step(steps: int) -> None:
            nonlocal advance, waiting
            waiting += steps
            if advance is None and monotonic() - started > _PATIENCE_SECONDS:
                advance = stack.enter_context(output.progress("Counting", total, unit="steps"))
            if advance:
                advance(waiting)
                waiting = 0

        yield on_step
