"""Show someone what is known about them, and delete them, when they ask for it through a link that was just sent."""

from datetime import datetime

from newsletter.config import Config
from newsletter.lists.exports import person_json
from newsletter.model.person import KnownPerson
from newsletter.model.personal_links import PersonalLink
from newsletter.model.preferences import LinkRequestKind
from newsletter.store.database import Connection, Database
from newsletter.workflows.preferences.visit import asked_visit_of
from newsletter.workflows.subscribers.forget import erase, plan_erasure
from newsletter.workflows.subscribers.person import known_person
from newsletter.workflows.suppressions.leave import LinkOwner


def owner_of_data(connection: Connection, link: PersonalLink | None, *, now: datetime) -> LinkOwner | None:
    """Return whose data a link opens, or None if it opens none."""
    visit = asked_visit_of(connection, link, now=now)
    return visit.owner if visit and visit.request.kind is LinkRequestKind.DATA else None


def data_of(database: Database, owner: LinkOwner) -> KnownPerson:
    """Return everything that is known about someone."""
    with database.read():  # all reads see the same state of the data
        return known_person(database, owner.address)


def data_file(database: Database, owner: LinkOwner, *, now: datetime) -> bytes:
    """Return everything that is known about someone as JSON."""
    return person_json(data_of(database, owner), now=now).encode()


def delete_person(config: Config, database: Database, owner: LinkOwner, *, key: bytes, now: datetime) -> None:
    """Erase someone, as `newsletter subscribers forget` does. Raise InputError if that is not possible."""
    erase(database, plan_erasure(config, database, owner.address, key=key), key=key, now=now)
