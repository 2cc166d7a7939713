"""What an email loses in an app, and by which rule: where it was published, when, and how certain it is."""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from newsletter.checks.clients.table import Feature

_STALE_YEAR = "2021"  # what was last tested in this year or earlier may have changed since


class Basis(StrEnum):
    """How far a rule can be trusted."""

    DOCUMENTED = "documented"  # by the app's maker, or by its own source code
    REPORTED = "reported"  # by people who tested the app
    GUESSED = "guessed"  # it fits what was seen


class PublishedRule(Struct, frozen=True):
    """Where a rule was published. Instances are compared by value."""

    title: str  # `caniemail: gap`
    dated: str  # `2022-12-28`, or only the month or year; empty if no date is stated
    basis: Basis = Basis.REPORTED
    url: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether no test of it since 2021 is known."""
        return self.basis is not Basis.DOCUMENTED and bool(self.dated) and self.dated[:4] <= _STALE_YEAR


class AppLoss(Struct, frozen=True, kw_only=True):
    """Something of the email that an app removes, changes or supports only in part."""

    what: str  # `gap`, `@media (prefers-color-scheme)`, `<video>`
    count: int  # the number of places
    why: str
    rule: PublishedRule
    is_partial: bool = False  # whether the app supports it in part, so that it is drawn as if it worked


class _Key(NamedTuple):
    what: str
    why: str
    rule: PublishedRule
    is_partial: bool


class LossTally:
    """Collect what an email loses, so that equal losses are counted together."""

    def __init__(self) -> None:
        self._counts: Counter[_Key] = Counter()

    def lose(self, what: str, why: str, rule: PublishedRule, *, count: int = 1) -> None:
        """Record that something is removed or changed."""
        self._counts[_Key(what, why, rule, False)] += count

    def note_partial(self, what: str, why: str, rule: PublishedRule) -> None:
        """Record that something is supported in part, so that it is left in the email."""
        self._counts[_Key(what, why, rule, True)] += 1

    @property
    def losses(self) -> tuple[AppLoss, ...]:
        """What was recorded: first what is lost, then what is supported in part, each in the order of its first use."""
        found = (
            AppLoss(what=key.what, count=count, why=key.why, rule=key.rule, is_partial=key.is_partial)
            for key, count in self._counts.items()
        )
        return tuple(sorted(found, key=lambda loss: loss.is_partial))


def bug(number: int, dated: str) -> PublishedRule:
    """Return a thread of https://github.com/hteumeuleu/email-bugs as the source of a rule."""
    address = f"https://github.com/hteumeuleu/email-bugs/issues/{number}"
    return PublishedRule(f"email-bugs #{number}", dated, url=address)


def tested(feature: Feature) -> PublishedRule:
    """Return caniemail's test of a feature as the source of a rule."""
    return PublishedRule(f"caniemail: {feature.title}", feature.tested, url=feature.url)
