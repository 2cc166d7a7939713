"""The HTML and text of a variant, parsed once into what the rules ask about.

Merge fields stand in it as their tokens, as they did while the mail was composed, so that an address with a field in it
is the same here as in the user's files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from newsletter.checks.words import words_of
from newsletter.model.rendered import RenderedVariant

# `<!--[if mso]> … <![endif]-->`; what `<!--[if !mso]><!-->` opens is for everyone else.
_OUTLOOK_COMMENT = re.compile(r"<!--\[if [^\]]*\]>(?!<!--|\s*-->)(?P<inside>.*?)<!\[endif\]-->", re.DOTALL)
_TAG = re.compile(r"""<(?P<name>[A-Za-z][\w:-]*)(?P<attributes>(?:"[^"]*"|'[^']*'|[^"'>])*)>""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_HIDING = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HEADING = re.compile(r"h[1-6]")
_UNSEEN = frozenset({"head", "script", "style", "template", "noscript"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "q", "s", "small"}
    | {"span", "strong", "sub", "sup", "time", "u", "wbr"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A start tag: its name in lower case and its attributes."""

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of the HTML; `text` is what a screen reader says, so a label counts before the words."""

    text: str
    address: str
    is_visible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the HTML; `alt` is None where the attribute is missing."""

    address: str
    alt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of the HTML."""

    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One variant as its readers and their programs take it in."""

    html: str
    text: str
    title: str
    root: Tag  # the html element
    body_children: tuple[Tag, ...]
    links: tuple[Link, ...]
    images: tuple[Image, ...]
    headings: tuple[Heading, ...]
    layout_roles: tuple[str | None, ...]  # the role of each table that arranges things; None where it has none
    tags: tuple[Tag, ...]  # every element that is no comment
    outlook_comments: tuple[str, ...]  # the HTML in each of the comments that only classic Outlook reads
    outlook_tags: tuple[Tag, ...]  # every start tag in them
    styles: tuple[str, ...]  # the content of each style element
    lines: tuple[str, ...]  # the visible text, a line for each block
    words: tuple[str, ...]  # the words of these lines
    text_words: tuple[str, ...]  # the words of the text part


def read_document(variant: RenderedVariant) -> Document:
    """Parses a variant's HTML."""
    tokens = tuple(slot.field.token for slot in variant.slots)
    html = variant.html.fill(tokens)
    reader = _Reader()
    root = etree.fromstring(html.encode(), etree.HTMLParser(encoding="utf-8"))
    reader.visit(root, is_hidden=False)
    body = root.find("body")
    comments = tuple(match["inside"] for match in _OUTLOOK_COMMENT.finditer(html))
    lines = tuple(line for raw in "".join(reader.pieces).split("\n") if (line := _squeezed(raw)))
    text = variant.text.fill(tokens)
    return Document(
        html=html,
        text=text,
        title=_squeezed(root.findtext("head/title") or ""),
        root=_tag(root),
        body_children=() if body is None else tuple(_tag(child) for child in body if isinstance(child.tag, str)),
        links=tuple(reader.links),
        images=tuple(reader.images),
        headings=tuple(reader.headings),
        layout_roles=tuple(reader.layout_roles),
        tags=tuple(reader.tags),
        outlook_comments=comments,
        outlook_tags=tuple(tag for comment in comments for tag in _start_tags(comment)),
        styles=tuple(reader.styles),
        lines=lines,
        words=tuple(words_of(" ".join(lines))),
        text_words=tuple(words_of(text)),
    )


@dataclass(slots=True)
class _Reader:
    """Walks the tree once and collects what the rules ask about."""

    links: list[Link] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    layout_roles: list[str | None] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def visit(self, element: etree._Element, *, is_hidden: bool) -> None:
        tag = _tag(element)
        self.tags.append(tag)
        is_hidden = is_hidden or tag.name in _UNSEEN or _is_hidden(tag)
        self._collect(element, tag, is_hidden=is_hidden)
        is_block = tag.name not in _INLINE
        if is_block:
            self.pieces.append("\n")
        if not is_hidden:
            self.pieces.append(_spaced(element.text))
        for child in element:
            if isinstance(child.tag, str):
                self.visit(child, is_hidden=is_hidden)
            if not is_hidden:
                self.pieces.append(_spaced(child.tail))
        if is_block:
            self.pieces.append("\n")

    def _collect(self, element: etree._Element, tag: Tag, *, is_hidden: bool) -> None:
        attributes = tag.attributes
        if tag.name in {"a", "area"} and "href" in attributes:
            link = Link(text=_spoken(element), address=attributes["href"].strip(), is_visible=not is_hidden)
            self.links.append(link)
        elif tag.name == "img":
            self.images.append(Image(address=attributes.get("src", "").strip(), alt=attributes.get("alt")))
        elif _HEADING.fullmatch(tag.name) and not is_hidden:
            self.headings.append(Heading(level=int(tag.name[1]), text=_spoken(element)))
        elif tag.name == "table" and not _is_data_table(element):
            self.layout_roles.append(attributes.get("role"))
        elif tag.name == "style":
            self.styles.append(element.text or "")


def _tag(element: etree._Element) -> Tag:
    return Tag(
        name=str(element.tag).lower(), attributes={str(name): str(value) for name, value in element.attrib.items()}
    )


def _is_hidden(tag: Tag) -> bool:
    return "hidden" in tag.attributes or _HIDING.search(tag.attributes.get("style", "")) is not None


def _is_data_table(table: etree._Element) -> bool:
    """Whether it has head cells of its own, or says by its class that it holds data."""
    if "data" in table.get("class", "").split():
        return True
    return any(next(cell.iterancestors("table")) is table for cell in table.iter("th"))


def _spoken(element: etree._Element) -> str:
    """What a screen reader says for an element: its label, or its words with its pictures' texts among them."""
    label = _squeezed(element.get("aria-label", ""))
    return label or _squeezed("".join(_spoken_parts(element)))


def _spoken_parts(element: etree._Element) -> Iterator[str]:
    tag = _tag(element)
    if tag.attributes.get("aria-hidden") == "true" or _is_hidden(tag):
        return
    if tag.name == "img":
        yield tag.attributes.get("alt", "")
    gap = "" if tag.name in _INLINE else " "
    yield gap + (element.text or "")
    for child in element:
        if isinstance(child.tag, str):
            yield from _spoken_parts(child)
        yield child.tail or ""
    yield gap


def _start_tags(html: str) -> Iterator[Tag]:
    """The start tags of a piece of HTML that need not be whole."""
    for match in _TAG.finditer(html):
        attributes = {
            found[1].lower(): next((value for value in found.groups()[1:] if value is not None), "")
            for found in _ATTRIBUTE.finditer(match["attributes"])
        }
        yield Tag(name=match["name"].lower(), attributes=attributes)


def _spaced(text: str | None) -> str:
    """Text of the HTML, whose own line breaks are only spaces."""
    return (text or "").replace("\n", " ")


def _squeezed(text: str) -> str:
    return " ".join(text.split())
