"""Sections in another language than the rest of the email: each says which, and runs in its own direction."""

import re

from newsletter.language.direction import direction_of_language

_TEXT = re.compile(r"<mj-text\b(?P<attributes>[^>]*)>(?P<content>.*?)</mj-text>", re.DOTALL)
_SECTION = re.compile(r"<mj-section\b(?![^>]*\bdirection=)")
_ISOLATE = {"ltr": "\N{LEFT-TO-RIGHT ISOLATE}", "rtl": "\N{RIGHT-TO-LEFT ISOLATE}"}
_END = "\N{POP DIRECTIONAL ISOLATE}"


def borrowed_html(mjml: str, language: str, font: str) -> str:
    """Return a section's MJML with its language, direction and font on every text in it."""
    direction = direction_of_language(language).value
    start = "right" if direction == "rtl" else "left"

    def stated(text: re.Match[str]) -> str:
        attributes = text["attributes"]
        attributes += "" if "align=" in attributes else f' align="{start}"'
        attributes += "" if "font-family=" in attributes else f' font-family="{font}"'
        opening = f'<div lang="{language}" dir="{direction}">'
        return f"<mj-text{attributes}>{opening}{text['content']}</div></mj-text>"

    return _SECTION.sub(f'<mj-section direction="{direction}"', _TEXT.sub(stated, str(mjml)))


def borrowed_text(text: str, language: str, around: str) -> str:
    """Return a section's plain text with each line isolated, if it runs against the text around it."""
    direction = direction_of_language(language)
    if direction is direction_of_language(around):
        return text
    opening = _ISOLATE[direction.value]
    return "\n".join(f"{opening}{line}{_END}" if line.strip() else line for line in text.split("\n"))
