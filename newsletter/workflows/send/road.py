"""An issue's road to the inbox: six stations, and what is missing at each.

Nothing is stored about the road. It is derived from the files, the findings of the checks, the test emails, the
approvals and the broadcasts, so it is always true.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from shlex import quote
from textwrap import shorten

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import MistakesError
from newsletter.language.clock import say_time, show_zoned
from newsletter.language.counts import count_of, people_of
from newsletter.model.broadcast import Broadcast, BroadcastKind, BroadcastState, Tally, label_of
from newsletter.model.segment import AD_HOC
from newsletter.store.approvals import tested_at
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.workflows.compose.compose import Composed, compose_issue
from newsletter.workflows.segments import fields_of_list
from newsletter.workflows.send.approve import standing_approvals, why_unapproved
from newsletter.workflows.send.status import BroadcastLine, line_of

_ENDED = frozenset({BroadcastState.DONE, BroadcastState.STOPPED, BroadcastState.CANCELLED})
_ON_THE_ROAD = frozenset({BroadcastKind.ISSUE, BroadcastKind.FOLLOW_UP})
_LONGEST_NOTE = 110  # characters: about one line in a terminal
_NO_LIST = "There is no list of subscribers yet."


class Step(StrEnum):
    """A station on the road to the inbox."""

    COMPOSED = "composed"
    CHECKED = "checked"
    TESTED = "tested"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENT = "sent"


class Station(Struct, frozen=True, kw_only=True):
    """One station: whether it is passed, and what is missing or known."""

    step: Step
    is_passed: bool
    note: str = ""  # a sentence: what is missing, or how the station was passed
    is_required: bool = True  # whether a broadcast needs it
    command: str = ""  # what to type in a terminal, if something is missing


class Road(Struct, frozen=True, kw_only=True):
    """The road of one issue, from its files to its readers."""

    issue: str
    content_hash: str  # of the content as it is now; empty if the files have mistakes
    stations: tuple[Station, ...]
    broadcasts: tuple[BroadcastLine, ...]  # of the issue and its follow-ups, the newest first

    @property
    def next(self) -> Station | None:
        """The first station that is not passed and that a broadcast needs, or None at the end of the road."""
        return next((each for each in self.stations if not each.is_passed and each.is_required), None)


class Draft(Struct, frozen=True, kw_only=True):
    """An issue as it is now: what is composed of its files, or the number of mistakes in them."""

    issue: str
    composed: Composed | None
    mistakes: int = 0


def draft_of(config: Config, database: Database, folder: Path) -> Draft:
    """Compose an issue to see how far it is. Raise InputError if an image or the MJML is wrong."""
    try:
        composed = compose_issue(config, folder, known_fields=fields_of_list(database))
    except MistakesError as err:
        return Draft(issue=folder.name, composed=None, mistakes=len(err.mistakes))
    return Draft(issue=composed.issue.name, composed=composed)


def road_of(config: Config, database: Database | None, draft: Draft) -> Road:
    """Return where an issue stands on its road. Without a `database`, nothing was tested, approved or sent yet."""
    composed = draft.composed if not draft.mistakes else None
    content_hash = composed.rendered.content_hash if composed else ""
    broadcasts = _broadcasts_of(database, draft.issue) if database else ()
    current = _current([each for each in broadcasts if each.broadcast.kind is BroadcastKind.ISSUE])
    return Road(
        issue=draft.issue,
        content_hash=content_hash,
        stations=(
            _composed(draft),
            _checked(draft.issue, composed),
            _tested(config, database, draft.issue, content_hash),
            _approved(config, database, draft.issue, content_hash),
            _scheduled(config, database, draft.issue, current),
            _sent(config, current, content_hash, broadcasts),
        ),
        broadcasts=broadcasts,
    )


def _broadcasts_of(database: Database, issue: str) -> tuple[BroadcastLine, ...]:
    found = (each for each in list_broadcasts(database) if each.issue == issue and each.kind in _ON_THE_ROAD)
    return tuple(line_of(database, each.id) for each in found)


def _current(broadcasts: Sequence[BroadcastLine]) -> BroadcastLine | None:
    """Return the broadcast that the road is about: one that is under way, or else the newest that was not canceled."""
    under_way = [each for each in broadcasts if each.broadcast.state not in _ENDED]
    sent = [each for each in broadcasts if each.broadcast.state is not BroadcastState.CANCELLED or _gone(each.tally)]
    return next(iter([*under_way, *sent, *broadcasts]), None)


def _gone(tally: Tally) -> int:
    """Return how many emails were, or may have been, accepted by the provider."""
    return tally.accepted + tally.unknown


def _composed(draft: Draft) -> Station:
    if not draft.mistakes and draft.composed is not None:
        return Station(step=Step.COMPOSED, is_passed=True)
    note = f"{count_of(draft.mistakes, 'error')} in its files." if draft.mistakes else "It cannot be built yet."
    command = f"newsletter check {quote(draft.issue)}"
    return Station(step=Step.COMPOSED, is_passed=False, note=note, command=command)


def _checked(issue: str, composed: Composed | None) -> Station:
    if composed is None or not composed.errors:
        return Station(step=Step.CHECKED, is_passed=composed is not None)
    errors = len(composed.errors)
    note = f"{count_of(errors, 'error')} {'blocks' if errors == 1 else 'block'} sending."
    command = f"newsletter check {quote(issue)}"
    return Station(step=Step.CHECKED, is_passed=False, note=note, command=command)


def _tested(config: Config, database: Database | None, issue: str, content_hash: str) -> Station:
    is_required = config.settings.delivery.require_test
    if not content_hash:
        return Station(step=Step.TESTED, is_passed=False, is_required=is_required)
    at = tested_at(database, issue, content_hash) if database else None
    if at is not None:
        return Station(
            step=Step.TESTED,
            is_passed=True,
            note=f"A test email was sent on {show_zoned(at, config.settings.newsletter.timezone)}.",
        )
    return Station(
        step=Step.TESTED,
        is_passed=False,
        is_required=is_required,
        note=_optional("No test email of this content has been sent.", is_required=is_required),
        command=f"newsletter test {quote(issue)} --to reviewers",
    )


def _approved(config: Config, database: Database | None, issue: str, content_hash: str) -> Station:
    is_required = config.settings.delivery.require_approval
    if not content_hash:
        return Station(step=Step.APPROVED, is_passed=False, is_required=is_required)
    given = standing_approvals(database, issue, content_hash) if database else ()
    if given:
        last, zone = given[-1], config.settings.newsletter.timezone
        return Station(
            step=Step.APPROVED, is_passed=True, note=f"{last.by} approved it on {show_zoned(last.at, zone)}."
        )
    why = why_unapproved(config, database, issue) if database else "no one has approved it"
    return Station(
        step=Step.APPROVED,
        is_passed=False,
        is_required=is_required,
        note=_optional(f"{why[0].upper()}{why[1:]}.", is_required=is_required),
        command=f"newsletter approve {quote(issue)} --by NAME",
    )


def _optional(note: str, *, is_required: bool) -> str:
    return note if is_required else f"Optional. {note}"


def _scheduled(config: Config, database: Database | None, issue: str, current: BroadcastLine | None) -> Station:
    if current is not None and current.broadcast.state is not BroadcastState.CANCELLED:
        broadcast = current.broadcast
        due, zone = broadcast.due_at, config.settings.newsletter.timezone
        when = f" for {say_time(due, zone)}" if due else ""
        whom = "a segment" if broadcast.segment == AD_HOC else broadcast.segment
        note = f"Broadcast {broadcast.id} to {whom}{when}."
        return Station(step=Step.SCHEDULED, is_passed=True, note=note)
    note = "No segment or time has been chosen yet." if database else _NO_LIST
    command = f"newsletter send {quote(issue)} --to everyone --dry-run" if database else "newsletter subscribers import"
    return Station(step=Step.SCHEDULED, is_passed=False, note=note, command=command)


def _sent(
    config: Config, current: BroadcastLine | None, content_hash: str, broadcasts: Sequence[BroadcastLine]
) -> Station:
    if current is None:
        return Station(step=Step.SENT, is_passed=False)
    broadcast, tally = current.broadcast, current.tally
    command = f"newsletter status {broadcast.id}"
    match broadcast.state:
        case BroadcastState.DONE:
            set_aside = f", {tally.deferred:,} set aside" if tally.deferred else ""
            changed = content_hash and content_hash != broadcast.content_hash
            later = " The issue was edited since then." if changed else ""
            follow_ups = [each.tally for each in broadcasts if each.broadcast.kind is BroadcastKind.FOLLOW_UP]
            followed = f" Follow-up: {sum(each.accepted for each in follow_ups):,} accepted." if follow_ups else ""
            note = f"{tally.accepted:,} of {people_of(_mailed(tally))} accepted{set_aside}.{later}{followed}"
            return Station(step=Step.SENT, is_passed=True, note=note, command=command)
        case BroadcastState.SCHEDULED:
            note = "It is waiting for its time."
        case BroadcastState.RUNNING:
            note = f"{_gone(tally):,} of {_mailed(tally):,} sent."
        case BroadcastState.WATCHING:
            at = broadcast.continues_at or broadcast.created_at
            until = say_time(at, config.settings.newsletter.timezone)
            first = people_of(_gone(tally))
            note = f"{first} got it first and are watched until {until}; the other {tally.waiting:,} wait."
        case BroadcastState.CANCELLED:
            reached = people_of(_gone(tally)) if _gone(tally) else "no one"
            note = f"Broadcast {broadcast.id} was canceled; it reached {reached}."
        case BroadcastState.CANCELLING:
            note = "It is being canceled."
        case _:
            note = shorten(f"{broadcast.state.value.capitalize()}: {_cause(broadcast)}", _LONGEST_NOTE, placeholder="…")
    return Station(step=Step.SENT, is_passed=False, note=note, command=command)


def _cause(broadcast: Broadcast) -> str:
    """Return why a broadcast has stopped, without the remedy, which its page and `status` give."""
    return f"{broadcast.reason.partition('; ')[0]}."


def _mailed(tally: Tally) -> int:
    """Return how many people a broadcast is for, without those who were left out."""
    return tally.frozen - tally.excluded


class ShelfState(Struct, frozen=True, kw_only=True):
    """How far an issue is, in a few words."""

    words: str  # for example `approved`, or `sent, 3 set aside`
    people: int = 0  # whom its broadcast is for; 0 if there is none
    at: datetime | None = None  # when it was sent, or is due


def shelf_states(database: Database, hashes: Mapping[str, str]) -> Mapping[str, ShelfState]:
    """Return how far each issue is, by name. `hashes` are the content hashes; an empty one is not known.

    Nothing is composed, so this is fast even for many issues.
    """
    broadcasts: dict[str, list[Broadcast]] = {}
    for each in list_broadcasts(database):
        if each.kind is BroadcastKind.ISSUE and each.issue in hashes:
            broadcasts.setdefault(each.issue, []).append(each)
    return {
        issue: _shelf_state(database, broadcasts.get(issue, ()), issue, content_hash)
        for issue, content_hash in hashes.items()
    }


def _shelf_state(database: Database, broadcasts: Sequence[Broadcast], issue: str, content_hash: str) -> ShelfState:
    # A canceled broadcast counts only if it reached someone, which needs its tally.
    lines = [line_of(database, each.id) for each in broadcasts]
    lines = [each for each in lines if each.broadcast.state is not BroadcastState.CANCELLED or _gone(each.tally)]
    current = _current(lines)
    if current is None:
        return ShelfState(words=_content_state(database, issue, content_hash))
    broadcast, tally = current.broadcast, current.tally
    words = "sending" if broadcast.state is BroadcastState.RUNNING else label_of(broadcast.state)
    if broadcast.state is BroadcastState.DONE:
        words = "sent"
        left = ((tally.deferred, "set aside"), (tally.unknown, "unconfirmed"))
        words = ", ".join((words, *(f"{number:,} {what}" for number, what in left if number)))
    at = broadcast.due_at if broadcast.state is BroadcastState.SCHEDULED else broadcast.finished_at
    people = sum(_mailed(each.tally) for each in lines)  # an issue may go to one segment after the other
    return ShelfState(words=words, people=people, at=at or broadcast.created_at)


def _content_state(database: Database, issue: str, content_hash: str) -> str:
    if content_hash and standing_approvals(database, issue, content_hash):
        return "approved"
    return "tested" if content_hash and tested_at(database, issue, content_hash) else "draft"
