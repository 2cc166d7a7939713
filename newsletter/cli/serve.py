"""`newsletter serve`."""

from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.workspace import current_config, opened_database
from newsletter.web.public.serving import serve_pages
from newsletter.workflows.signup.snippet import snippet_of


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on. Default: `host` in newsletter.toml.")
    ] = "",
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65535, help="The port to use. Default: `port` in newsletter.toml."),
    ] = None,
    snippet: Annotated[
        bool,
        typer.Option("--snippet", help="Only print the HTML of a form for joining, for your own website."),
    ] = False,
) -> None:
    """Serve the pages on which subscribers join and unsubscribe.

    Put a web server with a certificate in front of it, which passes on what it gets for the address of `[service] url`.
    """
    if snippet:
        output.print_lines(snippet_of(current_config()).splitlines())
        return
    with opened_database() as (config, database):
        service = config.settings.service

        def on_ready(url: str) -> None:
            output.say(f"The pages of {service.url} are served at {url}")
            output.note("Press Ctrl-C to stop.")

        serve_pages(
            config,
            database,
            host=host or service.host,
            port=service.port if port is None else port,
            on_ready=on_ready,
        )
