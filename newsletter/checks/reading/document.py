"""The HTML and plain text of a variant, parsed once for all checks.

Merge fields appear as their tokens, as they do while the email is composed. So an address that contains a field is the
same here as in the user's files.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from sys import intern

from lxml import etree
from msgspec import Struct

from newsletter.checks.reading.appearance import INLINE_TAGS, UNSEEN_TAGS, Appearance, read_appearance
from newsletter.checks.reading.styles import Way, ways_in
from newsletter.model.rendered import RenderedVariant
from newsletter.model.typography import IDEOGRAPHS_IN_SET, has_ideographs

_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a line or a short text, case-folded. Each ideograph or kana counts as one word."""
    text = text.casefold()
    pattern = _unspaced_word() if has_ideographs(text) else _WORD
    return tuple(map(intern, pattern.findall(text)))  # most words occur again and again, in all variants


@cache  # apart, because a pattern with such ranges takes long to compile and to search
def _unspaced_word() -> re.Pattern[str]:
    """Return the pattern for text in kana and ideographs, which has no spaces between words."""
    return re.compile(rf"[{IDEOGRAPHS_IN_SET}]|[^\W_{IDEOGRAPHS_IN_SET}]+")


def has_words(text: str) -> bool:
    """Return whether the text contains anything that is read aloud."""
    return _WORD.search(text) is not None


@lru_cache(maxsize=8192)
def normalized(text: str) -> str:
    """Return the words of the text, separated by single spaces.

    The result is the same for strings that differ only in case, line breaks and punctuation.
    """
    return " ".join(words_of(text))


def listed(name: str) -> frozenset[str]:
    """Return the entries of a list in the checks' data. ` | ` separates entries, and `#` begins a comment line."""
    lines = files("newsletter").joinpath("checks", "data", name).read_text("utf-8").splitlines()
    return frozenset(entry for line in lines if not line.startswith("#") for entry in line.split(" | "))


# `<!--[if mso]> … <![endif]-->`. The HTML after `<!--[if !mso]><!-->` is for all other email apps.
_OUTLOOK_COMMENT = re.compile(r"<!--\[if [^\]]*\]>(?!<!--|\s*-->)(?P<inside>.*?)<!\[endif\]-->", re.DOTALL)
_TAG = re.compile(r"""<(?P<name>[A-Za-z][\w:-]*)(?P<attributes>(?:"[^"]*"|'[^']*'|[^"'>])*)>""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_HIDING = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Tag(Struct, frozen=True, kw_only=True, eq=False):
    """A start tag: its name in lower case, and its attributes. Instances are compared by identity."""

    name: str
    attributes: Mapping[str, str]


class MailLink(Struct, frozen=True, kw_only=True):
    """A link of the HTML. `text` is what a screen reader says: the link's label if it has one, else the link's text."""

    text: str
    address: str
    is_visible: bool
    item: str = ""  # the words of the whole list item or row of data that contains the link, if there is one


class Image(Struct, frozen=True, kw_only=True):
    """An image of the HTML; `alt` is None if the attribute is missing."""

    address: str
    alt: str | None


class Heading(Struct, frozen=True, kw_only=True):
    """A heading of the HTML."""

    level: int
    text: str


class DataTable(Struct, frozen=True, kw_only=True):
    """A table that contains data: its role, and its header cells with their scopes."""

    role: str | None
    heads: tuple[tuple[str, str | None], ...]  # text and scope
    words: str  # the text of its first nonempty cell


class MailDocument(Struct, frozen=True, kw_only=True):
    """One variant as readers and their email apps get it."""

    html: str
    text: str
    title: str
    root: Tag  # the html element
    body_children: tuple[Tag, ...]
    links: tuple[MailLink, ...]
    images: tuple[Image, ...]
    headings: tuple[Heading, ...]
    layout_roles: tuple[str | None, ...]  # the role of each layout table; None if it has none
    data_tables: tuple[DataTable, ...]
    appearance: Appearance
    tags: tuple[Tag, ...]  # the start tags of all elements, each once: two thirds have the same attributes as another
    outlook_comments: tuple[str, ...]  # the HTML in each comment that only classic Outlook reads
    outlook_tags: tuple[Tag, ...]  # every start tag in these comments
    styles: tuple[str, ...]  # the content of each style element
    lines: tuple[str, ...]  # the visible text, one line per block
    words: tuple[str, ...]  # the words of these lines
    text_words: tuple[str, ...]  # the words of the plain text


def read_document(variant: RenderedVariant) -> MailDocument:
    """Parse a variant's HTML and plain text."""
    tokens = tuple(slot.source.token for slot in variant.slots)
    html = variant.html.fill(tokens)
    root = etree.fromstring(html.encode(), etree.HTMLParser(encoding="utf-8"))
    ways = ways_in(root)
    hidden = frozenset(element for element, way in ways.items() if _is_out_of_sight(way))
    tables = [(table, _heads(table)) for table in root.iter("table")]
    data = frozenset(table for table, heads in tables if _holds_data(table, heads))
    body = root.find("body")
    comments = tuple(match["inside"] for match in _OUTLOOK_COMMENT.finditer(html))
    pieces: list[str] = []
    _collect_text(root, ways, hidden, pieces)
    lines = tuple(line for raw in "".join(pieces).split("\n") if (line := _squeezed(raw)))
    text = variant.text.fill(tokens)
    return MailDocument(
        html=html,
        text=text,
        title=_squeezed(root.findtext("head/title") or ""),
        root=_tag(ways[root]),
        body_children=() if body is None else tuple(_tag(ways[child]) for child in body if child in ways),
        links=tuple(
            _link(each, data if data or _is_in_list(ways[each]) else None, is_visible=each not in hidden)
            for each in root.iter("a", "area")
            if each.get("href") is not None
        ),
        images=tuple(Image(address=each.get("src", "").strip(), alt=each.get("alt")) for each in root.iter("img")),
        headings=tuple(_heading(each) for each in root.iter(*_HEADINGS) if each not in hidden),
        layout_roles=tuple(table.get("role") for table, _ in tables if table not in data),
        data_tables=tuple(_data_table(table, heads) for table, heads in tables if table in data),
        appearance=read_appearance(root, ways),
        tags=tuple(dict.fromkeys(map(_tag, ways.values()))),
        outlook_comments=comments,
        outlook_tags=tuple(tag for comment in comments for tag in _tags_of_comment(comment)),
        styles=tuple(style.text or "" for style in root.iter("style")),
        lines=lines,
        words=tuple(chain.from_iterable(map(words_of, lines))),
        text_words=tuple(chain.from_iterable(map(words_of, text.splitlines()))),
    )


@lru_cache(maxsize=16_384)
def _is_out_of_sight(way: Way) -> bool:
    """Return whether readers do not see an element, because it or one around it is hidden."""
    if way.tag in UNSEEN_TAGS or any(name == "hidden" for name, _ in way.attributes) or _hides(way.get("style")):
        return True
    return way.parent is not None and _is_out_of_sight(way.parent)


def _collect_text(
    element: etree._Element, ways: Mapping[etree._Element, Way], hidden: Container[etree._Element], pieces: list[str]
) -> None:
    """Append the visible text of an element to `pieces`, with line breaks around each block."""
    is_block, is_seen = ways[element].tag not in INLINE_TAGS, element not in hidden
    if is_block:
        pieces.append("\n")
    if is_seen and (text := element.text):
        pieces.append(_spaced(text))
    for child in element:
        if child in ways:  # not a comment
            _collect_text(child, ways, hidden, pieces)
        if is_seen and (text := child.tail):
            pieces.append(_spaced(text))
    if is_block:
        pieces.append("\n")


@lru_cache(maxsize=16_384)
def _is_in_list(way: Way) -> bool:
    return way.tag == "li" or (way.parent is not None and _is_in_list(way.parent))


def _link(element: etree._Element, data: Container[etree._Element] | None, *, is_visible: bool) -> MailLink:
    """Return a link. `data` contains the tables of data, or is None if neither these nor a list can be around it."""
    address = element.get("href", "").strip()
    item = "" if data is None else _item_around(element, data)
    return MailLink(text=_spoken(element), address=address, is_visible=is_visible, item=item)


def _item_around(element: etree._Element, data: Container[etree._Element]) -> str:
    """Return the words of the outermost list item, or of the row of a data table, that contains an element."""
    items = list(element.iterancestors("li"))
    rows = [row for row in element.iterancestors("tr") if next(row.iterancestors("table")) in data]
    around = (items or rows)[-1:]
    return normalized(_spoken(around[0])) if around else ""


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


@lru_cache(maxsize=16_384)
def _tag(way: Way) -> Tag:
    return _written_tag(way.tag, way.attributes)


@lru_cache(maxsize=16_384)
def _written_tag(name: str, attributes: tuple[tuple[str, str], ...]) -> Tag:
    return Tag(name=name.lower(), attributes=dict(attributes))


def _is_hidden(element: etree._Element) -> bool:
    return element.get("hidden") is not None or _hides(element.get("style", ""))


@lru_cache(maxsize=4096)
def _hides(style: str) -> bool:
    return _HIDING.search(style) is not None


def _spoken(element: etree._Element) -> str:
    """Return what a screen reader says for an element: its label, else its text with the alt text of its images."""
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


@lru_cache(maxsize=1024)
def _tags_of_comment(html: str) -> tuple[Tag, ...]:
    return tuple(start_tags(html))


def start_tags(html: str) -> Iterator[Tag]:
    """Yield the start tags of a piece of HTML, which may be incomplete."""
    for match in _TAG.finditer(html):
        attributes = {
            found[1].lower(): next((value for value in found.groups()[1:] if value is not None), "")
            for found in _ATTRIBUTE.finditer(match["attributes"])
        }
        yield Tag(name=match["name"].lower(), attributes=attributes)


def _spaced(text: str) -> str:
    """Return the text with each line break replaced by a space, which is what a line break means in HTML."""
    return text.replace("\n", " ")


@lru_cache(maxsize=8192)
def _squeezed(text: str) -> str:
    return " ".join(text.split())
