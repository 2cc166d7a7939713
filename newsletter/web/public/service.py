"""What every page for subscribers works with."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct, field
from starlette.concurrency import run_in_threadpool

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.providers.base import Clock, utc_now
from newsletter.store.database import Connection, Database
from newsletter.store.group_writer import GroupWriter
from newsletter.workflows.tracking.recorder import Recorder

T = TypeVar("T")
_SECONDS_TO_SAVE = 10  # less than the proxy waits for an answer


class Service(Struct, frozen=True, kw_only=True):
    """The workspace that is served, its open database, and what saves the changes of all requests."""

    config: Config
    database: Database
    writer: GroupWriter
    recorder: Recorder  # of opens and clicks
    clock: Clock = utc_now
    wanted: Event = field(default_factory=Event)  # set when someone has just asked for an email
    key: bytes | None = None  # with which people are erased; without it no one can be, or be told from erased people

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.clock()

    @property
    def path(self) -> str:
        """The path below which all pages are, without a slash at the end. It is usually empty."""
        return urlsplit(self.config.settings.service.url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """The origin of all pages, as browsers send it (Fetch Standard, `Origin` header)."""
        parts = urlsplit(self.config.settings.service.url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    async def read(self, ask: Callable[[Connection], T]) -> T:
        """Return what a function reads from the database. It runs in a thread."""

        def reading() -> T:
            with self.database.read() as connection:
                return ask(connection)

        return await run_in_threadpool(reading)

    async def save_and_send(self, change: Callable[[Connection], T]) -> T:
        """Do what `save` does, and have the email sent that someone waits for."""
        result = await self.save(change)
        self.wanted.set()
        return result

    async def save(self, change: Callable[[Connection], T]) -> T:
        """Return the result of a change when it is on disk. Changes of other requests are saved with it.

        Raise StoreError if that takes too long, as while an import fills the list. It may be saved later all the same.
        """
        saved = asyncio.wrap_future(self.writer.submit(change))
        try:
            async with asyncio.timeout(_SECONDS_TO_SAVE):
                return await saved
        except TimeoutError as err:
            raise StoreError("another program is writing to the database; try again in a minute") from err
