"""The comparison of versions of an issue, before it is sent: how it is done, and whether it can tell."""

import secrets
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.language.clock import say_span
from newsletter.language.counts import people_of
from newsletter.model.axes import version_axis
from newsletter.model.issue import Issue
from newsletter.model.ledger import VariantCount
from newsletter.model.readership import VERSION, VERSIONS, TrackingMode
from newsletter.model.rendered import RenderedIssue
from newsletter.model.waves import Waves
from newsletter.statistics.winner import POWER, chance_to_tell, smallest_sample
from newsletter.store.database import Database
from newsletter.store.versions import usual_reaction
from newsletter.workflows.send.winner import CLICKS, ME, OPENS

# What is worth finding, and what is assumed before there are earlier issues: a rate within the time of waiting.
_WORTH: Mapping[str, float] = {CLICKS: 0.5, OPENS: 0.2}
_ASSUMED: Mapping[str, float] = {CLICKS: 0.03, OPENS: 0.3}
_EARLIER, _FEWEST_KNOWN = 5, 200
_SMALL = 0.01  # a chance that is not worth more digits


class ComparisonPower(Struct, frozen=True, kw_only=True):
    """Whether the comparison is likely to find a better version, and what it would need for that."""

    winner: str
    known: int  # how many people per version we may know the reaction of
    rate: float  # how many of them are expected to react
    is_assumed: bool  # whether the rate is not that of earlier issues
    worth: float  # by how much a better version is better, at least
    chance: float  # to find it
    needed: int  # people per version whose reaction is known
    share: int | None  # the smallest share in percent that is enough; None if none is

    @property
    def is_enough(self) -> bool:
        """Whether the chance is at least 80 %."""
        return self.chance >= POWER


def version_waves(issue: Issue, mode: TrackingMode) -> Waves | None:
    """Return how the versions of an issue leave first, or None if it has only one.

    Raise InputError if what is to decide is not recorded.
    """
    if not issue.versions:
        return None
    test, versions = issue.fields.versions, (VERSIONS[0], *issue.versions)
    if test.unclear not in (*versions, ME):
        place = issue.source.at("versions", "unclear")
        what = f"{place}: the issue has no version {test.unclear}"
        raise InputError(f"{what}; write one of {', '.join(versions)}, or {ME}")
    return Waves(
        seed=secrets.token_hex(8),
        shares=dict.fromkeys(versions, test.share / 100 / len(versions)),
        axis=VERSION,
        watch=test.wait,
        winner=decider(issue, mode),
        unclear=test.unclear,
        tracking=mode,
    )


def for_version(issue: Issue, rendered: RenderedIssue, version: str) -> RenderedIssue:
    """Return an issue of which everyone gets one version. Raise InputError if it has no such version."""
    versions = (VERSIONS[0], *issue.versions)
    if version not in versions:
        raise InputError(f"--version: {issue.name} has no version {version!r}; choose from {', '.join(versions)}")
    axes = (version_axis(versions, version) if axis.name == VERSION else axis for axis in rendered.axes)
    return replace(rendered, axes=tuple(axes))


def decider(issue: Issue, mode: TrackingMode) -> str:
    """Return what decides: clicks or opens if they are known for each person, or else the director.

    Raise InputError if the issue asks for what is not recorded.
    """
    test, is_known = issue.fields.versions, mode is TrackingMode.CONSENTED
    if test.winner in {CLICKS, OPENS} and not is_known:
        place = issue.source.at("versions", "winner")
        why = "who clicked is not recorded" if test.winner == CLICKS else "who opened it is not recorded"
        remedy = f'write `winner: {ME}`, or set mode = "consented" under [tracking] in newsletter.toml'
        raise InputError(f"{place}: the winner cannot be decided by {test.winner}, because {why}; {remedy}")
    return test.winner or (CLICKS if is_known else ME)


def power_of(database: Database, waves: Waves, variants: Sequence[VariantCount]) -> ComparisonPower | None:
    """Return whether the comparison can tell, or None if a person decides. `variants` are those of all recipients."""
    if waves.winner == ME:
        return None
    tracked = sum(each.deliveries for each in variants if each.readership.tracking is TrackingMode.CONSENTED)
    part = next(iter(waves.shares.values()))
    versions, known = len(waves.shares), int(tracked * part)
    usual = usual_reaction(database, within=waves.watch, most=_EARLIER)
    reacted = usual.opened if waves.winner == OPENS else usual.clicked
    is_assumed = usual.known < _FEWEST_KNOWN or not reacted
    rate = _ASSUMED[waves.winner] if is_assumed else reacted / usual.known
    worth = min(_WORTH[waves.winner], 1 / rate - 1)
    needed = smallest_sample(rate, worth, versions) if worth else None
    share = -(-needed * versions * 100 // tracked) if needed and tracked else None
    return ComparisonPower(
        winner=waves.winner,
        known=known,
        rate=rate,
        is_assumed=is_assumed,
        worth=worth,
        chance=chance_to_tell(known, rate, worth, versions),
        needed=needed or 0,
        share=share if share is not None and share <= 90 else None,
    )


def version_facts(issue: Issue, waves: Waves, recipients: int, power: ComparisonPower | None) -> list[tuple[str, str]]:
    """Return what differs between the versions, who gets them, and how it is decided, as names and values."""
    named = ", ".join(f"{round(recipients * share):,} get {version}" for version, share in waves.shares.items())
    facts = [
        ("versions", "\n".join(f"{name}: {', '.join(_differs(issue, name))}" for name in issue.versions)),
        ("first", f"{named}, drawn at random"),
        ("then", _then(waves)),
    ]
    return [*facts, ("can tell", _power_line(power))] if power else facts


def _differs(issue: Issue, name: str) -> Iterator[str]:
    """Yield what is different in a version of an issue from version A."""
    version = issue.in_version(name)
    for key in ("subject", "preheader", "title"):
        if (text := getattr(version.fields, key)) != getattr(issue.fields, key):
            yield f"{key} “{issue.readable(text)}”"
    own = {section.name: section for section in issue.sections}
    yield from (f"section {each.name}" for each in version.sections if each.fingerprint != own[each.name].fingerprint)


def _then(waves: Waves) -> str:
    wait = say_span(waves.watch)
    if waves.winner == ME:
        known = "no opens or clicks are known; " if waves.tracking is TrackingMode.OFF else ""
        what = "you decide which version all others get: `newsletter winner`"
        return f"{known}{what}; after {wait}, the reviewers get an email about it"
    unclear = "you decide" if waves.unclear == ME else f"they get version {waves.unclear}"
    better = f"all others get the version with clearly more {waves.winner}, as soon as that is clear"
    return f"{better}; if it is not after {wait}, {unclear}"


def _power_line(power: ComparisonPower) -> str:
    chance = f"{power.chance:.0%}" if power.chance >= _SMALL else f"less than {_SMALL:.0%}"
    base = f"{power.rate:.1%} {'are assumed' if power.is_assumed else 'usually'}"
    known = f"{people_of(power.known)} per version have agreed to tracking"
    found = f"a version with {power.worth:.0%} more {power.winner} ({base}) is found with a chance of {chance}"
    if power.is_enough:
        return f"yes: {known}; {found}"
    if power.share:
        need = f"{power.needed:,} per version would be enough: `share: {power.share} %`"
    else:
        need = f"{power.needed:,} per version would be enough, more than this segment has"
    return f"hardly: {known}; {found}\n{need}"
