"""CSS in emails: what a `style` attribute and the rules of style elements declare for each element.

Three kinds of rules are used: those for every reader in light mode, those for dark mode, and those for colors that
Outlook.com changed. Rules for narrow screens are ignored. Results are cached by their CSS, because hardly any CSS
changes from one build to the next.

Names: "day" is light mode, "night" is dark mode, and `ground` means a background.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

import tinycss2
from cssselect2 import ElementWrapper, Matcher, SelectorError, compile_selector_list
from lxml import etree
from msgspec import Struct
from tinycss2.ast import Node, QualifiedRule
from tinycss2.color3 import RGBA, parse_color

_EVERYWHERE = frozenset({"", "all", "screen", "only screen"})  # media conditions that match every reader of an email
# The attributes that Outlook.com adds when it changes an email's colors. An email never contains them itself.
_OUTLOOK_MARK = re.compile(r"\[data-ogs[bc]\]\s*")
# Siblings, and pseudo-classes such as `:first-child`. A sign inside an attribute's value also counts, to be safe.
_LOOKS_AROUND = re.compile(r"[+~:]")
_MOST_KNOWN = 16_384
_INDEXED = frozenset({"class", "id", "lang"})  # attributes by which the matcher indexes selectors
_GROUNDS = frozenset({"background", "background-color"})
_OF_NIGHT = frozenset({"color", *_GROUNDS})
_OF_DAY = _OF_NIGHT | {
    *("font", "font-size", "line-height", "text-align", "direction", "text-decoration", "text-decoration-line"),
    *("border-bottom", "display", "visibility", "background-image"),
}


class Declaration(Struct, frozen=True, kw_only=True):
    """The value of a property, in lower case with single spaces."""

    value: str
    is_important: bool


Declarations = Mapping[str, Declaration]


class StyleRule(Struct, frozen=True, kw_only=True, eq=False):
    """A rule of a style element, and when it applies. Instances are compared by identity."""

    selectors: str
    media: str  # the media condition around it, in lower case, or empty
    is_for_outlook: bool  # whether it applies only if Outlook.com changed the colors
    declarations: Declarations

    @property
    def is_for_day(self) -> bool:
        """Whether it applies on every screen."""
        return self.media in _EVERYWHERE and not self.is_for_outlook

    @property
    def is_for_night(self) -> bool:
        """Whether it applies in dark mode."""
        return "prefers-color-scheme" in self.media and "dark" in self.media


class Declared(Struct, frozen=True, kw_only=True, eq=False):
    """The declarations for an element, from the weakest to the strongest. Instances are compared by identity."""

    day: Declarations
    night: Declarations  # colors and backgrounds that override the day's in dark mode
    outlook: Declarations  # the same, for when Outlook.com changes the colors


class Way(Struct, frozen=True, eq=False):
    """The way from the root to an element: the tag and the attributes of each element on it.

    Elements with equal ways share one object, also in different builds. So whatever follows from the way alone is
    computed once. Instances are compared by identity.
    """

    parent: "Way | None"
    tag: str
    attributes: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """Return the value of an attribute of the element."""
        return next((value for known, value in self.attributes if known == name), default)


_way = lru_cache(maxsize=16_384)(Way)


def ways_in(root: etree._Element) -> dict[etree._Element, Way]:
    """Return the way to each element of a tree, in document order. Comments are left out."""
    ways: dict[etree._Element, Way] = {}
    for element in root.iter(etree.Element):
        parent = element.getparent()
        ways[element] = _way(None if parent is None else ways[parent], str(element.tag), tuple(element.items()))
    return ways


def declared_in(root: etree._Element, ways: Mapping[etree._Element, Way]) -> Mapping[etree._Element, Declared]:
    """Return what is declared for each element of a tree.

    Elements with the same style and rules share one object.
    """
    sheet = _sheet(tuple((style.text or "", style.get("media", "")) for style in root.iter("style")))
    if sheet.looks_around:
        return {element: declared for element, _, declared in _matched(root, ways, sheet.matcher, {})}
    found = {element: declared for element, way in ways.items() if (declared := sheet.known.get(way)) is not None}
    if len(found) < len(ways):
        if len(sheet.known) > _MOST_KNOWN:
            sheet.known.clear()
        for element, way, declared in _matched(root, ways, sheet.matcher, found):
            found[element] = sheet.known[way] = declared
    return found


def _matched(
    root: etree._Element, ways: Mapping[etree._Element, Way], matcher: Matcher, known: Container[etree._Element]
) -> Iterator[tuple[etree._Element, Way, Declared]]:
    """Yield what is declared for each element that is not known yet."""
    for wrapper in ElementWrapper.from_html_root(root).iter_subtree():
        element: etree._Element = wrapper.etree_element
        if element in known:
            continue
        way = ways[element]
        # A third of the elements have neither an indexed attribute nor a rule for their tag. Asking the matcher about
        # them took half the time, so they are skipped.
        is_asked = (
            matcher.other_selectors
            or way.tag in matcher.lower_local_name_selectors
            or not _INDEXED.isdisjoint(element.keys())
        )
        rules = tuple(rule for *_, rule in matcher.match(wrapper)) if is_asked else ()
        yield element, way, _declared(way.get("style"), rules)


@lru_cache(maxsize=4096)
def declarations_of(css: str) -> Declarations:
    """Return what a `style` attribute declares.

    Of two declarations for one property, the later one is used, unless only the earlier one is `!important`.
    """
    return _declarations(nodes_of_style(css))


@lru_cache(maxsize=64)
def rules_of(css: str, media: str = "") -> tuple[StyleRule, ...]:
    """Return the rules of a style element, in order.

    `media` is the value of the element's `media` attribute.
    """
    rules: list[StyleRule] = []
    for node in nodes_of_sheet(css):
        if node.type == "qualified-rule":
            rules.append(_rule(node, _plain(media)))
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content is not None:
            condition = _plain(tinycss2.serialize(node.prelude))
            inner = nodes_of_rules(node.content)
            rules += [_rule(each, condition) for each in inner if each.type == "qualified-rule"]
    return tuple(rules)


@lru_cache(maxsize=64)
def nodes_of_sheet(css: str) -> tuple[Node, ...]:
    """Return the parsed rules of a style element."""
    return tuple(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))


def nodes_of_rules(content: Sequence[Node]) -> tuple[Node, ...]:
    """Return the parsed rules inside an at-rule such as @media."""
    return tuple(tinycss2.parse_rule_list(content, skip_comments=True, skip_whitespace=True))


@lru_cache(maxsize=1024)
def nodes_of_style(css: str) -> tuple[Node, ...]:
    """Return the parsed declarations of a `style` attribute."""
    return nodes_of_block(css)


def nodes_of_block(css: str | Sequence[Node]) -> tuple[Node, ...]:
    """Return the parsed contents of a block, given as text or as nodes."""
    return tuple(tinycss2.parse_blocks_contents(css, skip_comments=True, skip_whitespace=True))


@lru_cache(maxsize=512)
def color_in(value: str) -> RGBA | None:
    """Return the first color in a value such as `#fff url(…) no-repeat`. Return None for no color or `currentcolor`."""
    colors = map(parse_color, tinycss2.parse_component_value_list(value))
    return next((color for color in colors if isinstance(color, RGBA)), None)


class _Sheet(Struct, frozen=True, eq=False):
    """The rules of all style elements that affect the checks, and what they declare for the ways that are known."""

    matcher: Matcher
    looks_around: bool  # whether a selector may ask for more than the way to an element
    known: dict[Way, Declared]


@lru_cache(maxsize=64)
def _sheet(styles: tuple[tuple[str, str], ...]) -> _Sheet:
    matcher, looks_around = Matcher(), False
    for rule in (rule for css, media in styles for rule in rules_of(css, media)):
        concern = _OF_NIGHT if rule.is_for_night or rule.is_for_outlook else _OF_DAY if rule.is_for_day else frozenset()
        if concern.isdisjoint(rule.declarations):
            continue
        with suppress(SelectorError):  # email apps ignore an invalid selector too
            for selector in compile_selector_list(rule.selectors):
                if selector.pseudo_element is None:
                    matcher.add_selector(selector, rule)
                    looks_around = looks_around or _LOOKS_AROUND.search(rule.selectors) is not None
    return _Sheet(matcher, looks_around, {})


def _rule(node: QualifiedRule, media: str) -> StyleRule:
    written = tinycss2.serialize(node.prelude)
    selectors = _OUTLOOK_MARK.sub("", written)
    return StyleRule(
        selectors=selectors,
        media=media,
        is_for_outlook=len(selectors) < len(written),
        declarations=_declarations(nodes_of_block(node.content)),
    )


def _declarations(nodes: Iterable[Node]) -> Declarations:
    found: dict[str, Declaration] = {}
    for node in nodes:
        if node.type != "declaration":
            continue
        earlier = found.get(node.lower_name)
        if earlier is None or node.important or not earlier.is_important:
            found.pop(node.lower_name, None)  # their order decides between `font` and `font-size`
            value = _plain(tinycss2.serialize(node.value))
            found[node.lower_name] = Declaration(value=value, is_important=node.important)
    return found


@lru_cache(maxsize=4096)
def _declared(style: str, rules: tuple[StyleRule, ...]) -> Declared:
    own = declarations_of(style)
    return Declared(
        day=_layered([*(rule.declarations for rule in rules if rule.is_for_day), own]),
        night=_overriding(own, (rule for rule in rules if rule.is_for_night)),
        outlook=_overriding(own, (rule for rule in rules if rule.is_for_outlook)),
    )


def _overriding(own: Declarations, rules: Iterable[StyleRule]) -> Declarations:
    """Return the colors and backgrounds of rules that override the element's own style."""
    held = {name for name, declaration in own.items() if declaration.is_important}
    return {
        name: declaration
        for name, declaration in _layered([rule.declarations for rule in rules]).items()
        if name in _OF_NIGHT
        and not _same_matter(name, held)
        and (declaration.is_important or not _same_matter(name, set(own)))
    }


def _same_matter(name: str, others: set[str]) -> bool:
    """Return whether another property sets the same thing, as `background` and `background-color` do."""
    return not others.isdisjoint(_GROUNDS if name in _GROUNDS else {name})


def _layered(layers: Iterable[Declarations]) -> Declarations:
    """Merge layers of declarations. Important declarations come last, and the others keep their order."""
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


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()
