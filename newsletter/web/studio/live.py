"""Tell open pages, by Server-Sent Events, that their issue looks different now."""

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from newsletter.errors import InputError
from newsletter.web.studio.proofs import Proofs

_RETRY_MS = 1000  # after which a page asks whether a stopped studio is back
_BEAT_SECONDS = 15.0  # between lines that let the server notice a page that is gone


class Pulse:
    """Wake every open stream at each change, and end them all when the server stops."""

    def __init__(self) -> None:
        self.next = asyncio.Event()  # set at the next change
        self.is_over = False

    def beat(self) -> None:
        """Wake the streams: something has changed."""
        self.next.set()
        self.next = asyncio.Event()

    def end(self) -> None:
        """End every stream: nothing will change any more."""
        self.is_over = True
        self.beat()


async def revision_events(proofs: Proofs, issue: str, pulse: Pulse) -> AsyncIterator[str]:
    """Yield the revision of an issue's proof now, and then each one that differs from the one before."""
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
