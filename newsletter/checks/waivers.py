"""Whether waivers name rules that there are, and that may be waived."""

from collections.abc import Callable, Iterable, Iterator

from newsletter.checks.registry import RULES
from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.errors import Mistake
from newsletter.model.finding import Place
from newsletter.model.issue import Issue

_HELD = frozenset(rule.id for rule in RULES if not rule.can_be_waived)


def mistakes_in_waivers(config: Config, issue: Issue) -> tuple[Mistake, ...]:
    """What is wrong in `[checks]` of the settings, and in `waive` of an issue."""
    checks = config.settings.checks
    return (
        *_mistakes("waive", "waived", checks.waive, lambda rule: _in_settings(config, "waive", rule)),
        *_mistakes(
            "severity", "weighed otherwise", checks.severity, lambda rule: _in_settings(config, "severity", rule)
        ),
        *_mistakes("waive", "waived", issue.fields.waive, lambda rule: issue.source.at("waive", rule)),
    )


def _in_settings(config: Config, table: str, rule: str) -> Place:
    return Place(path=CONFIG_FILE, line=line_of_key(config, "checks", table, rule))


def _mistakes(key: str, effect: str, rules: Iterable[str], place_of: Callable[[str], Place]) -> Iterator[Mistake]:
    known = [rule.id for rule in RULES]
    for rule in rules:
        place = place_of(rule)
        if rule not in known:
            what = f"{key} names the check {rule}, which does not exist"
            remedy = "write one of those that `newsletter check --list` explains"
            yield Mistake(path=place.path, line=place.line, what=what, remedy=remedy)
        elif rule in _HELD:
            what = f"the check {rule} cannot be {effect}: the law, or the sending itself, asks for it"
            yield Mistake(path=place.path, line=place.line, what=what, remedy="delete this line")
