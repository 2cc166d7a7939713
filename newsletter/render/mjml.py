"""Turn MJML into responsive HTML, and put right what its compiler leaves wrong for screen readers and spam filters.

The HTML is edited at the tags concerned and nowhere else, so Outlook's conditional comments stay as they are but for
the roles and alternative texts that belong inside them too. What is finished already is not changed by it.
"""

import re
from collections.abc import Iterator, Mapping

from mjml import mjml2html
from msgspec import Struct

from newsletter.errors import InputError

# Left to itself, the compiler links fonts.googleapis.com wherever a stack names Roboto, Lato, Ubuntu or Open Sans.
_NO_HOSTED_FONTS: dict[str, str] = {}
# Stands before the theme's own attributes, which win. Left to itself, the compiler sets text in 13 pixels without a
# space between its lines, and from left to right.
_DEFAULTS = '<mj-all font-size="16px" line-height="1.5" />'
_DEFAULTS_FROM_RIGHT = (
    '<mj-section direction="rtl" /><mj-group direction="rtl" /><mj-column direction="rtl" />'
    '<mj-text align="right" /><mj-table align="right" /><mj-social-element align="right" />'
)
_MJML = re.compile(r"<mjml\b[^>]*>")
_HEAD = re.compile(r"<mj-head\b[^>/]*>")
# What the compiler makes of components that no mail should have, what to say of it, and what to do.
_REFUSED = (
    (
        re.compile(r'class="mj-carousel'),
        "mj-carousel, which runs over the edge of a phone and loads its arrows from a foreign host",
        "show its pictures one below the other, each as an mj-image",
    ),
    (
        re.compile(r'src="https://i\.imgur\.com/(?:bIXv1bk|w4uTygT)\.png"'),
        "mj-accordion with icons from a foreign host, which sees who opens the mail",
        "give it icon-wrapped-url and icon-unwrapped-url with pictures of your own",
    ),
    (
        re.compile(r'src="https://www\.mailjet\.com/images/theme/'),
        "mj-social with icons from a foreign host, which sees who opens the mail",
        "give each mj-social-element a src with a picture of your own, or write the links as words",
    ),
    (
        re.compile(r"""<img\b(?!(?:[^"'>]|"[^"]*"|'[^']*')*?\ssrc=(?:"[^"]|'[^']))"""),
        "a picture without a source: an mj-image, or an mj-social-element for a network that MJML has no icon of",
        "give it a src",
    ),
)
# What the compiler writes that no mail program needs; Gmail cuts a long mail off, so every byte counts.
# The end of one conditional comment and the beginning of the next, with nothing between: the compiler leaves dozens.
_FOR_OUTLOOK = r"<!--\[if mso \| IE\]>(?:(?!-->).)*<!\[endif\]-->"
_SEAM = re.compile(r"<!\[endif\]--><!--\[if mso \| IE\]>")
_RUN = re.compile(rf"{_FOR_OUTLOOK}(?:{_FOR_OUTLOOK})+", re.DOTALL)
_LAST_SEMICOLON = re.compile(r"""(\sstyle="[^"]*);(?=")""")
# Comes with accordions so that Gmail drops the style sheet, and with it what narrow screens need. Gmail takes out the
# boxes that an accordion is opened by, so it shows all of it anyway.
_NOT_FOR_GMAIL = "@goodbye { @gmail }"


def compile_mjml(source: str, *, direction: str = "ltr") -> str:
    """The HTML of an MJML document; its media queries and Outlook comments are left alone from here on.

    Raises InputError where the theme's MJML cannot be read, holds a component that the compiler does not know (it
    would pass through as it is, and no mail program would show it), or one that harms readers.
    """
    try:
        html: str = mjml2html(_with_defaults(source, direction), fonts=_NO_HOSTED_FONTS)
    except ValueError as err:
        raise InputError(f"the theme's MJML cannot be compiled: {err}; look at the templates changed last") from err
    if (start := html.find("<mj-")) != -1:
        component = re.split(r"[\s/>]", html[start + 1 :], maxsplit=1)[0]
        raise InputError(f"the theme uses {component}, which is no component of MJML; correct its name in templates/")
    for pattern, what, remedy in _REFUSED:
        if pattern.search(html):
            raise InputError(f"the theme uses {what}; {remedy}")
    html = _RUN.sub(lambda run: _SEAM.sub("", run[0]), html.replace(_NOT_FOR_GMAIL, ""))
    return _LAST_SEMICOLON.sub(r"\1", html)


def _with_defaults(source: str, direction: str) -> str:
    defaults = _DEFAULTS + (_DEFAULTS_FROM_RIGHT if direction == "rtl" else "")
    attributes = f"<mj-attributes>{defaults}</mj-attributes>"
    source = str(source)  # as markup it would escape what is put into it
    if _HEAD.search(source):
        return _HEAD.sub(rf"\g<0>{attributes}", source, count=1)
    return _MJML.sub(rf"\g<0><mj-head>{attributes}</mj-head>", source, count=1)


_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_ATTRIBUTES = r"""(?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*"""
# Tables, and what makes one a table of data; pictures, Outlook's own among them (VML).
_TAG = re.compile(
    rf"<(?P<name>/?table|th|caption|img|v:(?:image|rect|roundrect|oval|shape|fill))\b(?P<attributes>{_ATTRIBUTES})\s*/?>",
    re.IGNORECASE,
)
_ROOT = re.compile(rf"<html\b(?P<attributes>{_ATTRIBUTES})\s*>")
# Outermost elements of a mail are always divs: the preheader, and the one that holds all the rest.
_COMMENT_OR_DIV = re.compile(rf"<!--.*?-->|</div\b[^>]*>|<div\b(?P<attributes>{_ATTRIBUTES})\s*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_PREVIEW = re.compile(r'(<body\b[^>]*>\s*<div style=")display:none;font-size:1px;color:#ffffff;[^"]*(?=">)')
_HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all;"
_UNSTATED = {"lang": {"", "und"}, "dir": {"", "auto"}}  # what MJML writes where the theme says nothing


class _Edit(Struct, frozen=True, order=True):
    """New text in the place of a part of the HTML."""

    start: int
    end: int
    text: str


def finish_html(html: str, *, language: str, direction: str) -> str:
    """The HTML with `lang` and `dir` on its root and on all children of its body, a role on each layout table, and
    `alt` on each picture.

    A table that has heads or a caption is one of data, and gets no role. The preheader is hidden by `display:none`
    alone, without the white-on-white that filters take for a trick.
    """
    html = _DOCTYPE.sub("<!DOCTYPE html>", html)
    html = _PREVIEW.sub(rf"\g<1>{_HIDDEN}", html)
    stated = {"lang": language, "dir": direction}
    edits = [edit for tag in _outermost(html) for edit in _state(tag, stated)]
    edits += _roles(html)
    edits += _alternative_texts(html)
    return _edited(html, edits)


def _outermost(html: str) -> Iterator[re.Match[str]]:
    """The start tags of the root and of the children of the body."""
    if root := _ROOT.search(html):
        yield root
    depth = 0
    for match in _COMMENT_OR_DIV.finditer(html, html.index("<body")):
        if match[0].startswith("<!--"):
            continue
        if match[0].startswith("</"):
            depth -= 1
            continue
        if depth == 0:
            yield match
        depth += 1


def _state(tag: re.Match[str], wanted: Mapping[str, str]) -> Iterator[_Edit]:
    """Gives a tag the attributes that it does not state itself."""
    missing = ""
    found = {match[1].lower(): match for match in _ATTRIBUTE.finditer(tag["attributes"])}
    for name, value in wanted.items():
        if name not in found:
            missing += f' {name}="{value}"'
        elif _value(found[name]) in _UNSTATED[name]:
            start = tag.start("attributes")
            yield _Edit(start + found[name].start(), start + found[name].end(), f'{name}="{value}"')
    if missing:
        yield _Edit(tag.start("attributes"), tag.start("attributes"), missing)


def _roles(html: str) -> Iterator[_Edit]:
    """A role for each table that only lays out; Outlook's tables nest with all others in the order of the document."""
    open_tables: list[tuple[re.Match[str], bool]] = []  # each with whether it has been seen to hold data
    for tag in _TAG.finditer(html):
        name = tag["name"].lower()
        if name == "table":
            open_tables.append((tag, "data" in _attribute(tag, "class").split()))
        elif name in {"th", "caption"} and open_tables:
            open_tables[-1] = (open_tables[-1][0], True)
        elif name == "/table" and open_tables:
            yield from _role(*open_tables.pop())
    for table, holds_data in open_tables:
        yield from _role(table, holds_data)


def _role(table: re.Match[str], holds_data: bool) -> Iterator[_Edit]:
    if not holds_data and not _has(table, "role"):
        yield _Edit(table.end("name"), table.end("name"), ' role="presentation"')


def _alternative_texts(html: str) -> Iterator[_Edit]:
    for tag in _TAG.finditer(html):
        if (tag["name"].lower() == "img" or ":" in tag["name"]) and not _has(tag, "alt"):
            yield _Edit(tag.end("name"), tag.end("name"), ' alt=""')


def _has(tag: re.Match[str], name: str) -> bool:
    return any(found[1].lower() == name for found in _ATTRIBUTE.finditer(tag["attributes"]))


def _attribute(tag: re.Match[str], name: str) -> str:
    return next((_value(found) for found in _ATTRIBUTE.finditer(tag["attributes"]) if found[1].lower() == name), "")


def _value(attribute: re.Match[str]) -> str:
    return next((value for value in attribute.groups()[1:] if value is not None), "")


def _edited(html: str, edits: list[_Edit]) -> str:
    pieces: list[str] = []
    last = 0
    for edit in sorted(edits):
        pieces += (html[last : edit.start], edit.text)
        last = edit.end
    pieces.append(html[last:])
    return "".join(pieces)
