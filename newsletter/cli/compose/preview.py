"""`newsletter preview`."""

import os
import subprocess
import sys
from contextlib import suppress
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import NewestIssue, Without
from newsletter.cli.workspace import current_config
from newsletter.errors import StoreError
from newsletter.model.broadcast import BroadcastState
from newsletter.system.environment import harmless_surroundings
from newsletter.web.studio.server import serve_studio
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.courier import Courier


def preview(
    issue: NewestIssue = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65535, help="The port to use. Default: a free one near 8025.")
    ] = None,
    without: Without = [],  # noqa: B006 - Typer copies it
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in your browser.")] = True,
) -> None:
    """Preview an issue in the browser, on desktop and phone, in light and dark mode.

    The page updates when you save a file. You can also test, approve and send the issue there.
    """

    def on_ready(url: str) -> None:
        output.say(url)
        output.note("The page updates when you save a file. Press Ctrl-C to stop the preview.")
        if open_browser:
            # In a process of its own, because a browser that `webbrowser` starts here would inherit our secrets.
            command = [sys.executable, "-I", "-m", "webbrowser", url]
            environ = harmless_surroundings(os.environ)
            subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False)  # noqa: S603

    def on_end() -> None:
        with suppress(StoreError):  # the database is gone; what was sent is in its reply logs
            _print_left(courier)

    config, courier = current_config(), Courier()
    folder = require_issue(config, issue)
    serve_studio(config, folder, port=port, on_ready=on_ready, without=without, courier=courier, on_end=on_end)


def _print_left(courier: Courier) -> None:
    """Print the broadcasts that were begun in the studio and are not finished, and how to continue each."""
    for config, broadcast in courier.left():
        output.note(f"Broadcast {broadcast.id} is not finished.")
        if broadcast.state in {BroadcastState.SCHEDULED, BroadcastState.WATCHING}:
            output.print_next(f"newsletter status {broadcast.id}", "to see what must be running at its time")
        else:
            output.print_next(f"newsletter resume {broadcast.id}", "to send the rest")
        if isinstance(config.database, str):
            output.note(f"Running workers continue it. To stop it, run `newsletter cancel {broadcast.id}`.")
