"""How the HTML is built: what mail programs need to find in it, and what they refuse."""

import re
from collections.abc import Iterable, Iterator

from newsletter.checks.base import THEME_REMEDY, Evidence, Fault, error, warning
from newsletter.checks.reading.document import Document

_DOCTYPE = re.compile(r"<!doctype html\b", re.IGNORECASE)
_CONDITION = re.compile(r"<!--\[if [^\]]*\]>|<!\[endif\](?:--)?>")
_GHOST = re.compile(r"<(?P<close>/?)(?P<name>table|tr|td|v:[a-z]+)\b[^>]*?(?P<empty>/?)>", re.IGNORECASE)
_CSS_NOISE = re.compile(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", re.DOTALL)
_CSS_SIGN = re.compile(r"[{}]|@[A-Za-z-]+")
_IMPORT = re.compile(r"@import\b", re.IGNORECASE)
_DATA_URL = re.compile(r"""\s*data:|.*url\(\s*["']?data:""", re.IGNORECASE | re.DOTALL)
_PICTURE_ATTRIBUTES = ("src", "background", "style")
_ACTIVE = frozenset({"script", "form", "input", "iframe", "object", "embed"})


def check_nested_rules(evidence: Evidence) -> Iterable[Fault]:
    """No @-rule inside another block of a style element."""
    for document in evidence.documents:
        for style in document.styles:
            for name in _nested_rules(style):
                what = f"a style holds {name} inside another block, and Gmail drops the whole style"
                yield error(evidence.issue_place, what, f"write {name} on its own; {THEME_REMEDY}")


def check_doctype(evidence: Evidence) -> Iterable[Fault]:
    """One doctype, at the very beginning."""
    for document in evidence.documents:
        if not _DOCTYPE.match(document.html.lstrip()) or len(_DOCTYPE.findall(document.html)) > 1:
            what = "the HTML does not begin with one <!doctype html>, so mail programs guess how to show it"
            yield error(evidence.issue_place, what, THEME_REMEDY)


def check_outlook_comments(evidence: Evidence) -> Iterable[Fault]:
    """Each conditional comment is closed before the next, and what they open for Outlook they close."""
    for document in evidence.documents:
        if not _conditions_alternate(document.html):
            what = "a conditional comment for Outlook is not closed, or closed twice; parts of the mail would be lost"
            yield error(evidence.issue_place, what, THEME_REMEDY)
        elif unbalanced := _unbalanced_ghosts(document.outlook_comments):
            what = f"the comments for Outlook open <{unbalanced}> and close it unequally often"
            yield error(evidence.issue_place, what, THEME_REMEDY)


def check_active_content(evidence: Evidence) -> Iterable[Fault]:
    """No script, form or frame, and no picture written into the HTML."""
    for document in evidence.documents:
        for name in sorted({tag.name for tag in document.tags} & _ACTIVE):
            what = f"the HTML holds <{name}>, which mail programs remove or take for an attack"
            yield error(evidence.issue_place, what, f"link to a page that has it; {THEME_REMEDY}")
        if any("data:" in value.lower() and _DATA_URL.match(value) for value in _picture_values(document)):
            what = "a picture is written into the HTML as data:, which Gmail and Outlook do not show"
            yield error(evidence.issue_place, what, "put the picture into images/ and name it there")


def check_external_styles(evidence: Evidence) -> Iterable[Fault]:
    """No style sheet or font from another host."""
    for document in evidence.documents:
        linked = any(
            tag.name == "link" and "stylesheet" in tag.attributes.get("rel", "").lower().split()
            for tag in document.tags
        )
        if linked or any(_IMPORT.search(style) for style in document.styles):
            what = "the HTML loads a style sheet or a font from elsewhere, which counts as a sign of spam"
            yield warning(evidence.issue_place, what, f"name fonts that readers have in [brand]; {THEME_REMEDY}")


def _picture_values(document: Document) -> Iterator[str]:
    """Every attribute, and every style, that may name a picture."""
    yield from document.styles
    for tag in (*document.tags, *document.outlook_tags):
        yield from (tag.attributes[name] for name in _PICTURE_ATTRIBUTES if name in tag.attributes)


def _nested_rules(css: str) -> Iterator[str]:
    depth = 0
    for sign in _CSS_SIGN.findall(_CSS_NOISE.sub("", css)):
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth = max(depth - 1, 0)
        elif depth:
            yield sign


def _conditions_alternate(html: str) -> bool:
    is_open = False
    for match in _CONDITION.finditer(html):
        opens = match[0].startswith("<!--")
        if opens == is_open:
            return False
        is_open = opens
    return not is_open


def _unbalanced_ghosts(comments: tuple[str, ...]) -> str | None:
    """The name of an element that Outlook's comments, taken together, open and close unequally often."""
    balance: dict[str, int] = {}
    for comment in comments:
        for match in _GHOST.finditer(comment):
            if not match["empty"]:
                name = match["name"].lower()
                balance[name] = balance.get(name, 0) + (-1 if match["close"] else 1)
    return next((name for name, count in balance.items() if count), None)
