"""The worker, a process that sends what is due according to the ledger.

Many workers can run, on any number of machines. The ledger is the source of truth. The queue only wakes idle workers,
so that they do not have to query the ledger all the time.
"""

from pathlib import Path

from newsletter.config import Config


def announce(config: Config, broadcast_id: int) -> None:
    """Wake an idle worker for a broadcast. Do nothing if the database is a file, because then there are no workers.

    This never fails. It only saves time, because every worker also checks the ledger every few seconds.
    """
    if isinstance(config.database, Path):
        return
    try:
        # A late import: without the extra there is no queue, and `send` works without one.
        from newsletter.workflows.send.worker.queue import put_drain
    except ImportError:
        return
    put_drain(config.database, broadcast_id)
