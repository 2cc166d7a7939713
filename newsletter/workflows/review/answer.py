"""What a reviewer sees behind their link, and their answers: remarks, and the approval of exactly what they saw."""

from datetime import datetime
from enum import Enum

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.address import masked
from newsletter.model.ledger import Approval
from newsletter.model.personal_links import PersonalLink, Purpose, age_of
from newsletter.model.review import (
    LONGEST_REMARK,
    REVIEW_VALID_FOR,
    Remark,
    Review,
    Reviewer,
    ShownBlock,
    Snapshot,
)
from newsletter.store.approvals import approvals_in, approve_in
from newsletter.store.database import Connection
from newsletter.store.forgotten import without_forgotten
from newsletter.store.reviews import add_remark, find_review, find_reviewer, remarks_of_review, snapshot_of
from newsletter.workflows.send.approve import approver

_JOINERS = "\u200c\u200d"  # invisible, but Persian, Indic scripts and emoji need them
WHOLE = "whole"  # in place of the number of a block: the remark is about the whole email


class ReviewStanding(Enum):
    """Whether a reviewer can still answer."""

    OPEN = "open"
    REPLACED = "replaced"  # by a newer review
    OLD = "old"  # the link has ended


class ReviewVisit(Struct, frozen=True, kw_only=True):
    """A reviewer who opened their link, and the review that it belongs to."""

    reviewer: Reviewer
    review: Review
    standing: ReviewStanding
    until: datetime  # when the link ends


class ReviewAnswers(Struct, frozen=True, kw_only=True):
    """What the reviewers have said about the content that they see."""

    approvals: tuple[Approval, ...]
    remarks: tuple[Remark, ...]


class RefusedRemark(Enum):
    """Why a remark is not saved."""

    EMPTY = "remark_empty"
    NO_SUCH_PLACE = "remark_gone"
    TOO_MANY = "too_many"


def visit_of(connection: Connection, link: PersonalLink | None, *, now: datetime) -> ReviewVisit | None:
    """Return the visit that a link from outside belongs to, or None if the program did not make the link."""
    reviewer = find_reviewer(connection, link.subscriber) if link else None
    if link is None or reviewer is None:
        return None
    age = age_of(link.secret, reviewer.token, Purpose.REVIEW, str(reviewer.id), now=now)
    review = find_review(connection, reviewer.review)
    if age is None or review is None:
        return None
    standing = ReviewStanding.OPEN
    if review.ended_at is not None:
        standing = ReviewStanding.REPLACED
    elif age > REVIEW_VALID_FOR:
        standing = ReviewStanding.OLD
    return ReviewVisit(reviewer=reviewer, review=review, standing=standing, until=now - age + REVIEW_VALID_FOR)


def seen_by(connection: Connection, visit: ReviewVisit) -> Snapshot:
    """Return what the reviewer sees: the issue as it was when they were asked."""
    snapshot = snapshot_of(connection, visit.review.id)
    if snapshot is None:
        raise RuntimeError(f"review {visit.review.id} has no snapshot")
    return snapshot


def answers_to(connection: Connection, visit: ReviewVisit) -> ReviewAnswers:
    """Return the valid approvals of what the reviewer sees, and the remarks of all reviewers."""
    review = visit.review
    given = approvals_in(connection, review.issue, review.content_hash)
    return ReviewAnswers(
        approvals=tuple(each for each in given if not each.voided),
        remarks=tuple(remarks_of_review(connection, review.id)),
    )


def approve_seen(connection: Connection, visit: ReviewVisit, *, now: datetime) -> Approval | None:
    """Save the reviewer's approval of exactly the content that they saw. Return None if the review has just ended."""
    review = find_review(connection, visit.review.id)
    if review is None or review.ended_at is not None:
        return None
    by = approver(visit.reviewer.name)
    approval = Approval(issue=review.issue, content_hash=review.content_hash, by=by, at=now)
    approve_in(connection, approval)
    return approval


def remark_on(
    connection: Connection, visit: ReviewVisit, block: ShownBlock, said: str, *, key: bytes | None, now: datetime
) -> RefusedRemark | None:
    """Save a remark about a block. Return why it is not saved, if it is not.

    The addresses of erased people are left out. `key` is the key with which they were erased.
    """
    text = plain_text(said)
    if not text:
        return RefusedRemark.EMPTY
    try:
        text = without_forgotten(connection, text, key=key)
    except InputError:
        text = masked(text)
    return None if add_remark(connection, visit.reviewer, block, text, now=now) else RefusedRemark.TOO_MANY


def block_named(snapshot: Snapshot, variant: int, block: str, *, issue_file: str) -> ShownBlock | None:
    """Return the block of a version with this number, or the whole email, or None if there is no such block.

    The number is from outside, and may be any text.
    """
    if block == WHOLE:
        return ShownBlock(issue_file, None, "")
    blocks = snapshot.variants[variant].blocks if variant < len(snapshot.variants) else ()
    number = int(block) if block.isascii() and block.isdigit() and len(block) < 6 else len(blocks)
    return blocks[number] if number < len(blocks) else None


def plain_text(text: str) -> str:
    """Return what someone typed as plain text of a bounded length, without signs that steer terminals or directions."""
    lines = text[:LONGEST_REMARK].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(sign for sign in line if sign.isprintable() or sign in _JOINERS).rstrip() for line in lines)
    return "\n".join(kept).strip()
