"""The remarks that reviewers made about an issue, for the director: in the terminal and in the studio."""

from datetime import datetime

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.review import Remark
from newsletter.store.opening import open_database
from newsletter.store.reviews import remarks_of_issue, set_done


def remarks_of(config: Config, issue: str) -> tuple[Remark, ...]:
    """Return the remarks about an issue: those that are open, then those that are done, each the oldest first."""
    if not config.has_database:
        return ()
    with open_database(config.database) as database, database.read() as connection:
        remarks = remarks_of_issue(connection, issue)
    return tuple(sorted(remarks, key=lambda remark: (remark.done_at is not None, remark.id)))


def mark_remark(config: Config, issue: str, remark: int, *, done_at: datetime | None) -> None:
    """Save that a remark was dealt with at a time; None opens it again. Raise InputError if there is no such remark."""
    found = False
    if config.has_database:
        with open_database(config.database) as database, database.transaction() as connection:
            found = set_done(connection, issue, remark, at=done_at)
    if not found:
        raise InputError(f"{issue} has no remark {remark}; `newsletter review {issue} --remarks` lists its remarks")
