"""The HTML and text of a variant, and its words, parsed once into what the rules ask about.

Merge fields stand in it as their tokens, as they did while the mail was composed, so that an address with a field in it
is the same here as in the user's files.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import cast

from lxml import etree
from msgspec import Struct

from newsletter.checks.reading.appearance import INLINE_TAGS, UNSEEN_TAGS, Appearance, read_appearance
from newsletter.model.rendered import RenderedVariant

# Kana and ideographs stand without spaces between words, and a line may break after any of them.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text, case-folded; each ideograph or kana counts as one."""
    return _WORD.findall(text.casefold())


def has_words(text: str) -> bool:
    """Return whether anything in a text is read out."""
    return _WORD.search(text) is not None


@lru_cache(maxsize=8192)
def normalised(text: str) -> str:
    """The words of a text with one space between: equal for texts that differ in case, breaks and punctuation."""
    return " ".join(words_of(text))


def listed(name: str) -> frozenset[str]:
    """Return the entries of a list among the data of the checks: ` | ` between two, `#` before a comment."""
    lines = files("newsletter").joinpath("checks", "data", name).read_text("utf-8").splitlines()
    return frozenset(entry for line in lines if not line.startswith("#") for entry in line.split(" | "))


# `<!--[if mso]> … <![endif]-->`; what `<!--[if !mso]><!-->` opens is for everyone else.
_OUTLOOK_COMMENT = re.compile(r"<!--\[if [^\]]*\]>(?!<!--|\s*-->)(?P<inside>.*?)<!\[endif\]-->", re.DOTALL)
_TAG = re.compile(r"""<(?P<name>[A-Za-z][\w:-]*)(?P<attributes>(?:"[^"]*"|'[^']*'|[^"'>])*)>""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_HIDING = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Tag(Struct, frozen=True, kw_only=True):
    """A start tag: its name in lower case and its attributes."""

    name: str
    attributes: Mapping[str, str]


class MailLink(Struct, frozen=True, kw_only=True):
    """A link of the HTML; `text` is what a screen reader says, so a label counts before the words."""

    text: str
    address: str
    is_visible: bool


class Image(Struct, frozen=True, kw_only=True):
    """A picture of the HTML; `alt` is None where the attribute is missing."""

    address: str
    alt: str | None


class Heading(Struct, frozen=True, kw_only=True):
    """A heading of the HTML."""

    level: int
    text: str


class DataTable(Struct, frozen=True, kw_only=True):
    """A table that holds data: its role, and its head cells with what each says it is the head of."""

    role: str | None
    heads: tuple[tuple[str, str | None], ...]  # words and scope
    words: str  # what its first cell that is not empty says


class MailDocument(Struct, frozen=True, kw_only=True):
    """One variant as its readers and their programs take it in."""

    html: str
    text: str
    title: str
    root: Tag  # the html element
    body_children: tuple[Tag, ...]
    links: tuple[MailLink, ...]
    images: tuple[Image, ...]
    headings: tuple[Heading, ...]
    layout_roles: tuple[str | None, ...]  # the role of each table that arranges things; None where it has none
    data_tables: tuple[DataTable, ...]
    appearance: Appearance
    tags: tuple[Tag, ...]  # every element that is no comment
    outlook_comments: tuple[str, ...]  # the HTML in each of the comments that only classic Outlook reads
    outlook_tags: tuple[Tag, ...]  # every start tag in them
    styles: tuple[str, ...]  # the content of each style element
    lines: tuple[str, ...]  # the visible text, a line for each block
    words: tuple[str, ...]  # the words of these lines
    text_words: tuple[str, ...]  # the words of the text part


def read_document(variant: RenderedVariant) -> MailDocument:
    """Parse a variant's HTML."""
    tokens = tuple(slot.source.token for slot in variant.slots)
    html = variant.html.fill(tokens)
    root = etree.fromstring(html.encode(), etree.HTMLParser(encoding="utf-8"))
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    hidden = _hidden_among(elements)
    tables = [(table, _heads(table)) for table in root.iter("table")]
    body = root.find("body")
    comments = tuple(match["inside"] for match in _OUTLOOK_COMMENT.finditer(html))
    pieces: list[str] = []
    _collect_text(root, hidden, pieces)
    lines = tuple(line for raw in "".join(pieces).split("\n") if (line := _squeezed(raw)))
    text = variant.text.fill(tokens)
    return MailDocument(
        html=html,
        text=text,
        title=_squeezed(root.findtext("head/title") or ""),
        root=_tag(root),
        body_children=() if body is None else tuple(_tag(child) for child in body if isinstance(child.tag, str)),
        links=tuple(
            _link(each, is_visible=each not in hidden)
            for each in root.iter("a", "area")
            if each.get("href") is not None
        ),
        images=tuple(Image(address=each.get("src", "").strip(), alt=each.get("alt")) for each in root.iter("img")),
        headings=tuple(_heading(each) for each in root.iter(*_HEADINGS) if each not in hidden),
        layout_roles=tuple(table.get("role") for table, heads in tables if not _holds_data(table, heads)),
        data_tables=tuple(_data_table(table, heads) for table, heads in tables if _holds_data(table, heads)),
        appearance=read_appearance(root),
        tags=tuple(map(_tag, elements)),
        outlook_comments=comments,
        outlook_tags=tuple(tag for comment in comments for tag in start_tags(comment)),
        styles=tuple(style.text or "" for style in root.iter("style")),
        lines=lines,
        words=tuple(words_of(" ".join(lines))),
        text_words=tuple(words_of(text)),
    )


def _hidden_among(elements: Iterable[etree._Element]) -> set[etree._Element]:
    """Return those of the elements of a tree, given in its order, that readers do not see."""
    hidden: set[etree._Element] = set()
    for element in elements:
        if element.tag in UNSEEN_TAGS or _is_hidden(element) or element.getparent() in hidden:
            hidden.add(element)
    return hidden


def _collect_text(element: etree._Element, hidden: Container[etree._Element], pieces: list[str]) -> None:
    """Add the visible text in an element, with line breaks around each block."""
    around = [] if element.tag in INLINE_TAGS else ["\n"]
    is_seen = element not in hidden
    pieces += [*around, _spaced(element.text) if is_seen else ""]
    for child in element:
        if isinstance(child.tag, str):
            _collect_text(child, hidden, pieces)
        if is_seen:
            pieces.append(_spaced(child.tail))
    pieces += around


def _link(element: etree._Element, *, is_visible: bool) -> MailLink:
    return MailLink(text=_spoken(element), address=element.get("href", "").strip(), is_visible=is_visible)


def _heading(element: etree._Element) -> Heading:
    return Heading(level=int(str(element.tag)[1]), text=_spoken(element))


def _heads(table: etree._Element) -> list[etree._Element]:
    return [cell for cell in table.iter("th") if next(cell.iterancestors("table")) is table]


def _holds_data(table: etree._Element, heads: Sequence[etree._Element]) -> bool:
    return bool(heads) or "data" in table.get("class", "").split()


def _data_table(table: etree._Element, heads: Iterable[etree._Element]) -> DataTable:
    said = tuple((_spoken(head), head.get("scope")) for head in heads)
    words = next((spoken for cell in table.iter("th", "td") if (spoken := _spoken(cell))), "")
    return DataTable(role=table.get("role"), heads=said, words=words)


def _tag(element: etree._Element) -> Tag:
    return Tag(name=str(element.tag).lower(), attributes=dict(cast("Mapping[str, str]", element.attrib)))


def _is_hidden(element: etree._Element) -> bool:
    return element.get("hidden") is not None or _hides(element.get("style", ""))


@lru_cache(maxsize=4096)
def _hides(style: str) -> bool:
    return _HIDING.search(style) is not None


def _spoken(element: etree._Element) -> str:
    """Return what a screen reader says for an element: its label, or its words with its pictures' texts among them."""
    label = _squeezed(element.get("aria-label", ""))
    return label or _squeezed("".join(_spoken_parts(element)))


def _spoken_parts(element: etree._Element) -> Iterator[str]:
    if element.get("aria-hidden") == "true" or _is_hidden(element):
        return
    if element.tag == "img":
        yield element.get("alt", "")
    gap = "" if element.tag in INLINE_TAGS else " "
    yield gap + (element.text or "")
    for child in element:
        if isinstance(child.tag, str):
            yield from _spoken_parts(child)
        yield child.tail or ""
    yield gap


def start_tags(html: str) -> Iterator[Tag]:
    """Yield the start tags of a piece of HTML that need not be whole."""
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
