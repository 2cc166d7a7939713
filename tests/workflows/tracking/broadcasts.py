"""Tracked broadcasts as their readers get them, and who agreed to be tracked."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Halt

from newsletter.config import Config
from newsletter.model.broadcast import Broadcast
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.drain import drain_broadcast
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast
from tests.store.builders import NOW
from tests.workflows.send.carriers import Carrier

_LINK = re.compile(r'<a [^>]*?href="([^"]*)"[^>]*>')


@dataclass(frozen=True, slots=True)
class GotMail:
    """One email as its reader got it."""

    html: str
    text: str

    @property
    def links(self) -> list[str]:
        """The addresses of all links of the HTML."""
        return _LINK.findall(self.html)

    def own(self, kind: str) -> list[str]:
        """The paths of those links and pictures that lead to a page of the service, such as `c`."""
        return re.findall(rf'"https://[^/"]+(/{kind}/[^"]*)"', self.html)

    @property
    def canary(self) -> str:
        """The path of the link that no one sees."""
        (found,) = re.findall(r'<a href="https://[^/"]+([^"]*)" aria-hidden="true"', self.html)
        return str(found)


def plan(config: Config, database: Database, *, now: datetime = NOW) -> BroadcastPlan:
    """The plan of a broadcast of the only issue to everyone."""
    segment = meant_by(config, database, segment="everyone", now=now)
    order = Order(folder=require_issue(config, None), segment=segment)
    return plan_broadcast(config, database, order, now=now)


def send(
    config: Config, database: Database, *, now: datetime = NOW, meanwhile: Callable[[], object] = lambda: None
) -> tuple[Broadcast, dict[str, GotMail]]:
    """Send the only issue to everyone. Return the broadcast, and what each address got.

    `meanwhile` is called after the broadcast was created, before anything is sent.
    """
    carrier = Carrier()
    broadcast = start_broadcast(database, plan(config, database, now=now), carrier, now=now)
    meanwhile()
    drain_broadcast(database, broadcast, carrier, on_settled=lambda _: None, stop=Halt())
    return broadcast, {
        recipient.email: GotMail(
            html=chunk.mailing.variant.html.fill(recipient.values),
            text=chunk.mailing.variant.text.fill(recipient.values),
        )
        for chunk in carrier.handed
        for recipient in chunk.recipients
    }


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for what is saved a moment after the answer."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
