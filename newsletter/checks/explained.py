"""Every rule that a mail and its broadcast are held to, family by family, in the words that a person is told."""

from collections.abc import Iterator
from string import digits

from msgspec import Struct

from newsletter.checks.base import Rule
from newsletter.checks.probes import PROBES
from newsletter.checks.registry import RULES
from newsletter.model.finding import AUDIENCE_RULES, REQUIREMENTS, AudienceRule, Means, Requirement, Severity

# The letter that a rule's id begins with → what its family is about.
FAMILIES = {
    "C": "What you write",
    "E": "Events and links",
    "M": "Merge fields",
    "L": "What the law asks",
    "A": "Everyone can read it",
    "K": "Dark colors",
    "S": "How the mail is built",
    "H": "What stands around the mail",
    "D": "The domain that sends",
    "J": "What spam filters say",
    "R": "What your workspace demands",
}
_NEEDS = {
    Means.BROWSER: "needs a browser",
    Means.NETWORK: "needs the network",
    Means.SPAMASSASSIN: "needs SpamAssassin",
}


class Explanation(Struct, frozen=True, kw_only=True):
    """What a rule asks, why, who asks for it, and what comes of breaking it."""

    id: str
    title: str
    why: str
    source: str
    effects: tuple[str, ...]  # how much it matters, what it needs, whether it can be waived


class Family(Struct, frozen=True, kw_only=True):
    """Rules about one matter."""

    letter: str
    title: str
    rules: tuple[Explanation, ...]


def explained_families() -> tuple[Family, ...]:
    """Return all rules: of the mail, of whom it goes to, and of what the workspace demands."""
    told = [_explanation(rule, rule.source, *_effects(rule)) for rule in RULES]
    told += [_explanation(rule, rule.source, str(Severity.WARNING), "of a broadcast") for rule in AUDIENCE_RULES]
    for demand in REQUIREMENTS:
        source = f"your workspace, where [delivery] {demand.setting} = true"
        told.append(_explanation(demand, source, str(Severity.ERROR), "of a broadcast"))
    return tuple(
        Family(letter=letter, title=title, rules=tuple(rule for rule in told if rule.id.rstrip(digits) == letter))
        for letter, title in FAMILIES.items()
    )


def _effects(rule: Rule) -> Iterator[str]:
    yield str(rule.severity)
    yield from (_NEEDS[probe.means] for probe in PROBES if rule.id in probe.rules)
    if rule.needs_audience:
        yield "needs a list"
    if not rule.can_be_waived:
        yield "cannot be waived"


def _explanation(rule: Rule | AudienceRule | Requirement, source: str, *effects: str) -> Explanation:
    return Explanation(id=rule.id, title=rule.title, why=rule.why, source=source, effects=effects)
