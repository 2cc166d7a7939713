"""`newsletter subscribers stats`: the growth of the list, its sources, and the people who no longer read the issues."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import get_terminal_size
from time import monotonic
from typing import Annotated

import typer
from msgspec.structs import asdict

from newsletter.cli import bars, output
from newsletter.cli.options import AsJson, Force
from newsletter.cli.subscribers.stats_page import can_draw, in_ascii, page_of
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.model.stats import AudienceStats, Breakdown, MonthlyGrowth
from newsletter.workflows.subscribers.growth_chart import require_chart_path, write_growth_chart
from newsletter.workflows.subscribers.stats import STEPS, describe_audience

_WIDEST, _NARROWEST = 80, 68  # columns of the page
_PATIENCE_SECONDS = 1.0  # after which a progress bar appears


def stats(
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="The first month to show. Default: a year ago.")
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Save a chart of your list's growth as this SVG file, for example growth.svg."
        ),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Show how your list has grown, where subscribers come from and who no longer reads your newsletter."""
    first_month = _month(since) if since else None
    if chart:
        require_chart_path(chart, overwrite=force)
    with opened_database() as (config, database), _patient_progress(STEPS) as on_step:
        found = describe_audience(config, database, since=first_month, now=datetime.now(UTC), on_step=on_step)
    name = config.settings.newsletter.name
    if chart:
        write_growth_chart(chart, found.growth, name=name, brand=config.settings.brand, overwrite=force)
        output.note(f"The chart was saved to {chart}.")
    if as_json:
        output.print_json(stats_data(found))
        return
    if not found.facts.people:
        output.say("There are no subscribers yet.")
        output.print_next("newsletter subscribers import FILE", "to import a list")
        return
    lines = page_of(found, name, width=max(_NARROWEST, min(_WIDEST, get_terminal_size().columns)))
    output.print_lines(lines if can_draw(output.result_stream()) else map(in_ascii, lines))
    if any(each.count and each.count.mailable for each in found.candidates):
        output.print_next("newsletter segments", "to see these segments, once you have added them to newsletter.toml")
    elif not chart:
        output.print_next("newsletter subscribers stats --chart growth.svg", "to save a chart of your list's growth")


def stats_data(stats: AudienceStats) -> dict[str, object]:
    """Return all figures as data for JSON, under the names of their fields."""
    facts, growth, mailboxes, engagement = stats.facts, stats.growth, stats.mailboxes, stats.engagement
    return {
        "at": stats.at,
        "facts": {**asdict(facts), "mailable": facts.mailable, "all_suppressed": facts.all_suppressed},
        "growth": {"before": growth.before, "after": growth.after, "months": [_month_data(m) for m in growth.months]},
        "sources": _breakdown(stats.sources, "source"),
        "imports": stats.imports,
        "languages": _breakdown(stats.languages, "language"),
        "zones": _breakdown(stats.zones, "zone"),
        "regions": _breakdown(stats.regions, "region"),
        "mailboxes": {
            "providers": [
                {"provider": group.provider, "title": group.provider.label, "people": group.people}
                for group in mailboxes.providers
            ],
            "other_domains": _breakdown(mailboxes.domains, "domain"),
        },
        "engagement": {**asdict(engagement), "neither": engagement.neither},
        "candidates": [
            {**asdict(each), "count": {**asdict(each.count), "mailable": each.count.mailable} if each.count else None}
            for each in stats.candidates
        ],
    }


def _month_data(month: MonthlyGrowth) -> dict[str, object]:
    joined = {"month": f"{month.month:%Y-%m}", "joined": month.joined, "returned": month.returned}
    return {**joined, "left": dict(month.left), "all_left": month.all_left, "net": month.net}


def _breakdown(breakdown: Breakdown, noun: str) -> dict[str, object]:
    return {
        "groups": [
            {
                noun: group.name,
                **({"title": group.title} if group.title else {}),
                "people": group.people,
                **({} if group.left is None else {"left": group.left}),
            }
            for group in breakdown.groups
        ],
        "further": breakdown.further,
        "further_people": breakdown.further_people,
        "unknown": breakdown.unknown,
    }


def _month(text: str) -> date:
    try:
        return date.fromisoformat(text if len(text) > len("2026-02") else f"{text}-01")
    except ValueError as err:
        raise InputError(f"{text!r} is not a month; write it as 2026-02") from err


@contextmanager
def _patient_progress(total: int) -> Iterator[bars.Progress]:
    """Show a progress bar if the work takes longer than a second."""
    started, waiting = monotonic(), 0
    advance: bars.Progress | None = None
    with ExitStack() as stack:

        def on_step(steps: int) -> None:
            nonlocal advance, waiting
            waiting += steps
            if advance is None and monotonic() - started > _PATIENCE_SECONDS:
                advance = stack.enter_context(bars.progress("Counting", total, unit="steps"))
            if advance:
                advance(waiting)
                waiting = 0

        yield on_step
