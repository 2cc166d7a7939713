"""`newsletter preview`."""

import webbrowser
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import NewestIssue
from newsletter.cli.workspace import current_config
from newsletter.web.studio.preview import serve_preview
from newsletter.workflows.compose.compose import require_issue


def preview(
    issue: NewestIssue = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65535, help="Otherwise a free one near 8025.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Preview the issue in a browser as desktops and phones show it, light and dark.

    A saved change appears by itself.
    """

    def on_ready(url: str) -> None:
        output.say(url)
        output.note("Ctrl-C ends the preview.")
        if open_browser:
            webbrowser.open(url)

    config = current_config()
    serve_preview(config, require_issue(config, issue), port=port, on_ready=on_ready)
