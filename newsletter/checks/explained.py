"""All checks of an email and its broadcast, explained for users and sorted into groups."""

from collections.abc import Iterator
from string import digits

from msgspec import Struct

from newsletter.checks.base import Rule
from newsletter.checks.probes import PROBES
from newsletter.checks.registry import RULES
from newsletter.model.finding import AUDIENCE_RULES, REQUIREMENTS, AudienceRule, Means, Requirement, Severity

# The first letter of a rule's id → the title of its family.
FAMILIES = {
    "C": "Content",
    "E": "Dates and links",
    "M": "Merge fields",
    "L": "Legal requirements",
    "A": "Accessibility",
    "K": "Dark mode",
    "S": "Structure and display",
    "T": "Translations",
    "V": "Versions",
    "H": "Email headers",
    "D": "Sender domain",
    "J": "Spam score",
    "R": "Requirements for sending",
}
_PROMISE = "the promise that no one is sent the same issue twice"
_NEEDS = {
    Means.BROWSER: "needs a browser",
    Means.NETWORK: "needs the network",
    Means.SPAMASSASSIN: "needs SpamAssassin",
}


class Explanation(Struct, frozen=True, kw_only=True):
    """A rule as users see it: the problem, what is checked and why, who requires it, and its effects."""

    id: str
    title: str
    why: str
    source: str
    effects: tuple[str, ...]  # for example "error", "needs a browser", "cannot be overridden"


class Family(Struct, frozen=True, kw_only=True):
    """A group of rules about one subject."""

    letter: str
    title: str
    rules: tuple[Explanation, ...]


def explained_families() -> tuple[Family, ...]:
    """Return all rules by family: those for the email and for its recipients, and those that the workspace requires."""
    told = [_explanation(rule, rule.source, *_effects(rule)) for rule in RULES]
    told += [_explanation(rule, rule.source, str(Severity.WARNING), "for broadcasts only") for rule in AUDIENCE_RULES]
    for demand in REQUIREMENTS:
        source = f"your own setting, `{demand.setting} = true` in [delivery]" if demand.setting else _PROMISE
        told.append(_explanation(demand, source, str(Severity.ERROR), "for broadcasts only"))
    return tuple(
        Family(letter=letter, title=title, rules=tuple(rule for rule in told if rule.id.rstrip(digits) == letter))
        for letter, title in FAMILIES.items()
    )


def _effects(rule: Rule) -> Iterator[str]:
    yield str(rule.severity)
    yield from (_NEEDS[probe.means] for probe in PROBES if rule.id in probe.rules)
    if rule.needs_audience:
        yield "needs a subscriber list"
    if not rule.can_be_waived:
        yield "cannot be overridden"


def _explanation(rule: Rule | AudienceRule | Requirement, source: str, *effects: str) -> Explanation:
    return Explanation(id=rule.id, title=rule.title, why=rule.why, source=source, effects=effects)
