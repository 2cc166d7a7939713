"""Check an issue with all that is known: its files, the mail that they make, the list, and the segments."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from newsletter.config import Config
from newsletter.errors import MistakesError
from newsletter.model.finding import Finding, Place, Severity
from newsletter.workflows.compose import CONTENT_RULE, compose_issue, findings_of_mistakes
from newsletter.workflows.segments import audience_fields, mistakes_in_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found, and the date by which the issue was judged; None where it could not be read."""

    findings: tuple[Finding, ...]
    by: date | None


def judge_issue(config: Config, folder: Path, *, now: datetime) -> Judgement:
    """All findings of an issue, judged by its own date; what is wrong in its files is among them."""
    segments = _segment_findings(config, now=now)
    try:
        composed = compose_issue(config, folder, known_fields=audience_fields(config))
    except MistakesError as err:
        return Judgement(findings=(*findings_of_mistakes(err), *segments), by=None)
    return Judgement(findings=(*segments, *composed.findings), by=composed.issue.fields.date)


def _segment_findings(config: Config, *, now: datetime) -> tuple[Finding, ...]:
    """What is wrong with the segments; a finding is one line, and so shows no expression."""
    return tuple(
        Finding(
            rule=CONTENT_RULE,
            severity=Severity.ERROR,
            place=Place(path=mistake.path, line=mistake.line),
            what=mistake.what,
            remedy=mistake.remedy.splitlines()[0],
        )
        for mistake in mistakes_in_segments(config, now=now)
    )
