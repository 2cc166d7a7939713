"""`newsletter worker`: a process that hands over whatever is due, for as long as it runs."""

import os
import signal
from importlib import import_module
from typing import Annotated

import typer

from newsletter import install_hint
from newsletter.cli import output
from newsletter.cli.workspace import current_config
from newsletter.errors import InputError
from newsletter.providers.registry import open_provider
from newsletter.store.postgresql.address import read_address
from newsletter.system.log import command_log


def worker(
    concurrency: Annotated[int, typer.Option(metavar="N", min=1, max=16, help="How many broadcasts at a time.")] = 1,
) -> None:
    """Hand over whatever is due until it is stopped; any number of workers share the work.

    The workers may run on any number of machines. It needs PostgreSQL. Ctrl-C, or the system's SIGTERM, lets it finish
    and record the requests in hand.
    """
    config = current_config()
    if not isinstance(config.database, str):
        raise InputError(
            "workers share their work through PostgreSQL, and this workspace keeps its ledger in a file; let "
            '`newsletter run-due` carry out what is scheduled, or set [database] url = "postgresql://user@host/name"'
        )
    _require_extra()
    from newsletter.workflows.send.worker.service import run_worker  # needs the extra

    provider = open_provider(config, os.environ)
    drains, requests = output.count_of(concurrency, "drain"), output.count_of(provider.concurrency, "request")
    output.print_facts(
        [
            ("worker for", read_address(config.database).shown),
            ("through", provider.describe()),
            ("at a time", f"{drains}, each of up to {requests}"),
        ]
    )
    output.print_next("newsletter status", "to see how broadcasts stand; Ctrl-C ends this worker")
    with command_log(config.root, "worker", tell=output.note) as log:
        ended_by = run_worker(config, config.database, provider, concurrency=concurrency, log=log)
    if ended_by is signal.SIGINT:
        raise KeyboardInterrupt


def _require_extra() -> None:
    for library in ("psycopg_pool", "procrastinate"):
        try:
            import_module(library)
        except ImportError as err:
            raise InputError(f"workers need an extra ({err}); run: {install_hint('postgres')}") from err
