"""The queue, kept by procrastinate in the ledger's database; nothing else knows procrastinate.

A job says "drain broadcast N" and nothing more. Of each broadcast at most one job waits, and any number are worked on
at once. A job that is lost is put again by the next look at the ledger; one that is there twice finds nothing to do.
So its tables need no migrations: a version of procrastinate that wants other tables gets a new, empty queue.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, JobDeferrer, Status
from procrastinate.schema import SchemaManager
from psycopg_pool import NullConnectionPool

from newsletter.store.postgresql.address import read_address

_TABLES = SchemaManager.get_schema()
QUEUE_SCHEMA = f"newsletter_queue_{hashlib.sha256(_TABLES.encode()).hexdigest()[:8]}"
QUEUE_LOST = (ConnectorException, psycopg.Error)  # what a call raises while the database cannot be reached

_QUEUE, _DRAIN = "newsletter", "drain"
_ENTER_SCHEMA = f"SET search_path = {QUEUE_SCHEMA}"  # by a statement: not every pooler lets an option through
_CONNECT_SECONDS = 5  # that a step waits at most for a connection
_CONNECTIONS = 4  # at most, besides the one that listens
_POLL_SECONDS = 5.0  # for jobs, where the notification of one was lost
_HEARTBEAT_SECONDS = 5.0
_STALLED_SECONDS = 30.0  # without a heartbeat: the worker is dead, or might as well be

DrainJob = Callable[[int], Awaitable[None]]  # of the broadcast with this number


def put_drain(url: str, broadcast_id: int) -> None:
    """Put a job from a program that is no worker; nothing happens where the queue is missing or out of reach."""
    _keep_quiet()
    pool = NullConnectionPool(
        read_address(url).conninfo,
        kwargs={"connect_timeout": _CONNECT_SECONDS},
        timeout=_CONNECT_SECONDS,
        configure=_enter_schema,
        open=False,
    )
    app = App(connector=SyncPsycopgConnector())
    with suppress(AlreadyEnqueued, *QUEUE_LOST), pool, app.open(pool):
        _deferrer(app, broadcast_id).defer(broadcast=broadcast_id)


def queue_of(url: str, drain: DrainJob) -> App:
    """Return the queue in the database of a URL, not open yet; `drain` is what its jobs call."""
    _keep_quiet()
    connector = PsycopgConnector(
        conninfo=read_address(url).conninfo,
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_CONNECT_SECONDS,
        configure=_enter_schema_async,
    )
    app = App(connector=connector)

    @app.task(name=_DRAIN, queue=_QUEUE)
    async def run_drain(broadcast: int) -> None:
        await drain(broadcast)

    return app


async def prepare_queue(queue: App) -> None:
    """Make procrastinate's tables where they are missing: all of them or none, whoever else does the same."""
    if await queue.check_connection_async():
        return
    try:
        # One query is one transaction. procrastinate takes a % for a placeholder, as it does in its own scripts.
        script = f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA};\n{_TABLES}".replace("%", "%%")
        await queue.connector.execute_query_async(script)
    except ConnectorException:
        if not await queue.check_connection_async():  # otherwise another worker was faster
            raise


async def put_job(queue: App, broadcast_id: int) -> None:
    """Put a job for a broadcast, unless one waits already."""
    waiting = await queue.job_manager.list_jobs_async(queueing_lock=_lock_of(broadcast_id), status=Status.TODO.value)
    if waiting:  # asked first, since a refused job is an error in the database's log
        return
    with suppress(AlreadyEnqueued):
        await _deferrer(queue, broadcast_id).defer_async(broadcast=broadcast_id)


async def work_through(queue: App, *, concurrency: int) -> None:
    """Take jobs, so many at a time, until it is cancelled; jobs in hand are then cancelled too, and waited for.

    Return, or raise one of QUEUE_LOST, where the database cannot be reached any more.
    """
    await queue.run_worker_async(
        queues=[_QUEUE],
        concurrency=concurrency,
        fetch_job_polling_interval=_POLL_SECONDS,
        update_heartbeat_interval=_HEARTBEAT_SECONDS,
        stalled_worker_timeout=_STALLED_SECONDS,
        shutdown_graceful_timeout=0,  # a job that is cancelled ends gracefully by itself
        delete_jobs=DeleteJobCondition.ALWAYS,
        install_signal_handlers=False,
    )


async def clear_stalled(queue: App) -> None:
    """End the jobs of workers that died: what they left undone, the ledger knows."""
    await queue.job_manager.prune_stalled_workers(_STALLED_SECONDS)
    for job in await queue.job_manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=_STALLED_SECONDS):
        with suppress(ConnectorException):  # another worker was faster
            await queue.job_manager.finish_job(job, Status.FAILED, delete_job=True)


def _deferrer(app: App, broadcast_id: int) -> JobDeferrer:
    return app.configure_task(_DRAIN, queue=_QUEUE, queueing_lock=_lock_of(broadcast_id))


def _lock_of(broadcast_id: int) -> str:
    return f"{_DRAIN}-{broadcast_id}"


def _enter_schema(connection: psycopg.Connection) -> None:
    connection.execute(_ENTER_SCHEMA)
    connection.commit()


async def _enter_schema_async(connection: psycopg.AsyncConnection) -> None:
    await connection.execute(_ENTER_SCHEMA)
    await connection.commit()


def _keep_quiet() -> None:
    """Keep the libraries' own log off the screen, where it would end in tracebacks; the worker says what matters."""
    for name in ("procrastinate", "psycopg"):
        logging.getLogger(name).handlers = [logging.NullHandler()]
        logging.getLogger(name).propagate = False
