"""Erase a person: show what would be erased, then do it."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.address import person_of
from newsletter.model.person import KnownPerson
from newsletter.providers.outbox import mails_to
from newsletter.store.database import Database
from newsletter.store.erasing import count_mentions, is_known
from newsletter.store.forgotten import forget_person, require_key
from newsletter.store.sqlite.files import copies_of
from newsletter.system.environment import HOW_TO_MAKE_ONE, VARIABLE
from newsletter.system.file_errors import explained
from newsletter.workflows.compose.compose import BUILD_FOLDER
from newsletter.workflows.subscribers.person import known_person, require_person


class PlannedErasure(Struct, frozen=True, kw_only=True):
    """Everything known about a person, which is what would be erased."""

    person: KnownPerson
    mails: tuple[Path, ...]  # the email files addressed to them in the outbox
    mentions: int  # in how many texts that are not about them alone their address is written
    elsewhere: tuple[str, ...]  # the files and folders of the workspace that may still contain their address
    is_on_server: bool  # whether the database is on a server, which removes deleted rows from its files only later

    @property
    def reported(self) -> int:
        """The number of reported events whose text or link would be erased."""
        return sum(bool(event.detail) for event in self.person.events)


def plan_erasure(config: Config, database: Database, email: str, *, key: bytes | None) -> PlannedErasure:
    """Return what would be erased for the person with this address.

    Raise InputError if nothing is known about them, if the key is missing, or if people were erased with another key.
    """
    with database.read() as connection:
        require_key(connection, _required(key))
        mentions = count_mentions(connection, email)
        is_stored = mentions > 0 or is_known(connection, person_of(email))
    person = known_person(database, email) if is_stored else require_person(database, email, key=key)
    outbox = config.root / config.settings.provider.outbox.folder
    subscriber = person.subscriber
    return PlannedErasure(
        person=person,
        mails=mails_to(outbox, subscriber.record.email, subscriber.id) if subscriber else (),
        mentions=mentions,
        elsewhere=_files_with_people(config, outbox),
        is_on_server=isinstance(config.database, str),
    )


def erase(database: Database, planned: PlannedErasure, *, key: bytes | None, now: datetime) -> bool:
    """Erase the person. Return whether the deleted data is also gone from the database file.

    Their email files in the outbox are deleted first. If that is interrupted, the person is still on the list, so the
    command can be run again. Raise InputError if a file cannot be deleted.
    """
    for path in planned.mails:
        try:
            path.unlink(missing_ok=True)
        except OSError as err:
            raise InputError(str(explained(err, path, deed="deleted", elsewhere=""))) from err
    forget_person(database, planned.person.email, key=_required(key), now=now)
    return database.scrub()


def _required(key: bytes | None) -> bytes:
    if key is None:
        raise InputError(
            f"{VARIABLE} is not set, and without it a later import could add an erased person again; "
            f"{HOW_TO_MAKE_ONE}, and set it for every import from then on"
        )
    return key


def _files_with_people(config: Config, outbox: Path) -> tuple[str, ...]:
    """Return the files and folders, among those that the program writes by itself, that may name people."""
    places = [config.root / BUILD_FOLDER, outbox]
    if isinstance(config.database, Path):
        places += copies_of(config.database)
    return tuple(config.shown(place) for place in places if place.exists())
