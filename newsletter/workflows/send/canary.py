"""A canary: a small part of the recipients get the issue first, and what comes back about them can stop the rest.

The chance of stopping although all is well is ALPHA. It is divided among what is watched, and between the first part,
whose size is fixed, and all that is sent after it (`statistics/sequential.py`). Complaints are rare, so they get most.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil, log

import orjson
from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.counts import people_of
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.ledger import FreezePreview, FreezeRequest
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.waves import Baseline, Feedback, Watch, WaveDecision, WaveJudgment, Waves, WaveState
from newsletter.statistics.intervals import rate_interval
from newsletter.statistics.sequential import evidence_limit, limit_of, power, smallest
from newsletter.store.database import Database
from newsletter.store.ledger.feedback import CameBack, came_back, earlier_broadcasts, is_anything_known
from newsletter.workflows.send.pace import opens_at, pace_of

ALPHA = 0.005  # the chance of stopping a broadcast although all is well
POWER = 0.8  # a first part that notices trouble with less than this chance is too small
_OF_FIRST: Mapping[
    Feedback, float
] = {  # the parts of ALPHA for the first part of a broadcast; the rest is for the others
    Feedback.COMPLAINTS: 0.7,
    Feedback.BOUNCES: 0.06,
    Feedback.LEAVERS: 0.06,
    Feedback.REFUSALS: 0.06,
}
_OF_OTHERS = (1 - sum(_OF_FIRST.values())) / len(Feedback)
# What is usual if earlier issues had less, and how much worse it must be to be found. Gmail's limit for complaints is
# 0.3 %, and 0.1 % is what it advises (https://support.google.com/mail/answer/81126).
_STATED: Mapping[Feedback, Baseline] = {
    Feedback.COMPLAINTS: Baseline(usual=0.0008, worse=0.005),
    Feedback.BOUNCES: Baseline(usual=0.01, worse=0.03),
    Feedback.LEAVERS: Baseline(usual=0.005, worse=0.02),
    Feedback.REFUSALS: Baseline(usual=0.002, worse=0.02),
}
_MOST_USUAL = 0.3
_ISSUES = 5  # earlier issues to compare with
_SILENT = MailboxProvider.GMAIL  # it tells no sender who complained
# How complaints are assumed to come: from minutes to a day later, and as many between one and two hours as between two
# and four.
_SOONEST, _LATEST = timedelta(minutes=5), timedelta(days=1)
_SMALLEST = 100  # people; fewer show nothing, and a share of a small list is a handful
_FEW = 0.5  # if less than this part of the first was sent, too little is known about the rest

_WORDS: Mapping[Feedback, str] = {
    Feedback.COMPLAINTS: "marked it as spam",
    Feedback.BOUNCES: "bounced",
    Feedback.LEAVERS: "unsubscribed",
    Feedback.REFUSALS: "refused by a policy",
}


class CanaryWish(Struct, frozen=True, kw_only=True):
    """What the user wants: a first part, none, or what the settings say; and perhaps how many people are in it."""

    is_wanted: bool | None = None
    people: int | None = None


class CanaryPlan(Struct, frozen=True, kw_only=True):
    """The first part of a broadcast, before the freeze."""

    waves: Waves
    people: int  # in the first part
    known: int  # those of them whose complaints can be known
    power: float  # the chance that the complaints found are enough to stop the rest, at the worse rate
    enough: int | None  # the smallest first part from `people` on with POWER; None if the recipients are too few
    tells: bool  # whether the settings have a way in which bounces and complaints come back

    def ends_at(self, now: datetime) -> datetime:
        """Return when the others can leave at the earliest, for a broadcast that begins now or at its time."""
        return (self.waves.first_at or now) + self.waves.watch

    @property
    def is_too_small(self) -> bool:
        """Whether it would often not notice that people complain."""
        return self.power < POWER


class Count(Struct, frozen=True, kw_only=True):
    """How often one kind of feedback came back, of how many emails, and the limit at this moment."""

    kind: Feedback
    count: int
    of: int
    limit: int

    @property
    def is_too_many(self) -> bool:
        """Whether it reaches the limit."""
        return self.count >= self.limit

    @property
    def words(self) -> str:
        """Return the count for people: `3 of 2,500 bounced (45 are too many)`."""
        return f"{self.count:,} of {self.of:,} {_WORDS[self.kind]} ({self.limit:,} would be too many)"


def wants_canary(config: Config, wish: CanaryWish, kind: BroadcastKind) -> bool:
    """Return whether a first part is wanted, perhaps depending on the number of recipients."""
    if wish.is_wanted is not None or wish.people is not None:
        return wish.is_wanted is not False
    return config.settings.canary.above is not None and kind is BroadcastKind.ISSUE


def provisional(config: Config) -> Waves:
    """Return waves with which a preview counts the recipients by mailbox provider."""
    settings = config.settings.canary
    return Waves(seed=secrets.token_hex(8), shares={"": settings.share / 100}, watch=settings.watch, is_canary=True)


def plan_canary(
    config: Config,
    database: Database,
    request: FreezeRequest,
    preview: FreezePreview,
    wish: CanaryWish,
    *,
    now: datetime,
) -> CanaryPlan | None:
    """Return the first part of a broadcast, or None if the recipients are too few for the settings to want one.

    If its versions are compared, those who get them are the first part. Raise InputError if a first part was asked for,
    and the recipients are too few.
    """
    waves, settings = request.waves, config.settings.canary
    everyone, is_asked = preview.recipients, wish.is_wanted or wish.people is not None
    if waves is None or not (is_asked or (settings.above is not None and everyone > settings.above)):
        return None
    people = _people(wish, waves, everyone)
    if people * 2 > everyone:
        raise InputError(
            f"a first part of {people_of(people)} is more than half of the {people_of(everyone)} who get the issue; "
            "leave out --canary"
        )
    if not waves.axis:
        waves = replace(waves, shares={"": people / everyone})
    stated = baselines(database, request.kind, request.provider, now=now)
    waves = replace(
        waves, is_canary=True, baselines=stated, first_at=_first_at(config, preview, waves, request, now=now)
    )
    silent = preview.mailboxes.get(_SILENT, 0) / everyone
    complaints, alpha = stated[Feedback.COMPLAINTS], ALPHA * _OF_FIRST[Feedback.COMPLAINTS]
    known, worse = round(people * (1 - silent)), complaints.worse * known_by(waves.watch)
    found = smallest(complaints.usual, worse, alpha, POWER, known)
    enough = ceil(found / (1 - silent)) if silent < 1 else everyone
    return CanaryPlan(
        waves=waves,
        people=people,
        known=known,
        power=power(known, complaints.usual, worse, alpha),
        enough=enough if enough * 2 <= everyone else None,
        tells=_tells(config),
    )


def waves_with(planned: Waves | None, canary: CanaryPlan | None) -> Waves | None:
    """Return the waves of a broadcast: those of its canary, or of its versions, or None."""
    if canary is not None:
        return canary.waves
    return planned if planned is not None and planned.axis else None


def _people(wish: CanaryWish, waves: Waves, everyone: int) -> int:
    if waves.axis:
        return round(everyone * sum(waves.shares.values()))
    return wish.people or max(round(everyone * sum(waves.shares.values())), _SMALLEST)


def _first_at(
    config: Config, preview: FreezePreview, waves: Waves, request: FreezeRequest, *, now: datetime
) -> datetime | None:
    """Return when the first part is due, so that the others can get the issue at their time if all is well.

    If that is past, it is due at once, and the others get the issue when the time of watching is over.
    """
    if request.schedule is None:
        return None
    moments = [zone.due_at for zone in preview.zones] or [request.schedule.moment_in(request.schedule.zone)]
    earliest = min(each for each in moments if each > now)
    begins, window = max(earliest - waves.watch, now), pace_of(config).window
    return begins if window is None else opens_at(window, begins)


def baselines(database: Database, kind: BroadcastKind, provider: str, *, now: datetime) -> dict[Feedback, Baseline]:
    """Return what is usual: what is stated, or the most that the last issues had, within what is certain."""
    earlier = [
        came_back(database, each, now=now) for each in earlier_broadcasts(database, kind, provider, most=_ISSUES)
    ]
    found = {}
    for feedback, stated in _STATED.items():
        of = sum(each.tried(feedback) for each in earlier)
        high = rate_interval(sum(each.counts[feedback] for each in earlier), of).high if of >= 1 / stated.usual else 0.0
        usual = min(max(high, stated.usual), _MOST_USUAL)
        worse = min(max(stated.worse, usual * stated.worse / stated.usual / 2), 3 * _MOST_USUAL)
        found[feedback] = Baseline(usual=usual, worse=worse)
    return found


def known_by(span: timedelta) -> float:
    """Return which part of the complaints is assumed to be known after a time."""
    if span <= _SOONEST:
        return 0.0
    return min(log(span / _SOONEST) / log(_LATEST / _SOONEST), 1.0)


def counts_of(watch: Watch, back: CameBack) -> tuple[Count, ...]:
    """Return what came back, by kind. Complaints are counted among those whose complaints can be known."""
    return tuple(_count(watch, back, kind) for kind in Feedback)


def _count(watch: Watch, back: CameBack, kind: Feedback) -> Count:
    """Return one count. Its limit is Wald's at any time, and that of the first part until the others get the issue."""
    usual, first, of = watch.plan.baselines[kind], watch.first, back.tried(kind)
    if kind is Feedback.COMPLAINTS and watch.first:  # the draw is the same for all mailbox providers
        first = watch.first_without(_SILENT)
        of = ceil(of * first / watch.first)
    limit = evidence_limit(of, usual.usual, usual.worse, ALPHA * _OF_OTHERS)
    if watch.state in {WaveState.FIRST, WaveState.WATCHING}:
        limit = min(limit, limit_of(first, usual.usual, ALPHA * _OF_FIRST[kind]))
    return Count(kind=kind, count=back.counts[kind], of=of, limit=limit)


def judge_canary(config: Config, database: Database, watch: Watch, is_over: bool, now: datetime) -> WaveJudgment | None:
    """Return whether what came back stops the broadcast, lets the rest follow, or is not known well enough yet."""
    if not watch.plan.is_canary:
        return None
    back = came_back(database, watch.broadcast, now=now)
    counts = counts_of(watch, back)
    figures = orjson.dumps({each.kind.value: [each.count, each.of, each.limit] for each in counts}).decode()
    if worst := [each for each in counts if each.is_too_many]:
        reason = "; ".join(_alarm(watch, each) for each in worst)
        return WaveJudgment(decision=WaveDecision.HOLD, reason=reason, figures=figures)
    if not is_over:
        return WaveJudgment()
    if doubt := _doubt(config, database, watch, back):
        return WaveJudgment(decision=WaveDecision.HOLD, reason=doubt, figures=figures)
    seen = ", ".join(f"{each.count:,} {_WORDS[each.kind]}" for each in counts)
    return WaveJudgment(decision=WaveDecision.RELEASE, reason=f"of the first {back.sent:,}, {seen}", figures=figures)


def _alarm(watch: Watch, each: Count) -> str:
    usual = watch.plan.baselines[each.kind].usual
    return f"{each.count:,} of {each.of:,} {_WORDS[each.kind]}, and {each.of * usual:,.1f} would be usual"


def _doubt(config: Config, database: Database, watch: Watch, back: CameBack) -> str:
    """Return why too little is known about the first part, or an empty string if enough is."""
    if back.sent < watch.first * _FEW:
        return f"only {back.sent:,} of the first {watch.first:,} emails were accepted, so too little is known"
    if not _tells(config):
        return "nothing tells this program of bounces and complaints, so it is not known how the first part went"
    if _reports_all(config) and not is_anything_known(database, watch.broadcast):
        return (
            f"the provider has reported nothing about the first {back.sent:,} emails, not even that they were "
            "delivered; run `newsletter doctor` to see whether its reports arrive"
        )
    return ""


def _tells(config: Config) -> bool:
    """Return whether bounces and complaints can come back. The outbox writes files, so there are none."""
    return config.settings.provider.use == "outbox" or config.settings.mailbox is not None or _reports_all(config)


def _reports_all(config: Config) -> bool:
    """Return whether the provider reports what happens to each email."""
    provider = config.settings.provider
    return provider.use == "sendgrid" and bool(provider.sendgrid.webhook_keys)
