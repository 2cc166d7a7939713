"""`newsletter preview`."""

import os
import subprocess
import sys
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import NewestIssue
from newsletter.cli.workspace import current_config
from newsletter.system.environment import harmless_surroundings
from newsletter.web.studio.server import serve_studio
from newsletter.workflows.compose.compose import require_issue


def preview(
    issue: NewestIssue = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65535, help="The port to use. Default: a free one near 8025.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in your browser.")] = True,
) -> None:
    """Preview an issue in the browser, on desktop and phone, in light and dark mode.

    The page updates when you save a file.
    """

    def on_ready(url: str) -> None:
        output.say(url)
        output.note("The page updates when you save a file. Press Ctrl-C to stop the preview.")
        if open_browser:
            # In a process of its own, because a browser that `webbrowser` starts here would inherit our secrets.
            command = [sys.executable, "-I", "-m", "webbrowser", url]
            environ = harmless_surroundings(os.environ)
            subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False)  # noqa: S603

    config = current_config()
    serve_studio(config, require_issue(config, issue), port=port, on_ready=on_ready)
