"""What the reviewers have to be told by email."""

from datetime import datetime

from msgspec import Struct


class Notice(Struct, frozen=True, kw_only=True):
    """Something about a scheduled broadcast that the reviewers have to be told."""

    broadcast: int
    at: datetime  # when it happened
    what: str
    state: str  # of the broadcast then
    tried_at: datetime | None  # when the reviewers were last emailed about it
    failure: str  # why that email was not accepted
