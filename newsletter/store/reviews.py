"""Reviews: what reviewers were shown, who was asked, and what they said."""

import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_hex

import msgspec

from newsletter.model.review import (
    MOST_REMARKS,
    MOST_REMARKS_PER_HOUR,
    Remark,
    Review,
    Reviewer,
    ReviewPicture,
    ShownBlock,
    Snapshot,
)
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_ADD = query_value("reviews", "add", int)
_END_EARLIER = change("reviews", "end_earlier")
_ADD_PICTURE = change("reviews", "add_picture")
_ADD_REVIEWER = query_value("reviews", "add_reviewer", int)
_FIND_REVIEWER = query_one("reviews", "find_reviewer", Reviewer)
_FIND = query_one("reviews", "find", Review)
_OPEN_OF = query_one("reviews", "open_of", Review)
_REVIEWERS_OF = query_all("reviews", "reviewers_of", Reviewer)
_SNAPSHOT_OF = query_one("reviews", "snapshot_of", bytes)
_SNAPSHOT_WITH = query_one("reviews", "snapshot_with", bytes)
_PICTURES = query_all("reviews", "pictures", ReviewPicture)
_ADD_REMARK = change("reviews", "add_remark")
_COUNT_REMARKS = query_value("reviews", "count_remarks", int)
_COUNT_REMARKS_SINCE = query_value("reviews", "count_remarks_since", int)
_REMARKS_OF_REVIEW = query_all("reviews", "remarks_of_review", Remark)
_REMARKS_OF_ISSUE = query_all("reviews", "remarks_of_issue", Remark)
_SET_DONE = change("reviews", "set_done")
_DELETIONS = tuple(change("reviews", f"delete_{what}") for what in ("remarks", "reviewers", "pictures"))
_DELETE_REVIEWS = change("reviews", "delete_reviews")
_TOKEN_BYTES = 16
_AN_HOUR = timedelta(hours=1)


def add_review(
    database: Database,
    issue: str,
    content_hash: str,
    snapshot: Snapshot,
    pictures: Iterable[ReviewPicture],
    invited: Iterable[tuple[str, str]],
    *,
    now: datetime,
) -> tuple[Reviewer, ...]:
    """Save a review, which ends the earlier ones of the issue. `invited` are names and addresses.

    Return the reviewers, each with the key of their link.
    """
    with database.transaction() as connection:
        _END_EARLIER(connection, issue=issue, now=text_of(now))
        content = zlib.compress(msgspec.json.encode(snapshot))
        review = _ADD(connection, issue=issue, content_hash=content_hash, snapshot=content, now=text_of(now))
        _ADD_PICTURE.for_each(connection, [{"review": review, **picture._asdict()} for picture in pictures])
        return tuple(_add_reviewer(connection, review, name, email) for name, email in invited)


def _add_reviewer(connection: Connection, review: int, name: str, email: str) -> Reviewer:
    token = token_hex(_TOKEN_BYTES)
    number = _ADD_REVIEWER(connection, review=review, name=name, email=email, token=token)
    return Reviewer(id=number, review=review, name=name, email=email, token=token)


def find_reviewer(connection: Connection, reviewer: int) -> Reviewer | None:
    """Return someone who was asked, or None if there is no such reviewer."""
    return _FIND_REVIEWER(connection, reviewer=reviewer)


def find_review(connection: Connection, review: int) -> Review | None:
    """Return a review, or None if there is none with this id."""
    return _FIND(connection, review=review)


def open_review_of(connection: Connection, issue: str) -> Review | None:
    """Return the review of an issue that no newer one has replaced, or None if no one was asked yet."""
    return _OPEN_OF(connection, issue=issue)


def reviewers_of(connection: Connection, review: int) -> list[Reviewer]:
    """Return everyone who was asked, in the order in which they were."""
    return _REVIEWERS_OF(connection, review=review)


def snapshot_of(connection: Connection, review: int) -> Snapshot | None:
    """Return what reviewers are shown, or None if there is no such review."""
    return _snapshot(_SNAPSHOT_OF(connection, review=review))


def snapshot_with(connection: Connection, issue: str, content_hash: str) -> Snapshot | None:
    """Return what reviewers were shown of exactly this content, or None if they were not shown it."""
    return _snapshot(_SNAPSHOT_WITH(connection, issue=issue, content_hash=content_hash))


def pictures_of(connection: Connection, review: int) -> list[ReviewPicture]:
    """Return the images of a review."""
    return _PICTURES(connection, review=review)


def add_remark(connection: Connection, reviewer: Reviewer, block: ShownBlock, said: str, *, now: datetime) -> bool:
    """Save a remark about a block. Return False if there are too many already.

    The same remark about the same place counts once, so a form that is sent twice changes nothing.
    """
    since = text_of(now - _AN_HOUR)
    if (
        _COUNT_REMARKS_SINCE(connection, reviewer=reviewer.id, since=since) >= MOST_REMARKS_PER_HOUR
        or _COUNT_REMARKS(connection, review=reviewer.review) >= MOST_REMARKS
    ):
        return False
    _ADD_REMARK(
        connection,
        review=reviewer.review,
        reviewer=reviewer.id,
        path=block.path,
        line=block.line or 0,
        words=block.words,
        said=said,
        now=text_of(now),
    )
    return True


def remarks_of_review(connection: Connection, review: int) -> list[Remark]:
    """Return the remarks about a review, the oldest first."""
    return _REMARKS_OF_REVIEW(connection, review=review)


def remarks_of_issue(connection: Connection, issue: str) -> list[Remark]:
    """Return the remarks about all reviews of an issue, the oldest first."""
    return _REMARKS_OF_ISSUE(connection, issue=issue)


def set_done(connection: Connection, issue: str, remark: int, *, at: datetime | None) -> bool:
    """Save when a remark about an issue was dealt with; None opens it again. Return whether there is such a remark."""
    return _SET_DONE(connection, issue=issue, remark=remark, done_at=text_of(at) if at else "") > 0


def delete_reviews(connection: Connection, *, before: datetime) -> int:
    """Delete the reviews from before a time, with all that belongs to them. Return the number of reviews."""
    for delete in _DELETIONS:
        delete(connection, before=text_of(before))
    return _DELETE_REVIEWS(connection, before=text_of(before))


def _snapshot(content: bytes | None) -> Snapshot | None:
    return None if content is None else msgspec.json.decode(zlib.decompress(content), type=Snapshot)
