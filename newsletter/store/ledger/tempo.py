"""What the ledger knows for a forecast: how fast past broadcasts were sent, and who lives in which time zone."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from newsletter.store.database import Database
from newsletter.store.queries import query_all


class PastClaim(NamedTuple):
    """When a batch of a past broadcast was claimed, how many emails it had, and when the broadcast ended."""

    broadcast: int
    claimed_at: datetime
    size: int
    finished_at: datetime


class StatedZone(NamedTuple):
    """A subscriber's own time zone."""

    subscriber: int
    zone: str


_CLAIMS = query_all("tempo", "claims", PastClaim)
_STATED_ZONES = query_all("tempo", "stated_zones", StatedZone)


def past_claims(database: Database, provider: str) -> tuple[PastClaim, ...]:
    """Return the batches of the last three broadcasts through a provider, by broadcast and time."""
    return _CLAIMS.ask(database, provider=provider)


def stated_zones(database: Database) -> Mapping[int, str]:
    """Return the time zone of each subscriber who states one."""
    return dict(_STATED_ZONES.ask(database))
