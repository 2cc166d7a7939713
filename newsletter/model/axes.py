"""The axes: the ways in which an issue differs between its readers.

An axis has a list of values, a function that returns the value of a `Reader`, and a rule that gives a stored subscriber
the same value. The store compiles the rule to SQL when it freezes a broadcast; a preview calls the function. Both are
defined here side by side, and a test compares them, so a preview shows what is sent.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from newsletter.model.issue import Issue
from newsletter.model.language_choice import suitable_languages
from newsletter.model.mailbox import APPS_OF_MAILBOX, PROVIDER_OF_DOMAIN, MailboxProvider
from newsletter.model.readership import (
    HIDDEN,
    LANGUAGE,
    MAILBOX,
    ONLY,
    SHOWN,
    TRACKING,
    VERSION,
    VERSIONS,
    Reader,
    Readership,
    TrackingMode,
)
from newsletter.model.segment import Condition


class InSegment(Struct, frozen=True):
    """True for the members of a segment of the workspace."""

    name: str


class AgreesToTracking(Struct, frozen=True):
    """True for people who have agreed that we record what they open and click."""


class Chosen(Struct, frozen=True):
    """True if an earlier axis has this value."""

    axis: str
    value: str


class Case(Struct, frozen=True):
    """The value for readers who pass all of the tests."""

    tests: tuple[Condition | InSegment | Chosen | AgreesToTracking, ...]
    value: str


class Cases(Struct, frozen=True):
    """The value of the first case that is true, or `otherwise` if none is."""

    cases: tuple[Case, ...]
    otherwise: str


class Key(StrEnum):
    """The property of a subscriber by which a value is looked up."""

    DOMAIN = "domain"  # the part of the address after the last @, in its ASCII form
    TIMEZONE = "timezone"
    LANGUAGE = "language"


class Lookup(Struct, frozen=True):
    """The value that a table gives for a key, or `otherwise` for a key that is not in it."""

    key: Key
    table: Mapping[str, str]
    otherwise: str


class FirstOpen(Struct, frozen=True):
    """The first value that `ranked` lists for a key and that no earlier choice bars, or `otherwise` if there is none.

    `ranked` is called once for each key that occurs in the list.
    """

    key: Key
    ranked: Callable[[str], tuple[str, ...]]
    barred: Mapping[str, tuple[Chosen, ...]]  # a value = the choices that bar it
    otherwise: str


class Axis(Struct, frozen=True, kw_only=True):
    """One way in which one issue differs between its readers."""

    name: str  # unique within the issue
    values: tuple[str, ...]  # all values in this issue, in the order in which they are shown
    plainest: str  # the value with which the issue shows the least
    fullest: str  # the value with which it shows the most
    value_of: Callable[[Reader, Mapping[str, str]], str]  # also receives the values of the axes before it
    rule: Cases | Lookup | FirstOpen  # gives the same value for a stored subscriber
    is_told_by_address: bool = False  # the address decides the value, so each reviewer has their own value


def only_axis(segment: str) -> Axis:
    """Return the axis for a segment named by `only:`, whose sections only its members see."""
    return Axis(
        name=f"{ONLY}{segment}",
        values=(HIDDEN, SHOWN),
        plainest=HIDDEN,
        fullest=SHOWN,
        value_of=lambda reader, _: SHOWN if segment in reader.segments else HIDDEN,
        rule=Cases((Case((InSegment(segment),), SHOWN),), otherwise=HIDDEN),
    )


def mailbox_axis() -> Axis:
    """Return the mailbox axis, for sections that show each reader the steps for their own mailbox provider."""
    others = [provider for provider in APPS_OF_MAILBOX if provider is not MailboxProvider.OTHER]
    return Axis(
        name=MAILBOX,
        values=tuple(APPS_OF_MAILBOX),
        plainest=MailboxProvider.OTHER,
        fullest=MailboxProvider.OTHER,
        value_of=lambda reader, _: reader.mailbox if reader.mailbox in others else MailboxProvider.OTHER,
        rule=Lookup(
            Key.DOMAIN,
            {domain: provider for domain, provider in PROVIDER_OF_DOMAIN.items() if provider in others},
            otherwise=MailboxProvider.OTHER,
        ),
        is_told_by_address=True,
    )


def language_axis(
    languages: tuple[str, ...],
    barred: Mapping[str, frozenset[str]] = MappingProxyType({}),
    instead: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Axis:
    """Return the axis of the email's language: the best for each reader in which everything that they see is written.

    The first of the `languages` is the issue's own. A language is `barred` for the readers of some segments, because
    a section that they see is not translated. `instead` is as in `suitable_languages`.
    """
    own = languages[0]
    bars = {code: tuple(Chosen(f"{ONLY}{name}", SHOWN) for name in sorted(names)) for code, names in barred.items()}

    def ranked(wanted: str) -> tuple[str, ...]:
        return suitable_languages(wanted, languages, instead)

    def value_of(reader: Reader, before: Mapping[str, str]) -> str:
        def is_open(code: str) -> bool:
            return not any(before[choice.axis] == choice.value for choice in bars.get(code, ()))

        return next(filter(is_open, ranked(reader.language)), own)

    return Axis(
        name=LANGUAGE,
        values=languages,
        plainest=own,
        fullest=own,
        value_of=value_of,
        rule=FirstOpen(Key.LANGUAGE, ranked, bars, otherwise=own),
    )


def tracking_axis(mode: TrackingMode) -> Axis:
    """Return the axis of tracking. If it needs consent, those who have not agreed get the email without it."""
    needs_consent = mode is TrackingMode.CONSENTED
    without = TrackingMode.OFF if needs_consent else mode
    return Axis(
        name=TRACKING,
        values=(without, mode) if needs_consent else (mode,),
        plainest=without,
        fullest=mode,
        value_of=lambda reader, _: mode if reader.agrees_to_tracking else without,
        rule=Cases((Case((AgreesToTracking(),), mode),) if needs_consent else (), otherwise=without),
    )


def version_axis(versions: tuple[str, ...], given: str = VERSIONS[0]) -> Axis:
    """Return the axis of the versions of an issue. All who were not drawn for a version get the `given` one."""
    return Axis(
        name=VERSION,
        values=versions,
        plainest=versions[0],
        fullest=versions[0],
        value_of=lambda reader, _: reader.version if reader.version in versions else given,
        rule=Cases((), otherwise=given),
    )


def _language_axes(issue: Issue, _: TrackingMode) -> Iterable[Axis]:
    languages = issue.languages
    barred = {code: issue.barred(code) for code in languages}
    return [language_axis(languages, barred, issue.instead)] if len(languages) > 1 else []


# All axes. An axis may read the values of the axes before it.
AXES: tuple[Callable[[Issue, TrackingMode], Iterable[Axis]], ...] = (
    lambda issue, _: map(only_axis, issue.only_segments),
    lambda issue, _: [mailbox_axis()] if issue.differs_by_mailbox else [],
    _language_axes,
    lambda _, mode: [] if mode is TrackingMode.OFF else [tracking_axis(mode)],
    lambda issue, _: [version_axis((VERSIONS[0], *issue.versions))] if issue.versions else [],
)


def axes_of(issue: Issue, tracking: TrackingMode = TrackingMode.OFF) -> tuple[Axis, ...]:
    """Return the axes of an issue. Each comes after the axes whose values it reads."""
    return tuple(axis for unfold in AXES for axis in unfold(issue, tracking))


def readership_of(reader: Reader, axes: Iterable[Axis]) -> Readership:
    """Return the readership of a reader."""
    values: dict[str, str] = {}
    for axis in axes:
        values[axis.name] = axis.value_of(reader, values)
    return Readership.of(values)


def fullest_readership(axes: Iterable[Axis]) -> Readership:
    """Return the readership that sees the most."""
    return Readership.of({axis.name: axis.fullest for axis in axes})


def plainest_readership(axes: Iterable[Axis]) -> Readership:
    """Return the readership that sees the least: everyone for whom the issue has nothing special."""
    return Readership.of({axis.name: axis.plainest for axis in axes})


def judged_readerships(axes: Iterable[Axis]) -> tuple[Readership, ...]:
    """Return the readerships to check when there is no list, each once. The one that sees the most comes first.

    There is one readership for every value of every axis, with the fullest value on all other axes, so each section
    is checked with each value. If that bars the value, the other axis has its plainest value. The readership that sees
    the least comes last. All of this is repeated for each version of the issue, as any part of it may differ.
    """
    axes = tuple(axes)
    fullest = fullest_readership(axes)
    plainest = {axis.name: axis.plainest for axis in axes}
    single = []
    for axis in axes:
        bars = axis.rule.barred if isinstance(axis.rule, FirstOpen) else {}
        for value in axis.values:
            readership = fullest.having(axis.name, value)
            for choice in bars.get(value, ()):
                readership = readership.having(choice.axis, plainest[choice.axis])
            single.append(readership)
    return in_every_version([fullest, *single, plainest_readership(axes)], axes)


def in_every_version(readerships: Iterable[Readership], axes: Iterable[Axis]) -> tuple[Readership, ...]:
    """Return these readerships in each version of the issue, each once. All of version A come first."""
    given = tuple(readerships)
    versions = next((axis.values for axis in axes if axis.name == VERSION), ("",))
    return tuple(dict.fromkeys(each.having(VERSION, version) for version in versions for each in given))
