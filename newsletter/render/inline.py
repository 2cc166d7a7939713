"""Inline the author CSS into the tags of one fragment.

This is a separate module because premailer, with cssutils, takes a tenth of a second to load.
"""

import re
import sys
from logging import CRITICAL
from types import ModuleType
from typing import Any

# premailer imports requests for style sheets on the web, which it must not fetch here. An empty module in its place
# while premailer is loaded saves 17 MB of memory and a tenth of a second.
_has_requests = "requests" in sys.modules
sys.modules.setdefault("requests", ModuleType("requests"))
from premailer import Premailer  # noqa: E402

if not _has_requests:
    del sys.modules["requests"]

_START_TAG = re.compile(r"<[a-z][^<>]*>")
_ATTRIBUTE_VALUE = re.compile(r"""=(?:"[^"]*"|'([^']*)')""")
_REMEMBERED = 16
_NAME = re.compile(
    r"(?:\A|(?<=[\s>+~]))[a-z][a-z0-9]*|(?<=[.#\[])[\w-]+"
)  # a tag, class, id or attribute in a selector
_IMPLIED = frozenset({"html", "head", "body", "p", "tbody"})  # tags that a parser adds by itself


class _Inliner(Premailer):  # type: ignore[misc]  # premailer has no types
    """Parse each style sheet only once. Parsing it for every fragment would be nine tenths of the work."""

    # Each rule with the names that a fragment must contain for it to apply.
    _known: dict[tuple[str, int], tuple[list[tuple[Any, frozenset[str]]], list[Any]]] = {}  # noqa: RUF012 - shared on purpose

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        key = (css_body, ruleset_index)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found, leftover = super()._parse_style_rules(css_body, ruleset_index)
            self._known[key] = [(rule, _names_in(rule[1])) for rule in found], leftover
        rules, leftover = self._known[key]
        return [rule for rule, names in rules if all(name in self.html for name in names)], [*leftover]


def _names_in(selector: str) -> frozenset[str]:
    """Return the names that a fragment must contain if a selector matches something in it.

    Most rules are about something that a fragment does not have. A selector with brackets or quotes may name what must
    not be there, so it needs no names.
    """
    return frozenset() if re.search(r"[()\"'\\]", selector) else frozenset(_NAME.findall(selector)) - _IMPLIED


def inline_css(fragment: str, css: str) -> str:
    """Return the fragment with the theme's author CSS in its tags. Classes stay, for the dark-mode rules in the head.

    Only fragments are inlined, because inlining a whole document would damage the output of MJML.
    """
    inlined: str = _Inliner(
        fragment,
        css_text=css,
        remove_classes=False,
        keep_style_tags=False,
        disable_leftover_css=True,
        disable_validation=True,
        cssutils_logging_level=CRITICAL,  # it does not know properties such as `word-break`
        disable_link_rewrites=True,
        disable_basic_attributes=["align", "bgcolor", "height", "valign", "width"],
        allow_network=False,
        method="html",
    ).transform()
    start, end = inlined.index("<body>") + len("<body>"), inlined.rindex("</body>")
    return _START_TAG.sub(lambda tag: _double_quoted(tag[0]), inlined[start:end].strip())


def _double_quoted(tag: str) -> str:
    """Return the tag with every value in double quotes, because MJML's compiler damages values in single quotes."""
    return _ATTRIBUTE_VALUE.sub(
        lambda value: value[0] if value[1] is None else f'="{value[1].replace(chr(34), "&quot;")}"', tag
    )
