"""Read the blocks of an email back from the HTML that a page shows: their words, links and images."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from lxml import etree
from msgspec import Struct

from newsletter.checks.reading.appearance import INLINE_TAGS
from newsletter.checks.reading.document import words_of
from newsletter.model.review import ShownVariant
from newsletter.model.site_addresses import PICTURES
from newsletter.workflows.compose.placed import BLOCK_ATTRIBUTE, PLACE_ATTRIBUTE

_HASH = re.compile(r"-[0-9a-f]{12}(?=\.[a-z]+$)")  # in the name of an image: of its content
_PICTURE = re.compile(rf"^(?:cid:([A-Za-z0-9.-]+)@newsletter|https://[^\s]+/{PICTURES}/([A-Za-z0-9.-]+))$")
_NAMES = {"newsletter.toml": "Masthead and footer", "issue.yaml": "Title"}  # of what is not a section
_MOST_BLOCKS = 1500  # comparing takes a time that grows with the square of this
_TITLES = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_UNREAD = frozenset({"style", "script", "title"})
_MARKED = re.compile(rf'(<[\w:-]+)((?: {PLACE_ATTRIBUTE}="[^"]*")?) {BLOCK_ATTRIBUTE}="(\d{{1,6}})"')


class MailBlock(Struct, frozen=True, kw_only=True):
    """A block of an email. Its number is its position."""

    number: int
    path: str  # of its file, relative to the folder of the issue
    words: str  # with the values of one reader; the alt text of an image
    links: tuple[tuple[str, str], ...] = ()  # the words and the address of each
    image: str = ""  # its address; empty if the block is not an image
    is_heading: bool = False

    @property
    def content(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """All that can differ."""
        return self.words, self.image, self.links

    @property
    def picture(self) -> str:
        """The name of the image's file, without the hash of its content."""
        found = _PICTURE.match(self.image)
        return _HASH.sub("", found[1] or found[2]) if found else self.image.rpartition("/")[2]


def blocks_of(variant: ShownVariant) -> tuple[MailBlock, ...]:
    """Return the blocks of a version, in the order of the email. The preheader is left out."""
    root = etree.fromstring(variant.html.encode(), etree.HTMLParser(encoding="utf-8", huge_tree=False))
    return () if root is None else tuple(_blocks(root, variant))


def sections_of(variant: ShownVariant) -> dict[str, list[MailBlock]]:
    """Return the blocks of each file, in the order of the email."""
    found: dict[str, list[MailBlock]] = {}
    for block in blocks_of(variant)[:_MOST_BLOCKS]:
        found.setdefault(block.path, []).append(block)
    return found


def title_of(blocks: Sequence[MailBlock]) -> str:
    """Return the first heading of a section, or else the name of its file, as people would say it."""
    if blocks[0].path in _NAMES:
        return _NAMES[blocks[0].path]
    heading = next((block.words for block in blocks if block.is_heading and block.words), "")
    name = blocks[0].path.rpartition("/")[2].rpartition(".")[0] or blocks[0].path
    return heading or name.replace("-", " ").replace("_", " ").capitalize()


def _blocks(root: etree._Element, variant: ShownVariant) -> Iterator[MailBlock]:
    for element in root.iter(etree.Element):
        number = element.get(BLOCK_ATTRIBUTE, "")
        if not (number.isdigit() and int(number) < len(variant.blocks)):
            continue
        path = "/".join(variant.blocks[int(number)].path.split("/")[2:]) or variant.blocks[int(number)].path
        is_image = element.tag == "img"
        words = element.get("alt", "") if is_image else " ".join("".join(_texts(element)).split())
        if words == variant.preheader:
            continue
        yield MailBlock(
            number=int(number),
            path=path,
            words=words,
            links=tuple(_links(element)),
            image=element.get("src", "") if is_image else "",
            is_heading=element.tag in _TITLES,
        )


def _texts(element: etree._Element) -> Iterator[str]:
    """Yield the text of a block without that of the blocks in it."""
    yield element.text or ""
    for child in element:
        gap = "" if child.tag in INLINE_TAGS else " "
        if isinstance(child.tag, str) and child.tag not in _UNREAD and child.get(BLOCK_ATTRIBUTE) is None:
            yield from (gap, *_texts(child))
        yield gap
        yield child.tail or ""


def _links(element: etree._Element) -> Iterator[tuple[str, str]]:
    around = element.getparent() if element.tag == "img" else None
    if around is not None and around.tag == "a":
        yield element.get("alt", ""), around.get("href", "")
    for link in element.iter("a"):
        if next(link.iterancestors(), None) is not None and _block_around(link) is element:
            yield " ".join("".join(_texts(link)).split()), link.get("href", "")


def _block_around(link: etree._Element) -> etree._Element | None:
    return next((each for each in link.iterancestors() if each.get(BLOCK_ATTRIBUTE) is not None), None)


def common_words(one: str, other: str) -> float:
    """Return the share of words that two texts have in common, from 0 to 1, whatever their order."""
    ones, others = Counter(words_of(one)), Counter(words_of(other))
    total = ones.total() + others.total()
    return 2 * (ones & others).total() / total if total else float(one == other)


def with_attributes(html: str, attributes: Iterable[tuple[int, str]]) -> str:
    """Return the HTML with attributes added to blocks, and without the marks of their places."""
    added = dict(attributes)

    def filled(match: re.Match[str]) -> str:
        return match[1] + (f" {added[int(match[3])]}" if int(match[3]) in added else "")

    return _MARKED.sub(filled, html)
