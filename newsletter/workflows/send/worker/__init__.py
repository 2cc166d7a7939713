"""The worker: processes on any number of machines that hand over what the ledger says is due.

The ledger is the truth. The queue only says where to look, so that idle workers need not ask all the time.
"""

from pathlib import Path

from newsletter.config import Config


def announce(config: Config, broadcast_id: int) -> None:
    """Wake an idle worker for a broadcast; do nothing where there are no workers to wake.

    It never fails, for nothing depends on it: every worker asks the ledger by itself, within seconds.
    """
    if isinstance(config.database, Path):
        return
    try:
        # Imported when it is used: without the extra there is no queue, and `send` works without one.
        from newsletter.workflows.send.worker.queue import put_drain
    except ImportError:
        return
    put_drain(config.database, broadcast_id)
