"""Put author CSS on the tags of one fragment.

This module stands alone because premailer takes a quarter of a second to load, with requests and cssutils.
"""

import re
from typing import Any

from premailer import Premailer

_START_TAG = re.compile(r"<[a-z][^<>]*>")
_ATTRIBUTE_VALUE = re.compile(r"""=(?:"[^"]*"|'([^']*)')""")
_REMEMBERED = 16


class _Inliner(Premailer):  # type: ignore[misc]  # premailer has no types
    """Work out what a style sheet says once, rather than for every fragment: that is nine tenths of the work."""

    _known: dict[tuple[str, int], tuple[list[Any], list[Any]]] = {}  # noqa: RUF012 - shared on purpose

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        key = (css_body, ruleset_index)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = super()._parse_style_rules(css_body, ruleset_index)
        rules, leftover = self._known[key]
        return [*rules], [*leftover]


def inline_css(fragment: str, css: str) -> str:
    """Return the fragment with the theme's author CSS on its tags; classes stay, for the dark-mode rules in the head.

    Only fragments are inlined, never MJML's output, which a whole-document inliner damages.
    """
    inlined: str = _Inliner(
        fragment,
        css_text=css,
        remove_classes=False,
        keep_style_tags=False,
        disable_leftover_css=True,
        disable_validation=True,
        disable_link_rewrites=True,
        disable_basic_attributes=["align", "bgcolor", "height", "valign", "width"],
        allow_network=False,
        method="html",
    ).transform()
    start, end = inlined.index("<body>") + len("<body>"), inlined.rindex("</body>")
    return _START_TAG.sub(lambda tag: _double_quoted(tag[0]), inlined[start:end].strip())


def _double_quoted(tag: str) -> str:
    """Return the tag with every value in double quotes: MJML's compiler damages a value whose quotes are single."""
    return _ATTRIBUTE_VALUE.sub(
        lambda value: value[0] if value[1] is None else f'="{value[1].replace(chr(34), "&quot;")}"', tag
    )
