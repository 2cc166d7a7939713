"""Inline the author CSS into the tags of one fragment.

This is a separate module because premailer, with requests and cssutils, takes a quarter of a second to load.
"""

import re
from logging import CRITICAL
from typing import Any

from premailer import Premailer

_START_TAG = re.compile(r"<[a-z][^<>]*>")
_ATTRIBUTE_VALUE = re.compile(r"""=(?:"[^"]*"|'([^']*)')""")
_REMEMBERED = 16
# The tag in the last part of a selector. There is none if the selector has brackets or quotes that may contain spaces.
_LAST_TAG = re.compile(r"""(?:\A|[\s>+~])(?P<tag>[a-z][a-z0-9]*)[^\s>+~"'()]*\Z""")
_IMPLIED = frozenset({"html", "head", "body", "p", "tbody"})  # tags that a parser adds by itself


class _Inliner(Premailer):  # type: ignore[misc]  # premailer has no types
    """Parse each style sheet only once. Parsing it for every fragment would be nine tenths of the work."""

    _known: dict[tuple[str, int], tuple[list[Any], list[Any]]] = {}  # noqa: RUF012 - shared on purpose

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        key = (css_body, ruleset_index)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = super()._parse_style_rules(css_body, ruleset_index)
        rules, leftover = self._known[key]
        return [rule for rule in rules if self._may_apply(rule[1])], [*leftover]

    def _may_apply(self, selector: str) -> bool:
        """Return whether the fragment has a tag of the kind that a selector is about. Most fragments have few kinds."""
        about = _LAST_TAG.search(selector)
        return about is None or about["tag"] in _IMPLIED or f"<{about['tag']}" in self.html


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
