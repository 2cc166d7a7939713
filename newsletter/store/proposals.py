"""Broadcasts that agents proposed, and what a person decided about each."""

from datetime import datetime, timedelta

from newsletter.model.proposal import Proposal, ProposalState
from newsletter.store.database import Database
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_ADD = query_value("proposals", "add", int)
_DROP_EARLIER = change("proposals", "drop_earlier")
_FIND = query_one("proposals", "find", Proposal)
_STILL_OPEN = query_all("proposals", "still_open", Proposal)
_SETTLE = change("proposals", "settle")
_KEPT = timedelta(days=30)  # after a proposal expired without a decision


def add_proposal(database: Database, proposal: Proposal) -> int:
    """Save a proposal, and return its number. It replaces an open one of the same issue and segment."""
    with database.transaction() as connection:
        _DROP_EARLIER(
            connection,
            issue=proposal.issue,
            segment=proposal.segment,
            expired_before=text_of(proposal.proposed_at - _KEPT),
        )
        return _ADD(
            connection,
            issue=proposal.issue,
            segment=proposal.segment,
            content_hash=proposal.content_hash,
            recipients=proposal.recipients,
            wall_time=proposal.wall_time,
            is_second=int(proposal.is_second),
            zone=proposal.zone,
            is_local_time=int(proposal.is_local_time),
            proposed_by=proposal.proposed_by,
            proposed_at=text_of(proposal.proposed_at),
            expires_at=text_of(proposal.expires_at),
        )


def find_proposal(database: Database, number: int) -> Proposal | None:
    """Return the proposal with a number, in any state, or None if there is none."""
    return _FIND.ask(database, id=number)


def proposals_still_open(database: Database, *, now: datetime) -> tuple[Proposal, ...]:
    """Return the proposals that can be released, the oldest first."""
    return _STILL_OPEN.ask(database, now=text_of(now))


def settle_proposal(database: Database, number: int, state: ProposalState, *, broadcast: int | None = None) -> bool:
    """Save what a person decided. Return whether the proposal was still open."""
    with database.transaction() as connection:
        return _SETTLE(connection, id=number, state=state.value, broadcast=broadcast) == 1
