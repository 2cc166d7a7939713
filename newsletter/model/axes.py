"""The axes: the ways in which an issue differs between its readers.

An axis knows the values that it has in an issue, the value that a `Reader` has, and by which rule a stored subscriber
has the same one. The store compiles the rule to SQL when it freezes a broadcast; a preview asks for the reader's value.
Since both are stated here side by side, and a test holds them against each other, a preview shows what is sent.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from newsletter.model.issue import Issue
from newsletter.model.mailbox import APPS_OF_MAILBOX, PROVIDER_OF_DOMAIN, MailboxProvider
from newsletter.model.readership import HIDDEN, LANGUAGE, MAILBOX, ONLY, SHOWN, Reader, Readership
from newsletter.model.segment import Condition


class InSegment(Struct, frozen=True):
    """True of the members of a segment of the workspace."""

    name: str


class Chosen(Struct, frozen=True):
    """True where an axis before this one has a value."""

    axis: str
    value: str


class Case(Struct, frozen=True):
    """A value for those of whom all of some tests are true."""

    tests: tuple[Condition | InSegment | Chosen, ...]
    value: str


class Cases(Struct, frozen=True):
    """The value of the first case that is true; `otherwise` where none is."""

    cases: tuple[Case, ...]
    otherwise: str


class Key(StrEnum):
    """What of a subscriber a value can be looked up by."""

    DOMAIN = "domain"  # what follows the last @ of the address, in its ASCII form
    TIMEZONE = "timezone"


class Lookup(Struct, frozen=True):
    """The value that a table has for a key; `otherwise` for a key that is not in it."""

    key: Key
    table: Mapping[str, str]
    otherwise: str


class Axis(Struct, frozen=True, kw_only=True):
    """One way in which one issue differs between its readers."""

    name: str  # unique within the issue
    values: tuple[str, ...]  # those that the issue has, in the order in which people are told of them
    plainest: str  # the value with which the issue shows the least
    fullest: str  # the value with which it shows the most
    value_of: Callable[[Reader, Mapping[str, str]], str]  # given the values of the axes before it
    rule: Cases | Lookup  # gives a stored subscriber the same value
    is_told_by_address: bool = (
        False  # whether the address alone decides it, so that a reviewer has a value of their own
    )


def only_axis(segment: str) -> Axis:
    """Return the axis of a segment that some section is shown to alone."""
    return Axis(
        name=f"{ONLY}{segment}",
        values=(HIDDEN, SHOWN),
        plainest=HIDDEN,
        fullest=SHOWN,
        value_of=lambda reader, _: SHOWN if segment in reader.segments else HIDDEN,
        rule=Cases((Case((InSegment(segment),), SHOWN),), otherwise=HIDDEN),
    )


def mailbox_axis() -> Axis:
    """Return the axis of who runs the reader's mailbox, for sections that show the steps for each reader's own."""
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


def language_axis(language: str) -> Axis:
    """Return the axis of the language of the mail: an issue has one so far."""
    return Axis(
        name=LANGUAGE,
        values=(language,),
        plainest=language,
        fullest=language,
        value_of=lambda _reader, _before: language,
        rule=Cases((), otherwise=language),
    )


# What an issue can differ by, in the order in which the axes may read each other.
AXES: tuple[Callable[[Issue], Iterable[Axis]], ...] = (
    lambda issue: map(only_axis, issue.only_segments),
    lambda issue: [mailbox_axis()] if issue.differs_by_mailbox else [],
    lambda issue: [language_axis(issue.language)],
)


def axes_of(issue: Issue) -> tuple[Axis, ...]:
    """Return the axes along which an issue differs, each after those that it reads."""
    return tuple(axis for unfold in AXES for axis in unfold(issue))


def readership_of(reader: Reader, axes: Iterable[Axis]) -> Readership:
    """Return the readership that a reader belongs to."""
    values: dict[str, str] = {}
    for axis in axes:
        values[axis.name] = axis.value_of(reader, values)
    return Readership.of(values)


def fullest_readership(axes: Iterable[Axis]) -> Readership:
    """Return the readership that sees the most."""
    return Readership.of({axis.name: axis.fullest for axis in axes})


def judged_readerships(axes: Iterable[Axis]) -> tuple[Readership, ...]:
    """Return the readerships that are judged where it is not known who is on the list; each once, the fullest first.

    One for every value of every axis, which sees the most otherwise, so that each section is seen under each value; and
    the one that sees the least.
    """
    axes = tuple(axes)
    fullest = fullest_readership(axes)
    plain = Readership.of({axis.name: axis.plainest for axis in axes})
    single = [fullest.having(axis.name, value) for axis in axes for value in axis.values]
    return tuple(dict.fromkeys([fullest, *single, plain]))
