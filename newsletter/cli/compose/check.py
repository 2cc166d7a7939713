"""`newsletter check`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.checks.explained import explained_families
from newsletter.cli import output
from newsletter.cli.compose.findings import Format, Report, print_report, probing
from newsletter.cli.options import NewestIssue, Without
from newsletter.cli.workspace import current_config
from newsletter.workflows.compose.check import judge_issue
from newsletter.workflows.compose.compose import require_issue

_FORMATS = f"{Format.TEXT} to read, or for programs {Format.JSON}, {Format.GITHUB} or {Format.SARIF}."


def check(
    issue: NewestIssue = None,
    form: Annotated[Format, typer.Option("--format", metavar="FORMAT", help=_FORMATS)] = Format.TEXT,
    without: Without = [],  # noqa: B006 - Typer copies it
    list_rules: Annotated[bool, typer.Option("--list", help="Explain every rule and end.")] = False,
) -> None:
    """Check an issue for mistakes in its files and problems in the finished email.

    The issue is judged by its own date: by its files, in a browser, by its links, by the sender's domain, and by a
    spam filter, where these are there. Ends with 1 where a finding holds the mail back.
    """
    if list_rules:
        _list_rules()
        return
    config = current_config()
    folder = require_issue(config, issue)
    with probing(config, without, now=datetime.now(UTC)) as wanted:
        judgement = judge_issue(config, folder, probing=wanted)
    findings, root = judgement.findings, config.root.resolve()
    print_report(Report(issue=folder.name, findings=findings, not_run=judgement.not_run, root=root), form=form)
    if form is Format.TEXT and judgement.by is not None:
        output.note(f"Judged by the issue's date, {judgement.by}; `newsletter send` judges by the moment of sending.")
    if any(finding.blocks for finding in findings):
        raise typer.Exit(1)


def _list_rules() -> None:
    for number, family in enumerate(explained_families()):
        if number:
            output.say()
        output.say(output.styled(family.title, "bold"))
        for rule in family.rules:
            output.say()
            effects = output.styled(f"({', '.join(rule.effects)})", "dim")
            output.say(f"  {output.styled(rule.id, 'bold')}  {rule.title}  {effects}", hang=4)
            output.say(f"      {rule.why}")
            output.say(f"      {output.styled(f'Source: {rule.source}', 'dim')}")
