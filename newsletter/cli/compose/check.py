"""`newsletter check`."""

from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.checks.explained import explained_families
from newsletter.cli import output
from newsletter.cli.compose.findings import Format, Report, print_report, probing
from newsletter.cli.options import NewestIssue, Without
from newsletter.cli.workspace import current_config
from newsletter.workflows.compose.check import judge_issue
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.translations.overview import findings_on_translations

_FORMATS = f"Output format: {', '.join(list(Format)[:-1])} or {list(Format)[-1]}."


def check(
    issue: NewestIssue = None,
    form: Annotated[Format, typer.Option("--format", metavar="FORMAT", help=_FORMATS)] = Format.TEXT,
    without: Without = [],  # noqa: B006 - Typer copies it
    list_rules: Annotated[
        bool, typer.Option("--list", help="List all checks, with the reason for each, and exit.")
    ] = False,
) -> None:
    """Check an issue for mistakes in its files and problems in the finished email.

    Checks the files, the rendered email, links, the sender's domain and the spam score. Dates are checked against the
    issue's own date. Exits with status 1 if an error blocks sending.
    """
    if list_rules:
        _list_rules()
        return
    config = current_config()
    folder = require_issue(config, issue)
    with probing(config, without, now=datetime.now(UTC)) as wanted:
        judgment = judge_issue(config, folder, probing=wanted)
    findings = (*judgment.findings, *findings_on_translations(config, folder))
    root = config.root.resolve()
    not_run, notes = judgment.not_run, judgment.notes
    print_report(Report(issue=folder.name, findings=findings, not_run=not_run, notes=notes, root=root), form=form)
    if form is Format.TEXT and judgment.by is not None:
        output.note(
            f"Dates were checked against the issue's date, {judgment.by}. "
            "`newsletter send` checks them against the time of sending."
        )
    if any(finding.blocks for finding in findings):
        if form is Format.TEXT:
            output.print_next(
                f"newsletter preview {quote(folder.name)}", "to see the email change as you fix the errors"
            )
        raise typer.Exit(1)
    if form is Format.TEXT:
        output.print_next(f"newsletter test {quote(folder.name)}", "to send a test email to your reviewers")


def _list_rules() -> None:
    for number, family in enumerate(explained_families()):
        if number:
            output.say()
        output.say(output.styled(family.title, "bold"))
        for rule in family.rules:
            output.say()
            effects = output.styled(", ".join(rule.effects), "dim")
            output.say(f"  {output.styled(rule.title, 'bold')} ({rule.id}): {effects}", hang=4)
            output.say(f"      {rule.why}")
            output.say(f"      {output.styled(f'Source: {rule.source}', 'dim')}")
