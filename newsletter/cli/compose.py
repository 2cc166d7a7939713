"""`check`, `build` and `preview`: an issue before it goes out."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output
from newsletter.cli.probing import Without, probing

if TYPE_CHECKING:
    from newsletter.config import Config

IssueArgument = Annotated[
    str | None, typer.Argument(metavar="ISSUE", help="The issue, such as 2026-02; the newest where none is named.")
]


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def check(
    issue: IssueArgument = None,
    form: Annotated[
        Format, typer.Option("--format", help="text to read; json, github, sarif for programs.")
    ] = Format.TEXT,
    without: Without = [],  # noqa: B006 - Typer copies it
    list_rules: Annotated[bool, typer.Option("--list", help="Explain every rule and end.")] = False,
) -> None:
    """Look for what would go wrong: mistakes in the files, and in the mail that they make.

    The issue is judged by its own date: by its files, in a browser, by its links, by the sender's domain, and by a
    spam filter, where these are there. Ends with 1 where a finding holds the mail back.
    """
    if list_rules:
        _list_rules()
        return
    from datetime import UTC, datetime

    from newsletter.cli.findings import Report, show_report
    from newsletter.cli.workspace import current_config
    from newsletter.workflows.compose.check import judge_issue
    from newsletter.workflows.compose.compose import find_issue

    config = current_config()
    folder = find_issue(config, issue)
    with probing(config, without, now=datetime.now(UTC)) as wanted:
        judgement = judge_issue(config, folder, probing=wanted)
    report = Report(
        issue=folder.name, findings=judgement.findings, not_run=judgement.not_run, root=config.root.resolve()
    )
    show_report(report, form=form.value)
    if form is Format.TEXT and judgement.by is not None:
        output.note(f"Judged by the issue's date, {judgement.by}; `newsletter send` judges by the moment of sending.")
    if any(finding.blocks for finding in judgement.findings):
        raise typer.Exit(1)


def build(issue: IssueArgument = None) -> None:
    """Write the issue to build/: HTML with its pictures, text, a mail to open in a mail program, a report."""
    from datetime import UTC, datetime

    from newsletter.cli.findings import summarise_findings
    from newsletter.cli.workspace import current_config
    from newsletter.workflows.compose.build import build_issue
    from newsletter.workflows.compose.compose import find_issue

    config = current_config()
    folder = find_issue(config, issue)
    built = build_issue(config, folder, datetime.now(UTC), known_fields=_audience_fields(config))
    for file in built.files:
        output.say(f"{config.shown(file.path)}  {output.styled(f'{file.size_bytes / 1000:,.1f} kB', 'dim')}")
    output.note(summarise_findings(built.composed.findings))
    if built.composed.errors:
        output.show_next(f"newsletter check {folder.name}", "to see what holds it back")
        raise typer.Exit(1)
    output.show_next(f"newsletter preview {folder.name}", "to see it as readers will")


def preview(
    issue: IssueArgument = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; a free one near 8025 by default.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Show the issue in a browser as desktops and phones will, light and dark; a saved change appears by itself."""
    from newsletter.cli.workspace import current_config
    from newsletter.web.studio.serve import serve_preview
    from newsletter.workflows.compose.compose import find_issue

    def on_ready(url: str) -> None:
        output.say(url)
        output.note("Ctrl-C ends the preview.")
        if open_browser:
            import webbrowser

            webbrowser.open(url)

    config = current_config()
    serve_preview(config, find_issue(config, issue), port=port, on_ready=on_ready)


def _audience_fields(config: "Config") -> "tuple[str, ...] | None":
    """The merge fields of the list; where there is none, nothing of the database is loaded to say so."""
    if not config.has_database:
        return None
    from newsletter.workflows.segments import audience_fields

    return audience_fields(config)


def _list_rules() -> None:
    from newsletter.checks.explained import explained_families

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
