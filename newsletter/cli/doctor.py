"""`newsletter doctor`: all that the newsletter depends on, and what would go wrong."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from textwrap import indent

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import AsJson, Without
from newsletter.model.diagnosis import Diagnosis, DnsRecord, Health, HealthItem
from newsletter.model.finding import Means
from newsletter.workflows.doctor.examination import PARTS, diagnose

_STYLES = {"ok": "green", "warning": "yellow", "error": "red", "not judged": "dim"}
_COUNTED = frozenset({"error", "warning"})
_LABEL_WIDTH = len("not judged")
_TEXT_COLUMN = _LABEL_WIDTH + 4


def doctor(
    without: Without = [],  # noqa: B006 - Typer copies it
    as_json: AsJson = False,
) -> None:
    """Look at all that the newsletter depends on: this machine, the database, the provider, DNS, subscribers' pages.

    Says what is wrong, what to do, and which DNS records to publish. Changes nothing. Ends with 1 where something
    keeps mail from leaving or arriving.
    """
    with bars.steps("Looking", PARTS) as on_done:
        found = diagnose(
            Path.cwd(),
            os.environ,
            now=datetime.now(UTC),
            is_online=Means.NETWORK not in without,
            on_done=on_done,
        )
    if as_json:
        output.show_json({"sections": [asdict(section) for section in found.sections]})
    else:
        _show(found)
    if found.count(Health.ERROR):
        raise typer.Exit(1)


def _show(found: Diagnosis) -> None:
    for section in found.sections:
        output.say(output.styled(section.title, "bold"))
        for _, alike in groupby(section.items, key=lambda item: (item.health, item.what, item.remedy)):
            _show_alike(tuple(alike))
        output.say()
    _show_records(found)
    _show_summary(found)


def _show_alike(items: Sequence[HealthItem]) -> None:
    """Print what is to be said of one item, or in the same words of several."""
    item, rules = items[0], ", ".join(item.id for item in items if item.id[0].isupper())
    label = output.styled(item.health.ljust(_LABEL_WIDTH), _STYLES[item.health])
    named = f" {output.styled(f'[{rules}]', 'dim')}" if rules else ""
    output.say(f"  {label}  {item.what}{named}", hang=_TEXT_COLUMN - 2)
    if item.remedy:
        remedy = f"{item.remedy}, see below" if item.records else item.remedy
        output.say(f"{' ' * _TEXT_COLUMN}→ {remedy}", hang=2)


def _show_records(found: Diagnosis) -> None:
    """Print the records to publish in a form whose values can be copied: they are never broken."""
    records = list(dict.fromkeys(record for item in found.items for record in item.records))
    if not records:
        return
    output.say(output.styled("To publish in the DNS", "bold"))
    output.show_lines(indent("\n".join(_record_lines(record)), "  ") for record in records)


def _record_lines(record: DnsRecord) -> Iterator[str]:
    yield f"name   {record.name}"
    yield f"type   {record.type}"
    yield f"value  {record.value}"
    yield ""


def _show_summary(found: Diagnosis) -> None:
    counts = [
        output.styled(f"{count} {health}{'s' if count > 1 and health in _COUNTED else ''}", _STYLES[health])
        for health in (Health.ERROR, Health.WARNING, Health.OK, Health.NOT_JUDGED)
        if (count := found.count(health))
    ]
    output.say(", ".join(counts))
