"""The remarks that reviewers made about an issue, for the director: in the terminal and in the studio."""

from collections.abc import Iterable
from datetime import datetime
from shlex import quote

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.finding import Place
from newsletter.model.review import Remark
from newsletter.store.opening import open_database
from newsletter.store.reviews import remarks_of_issue, set_done
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.kept import shortened_words
from newsletter.workflows.compose.placed import place_blocks


class LocatedRemark(Struct, frozen=True, kw_only=True):
    """A remark, and where the words that it is about are now. Lines move with every edit."""

    remark: Remark
    place: Place
    is_unchanged: bool  # whether the words are still there


def located(remarks: Iterable[Remark], composed: Composed | None) -> tuple[LocatedRemark, ...]:
    """Return the remarks with the places of their blocks in the issue as it is now.

    A remark whose words are gone, or whose issue cannot be composed, keeps the place that it was made for.
    """
    places: dict[str, Place] = {}
    for variant in composed.rendered.variants if composed else ():
        for block in place_blocks(composed, variant).blocks if composed else ():
            places.setdefault(shortened_words(block.words), block.place)
    return tuple(
        LocatedRemark(
            remark=each,
            place=places.get(each.words, each.place) if each.words else each.place,
            is_unchanged=not each.words or composed is None or each.words in places,
        )
        for each in remarks
    )


def remarks_of(config: Config, issue: str) -> tuple[Remark, ...]:
    """Return the remarks about an issue: those that are open, then those that are done, each the oldest first."""
    if not config.has_database:
        return ()
    with open_database(config.database) as database, database.read() as connection:
        remarks = remarks_of_issue(connection, issue)
    return tuple(sorted(remarks, key=lambda remark: (remark.done_at is not None, remark.id)))


def mark_remark(config: Config, issue: str, remark: int, *, done_at: datetime | None) -> None:
    """Save when a remark was dealt with; None reopens it. Raise InputError if there is no such remark."""
    found = False
    if config.has_database:
        with open_database(config.database) as database, database.transaction() as connection:
            found = set_done(connection, issue, remark, at=done_at)
    if not found:
        raise InputError(
            f"{issue} has no comment {remark}; `newsletter review {quote(issue)} --remarks` lists its comments"
        )
