"""Every rule that a mail and its broadcast are held to, family by family, in the words that a person is told."""

from dataclasses import dataclass

from newsletter.checks.base import Rule
from newsletter.checks.probes import PROBES
from newsletter.checks.registry import RULES
from newsletter.model.finding import Means, Severity
from newsletter.model.requirement import AUDIENCE_RULES, REQUIREMENTS, AudienceRule, Requirement

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a rule asks, why, who asks for it, and what comes of breaking it."""

    id: str
    title: str
    why: str
    source: str
    effects: tuple[str, ...]  # how much it matters, what it needs, whether it can be waived


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Rules about one matter."""

    letter: str
    title: str
    rules: tuple[Explanation, ...]


def explained_families() -> tuple[Family, ...]:
    """All rules, of the mail, of whom it goes to, and of what the workspace demands."""
    told = [*map(_of_rule, RULES), *map(_of_audience, AUDIENCE_RULES), *map(_of_requirement, REQUIREMENTS)]
    return tuple(
        Family(letter=letter, title=title, rules=tuple(rule for rule in told if rule.id.rstrip("0123456789") == letter))
        for letter, title in FAMILIES.items()
    )


def _of_rule(rule: Rule) -> Explanation:
    effects = [str(rule.severity)]
    effects += [_NEEDS[probe.means] for probe in PROBES if rule.id in probe.rules]
    if rule.needs_audience:
        effects.append("needs a list")
    if not rule.can_be_waived:
        effects.append("cannot be waived")
    return Explanation(id=rule.id, title=rule.title, why=rule.why, source=rule.source, effects=tuple(effects))


def _of_audience(rule: AudienceRule) -> Explanation:
    effects = (str(Severity.WARNING), "of a broadcast")
    return Explanation(id=rule.id, title=rule.title, why=rule.why, source=rule.source, effects=effects)


def _of_requirement(demand: Requirement) -> Explanation:
    return Explanation(
        id=demand.id,
        title=demand.title,
        why=demand.why,
        source=f"your workspace, where [delivery] {demand.setting} = true",
        effects=(str(Severity.ERROR), "of a broadcast"),
    )
