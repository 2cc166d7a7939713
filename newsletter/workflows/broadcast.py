"""Broadcast an issue to a segment: plan it, freeze it, hand it over, and take it up again after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.checks.registry import RULES
from newsletter.config import CONFIG_FILE, Config
from newsletter.errors import FindingsError, InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, Waiver
from newsletter.model.finding import Finding, Severity
from newsletter.model.ledger import FreezePreview, FreezeRequest
from newsletter.model.mistakes import suggestion
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import find_broadcast, list_broadcasts, resume_broadcast
from newsletter.store.ledger.freeze import freeze_broadcast, preview_freeze
from newsletter.store.ledger.record import adopt_orphans
from newsletter.store.subscribers import known_fields
from newsletter.workflows.compose import Composed, compose_issue
from newsletter.workflows.sample import envelope_of
from newsletter.workflows.segments import find_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastPlan:
    """What a broadcast would do, before it does anything."""

    composed: Composed
    request: FreezeRequest
    preview: FreezePreview
    blocking: tuple[Finding, ...]  # errors that no waiver overrides
    waived: tuple[Finding, ...]
    unused_waivers: tuple[str, ...]  # rules that were to be waived and found nothing

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What the checks found that does not hold the mail back."""
        return tuple(finding for finding in self.composed.findings if finding.severity is Severity.WARNING)


def plan_broadcast(
    config: Config,
    database: Database,
    folder: Path,
    *,
    segment: str,
    waivers: Sequence[Waiver],
    now: datetime,
) -> BroadcastPlan:
    """Composes and checks the issue as of now, and finds who would get what; the ledger stays as it is.

    Raises MistakesError, or InputError for an unknown segment or rule, or where nobody would get anything.
    """
    _require_rules(waivers)
    target = find_segment(config, database, segment)
    composed = compose_issue(config, folder, at=now, known_fields=known_fields(database))
    waived_rules = {waiver.rule for waiver in waivers}
    waived = tuple(finding for finding in composed.errors if finding.rule in waived_rules)
    used = {finding.rule for finding in waived}
    request = FreezeRequest(
        issue=composed.issue.name,
        segment=target,
        only=tuple(find_segment(config, database, name) for name in composed.issue.only_segments),
        provider=config.settings.provider.use,
        content_hash=composed.rendered.content_hash,
        envelope=envelope_of(config),
        waivers=tuple(waiver for waiver in waivers if waiver.rule in used),
    )
    return BroadcastPlan(
        composed=composed,
        request=request,
        preview=preview_freeze(database, request),
        blocking=tuple(finding for finding in composed.errors if finding.rule not in waived_rules),
        waived=waived,
        unused_waivers=tuple(sorted(waived_rules - used)),
    )


def start_broadcast(database: Database, plan: BroadcastPlan, provider: Provider, *, now: datetime) -> Broadcast:
    """Freezes the broadcast; from here on it is in the ledger, with its content.

    Raises FindingsError where an error holds the mail back, InputError where nobody would get anything.
    """
    if plan.blocking:
        raise FindingsError("\n".join(str(finding) for finding in plan.blocking))
    variants = {variant.segments: variant for variant in plan.composed.rendered.variants}
    return freeze_broadcast(database, plan.request, variants, chunk_size=provider.chunk_size, now=now)


def reopen_broadcast(database: Database, broadcast_id: int | None, provider: Provider, *, now: datetime) -> Broadcast:
    """Lets a broadcast go on that `find_unfinished` finds; raises InputError where it has ended, too."""
    return resume_broadcast(database, find_unfinished(database, broadcast_id, provider, now=now).id)


def find_unfinished(database: Database, broadcast_id: int | None, provider: Provider, *, now: datetime) -> Broadcast:
    """The broadcast to go on with, still held back if it was; what a dead process was handing over becomes unknown.

    Without a number it is the only one that has not ended. Raises InputError where there is none, several, or it
    began with another provider.
    """
    found = find_broadcast(database, broadcast_id) if broadcast_id is not None else _only_unfinished(database)
    if found.provider != provider.name:
        raise InputError(
            f"broadcast {found.id} began with {found.provider}, but {CONFIG_FILE} now uses {provider.name}; "
            "set [provider] use back to go on"
        )
    adopt_orphans(database, found.id, now=now)
    return found


def _only_unfinished(database: Database) -> Broadcast:
    open_states = {BroadcastState.RUNNING, BroadcastState.PAUSED}
    unfinished = [broadcast for broadcast in list_broadcasts(database) if broadcast.state in open_states]
    if not unfinished:
        raise InputError("no broadcast is unfinished; `newsletter status` lists all of them")
    if len(unfinished) > 1:
        numbers = ", ".join(str(broadcast.id) for broadcast in unfinished)
        raise InputError(
            f"several broadcasts are unfinished: {numbers}; name one: newsletter resume {unfinished[-1].id}"
        )
    return unfinished[0]


def _require_rules(waivers: Sequence[Waiver]) -> None:
    known = [rule.id for rule in RULES]
    for waiver in waivers:
        if waiver.rule not in known:
            raise InputError(f"there is no check {waiver.rule}; {suggestion(waiver.rule, known)}")
        if not waiver.because.strip():
            raise InputError(f'the waiver of {waiver.rule} has no reason; add --because "…"')
