"""The finishing step: puts right what MJML leaves wrong for screen readers and spam filters.

The HTML is edited at the tags concerned and nowhere else, so Outlook's conditional comments stay as they are but for
the roles and alternative texts that belong inside them too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(
    r"""<(?P<name>table|img|v:(?:image|rect|roundrect|fill))\b
        (?P<attributes>(?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*)
        \s*(?P<close>/?)>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_PREVIEW = re.compile(r'<div style="display:none;[^"]*">')
_HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all;"


@dataclass(frozen=True, slots=True)
class _Tag:
    """A start tag of the HTML, wherever it stands, comments included."""

    name: str
    attributes: dict[str, str]
    insert_at: int  # where a further attribute can be put


def finish_html(html: str, *, language: str, direction: str) -> str:
    """The HTML with `lang` and `dir` on all children of the body, a role on each layout table, `alt` on each picture.

    The preheader is hidden by `display:none` alone, without the white-on-white that filters take for a trick.
    """
    html = _PREVIEW.sub(f'<div style="{_HIDDEN}">', html, count=1)
    body = html.index("<body")
    edits = [(position, f' lang="{language}" dir="{direction}"') for position in _bare_children(html, body)]
    for tag in _tags(html):
        if (
            tag.name == "table"
            and "role" not in tag.attributes
            and "data" not in tag.attributes.get("class", "").split()
        ):
            edits.append((tag.insert_at, ' role="presentation"'))
        elif tag.name in {"img", "v:image", "v:rect", "v:roundrect", "v:fill"} and "alt" not in tag.attributes:
            edits.append((tag.insert_at, ' alt=""'))
    return _insert(html, edits)


def _bare_children(html: str, body: int) -> Iterator[int]:
    """Where to put attributes into the children of the body that name no language."""
    depth = 0
    for match in re.compile(r"<!--.*?-->|</?div\b[^>]*>", re.DOTALL).finditer(html, body):
        if match[0].startswith("<!--"):
            continue
        if match[0].startswith("</"):
            depth -= 1
            continue
        if depth == 0 and " lang=" not in match[0]:
            yield match.start() + len("<div")
        depth += 1


def _tags(html: str) -> Iterator[_Tag]:
    for match in _TAG.finditer(html):
        attributes = {
            found[1].lower(): next((value for value in found.groups()[1:] if value is not None), "")
            for found in _ATTRIBUTE.finditer(match["attributes"])
        }
        yield _Tag(match["name"].lower(), attributes, match.end("name"))


def _insert(html: str, edits: list[tuple[int, str]]) -> str:
    pieces: list[str] = []
    last = 0
    for position, text in sorted(edits):
        pieces += (html[last:position], text)
        last = position
    pieces.append(html[last:])
    return "".join(pieces)
