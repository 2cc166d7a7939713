"""What a request can meet with at each provider, and how often in which mood."""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto


class Misfortune(StrEnum):
    """What one request to SendGrid can meet with: every line of the table of outcomes."""

    NONE = "202"
    INVALID_ONE = "400 about one recipient"
    INVALID_SEVERAL = "400 about several recipients"
    REFUSED = "400 about the message"
    NOT_JSON = "415"
    TOO_LARGE = "413"
    NO_CREDITS = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    NOT_ALLOWED = "405"
    MOVED = "302"
    SLOW_DOWN_UNTIL = "429 with a reset"
    SLOW_DOWN = "429"
    BROKEN = "5xx, not queued"
    BROKEN_BUT_QUEUED = "500, queued"
    RESET = "reset, not queued"
    RESET_BUT_QUEUED = "reset, queued"
    TRUNCATED = "truncated reply, queued"
    HANG = "no answer"
    NOT_202 = "200 outside the sandbox"


class Mishap(StrEnum):
    """What one email can meet with at an SMTP relay."""

    NONE = "250"
    NO_SUCH_USER = "550 5.1.1 after RCPT"
    POLICY = "550 5.7.1 after the content"
    QUOTA = "550 5.4.5 after RCPT, to one after the other"
    BLOCKED = "550 5.7.1 after RCPT, to one after the other"
    DEFERRED = "450 after RCPT"
    DEFERRED_LATE = "451 after the content"
    CLOSING = "421 after MAIL"
    CLOSING_LATE = "421 after the content, not taken"
    SENDER = "550 5.7.1 after MAIL"
    MESSAGE = "554 5.6.0 after the content"
    RESET_EARLY = "reset after RCPT"
    RESET = "reset after the content, not taken"
    RESET_BUT_TAKEN = "reset after the content, taken"
    GARBAGE_BUT_TAKEN = "an answer that is none, taken"
    HANG_BUT_TAKEN = "no answer, taken"


class Mood(Enum):
    """How a provider behaves in a run."""

    FINE = auto()  # only processes die
    ROUGH = auto()
    STORM = auto()
    STRICT = auto()
    MOODY = auto()
    ENDING = auto()
    EVERYTHING = auto()


Weights = Mapping[
    Mood, Mapping[tuple[StrEnum, ...], float]
]  # the percentage of the requests, by the kind of misfortune

_ENDING = (Misfortune.REFUSED, Misfortune.NOT_JSON)
_PAUSING = (
    Misfortune.NO_CREDITS,
    Misfortune.FORBIDDEN,
    Misfortune.NOT_FOUND,
    Misfortune.NOT_ALLOWED,
    Misfortune.MOVED,
    Misfortune.NOT_202,
)
_AMBIGUOUS = (
    Misfortune.BROKEN,
    Misfortune.BROKEN_BUT_QUEUED,
    Misfortune.RESET,
    Misfortune.RESET_BUT_QUEUED,
    Misfortune.TRUNCATED,
)
_HARMLESS = (
    Misfortune.INVALID_ONE,
    Misfortune.INVALID_SEVERAL,
    Misfortune.TOO_LARGE,
    Misfortune.SLOW_DOWN,
    Misfortune.SLOW_DOWN_UNTIL,
)
_OF_SENDGRID: Weights = {
    Mood.FINE: {},
    Mood.ROUGH: {_HARMLESS: 20, _AMBIGUOUS: 8, _PAUSING: 4},
    Mood.STORM: {_AMBIGUOUS: 30, (Misfortune.HANG,): 3, _PAUSING: 5, _HARMLESS: 10},
    Mood.STRICT: {_HARMLESS: 35},
    Mood.MOODY: {_PAUSING: 18, _HARMLESS: 10},
    Mood.ENDING: {_ENDING: 4, _AMBIGUOUS: 8, _HARMLESS: 10},
    Mood.EVERYTHING: {tuple(Misfortune)[1:]: 35},
}

_DEFERRING = (Mishap.DEFERRED, Mishap.DEFERRED_LATE)
_IN_DOUBT = (Mishap.RESET, Mishap.RESET_BUT_TAKEN, Mishap.GARBAGE_BUT_TAKEN)
_SHUTTING = (Mishap.CLOSING, Mishap.CLOSING_LATE, Mishap.RESET_EARLY)
_PERSONAL = (Mishap.NO_SUCH_USER,)
_TO_EVERYONE = (Mishap.QUOTA, Mishap.BLOCKED)
# An email is a small part of a chunk, so each meets with less than a request to SendGrid.
_OF_SMTP: Weights = {
    Mood.FINE: {},
    Mood.ROUGH: {_DEFERRING: 4, _SHUTTING: 1.5, _IN_DOUBT: 1, _PERSONAL: 2, (Mishap.SENDER,): 0.5},
    Mood.STORM: {_IN_DOUBT: 5, _SHUTTING: 4, (Mishap.HANG_BUT_TAKEN,): 0.2, _DEFERRING: 3},
    Mood.STRICT: {_DEFERRING: 10, _PERSONAL: 4, (Mishap.POLICY,): 3, _TO_EVERYONE: 1.5},
    Mood.MOODY: {(Mishap.SENDER,): 2, (Mishap.POLICY,): 2, _TO_EVERYONE: 1, _DEFERRING: 3},
    Mood.ENDING: {(Mishap.MESSAGE,): 1, _IN_DOUBT: 1, _DEFERRING: 2},
    Mood.EVERYTHING: {tuple(Mishap)[1:]: 6},
}

WEIGHTS: Mapping[str, Weights] = {"sendgrid": _OF_SENDGRID, "smtp": _OF_SMTP, "outbox": {}}
NOTHING: Mapping[str, StrEnum] = {"sendgrid": Misfortune.NONE, "smtp": Mishap.NONE, "outbox": Mishap.NONE}
