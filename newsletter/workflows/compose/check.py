"""Check an issue completely: its files, the finished email, the list and the segments."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct

from newsletter.checks.registry import named
from newsletter.config import Config
from newsletter.content.loader import segments_named
from newsletter.errors import MistakesError, StoreError
from newsletter.model.finding import Finding, NotRun, Severity
from newsletter.render.theme import Theme
from newsletter.settings.mistakes import within_sentence
from newsletter.workflows.compose.compose import (
    CONTENT_RULE,
    Composed,
    Probing,
    compose_issue,
    findings_of,
    probe_issue,
)
from newsletter.workflows.segments import audience_fields, broken_segments

LIST_IS_CLOSED = StoreError("it is not shown to agents")  # in place of the list's columns


class Judgment(Struct, frozen=True, kw_only=True):
    """The result of checking an issue.

    `by` is the date that the issue was checked against, or None if the issue could not be read.
    """

    findings: tuple[Finding, ...]
    not_run: tuple[NotRun, ...]
    by: date | None
    notes: tuple[str, ...] = ()  # about this machine, not the issue


def judge_issue(
    config: Config, folder: Path, *, probing: Probing, theme: Theme | None = None, reads_list: bool = True
) -> Judgment:
    """Check an issue against its own date. Return all findings, including the mistakes in its files.

    `theme` is as in `compose_issue`. Without `reads_list`, the list is not opened: the segments are not checked, and
    the checks that depend on the list's columns are skipped.
    """
    segments = tuple(_about_segments(config, folder, now=probing.now)) if reads_list else ()
    fields = audience_fields(config) if reads_list else LIST_IS_CLOSED
    try:
        composed = compose_issue(config, folder, known_fields=fields, theme=theme)
    except MistakesError as err:
        return Judgment(findings=(*findings_of(err.mistakes), *segments), not_run=(), by=None)
    composed = probe_issue(config, composed, probing)
    findings = (*segments, *composed.findings, *_idle_waivers(composed))
    return Judgment(findings=findings, not_run=composed.not_run, by=composed.issue.fields.date, notes=composed.notes)


def not_judged(not_run: Sequence[NotRun]) -> list[str]:
    """Return the skipped checks, one line per reason.

    For example `accessibility in a browser (A6). Only `newsletter check` runs the checks that take a while.`
    """
    reasons: dict[str, list[str]] = {}
    for left_out in not_run:
        reasons.setdefault(left_out.why, []).append(within_sentence(named(left_out.rule)))
    return [f"{', '.join(rules)}. {why[:1].upper()}{why[1:]}." for why, rules in reasons.items()]


def _about_segments(config: Config, folder: Path, *, now: datetime) -> Iterator[Finding]:
    """Yield the mistakes in segments. Only those in a segment that a section names stop the issue from being sent."""
    named = segments_named(config, [folder])
    for segment in broken_segments(config, now=now):
        severity = Severity.ERROR if segment.name in named else Severity.WARNING
        yield from findings_of(segment.mistakes, severity)


def _idle_waivers(composed: Composed) -> Iterator[Finding]:
    """Yield a warning for each waiver that is not needed. Most such waivers were copied from the previous issue."""
    issue = composed.issue
    used = {finding.rule for finding in composed.findings} | {left_out.rule for left_out in composed.not_run}
    for rule in issue.fields.waive:
        if rule not in used:
            yield Finding(
                rule=CONTENT_RULE,
                severity=Severity.WARNING,
                place=issue.source.at("waive", rule),
                what=f"the override of {rule} is not needed, because this check found no problem",
                remedy="delete this line",
            )
