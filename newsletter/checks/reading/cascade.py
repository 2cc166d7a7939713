"""What is declared for each element of a mail: by its own `style`, and by the rules of the style elements.

Rules count where they hold for every reader by day, for those who asked for dark colours, or where Outlook.com turned
the colours about. Those for narrow screens are left aside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from newsletter.checks.reading.css import Declaration, Declarations, StyleRule, declarations_of, finder, rules_of

_GROUNDS = frozenset({"background", "background-color"})
_OF_NIGHT = frozenset({"color", *_GROUNDS})
_OF_DAY = _OF_NIGHT | {
    *("font", "font-size", "line-height", "text-align", "direction", "text-decoration", "text-decoration-line"),
    *("border-bottom", "display", "visibility", "background-image"),
}
_Rules = tuple[StyleRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Declared:
    """What is declared for an element, the weaker before the stronger; each is only equal to itself."""

    day: Declarations
    night: Declarations  # what of colour and ground wins over the day's for readers who asked for dark colours
    outlook: Declarations  # the same for Outlook.com


class Cascade:
    """Finds what is declared for each element below a root."""

    def __init__(self, root: etree._Element) -> None:
        # They stay the same objects, and so can be looked up, only while somebody holds them.
        self._held = list(root.iter(etree.Element))
        classes: dict[str, list[etree._Element]] = {}
        for element in self._held:
            for name in element.get("class", "").split():
                classes.setdefault(name, []).append(element)
        self._rules: dict[etree._Element, _Rules] = {}
        found: dict[str, list[etree._Element]] = {}
        for rule in _rules_in(root):
            if rule.xpath not in found:
                # Half of a mail's rules are for a class alone, and a class is found much faster than a path.
                in_class = rule.class_name is not None
                found[rule.xpath] = classes.get(rule.class_name or "", []) if in_class else finder(rule.xpath)(root)
            for element in found[rule.xpath]:
                self._rules[element] = (*self._rules.get(element, ()), rule)

    def declared(self, element: etree._Element) -> Declared:
        """What is declared for an element; the same object for all with the same style and rules."""
        return _declared(element.get("style", ""), self._rules.get(element, ()))


def _rules_in(root: etree._Element) -> list[StyleRule]:
    """The rules that matter here, the weaker before the stronger."""
    rules = [rule for style in root.iter("style") for rule in rules_of(style.text or "", style.get("media", ""))]
    concern = [rule for rule in rules if not _concerns(rule).isdisjoint(rule.declarations)]
    return sorted(concern, key=lambda rule: rule.specificity)


def _concerns(rule: StyleRule) -> frozenset[str]:
    if rule.is_for_night or rule.is_for_outlook:
        return _OF_NIGHT
    return frozenset(_OF_DAY) if rule.is_for_day else frozenset()


@lru_cache(maxsize=4096)
def _declared(style: str, rules: _Rules) -> Declared:
    own = declarations_of(style)
    day = _layered([*(rule.declarations for rule in rules if rule.is_for_day), own])
    return Declared(
        day=day,
        night=_overriding(own, (rule for rule in rules if rule.is_for_night)),
        outlook=_overriding(own, (rule for rule in rules if rule.is_for_outlook)),
    )


def _overriding(own: Declarations, rules: Iterable[StyleRule]) -> Declarations:
    """What rules declare of colour and ground, as far as they win over the element's own style."""
    layered = _layered([rule.declarations for rule in rules])
    held = {name for name, declaration in own.items() if declaration.is_important}
    return {
        name: declaration
        for name, declaration in layered.items()
        if name in _OF_NIGHT and not _same_matter(name, held) and _is_strong(name, declaration, own)
    }


def _is_strong(name: str, declaration: Declaration, own: Declarations) -> bool:
    return declaration.is_important or not _same_matter(name, set(own))


def _same_matter(name: str, others: set[str]) -> bool:
    """Whether one of the others declares the same: both names of a ground do."""
    return not others.isdisjoint(_GROUNDS if name in _GROUNDS else {name})


def _layered(layers: Iterable[Declarations]) -> Declarations:
    """Declarations laid over one another: important ones last, else in their order."""
    usual: dict[str, Declaration] = {}
    important: dict[str, Declaration] = {}
    for declarations in layers:
        for name, declaration in declarations.items():
            target = important if declaration.is_important else usual
            target.pop(name, None)
            target[name] = declaration
    for name in important:
        usual.pop(name, None)
    return usual | important
