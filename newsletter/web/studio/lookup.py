"""Look a subscriber up for the studio, so that an issue can be seen as that person will get it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_urlsafe

from newsletter.config import Config
from newsletter.errors import MistakesError, StoreError
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.reader import ReaderMail

_REMEMBERED = 50  # lookups; each is an address, and a studio may be open for days


# Return the email of the subscriber with this address at a moment, or None if nobody on the list has it.
# Raise StoreError if the list cannot be read, MistakesError if a segment of the issue is wrong.
MailFor = Callable[[Config, Composed, str, datetime], ReaderMail | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What came of looking an address up: the email, or a sentence that says why there is none."""

    email: str
    found: ReaderMail | None = None
    problem: str = ""


class Lookups:
    """The addresses looked up since the start, each under a random key that stands for it in a page's URL.

    The address itself comes in the body of a POST and stays in this process: it is in no URL, so in no history and no
    log either.
    """

    def __init__(self, mail_for: MailFor) -> None:
        self._mail_for = mail_for
        self._emails: dict[str, str] = {}

    def remember(self, email: str) -> str:
        """Return a new key for an address; the oldest ones are forgotten."""
        for key in list(self._emails)[: 1 - _REMEMBERED]:
            del self._emails[key]
        key = token_urlsafe(12)
        self._emails[key] = email
        return key

    def find(self, key: str, config: Config, composed: Composed | None) -> Lookup | None:
        """Return what comes of looking up the key's address now, or None if no address belongs to the key."""
        email = self._emails.get(key)
        if email is None:
            return None
        if not config.has_database:
            return Lookup(email=email, problem="There is no list yet.")
        if composed is None:
            return Lookup(email=email, problem="There is no email yet.")
        try:
            found = self._mail_for(config, composed, email, datetime.now(UTC))
        except StoreError as err:
            return Lookup(email=email, problem=f"The list cannot be read: {err}")
        except MistakesError as err:
            return Lookup(email=email, problem=str(err).splitlines()[0])
        return Lookup(email=email, found=found, problem="" if found else "No subscriber has this address.")
