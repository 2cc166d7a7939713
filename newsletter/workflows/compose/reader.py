"""A subscriber as an issue sees them."""

from datetime import datetime

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.issue import Issue
from newsletter.model.reader import Reader
from newsletter.store.database import Database
from newsletter.store.readers import reader_of
from newsletter.workflows.segments import find_segments


def require_reader(config: Config, database: Database, issue: Issue, email: str, *, now: datetime) -> Reader:
    """Return the subscriber with this address, with those of the issue's segments that they belong to.

    Raises InputError where nobody on the list has the address, MistakesError where a segment's expression is wrong.
    """
    reader = reader_of(database, email, find_segments(config, database, issue.only_segments, now=now))
    if reader is None:
        raise InputError(
            f"nobody on the list has the address {email}; check its spelling, or find them by name: "
            "newsletter subscribers list --where 'last_name = \"…\"'"
        )
    return reader
