"""What the reviewers have to be told by email."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Alarm(StrEnum):
    """What too many recipients of a broadcast did. Reviewers get one email about it, in any state of the broadcast."""

    COMPLAINTS = "complaints"
    BOUNCES = "bounces"


class Notice(Struct, frozen=True, kw_only=True):
    """Something about a broadcast that the reviewers have to be told."""

    broadcast: int
    at: datetime  # when it happened
    what: str
    state: str  # of the broadcast then, or an Alarm
    tried_at: datetime | None  # when the reviewers were last emailed about it
    failure: str  # why that email was not accepted

    @property
    def is_alarm(self) -> bool:
        """Return whether it is about what came back."""
        return self.state in frozenset(Alarm)
