"""A broadcast that an agent proposed, and that a person releases or declines."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from newsletter.model.broadcast import Schedule


class ProposalState(StrEnum):
    """The state of a proposal. One that has expired is still open, but cannot be released."""

    OPEN = "open"  # no person has decided
    RELEASED = "released"  # a person sent it
    DECLINED = "declined"  # a person decided against it


class Proposal(Struct, frozen=True, kw_only=True):
    """A proposal to send exactly this content of an issue to a segment. Proposing it sent nothing."""

    id: int
    issue: str
    segment: str
    content_hash: str
    recipients: int  # how many would have got it when it was proposed
    wall_time: str  # the date and time of day, without a zone, in ISO 8601; empty means as soon as it is released
    is_second: bool  # whether it is the second time that the clocks show `wall_time`, on a day in autumn (PEP 495)
    zone: str
    is_local_time: bool
    proposed_by: str  # the name of the agent's program, as it calls itself
    proposed_at: datetime
    expires_at: datetime
    state: ProposalState = ProposalState.OPEN
    broadcast: int | None = None  # the broadcast that came of it

    @property
    def schedule(self) -> Schedule | None:
        """When it would be sent, or None for as soon as it is released."""
        if not self.wall_time:
            return None
        wall_time = datetime.fromisoformat(self.wall_time).replace(fold=int(self.is_second))
        return Schedule(wall_time=wall_time, zone=self.zone, is_local_time=self.is_local_time)
