"""What reviewers are shown of an issue, and what they say about it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from newsletter.model.finding import Place, Severity

REVIEW_VALID_FOR = timedelta(days=14)
LONGEST_REMARK = 2000  # characters
LONGEST_WORDS = 300  # characters of the block that a remark is about
MOST_REMARKS_PER_HOUR = 60  # of one reviewer
MOST_REMARKS = 500  # of one review


class ShownBlock(Struct, frozen=True):
    """A block of the email: the place in the user's files, and its words."""

    path: str
    line: int | None
    words: str

    @property
    def place(self) -> Place:
        """The place as checks report it."""
        return Place(path=self.path, line=self.line)


class ShownVariant(Struct, frozen=True, kw_only=True):
    """One version of the email, as a reader about whom nothing is known would receive it."""

    label: str  # who gets it; empty for everyone else, or if there is only one
    subject: str
    preheader: str
    html: str  # with the number of each block, and images under the addresses that they have in the email
    text: str
    blocks: tuple[ShownBlock, ...]


class ShownFinding(Struct, frozen=True, kw_only=True):
    """A problem that a check found, as it was then."""

    severity: Severity
    place: str
    what: str
    remedy: str
    waived: str = ""


class WordChange(StrEnum):
    """What happened to some words."""

    KEPT = "kept"
    GONE = "gone"
    NEW = "new"


class ChangedWords(Struct, frozen=True):
    """Words of the plain text, and what happened to them. Long stretches of kept words are shortened."""

    change: WordChange
    words: str


class Changes(Struct, frozen=True, kw_only=True):
    """What has changed in the plain text since an approval. Without `is_known`, the approved text was not kept."""

    approved_by: str
    approved_at: datetime
    is_known: bool
    passages: tuple[tuple[ChangedWords, ...], ...] = ()  # those in which something changed


class Snapshot(Struct, frozen=True, kw_only=True):
    """An issue as reviewers see it: its versions, the problems found in it, and what changed since an approval."""

    title: str
    language: str
    variants: tuple[ShownVariant, ...]
    findings: tuple[ShownFinding, ...]
    changes: Changes | None


class ReviewPicture(NamedTuple):
    """An image of the email that reviewers see, by the name that its address in the email contains."""

    name: str
    content_type: str
    content: bytes


class Review(Struct, frozen=True, kw_only=True):
    """One time at which reviewers were asked to look at an issue."""

    id: int
    issue: str
    content_hash: str
    asked_at: datetime
    ended_at: datetime | None  # when a newer review replaced it


class Reviewer(Struct, frozen=True, kw_only=True):
    """Someone who was asked, with the key of their link."""

    id: int
    review: int
    name: str
    email: str
    token: str


class Remark(Struct, frozen=True, kw_only=True):
    """What a reviewer said about a block of the email, or about all of it."""

    id: int
    review: int
    issue: str
    path: str
    line: int  # 0 if it is about the whole file
    words: str  # of the block; empty if it is about the whole email
    said: str
    said_by: str
    said_at: datetime
    done_at: datetime | None

    @property
    def place(self) -> Place:
        """The place of the block in the user's files, when the remark was made."""
        return Place(path=self.path, line=self.line or None)
