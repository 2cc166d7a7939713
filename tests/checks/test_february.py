"""The issue that comes with the repository keeps every rule."""

from pathlib import Path

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.model.finding import Severity
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import subject_of
from tests.checks.conftest import findings_of

REPOSITORY = Path(__file__).parents[2]


def test_the_february_issue_has_no_error_on_its_own_date() -> None:
    config = load_config(REPOSITORY)
    theme = Theme(REPOSITORY)
    issue = load_issue(config, REPOSITORY / "issues" / "2026-02", theme.section_types)
    rendered = render_issue(issue, config, theme)

    subject = subject_of(config, issue, rendered, known_fields=("email", "first_name"))
    findings = findings_of(subject)

    assert [str(finding) for finding in findings if finding.severity is Severity.ERROR] == []
