"""Carry out what people who join are waiting for: the email that asks them to confirm, and the welcome email.

Everything that sends what is due calls this. It looks first whether anyone is waiting, which costs one query.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError, NewsletterError
from newsletter.language.counts import people_of
from newsletter.model.broadcast import BroadcastKind, BroadcastState
from newsletter.model.ledger import FreezeRequest
from newsletter.model.rendered import RenderedIssue
from newsletter.model.segment import OneOf, Segment
from newsletter.store.confirmations import Queued, queue_confirmations
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.freeze import preview_freeze
from newsletter.store.ledger.rolling import Answers, add_members, last_confirmation, running_answers
from newsletter.store.notices import notice_failure
from newsletter.store.signups import (
    DueWelcome,
    is_anyone_waiting,
    keep_welcomed,
    welcomes_due,
)
from newsletter.store.subscribers import known_fields
from newsletter.store.versions import chosen_version
from newsletter.system.environment import forget_key
from newsletter.system.log import Log
from newsletter.workflows.compose.compose import judge_rendered, render_folder, require_issue
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.preferences.link_letters import queue_links
from newsletter.workflows.segments import require_segments
from newsletter.workflows.send.approve import unmet_requirements
from newsletter.workflows.send.carry_out import DoneBroadcast, Work
from newsletter.workflows.send.confirmations import confirmations_of
from newsletter.workflows.send.versions import for_version

NEWCOMERS = "people who have just joined"
_RUSH = (
    "far more people than usual ask to join, and hardly any of them confirm it; someone may be entering other people's "
    "addresses. {count} are asked later. Look at your form; `newsletter cancel {broadcast}` ends today's emails"
)
_HELD = "no one who asks to join gets an email, because broadcast {broadcast} is not running; {count} are waiting"


def answer_newcomers(work: Work) -> Iterator[DoneBroadcast]:
    """Send the emails that people who join are waiting for, and yield the results."""
    queue_answers(work.config, work.database, now=work.clock(), log=work.log)
    for number in running_answers(work.database):
        stop = work.new_stop()
        if stop.is_set():
            return
        yield work.process(require_broadcast(work.database, number), stop=stop)


def queue_answers(config: Config, database: Database, *, now: datetime, log: Log) -> None:
    """Put in the ledger what people who join are waiting for. A mistake in the settings or in an issue is logged."""
    queue_links(config, database, now=now, log=log)
    if not is_anyone_waiting(database):
        return
    for queue in (_queue_confirmations, _queue_welcomes):
        try:
            queue(config, database, now=now, log=log)
        except NewsletterError as err:
            log(f"people who join are waiting for their email: {err}")


def _queue_confirmations(config: Config, database: Database, *, now: datetime, log: Log) -> None:
    queued = queue_confirmations(
        database,
        confirmations_of(config),
        day=f"{now.astimezone(ZoneInfo(config.settings.newsletter.timezone)):%Y-%m-%d}",
        key=forget_key(),
        now=now,
    )
    for reason, signups in queued.refused.items():
        log(f"{people_of(signups)} who asked to join got no email: {reason.value}")
    if queued.is_rush or queued.is_held:
        _tell(database, queued, now=now, log=log)


def _tell(database: Database, queued: Queued, *, now: datetime, log: Log) -> None:
    """Tell the reviewers that people wait, and why."""
    number = last_confirmation(database)
    words = (_RUSH if queued.is_rush else _HELD).format(count=people_of(queued.waiting), broadcast=number)
    log(words)
    if number is None:
        return
    broadcast = require_broadcast(database, number)
    if broadcast.state is BroadcastState.RUNNING:  # a notice holds as long as the state does, and this one ends at once
        broadcast = replace(broadcast, state=BroadcastState.DONE)
    notice_failure(database, broadcast, words, now=now)


def _queue_welcomes(config: Config, database: Database, *, now: datetime, log: Log) -> None:
    """Add people who have joined to the broadcast of the welcome issue, unless something is wrong with the issue."""
    due, name = welcomes_due(database), config.settings.signup.welcome
    if not due or name is None:
        _settle(database, due)
        return
    folder = require_issue(config, name)
    issue, rendered = render_folder(config, folder)
    if (chosen := chosen_version(database, issue.name)) in issue.versions:
        rendered = for_version(issue, rendered, chosen)
    only = require_segments(config, database, issue.only_segments, now=now)
    request = FreezeRequest(
        issue=issue.name,
        segment=Segment(name=NEWCOMERS, expression="", condition=OneOf("email", tuple(each.person for each in due))),
        axes=rendered.axes,
        only={each.name: each.condition for each in only},
        provider=config.settings.provider.use,
        content_hash=rendered.content_hash,
        envelope=envelope_of(config),
        topics=rendered.topics,
        kind=BroadcastKind.WELCOME,
    )
    try:
        preview = preview_freeze(database, request, now=now)
    except InputError:  # all of them have got it already, or have left again
        _settle(database, due)
        return
    rendered = rendered.judged_for(count.readership for count in preview.variants)
    composed = judge_rendered(config, issue, rendered, at=now, known_fields=known_fields(database))
    blocking = (*composed.errors, *unmet_requirements(config, database, issue.name, rendered.content_hash))
    if blocking:
        log(f"the welcome email waits: {'; '.join(str(finding) for finding in blocking)}")
        return
    _add(database, request, rendered, due, now=now, log=log)


def _add(
    database: Database,
    request: FreezeRequest,
    rendered: RenderedIssue,
    due: Sequence[DueWelcome],
    *,
    now: datetime,
    log: Log,
) -> None:
    answers = Answers(
        kind=request.kind,
        recipients=NEWCOMERS,
        provider=request.provider,
        content_hash=request.content_hash,
        envelope=request.envelope,
        variants={variant.readership: variant for variant in rendered.variants},
        topics=request.topics,
    )
    with database.transaction() as connection:
        missing = add_members(connection, request, answers, now=now)
        if missing is not None and not missing:  # otherwise someone's variant is rendered in the next run
            keep_welcomed(connection, [each.signup for each in due])
    if missing is None:
        log("the welcome email waits, because its broadcast is not running; look at `newsletter status`")


def _settle(database: Database, due: Sequence[DueWelcome]) -> None:
    if due:
        with database.transaction() as connection:
            keep_welcomed(connection, [each.signup for each in due])
