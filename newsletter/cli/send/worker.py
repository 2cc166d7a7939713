"""`newsletter worker`: a process that sends due broadcasts until it is stopped."""

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

_CONCURRENCY = "The number of broadcasts to work on at the same time."


def worker(
    concurrency: Annotated[int, typer.Option(metavar="N", min=1, max=16, help=_CONCURRENCY)] = 1,
) -> None:
    """Keep sending broadcasts as they become due. Run as many workers as you like.

    Workers share the work and can run on several machines. They need PostgreSQL. When you press Ctrl-C, or when the
    system sends SIGTERM, a worker finishes and records its current requests before it stops.
    """
    config = current_config()
    if not isinstance(config.database, str):
        raise InputError(
            "workers need PostgreSQL, but this newsletter keeps its data in a file; run `newsletter run-due` from a "
            'timer instead, or set url = "postgresql://user@host/name" under [database] in newsletter.toml'
        )
    _require_extra()
    from newsletter.workflows.send.worker.service import run_worker  # needs the extra

    provider = open_provider(config, os.environ)
    broadcasts, requests = output.count_of(concurrency, "broadcast"), output.count_of(provider.concurrency, "request")
    output.print_facts(
        [
            ("worker for", read_address(config.database).shown),
            ("through", provider.describe()),
            ("at once", f"{broadcasts}, each with up to {requests}"),
        ]
    )
    output.print_next("newsletter status", "to see the status of your broadcasts; Ctrl-C stops this worker")
    with command_log(config.root, "worker", tell=output.note) as log:
        ended_by = run_worker(config, config.database, provider, concurrency=concurrency, log=log)
    if ended_by is signal.SIGINT:
        raise KeyboardInterrupt


def _require_extra() -> None:
    for library in ("psycopg_pool", "procrastinate"):
        try:
            import_module(library)
        except ImportError as err:
            raise InputError(
                f"workers need more packages ({err}); install them with {install_hint('postgres')}"
            ) from err
