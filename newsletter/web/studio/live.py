"""The stream by which an open page learns that its issue looks different now (Server-Sent Events)."""

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from newsletter.errors import InputError
from newsletter.web.studio.proofs import Proofs

_RETRY_MS = 1000  # after which a page looks whether a stopped studio is there again
_BEAT_SECONDS = 15.0  # a line now and then, so that the server notices a page that has gone without a word


class Pulse:
    """Wakes every open stream at each change, and ends them all when the server stops."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self.is_over = False

    @property
    def next(self) -> asyncio.Event:
        """Is set at the next change."""
        return self._next

    def beat(self) -> None:
        """Something has changed."""
        self._next.set()
        self._next = asyncio.Event()

    def end(self) -> None:
        """Nothing will change any more: every stream ends."""
        self.is_over = True
        self.beat()


async def revision_events(proofs: Proofs, issue: str, pulse: Pulse) -> AsyncIterator[str]:
    """The revision of an issue's proof: the one of now, and each that differs from the one before."""
    yield f"retry: {_RETRY_MS}\n\n"
    told = ""
    while not pulse.is_over:
        changed = pulse.next  # taken before the proof is, so that no change falls between the two
        try:
            proof = await run_in_threadpool(proofs.proof, issue)
        except InputError:
            return
        if proof.revision != told:
            told = proof.revision
            yield f"data: {told}\n\n"
        try:
            await asyncio.wait_for(changed.wait(), _BEAT_SECONDS)
        except TimeoutError:
            yield ": still here\n\n"
