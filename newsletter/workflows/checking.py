"""Check an issue with all that is known: its files, the mail that they make, the list, and the segments."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from newsletter.config import CONFIG_FILE, Config
from newsletter.errors import InputError, MistakesError
from newsletter.model.finding import Finding, Place, Severity
from newsletter.workflows.compose import CONTENT_RULE, compose_issue, findings_of_mistakes
from newsletter.workflows.segments import audience_fields, find_segment_among


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found, and the date by which the issue was judged; None where it could not be read."""

    findings: tuple[Finding, ...]
    by: date | None


def judge_issue(config: Config, folder: Path) -> Judgement:
    """All findings of an issue, judged by its own date; what is wrong in its files is among them."""
    fields = audience_fields(config)
    segments = _segment_findings(config, fields)
    try:
        composed = compose_issue(config, folder, known_fields=fields)
    except MistakesError as err:
        return Judgement(findings=(*findings_of_mistakes(err), *segments), by=None)
    return Judgement(findings=(*segments, *composed.findings), by=composed.issue.fields.date)


def _segment_findings(config: Config, fields: tuple[str, ...] | None) -> tuple[Finding, ...]:
    """The segments whose expression is wrong; which fields there are is not known before a list was imported."""
    if fields is None:
        return ()
    findings = []
    for name in config.settings.segments:
        try:
            find_segment_among(config, name, fields)
        except InputError as err:
            what, _, remedy = str(err).splitlines()[0].partition("; ")
            place = Place(path=CONFIG_FILE)
            findings.append(
                Finding(
                    rule=CONTENT_RULE, severity=Severity.ERROR, place=place, what=what, remedy=remedy or "correct it"
                )
            )
    return tuple(findings)
