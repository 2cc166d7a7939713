"""Forget a person: what that would erase and what it leaves, and doing it."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.person import KnownPerson
from newsletter.providers.outbox import mails_to
from newsletter.store.database import Database
from newsletter.store.forgotten import forget_person, require_key
from newsletter.system.environment import HOW_TO_MAKE_ONE, VARIABLE
from newsletter.workflows.subscribers.person import require_person


class PlannedErasure(Struct, frozen=True, kw_only=True):
    """What is known of a person, and so what would be erased."""

    person: KnownPerson
    mails: tuple[Path, ...]  # to them, in the outbox
    is_on_server: bool  # the database is a server's, which removes what was deleted in its own time

    @property
    def reported(self) -> int:
        """How many reports hold words or links that would be erased."""
        return sum(bool(event.detail) for event in self.person.events)


def plan_erasure(config: Config, database: Database, email: str, *, key: bytes | None) -> PlannedErasure:
    """Return what forgetting the person with this address would erase.

    Raise InputError where nothing is known of them, where the key is missing, or people were forgotten with another.
    """
    with database.read() as connection:
        require_key(connection, _required(key))
    person = require_person(database, email, key=key)
    outbox = config.root / config.settings.provider.outbox.folder
    subscriber = person.subscriber
    return PlannedErasure(
        person=person,
        mails=mails_to(outbox, subscriber.record.email, subscriber.id) if subscriber else (),
        is_on_server=isinstance(config.database, str),
    )


def erase(database: Database, planned: PlannedErasure, *, key: bytes | None, now: datetime) -> bool:
    """Forget the person; their mails in the outbox go first, so that an interruption leaves them on the list.

    Return whether the database itself holds nothing of them any more. Raise InputError where a mail cannot be deleted.
    """
    for path in planned.mails:
        try:
            path.unlink(missing_ok=True)
        except OSError as err:
            reason = f"cannot be deleted ({err.strerror}); check the permissions of its folder"
            raise InputError(f"{path}: {reason}") from err
    forget_person(database, planned.person.email, key=_required(key), now=now)
    return database.scrub()


def _required(key: bytes | None) -> bytes:
    if key is None:
        raise InputError(
            f"{VARIABLE} is not set; whoever is forgotten is known again, so as not to be mailed, by a digest that is "
            f"made with it: {HOW_TO_MAKE_ONE}, and set it for every import from then on"
        )
    return key
