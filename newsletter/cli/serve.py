"""`newsletter serve`."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from threading import Event
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.install_service import install_service
from newsletter.cli.options import Yes
from newsletter.cli.workspace import current_config, opened_database
from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.system.log import LOGS_FOLDER, Log, command_log, queued_log
from newsletter.system.report import report_fault
from newsletter.system.signals import Interruption
from newsletter.web.public.serving import Surroundings, serve_pages
from newsletter.workflows.serve.pulling import keep_pulling, reads_mailbox
from newsletter.workflows.serve.sending import keep_sending
from newsletter.workflows.signup.snippet import snippet_of

_REQUESTS = "requests"


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on. Default: `host` in newsletter.toml.")
    ] = "",
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65535, help="The port to use. Default: `port` in newsletter.toml."),
    ] = None,
    no_sending: Annotated[
        bool, typer.Option("--no-sending", help="Only serve pages; a timer or worker does the rest.")
    ] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Write the systemd unit that runs this command, and explain it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --install: show the unit without writing it.")
    ] = False,
    yes: Yes = False,
    snippet: Annotated[
        bool,
        typer.Option("--snippet", help="Only print the HTML of a form for joining, for your own website."),
    ] = False,
) -> None:
    """Serve the pages on which subscribers join and unsubscribe, and send scheduled broadcasts.

    Put a web server with a certificate in front of it, which passes on what it gets for the address of `[service] url`.
    While this command runs, scheduled broadcasts need no timer. It also reads your mailbox for bounces and complaints,
    if `[mailbox]` names a server. It is safe to run it more than once at the same time.

    When you press Ctrl-C, or when the system sends SIGTERM, it answers the requests that have begun, and stops after
    the email that it is sending.
    """
    if snippet:
        output.print_lines(snippet_of(current_config()).splitlines())
        return
    if install:
        install_service(dry_run=dry_run, yes=yes)
        return
    if dry_run or yes:
        raise InputError("--dry-run and --yes need --install")
    with opened_database() as (config, database), command_log(config.root, "serve", tell=output.note) as log:
        service, interruption, wanted = config.settings.service, Interruption(), Event()

        def on_ready(url: str) -> None:
            output.say(f"The pages of {service.url} are served at {url}")
            output.note(f"People join at {service.url}/join. The buttons of the pages work only at this address.")
            output.note("Press Ctrl-C to stop.")
            output.deliver()

        with queued_log(config.root, _REQUESTS) as log_of_requests:
            surroundings = Surroundings(
                interruption=interruption,
                beside=nullcontext() if no_sending else _background(config, database, interruption, wanted, log),
                wanted=wanted,
                request_log=log_of_requests,
                work_log=log,
                on_fault=lambda err: log(_report(config, err)),
            )
            serve_pages(
                config,
                database,
                host=host or service.host,
                port=service.port if port is None else port,
                surroundings=surroundings,
                on_ready=on_ready,
            )


@contextmanager
def _background(
    config: Config, database: Database, interruption: Interruption, wanted: Event, log: Log
) -> Iterator[None]:
    """Send what is due and read the mailbox while the block runs. Warn if nothing can be sent."""

    def report(err: Exception) -> str:
        return _report(config, err)

    def opener() -> Provider:
        return open_provider(config, os.environ)

    try:
        opener()
    except ProviderError as err:
        output.note(f"Scheduled broadcasts cannot be sent: {err}")
    with ExitStack() as stack:
        stack.enter_context(
            keep_sending(config, database, opener, interruption=interruption, log=log, report=report, wanted=wanted)
        )
        if reads_mailbox(config):
            stack.enter_context(
                keep_pulling(config, database, os.environ, interruption=interruption, log=log, report=report)
            )
        yield


def _report(config: Config, err: Exception) -> str:
    return report_fault(err, config.root / LOGS_FOLDER, command=sys.argv)
