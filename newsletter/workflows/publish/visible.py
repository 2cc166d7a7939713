"""Decide who finds an issue in the archive."""

from newsletter.model.broadcast import BroadcastKind, BroadcastState
from newsletter.model.issue_fields import Visibility
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import tally_of

_ON_ITS_WAY = frozenset({BroadcastState.RUNNING, BroadcastState.WATCHING, BroadcastState.DONE})


def issues_sent(database: Database) -> frozenset[str]:
    """Return the names of the issues that are being sent or were sent, at least to some people.

    A broadcast that was canceled or paused counts only if an email of it has left.
    """
    broadcasts = [each for each in list_broadcasts(database) if each.kind is BroadcastKind.ISSUE]
    sent = {each.issue for each in broadcasts if each.state in _ON_ITS_WAY}
    for each in broadcasts:
        if each.issue not in sent and each.state is not BroadcastState.SCHEDULED:
            tally = tally_of(database, each.id)
            if tally.accepted or tally.unknown or tally.inflight:
                sent.add(each.issue)
    return frozenset(sent)


def visibility_of(wanted: Visibility, *, is_sent: bool) -> Visibility:
    """Return who finds an issue now: public, unlisted or none."""
    if wanted is Visibility.AFTER_SENDING:
        return Visibility.PUBLIC if is_sent else Visibility.NONE
    return wanted
