"""CSS as mail carries it: what an attribute declares, what a style element rules, and whom a selector concerns.

Every answer is remembered by its text, since hardly any of it changes from one build to the next.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import cssselect
import tinycss2
from lxml import etree
from tinycss2.color3 import RGBA, parse_color

_TRANSLATOR = cssselect.HTMLTranslator()
_NO_MAIL = etree.Element("html")  # on which a selector is tried out
_EVERYWHERE = frozenset({"", "all", "screen", "only screen"})  # media that every reader of a mail is of
# What Outlook.com writes on the page where it turned a mail's colours about; mail itself never has it.
_OUTLOOK_MARK = re.compile(r"\[data-ogs[bc]\]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A property's value, in lower case with single spaces."""

    value: str
    is_important: bool


Declarations = Mapping[str, Declaration]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StyleRule:
    """What a style element declares for one selector, and where it holds; each is only equal to itself."""

    xpath: str  # of the elements that it concerns
    class_name: str | None  # where it concerns all of a class, and nothing else is asked
    media: str  # the condition around it, in lower case; empty where there is none
    is_for_outlook: bool  # whether it holds only where Outlook.com turned the colours about
    specificity: tuple[int, int, int]
    declarations: Declarations

    @property
    def is_for_day(self) -> bool:
        """Whether it holds on every screen."""
        return self.media in _EVERYWHERE and not self.is_for_outlook

    @property
    def is_for_night(self) -> bool:
        """Whether it holds where the reader asked for dark colours."""
        return "prefers-color-scheme" in self.media and "dark" in self.media


@lru_cache(maxsize=4096)
def declarations_of(css: str) -> Declarations:
    """What a `style` attribute declares; of two for one property the later counts, unless the first is important."""
    return _declarations(tinycss2.parse_blocks_contents(css, skip_comments=True, skip_whitespace=True))


@lru_cache(maxsize=64)
def rules_of(css: str, media: str = "") -> tuple[StyleRule, ...]:
    """The rules of a style element in their order, one for each selector; what no mail program reads is left out.

    `media` is the element's own condition.
    """
    rules: list[StyleRule] = []
    for node in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if node.type == "qualified-rule":
            rules += _rules(node, _plain(media))
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content is not None:
            condition = _plain(tinycss2.serialize(node.prelude))
            for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
                if inner.type == "qualified-rule":
                    rules += _rules(inner, condition)
    return tuple(rules)


@lru_cache(maxsize=512)
def finder(xpath: str) -> etree.XPath:
    """What finds the elements of a rule below a root."""
    return etree.XPath(xpath)


@lru_cache(maxsize=512)
def colour_in(value: str) -> RGBA | None:
    """The first colour in a value such as `#fff url(…) no-repeat`; None where it names none, or `currentcolor`."""
    for node in tinycss2.parse_component_value_list(value):
        colour = parse_color(node)
        if isinstance(colour, RGBA):
            return colour
    return None


def _rules(node: tinycss2.ast.QualifiedRule, media: str) -> Iterator[StyleRule]:
    declared = _declarations(tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True))
    written = tinycss2.serialize(node.prelude)
    plain = _OUTLOOK_MARK.sub("", written).strip()
    try:
        selectors = cssselect.parse(plain)
    except cssselect.SelectorError:
        return
    for selector in selectors:
        if selector.pseudo_element is not None:
            continue
        try:
            xpath = _TRANSLATOR.selector_to_xpath(selector)
            finder(xpath)(_NO_MAIL)
        # `:hover` and the like, for no element is in such a state at rest; `v|fill`, for HTML knows no namespaces.
        except (cssselect.ExpressionError, etree.XPathError):
            continue
        yield StyleRule(
            xpath=xpath,
            class_name=_class_of(selector.parsed_tree),
            media=media,
            is_for_outlook=len(plain) < len(written.strip()),
            specificity=selector.specificity(),
            declarations=declared,
        )


def _class_of(selector: cssselect.parser.Tree) -> str | None:
    """The name in a selector such as `.quiet`."""
    if isinstance(selector, cssselect.parser.Class) and isinstance(selector.selector, cssselect.parser.Element):
        return selector.class_name if selector.selector.element is None else None
    return None


def _declarations(nodes: list[tinycss2.ast.Node]) -> Declarations:
    found: dict[str, Declaration] = {}
    for node in nodes:
        if node.type != "declaration":
            continue
        earlier = found.get(node.lower_name)
        if earlier is None or node.important or not earlier.is_important:
            found.pop(node.lower_name, None)  # the order in which they stand decides between `font` and `font-size`
            value = _plain(tinycss2.serialize(node.value))
            found[node.lower_name] = Declaration(value=value, is_important=node.important)
    return found


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()
