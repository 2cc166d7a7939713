"""`newsletter rehearse`."""

import signal
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from newsletter.cli import bars, output
from newsletter.cli.options import AsJson, NamedIssue
from newsletter.cli.send.send import only_segment, read_time
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.store.database import Database
from newsletter.system.signals import ending_signals
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.rehearse.forecast import Rehearsal
from newsletter.workflows.rehearse.rehearse import Wish
from newsletter.workflows.rehearse.rehearse import rehearse as rehearse_broadcast
from newsletter.workflows.rehearse.summary import facts_of, headline, left_by, then_after, zone_row
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.awake import Awake
from newsletter.workflows.send.canary import CanaryWish
from newsletter.workflows.send.plan import Order

_TO = "The segment to rehearse for: a name from newsletter.toml, or `everyone`."
_WHERE = "Instead of --to, rehearse for subscribers who match this expression, for example 'language = \"es\"'."
_AT = "The time to send at, as for `newsletter send`. Default: now."
_LOCAL_TIME = "Send at the --at time in each subscriber's own time zone."
_CANARY = "Rehearse as `newsletter send --canary` would send it. Default: as [canary] in newsletter.toml says."
_CANARY_SIZE = "How many people get it first. Implies --canary."
_VERSION = "Rehearse only this version of the issue, such as B, instead of comparing its versions."
_AWAKE = "What sends what is due: serve, timer, worker, or here. Default: what ran last, or a timer."
_SEED = "The number from which chance is drawn. The same number gives the same result."
_MILLISECONDS = "How long the provider takes for one email or one request. Default: as in past broadcasts."
_FAILURES = "Also try what could go wrong at each stage."
_MOST_ZONES = 14
_BAR_COLUMNS = 36
_HOURS = 24


def rehearse(  # noqa: PLR0913, PLR0917 - each is an option
    issue: NamedIssue,
    to: Annotated[list[str], typer.Option(metavar="SEGMENT", help=_TO)] = [],  # noqa: B006 - Typer copies it
    where: Annotated[str | None, typer.Option(metavar="EXPRESSION", help=_WHERE)] = None,
    at: Annotated[str | None, typer.Option(metavar="WHEN", help=_AT)] = None,
    local_time: Annotated[bool, typer.Option("--local-time", help=_LOCAL_TIME)] = False,
    canary: Annotated[bool | None, typer.Option("--canary/--no-canary", help=_CANARY)] = None,
    canary_size: Annotated[int | None, typer.Option(metavar="PEOPLE", min=1, help=_CANARY_SIZE)] = None,
    version: Annotated[str | None, typer.Option(metavar="VERSION", help=_VERSION)] = None,
    awake: Annotated[Awake | None, typer.Option(metavar="WHAT", help=_AWAKE)] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help=_SEED)] = 1,
    milliseconds: Annotated[int | None, typer.Option(metavar="NUMBER", min=1, max=60000, help=_MILLISECONDS)] = None,
    failures: Annotated[bool, typer.Option("--failures/--no-failures", help=_FAILURES)] = True,
    as_json: AsJson = False,
) -> None:
    """Rehearse a broadcast: who would get it when, when it would be over, and what could go wrong.

    Nothing is sent or saved, and the network is not used. The real program sends the issue on a copy of your list, to
    a stand-in for your provider, while a clock of its own runs through hours and days in seconds.

    Exits with status 1 if a problem blocks the broadcast today.
    """
    for number in ending_signals():  # so that the copy of the list is deleted, however the program is ended
        signal.signal(number, signal.default_int_handler)
    config, now = current_config(prints_notes=not as_json), datetime.now(UTC)
    segment, folder = only_segment(to, where, None), require_issue(config, issue)
    schedule = read_time(config, at, local_time=local_time, now=now)

    def order_in(database: Database) -> Order:
        meant = meant_by(config, database, segment=segment, where=where, now=now)
        return Order(
            folder=folder,
            segment=meant,
            schedule=schedule,
            version=(version or "").upper(),
            canary=CanaryWish(is_wanted=canary, people=canary_size),
        )

    wish = Wish(
        seed=seed, awake=awake, seconds=None if milliseconds is None else milliseconds / 1000, with_failures=failures
    )
    with bars.shares("Rehearsing") as show:
        found = rehearse_broadcast(config, order_in, wish, now=now, on_progress=show)
    if as_json:
        output.print_json(msgspec.to_builtins(found, str_keys=True))
    else:
        _print_rehearsal(config, found)
    if found.blocking:
        raise typer.Exit(1)


def _print_rehearsal(config: Config, found: Rehearsal) -> None:
    zone = config.settings.newsletter.timezone
    output.say(f"Rehearsal of {found.issue} to {found.segment} through {found.provider}. Nothing was sent.")
    output.say(output.styled(headline(found, zone), "bold"))
    output.say()
    output.print_facts(facts_of(found, zone))
    _print_hours(found)
    shown = sorted(sorted(found.zones, key=lambda each: -each.people)[:_MOST_ZONES], key=found.zones.index)
    _print_heading("When does each place get it?")
    output.print_table(("time zone", "people", "from", "until"), [zone_row(each) for each in shown])
    if len(found.zones) > len(shown):
        output.note(f"The {len(shown)} largest of {len(found.zones)} time zones. --json lists all.")
    if found.failures:
        _print_heading("What could go wrong?")
        for failure in found.failures:
            output.say()
            output.say(output.styled(failure.what, "bold"))
            output.print_facts(
                [
                    ("left", left_by(failure)),
                    ("because", failure.reason if failure.tally else ""),
                    ("then", then_after(failure, zone)),
                ]
            )
    output.print_notes(found.notes)
    if found.blocking:
        count = output.count_of(len(found.blocking), "problem")
        output.note(f"Today, {count} would stop the real broadcast: {'; '.join(map(str, found.blocking))}")


def _print_hours(found: Rehearsal) -> None:
    """Print a bar for each hour on people's own clocks in which anyone gets the email."""
    _print_heading("At what time of their day do people get it?")
    most = max(found.hours.values())
    for hour in range(_HOURS):
        if people := found.hours[hour]:
            bar = "█" * max(1, round(people * _BAR_COLUMNS / most))
            output.say(f"  {hour:02}:00  {bar} {people:,}")


def _print_heading(text: str) -> None:
    output.say()
    output.say(output.styled(text, "bold"))
