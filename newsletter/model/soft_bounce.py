"""Mail that a mailbox would not take for now, and when that counts as a dead one."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBounce:
    """A moment at which a mailbox would not take a mail."""

    email: str
    at: datetime
    detail: str = ""  # the server's words


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBouncePolicy:
    """After how many soft bounces in a row, over how long at least, an address is not mailed any more."""

    bounces: int  # 0: never
    span: timedelta
