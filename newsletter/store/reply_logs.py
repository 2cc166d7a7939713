"""The reply logs of one drain: created with each claim, written to disk in the background, removed with each result."""

from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Self

from newsletter.errors import StoreError
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.reply_log import ReplyLog, Sending, boot_id, name_of_log
from newsletter.system.file_errors import explained

_SYNC_SECONDS = 0.08  # between the beginnings of two writes to disk


class ReplyLogs:
    """The logs of one drain. Use it as a context manager, which runs the thread that writes them to disk.

    Without a folder, no logs are kept.
    """

    def __init__(self, folder: Path | None, *, mailing: str, provider: str, runner: str, halt: Event) -> None:
        self._folder = folder
        self._mailing, self._provider, self._runner = mailing, provider, runner
        self._halt = halt
        self._boot = boot_id()
        self._open: dict[int, ReplyLog] = {}  # by chunk
        self._settled: list[ReplyLog] = []
        self._ahead = 1
        self._lock = Lock()
        self._is_over = Event()
        self._thread = Thread(target=self._keep_on_disk, name="replies", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._remove_settled()
        with self._lock:
            left, self._open = list(self._open.values()), {}
        for log in left:
            log.leave()

    def create(self, claimed: ClaimedChunk) -> None:
        """Create the log of a chunk whose claim is about to be committed. Raise StoreError if that is impossible."""
        if self._folder is None:
            return
        sending = Sending(
            broadcast=claimed.broadcast,
            mailing=self._mailing,
            provider=self._provider,
            chunk=claimed.number,
            attempt=claimed.attempt,
            runner=self._runner,
            boot=self._boot,
        )
        path = self._folder / name_of_log(sending)
        deliveries = tuple(delivery.subscriber for delivery in claimed.deliveries)
        with self._lock:
            failed = self._open.pop(claimed.number, None)  # the claim is repeated
        if failed is not None:
            failed.leave()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            log = ReplyLog(path, sending, deliveries, ahead=self._ahead, halt=self._halt)
        except OSError as err:
            raise _unusable(path, err) from err
        with self._lock:
            self._open[claimed.number] = log

    def of(self, claimed: ClaimedChunk) -> ReplyLog | None:
        """Return the log of a chunk that was claimed, or None if no logs are kept."""
        return self._open.get(claimed.number)

    def settle(self, claimed: ClaimedChunk) -> None:
        """Note that the result of a chunk is in the ledger, so that its log is removed.

        Raise StoreError if a log could not be written to disk, because nothing more may then be sent.
        """
        with self._lock:
            log = self._open.pop(claimed.number, None)
            if log is None:
                return
            self._ahead = log.ahead
            self._settled.append(log)
        if log.failure is not None:
            raise _unusable(log.path, log.failure) from log.failure

    def _keep_on_disk(self) -> None:
        began = monotonic()
        while not self._is_over.wait(max(0.0, _SYNC_SECONDS - (monotonic() - began))):
            began = monotonic()
            self._remove_settled()
            with self._lock:
                logs = list(self._open.values())
            for log in logs:
                log.look()

    def _remove_settled(self) -> None:
        """Remove the logs that are no longer needed. The sending threads do not wait for that."""
        with self._lock:
            settled, self._settled = self._settled, []
        for log in settled:
            log.remove()


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(str(explained(error, path, elsewhere="")))
