"""`newsletter doctor`: check everything that the newsletter depends on."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import AsJson, Without
from newsletter.model.diagnosis import Diagnosis, Health, HealthItem
from newsletter.workflows.doctor.examination import PARTS, diagnose

_STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.ERROR: "red", Health.NOT_JUDGED: "dim"}
_LABELS = {Health.OK: "ok", Health.WARNING: "warning", Health.ERROR: "error", Health.NOT_JUDGED: "skipped"}
_COUNTED = frozenset({Health.ERROR, Health.WARNING})
_LABEL_WIDTH = max(map(len, _LABELS.values()))
_TEXT_COLUMN = _LABEL_WIDTH + 4


def doctor(without: Without = [], as_json: AsJson = False) -> None:  # noqa: B006 - Typer copies it
    """Check what your newsletter depends on: machine, database, provider, DNS and web pages.

    Shows what is wrong, how to fix it, and which DNS records to publish. Changes nothing. Exits with status 1 if an
    error keeps email from being sent or delivered.
    """
    with bars.steps("Checking", PARTS) as on_done:
        found = diagnose(Path.cwd(), os.environ, now=datetime.now(UTC), without=frozenset(without), on_done=on_done)
    if as_json:
        output.print_json({"sections": found.sections})
    else:
        _print(found)
    if found.count(Health.ERROR):
        raise typer.Exit(1)


def _print(found: Diagnosis) -> None:
    for section in found.sections:
        output.say(output.styled(section.title, "bold"))
        for _, alike in groupby(section.items, key=lambda item: (item.health, item.what, item.remedy)):
            _print_alike(tuple(alike))
        output.say()
    _print_records(found)
    _print_summary(found)


def _print_alike(items: Sequence[HealthItem]) -> None:
    """Print one item. Items that have the same text are printed as one."""
    item, rules = items[0], ", ".join(item.id for item in items if item.id[0].isupper())
    label = output.styled(_LABELS[item.health].ljust(_LABEL_WIDTH), _STYLES[item.health])
    named = f" {output.styled(f'[{rules}]', 'dim')}" if rules else ""
    output.say(f"  {label}  {item.what}{named}", hang=_TEXT_COLUMN - 2)
    if item.remedy:
        remedy = f"{item.remedy}, see below" if item.records else item.remedy
        output.say(f"{' ' * _TEXT_COLUMN}→ {remedy}", hang=2)


def _print_records(found: Diagnosis) -> None:
    """Print the records to publish. Their lines are never broken, so that the values can be copied."""
    records = list(dict.fromkeys(record for item in found.items for record in item.records))
    if not records:
        return
    output.say(output.styled("DNS records to publish", "bold"))
    for record in records:
        output.print_lines([f"  name   {record.name}", f"  type   {record.type}", f"  value  {record.value}", ""])


def _print_summary(found: Diagnosis) -> None:
    counts = [
        output.styled(f"{count} {_LABELS[health]}{'s' if count > 1 and health in _COUNTED else ''}", _STYLES[health])
        for health in (Health.ERROR, Health.WARNING, Health.OK, Health.NOT_JUDGED)
        if (count := found.count(health))
    ]
    output.say(", ".join(counts))
    if found.count(Health.ERROR) or found.count(Health.WARNING):
        output.print_next("newsletter doctor", "to check again after you have fixed these")
