"""The values that the shell completes: names from the newsletter folder that contains the current folder.

A shell asks for these values each time someone presses Tab. So modules are imported only when they are needed, nothing
is created or changed, and an error only means that nothing is completed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import parseaddr
from pathlib import Path

from newsletter.cli import output
from newsletter.config import Config, find_workspace, load_config
from newsletter.store.database import Database

Value = tuple[str, str]  # the value, and a short description that some shells show next to it
_WAIT_SECONDS = 0.2  # how long to wait for another program that is writing; someone is waiting at the prompt
# Only names and addresses that need no quotes in any shell are completed.
_SAFE = re.compile(r"[\w@+][\w@.+-]*")


def values_of(metavar: str) -> list[Value]:
    """Return all values of the kind that a metavar names.

    Return an empty list if the kind is unknown or the values cannot be read.
    """
    values = _VALUES.get(metavar)
    if values is None:
        return []
    with suppress(Exception):
        config = load_config(find_workspace(Path.cwd()))
        return [value for value in values(config) if _SAFE.fullmatch(value[0])]
    return []


def _issues(config: Config) -> Iterator[Value]:
    """Yield the names of all issues, the newest first."""
    from newsletter.content.loader import issue_names

    yield from ((name, "") for name in reversed(issue_names(config)))


def _segments(config: Config) -> Iterator[Value]:
    from newsletter.model.segment import EVERYONE

    yield EVERYONE, "all subscribers"
    yield from ((name, "") for name in config.settings.segments)


def _topics(config: Config) -> Iterator[Value]:
    yield from ((name, "") for name in config.settings.topics)


def _columns(config: Config) -> Iterator[Value]:
    """Yield the columns of a list, then the attributes that this list has."""
    from newsletter.model.columns import LIST_COLUMNS
    from newsletter.store.subscribers import attribute_names

    yield from ((name, "") for name in LIST_COLUMNS)
    if config.has_database:
        with _database_as_it_is(config.database) as database:
            yield from ((name, "") for name in attribute_names(database))


def _tags(config: Config) -> Iterator[Value]:
    from newsletter.store.subscribers import known_tags

    if config.has_database:
        with _database_as_it_is(config.database) as database:
            yield from ((tag, "") for tag in known_tags(database))


def _reviewers(config: Config) -> Iterator[Value]:
    """Yield the groups of reviewers, then their addresses."""
    groups = config.settings.reviewers
    yield from ((name, output.count_of(len(mailboxes), "reviewer")) for name, mailboxes in groups.items())
    addresses = (parseaddr(mailbox)[1] for mailboxes in groups.values() for mailbox in mailboxes)
    yield from ((address, "") for address in dict.fromkeys(addresses))


def _broadcasts(config: Config) -> Iterator[Value]:
    """Yield the numbers of all broadcasts, the newest first."""
    from newsletter.model.broadcast import label_of
    from newsletter.store.ledger.broadcasts import list_broadcasts

    if not config.has_database:
        return
    with _database_as_it_is(config.database) as database:
        for broadcast in list_broadcasts(database):
            yield str(broadcast.id), label_of(broadcast.state)


def _broadcasts_and_issues(config: Config) -> Iterator[Value]:
    yield from _broadcasts(config)
    yield from _issues(config)


def _database_as_it_is(location: Path | str) -> Database:
    """Return the database without creating or migrating it, unlike `open_database`."""
    if isinstance(location, Path):
        from newsletter.store.sqlite.engine import SqliteDatabase

        return SqliteDatabase(location, wait_seconds=_WAIT_SECONDS)
    from newsletter.store.postgresql.address import read_address
    from newsletter.store.postgresql.engine import PostgresDatabase

    return PostgresDatabase(read_address(location), wait_seconds=_WAIT_SECONDS)


_VALUES: Mapping[str, Callable[[Config], Iterator[Value]]] = {
    "ISSUE": _issues,
    "SEGMENT": _segments,
    "BROADCAST": _broadcasts,
    "BROADCAST|ISSUE": _broadcasts_and_issues,
    "GROUP": _reviewers,
    "REVIEWER": _reviewers,
    "TOPIC": _topics,
    "COLUMN": _columns,
    "TAG": _tags,
}
