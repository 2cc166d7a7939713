"""The job queue, which procrastinate keeps in the ledger's database. Only this module uses procrastinate.

A job means "drain broadcast N" and nothing more. For each broadcast, at most one job waits, and any number can run at
the same time. A lost job is added again when a worker next checks the ledger, and a duplicate job finds no work.
The tables therefore need no migrations: a version of procrastinate with other tables starts with a new, empty queue.
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
QUEUE_LOST = (ConnectorException, psycopg.Error)  # raised by a call while the database cannot be reached

_QUEUE, _DRAIN = "newsletter", "drain"
_ENTER_SCHEMA = f"SET search_path = {QUEUE_SCHEMA}"  # a statement, because some poolers do not pass on options
_CONNECT_SECONDS = 5  # the longest wait for a connection
_CONNECTIONS = 4  # the maximum number, in addition to the one that listens
_POLL_SECONDS = 5.0  # between polls for jobs, in case a notification was lost
_HEARTBEAT_SECONDS = 5.0
_STALLED_SECONDS = 30.0  # without a heartbeat for this long, a worker counts as dead

DrainJob = Callable[[int], Awaitable[None]]  # takes the number of the broadcast


def put_drain(url: str, broadcast_id: int) -> None:
    """Add a job from a process that is not a worker. Do nothing if the queue does not exist or cannot be reached."""
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
    """Return the queue in the database at a URL, without opening it. Its jobs call `drain`."""
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
    """Create all of procrastinate's tables, or none, if they are missing. Other workers may do so at the same time."""
    if await queue.check_connection_async():
        return
    try:
        # One query is one transaction. procrastinate reads % as a placeholder, so it is escaped.
        script = f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA};\n{_TABLES}".replace("%", "%%")
        await queue.connector.execute_query_async(script)
    except ConnectorException:
        if not await queue.check_connection_async():  # otherwise another worker created them first
            raise


async def put_job(queue: App, broadcast_id: int) -> None:
    """Add a job for a broadcast, unless one is already waiting."""
    waiting = await queue.job_manager.list_jobs_async(queueing_lock=_lock_of(broadcast_id), status=Status.TODO.value)
    if waiting:  # checked first, because a refused job appears as an error in the database's log
        return
    with suppress(AlreadyEnqueued):
        await _deferrer(queue, broadcast_id).defer_async(broadcast=broadcast_id)


async def work_through(queue: App, *, concurrency: int) -> None:
    """Run jobs, `concurrency` at a time, until this task is canceled. Then cancel the running jobs and wait for them.

    Return, or raise one of QUEUE_LOST, if the database can no longer be reached.
    """
    await queue.run_worker_async(
        queues=[_QUEUE],
        concurrency=concurrency,
        fetch_job_polling_interval=_POLL_SECONDS,
        update_heartbeat_interval=_HEARTBEAT_SECONDS,
        stalled_worker_timeout=_STALLED_SECONDS,
        shutdown_graceful_timeout=0,  # a canceled job finishes its requests itself
        delete_jobs=DeleteJobCondition.ALWAYS,
        install_signal_handlers=False,
    )


async def clear_stalled(queue: App) -> None:
    """Remove the jobs of dead workers. The ledger records which work is unfinished."""
    await queue.job_manager.prune_stalled_workers(_STALLED_SECONDS)
    for job in await queue.job_manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=_STALLED_SECONDS):
        with suppress(ConnectorException):  # another worker removed it first
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
    """Silence the libraries' own logs, which would print tracebacks. The worker logs what matters."""
    for name in ("procrastinate", "psycopg"):
        logging.getLogger(name).handlers = [logging.NullHandler()]
        logging.getLogger(name).propagate = False
