"""Compile MJML into responsive HTML, and fix what the compiler gets wrong for screen readers and spam filters.

Only the affected tags are edited. Outlook's conditional comments stay unchanged, except for the roles and alt texts
that belong inside them too. Finishing HTML that is already finished changes nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from mjml import mjml2html
from msgspec import Struct

from newsletter.errors import InputError

# By default, the compiler links to fonts.googleapis.com if a font stack names Roboto, Lato, Ubuntu or Open Sans.
_NO_HOSTED_FONTS: dict[str, str] = {}
# These go before the theme's own attributes, which take precedence. The compiler's own defaults are 13-pixel text,
# no space between the lines, and left-to-right direction.
_DEFAULTS = '<mj-all font-size="16px" line-height="1.5" />'
_DEFAULTS_FROM_RIGHT = (
    '<mj-section direction="rtl" /><mj-group direction="rtl" /><mj-column direction="rtl" />'
    '<mj-text align="right" /><mj-table align="right" /><mj-social-element align="right" />'
)
_MJML = re.compile(r"<mjml\b[^>]*>")
_HEAD = re.compile(r"<mj-head\b[^>/]*>")
# The output of components that no email should contain: words that it has, a pattern for it, a description, and what to
# do instead.
_REFUSED = (
    (
        "mj-carousel",
        re.compile(r'class="mj-carousel'),
        "mj-carousel, which is wider than a phone and loads its arrows from another company's server",
        "show its images one below another, each as an mj-image",
    ),
    (
        "i.imgur.com",
        re.compile(r'src="https://i\.imgur\.com/(?:bIXv1bk|w4uTygT)\.png"'),
        "mj-accordion with icons from another company's server, which learns who opens the email",
        "set icon-wrapped-url and icon-unwrapped-url to your own images",
    ),
    (
        "www.mailjet.com",
        re.compile(r'src="https://www\.mailjet\.com/images/theme/'),
        "mj-social with icons from another company's server, which learns who opens the email",
        "set the src of each mj-social-element to your own image, or write the links as text",
    ),
    (
        "<img",
        re.compile(r"""<img\b(?!(?:[^"'>]|"[^"]*"|'[^']*')*?\ssrc=(?:"[^"]|'[^']))"""),
        "an image without a source: an mj-image, or an mj-social-element for a network that MJML has no icon for",
        "add a src",
    ),
)
_UNSAFE = r"[^ -\[\]-~]"  # the backslash, and everything that is not printable ASCII
# Finds only attributes with such a character: looking at every tag takes 1.6 ms of the 10 ms that a rebuild may take.
# The possessive quantifiers pass over the safe characters once.
_UNSAFE_VALUE = re.compile(rf"""="[ !#-;=?-\[\]-~]*+{_UNSAFE}[^"<>]*"|='[ -&(-;=?-\[\]-~]*+{_UNSAFE}[^'<>]*'""")
_ENCODED = re.compile(r"&#x(0[0-9a-f]{5}|10[0-9a-f]{4});")
# Output of the compiler that no email app needs is removed. Gmail clips a long email, so every byte counts.
# The compiler leaves dozens of places where one conditional comment ends and the next begins immediately.
_FOR_OUTLOOK = r"<!--\[if mso \| IE\]>(?:(?!-->).)*<!\[endif\]-->"
_SEAM = re.compile(r"<!\[endif\]--><!--\[if mso \| IE\]>")
_RUN = re.compile(rf"{_FOR_OUTLOOK}(?:{_FOR_OUTLOOK})+", re.DOTALL)
# The lookbehind follows the words that it is about, because a pattern that begins with plain words is found faster.
_LAST_SEMICOLON = re.compile(r"""style="(?<=\sstyle=")[^"]*+(?<=;)(?=")""")
# The compiler adds this rule to accordions to make Gmail drop the style sheet, but that would drop the rules for narrow
# screens too. Gmail removes the checkboxes that open an accordion, so it shows all of the text anyway.
_NOT_FOR_GMAIL = "@goodbye { @gmail }"


def compile_mjml(source: str, *, direction: str = "ltr") -> str:
    """Return the HTML of an MJML document. No later step changes its media queries or Outlook comments.

    Raise InputError if the theme's MJML cannot be parsed or has a component that causes problems for readers. Also
    raise it if the compiler does not recognize a component, because it would be copied unchanged, and no email app
    would show it.
    """
    try:
        html: str = mjml2html(_with_plain_values(_with_defaults(source, direction)), fonts=_NO_HOSTED_FONTS)
    except ValueError as err:
        raise InputError(
            f"the theme's MJML cannot be compiled: {err}; "
            "correct the template in templates/ that you changed last, or delete it to use the built-in one"
        ) from err
    if (start := html.find("<mj-")) != -1:
        component = re.split(r"[\s/>]", html[start + 1 :], maxsplit=1)[0]
        raise InputError(f"the theme uses {component}, which is not an MJML component; correct its name in templates/")
    for words, pattern, what, remedy in _REFUSED:
        if words in html and pattern.search(html):
            raise InputError(f"the theme uses {what}; {remedy}")
    html = _ENCODED.sub(_decoded, html)
    html = _RUN.sub(lambda run: _SEAM.sub("", run[0]), html.replace(_NOT_FOR_GMAIL, ""))
    return _LAST_SEMICOLON.sub(lambda style: style[0][:-1], html)


def _with_defaults(source: str, direction: str) -> str:
    defaults = _DEFAULTS + (_DEFAULTS_FROM_RIGHT if direction == "rtl" else "")
    attributes = f"<mj-attributes>{defaults}</mj-attributes>"
    source = str(source)  # a Markup string would escape the inserted text
    if _HEAD.search(source):
        return _HEAD.sub(rf"\g<0>{attributes}", source, count=1)
    return _MJML.sub(rf"\g<0><mj-head>{attributes}</mj-head>", source, count=1)


def _with_plain_values(source: str) -> str:
    """Return the source with character references for everything in attributes that the compiler may change.

    The compiler (mrml) writes attributes as Rust prints strings for debugging: a no-break space becomes `\\u{a0}`, and
    so do the marks in emoji, in decomposed accents, in Hindi and in Hebrew. It also doubles backslashes.
    """
    return _UNSAFE_VALUE.sub(lambda value: re.sub(_UNSAFE, _encoded, value[0]), source)


def _encoded(sign: re.Match[str]) -> str:
    return f"&#x{ord(sign[0]):06x};"


def _decoded(reference: re.Match[str]) -> str:
    sign = chr(int(reference[1], base=16))
    return sign if re.match(_UNSAFE, sign) else reference[0]


_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_ATTRIBUTES = r"""(?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*"""
# Tables, the elements that mark a data table, and images, including Outlook's own (VML).
_TAG = re.compile(
    rf"<(?P<name>/?table|th|caption|img|v:(?:image|rect|roundrect|oval|shape|fill))\b(?P<attributes>{_ATTRIBUTES})\s*/?>",
    re.IGNORECASE,
)
_ROOT = re.compile(rf"<html\b(?P<attributes>{_ATTRIBUTES})\s*>")
# The outermost elements of an email are always two divs: the preheader, and one that contains everything else.
_COMMENT_OR_DIV = re.compile(rf"<!--.*?-->|</div\b[^>]*>|<div\b(?P<attributes>{_ATTRIBUTES})\s*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_PREVIEW = re.compile(r'(<body\b[^>]*>\s*<div style=")display:none;font-size:1px;color:#ffffff;[^"]*(?=">)')
_HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all;"
_UNSTATED = {"lang": {"", "und"}, "dir": {"", "auto"}}  # what MJML writes if the theme sets no value


class _Edit(Struct, frozen=True, order=True):
    """New text that replaces a part of the HTML."""

    start: int
    end: int
    text: str


def finish_html(html: str, *, language: str, direction: str) -> str:
    """Return the HTML with the attributes that screen readers need.

    The attributes are `lang` and `dir` on the root and on all children of the body, a role on each layout table, and
    `alt` on each image. A table with header cells or a caption contains data and gets no role. The preheader is hidden
    only with `display:none`, not as white text on white, which spam filters treat as a trick.
    """
    html = _DOCTYPE.sub("<!DOCTYPE html>", html)
    html = _PREVIEW.sub(rf"\g<1>{_HIDDEN}", html)
    stated = {"lang": language, "dir": direction}
    tags = list(_TAG.finditer(html))
    edits = [edit for tag in _outermost(html) for edit in _state(tag, stated)]
    edits += _roles(tags)
    edits += _alternative_texts(tags)
    return _edited(html, edits)


def _outermost(html: str) -> Iterator[re.Match[str]]:
    """Yield the start tags of the root and of the children of the body."""
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
    """Yield edits that add the attributes that a tag does not set itself."""
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


def _roles(tags: Iterable[re.Match[str]]) -> Iterator[_Edit]:
    """Yield a role for each layout table. Tables in Outlook's comments nest with the others, in document order."""
    open_tables: list[tuple[re.Match[str], bool]] = []  # each with whether it contains data, as far as is known
    for tag in tags:
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


def _alternative_texts(tags: Iterable[re.Match[str]]) -> Iterator[_Edit]:
    for tag in tags:
        if (tag["name"].lower() == "img" or ":" in tag["name"]) and not _has(tag, "alt"):
            yield _Edit(tag.end("name"), tag.end("name"), ' alt=""')


def _has(tag: re.Match[str], name: str) -> bool:
    if name not in tag["attributes"].lower():  # the attributes are taken apart only if they may contain it
        return False
    return any(found[1].lower() == name for found in _ATTRIBUTE.finditer(tag["attributes"]))


def _attribute(tag: re.Match[str], name: str) -> str:
    if name not in tag["attributes"].lower():
        return ""
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
