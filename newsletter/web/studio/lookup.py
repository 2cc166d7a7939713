"""Look a subscriber up for the studio, so that an issue can be seen as that person will get it."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.sample import SampleMail

_REMEMBERED = 50  # lookups; each is an address, and a studio may be open for days


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderMail:
    """An issue's email as one subscriber gets it."""

    name: str  # as a person would say it: "Ana Lima"; empty if the list has no name
    traits: tuple[str, ...]  # what the email depends on, in words: "Spanish", "Tokyo", "teachers"
    mail: SampleMail
    left_out: str = ""  # why the issue would not go to this person: "unsubscribed on February 3"; empty if it would


# Return the email of the subscriber with this address, or None if nobody on the list has it.
# Raise StoreError if the list cannot be read.
MailFor = Callable[[Config, Composed, str], ReaderMail | None]


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
            found = self._mail_for(config, composed, email)
        except StoreError as err:
            return Lookup(email=email, problem=f"The list cannot be read: {err}")
        return Lookup(email=email, found=found, problem="" if found else "No subscriber has this address.")
