"""How each piece of text looks, by day and by night: what a mail program makes of attributes, styles and rules.

Only what the checks ask about is worked out, as a wide screen shows it. Classic Outlook's comments are left aside.
"""

from dataclasses import dataclass

from lxml import etree

from newsletter.checks.reading.cascade import Cascade
from newsletter.checks.reading.looks import PLAIN, Look, look_within

INLINE_TAGS = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "q", "s", "small"}
    | {"span", "strong", "sub", "sup", "time", "u", "wbr"}
)
UNSEEN_TAGS = frozenset({"head", "script", "style", "template", "noscript"})
_TELLING = ("dir", "align", "bgcolor", "background", "color", "hidden", "href")  # attributes that change how text looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A piece of visible text that looks the same from end to end."""

    text: str
    look: Look
    block: int  # the number of the paragraph, cell or heading that it stands in
    link: str | None  # the address of the link that it belongs to


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A colour that lies under text, and the words on it."""

    tag: str
    look: Look
    text: str  # the first words that lie on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """All visible text of a mail, and all grounds that it lies on."""

    runs: tuple[Run, ...]
    grounds: tuple[Ground, ...]


def read_appearance(root: etree._Element) -> Appearance:
    """Works out how the text below the html element looks."""
    reader = _Reader(Cascade(root))
    reader.visit(root, PLAIN, block=0, link=None)
    return Appearance(runs=tuple(reader.runs), grounds=tuple(reader.grounds))


class _Reader:
    """Walks the tree once, from the look around an element to the look within."""

    def __init__(self, cascade: Cascade) -> None:
        self._cascade = cascade
        self._blocks = 0
        self.runs: list[Run] = []
        self.grounds: list[Ground] = []

    def visit(self, element: etree._Element, around: Look, *, block: int, link: str | None) -> None:
        """Takes in an element and all in it."""
        tag = element.tag
        if not isinstance(tag, str) or tag in UNSEEN_TAGS:
            return
        told = tuple([(name, value) for name in _TELLING if (value := element.get(name)) is not None])
        look = look_within(around, tag, told, self._cascade.declared(element))
        if look.is_hidden:
            return
        if tag not in INLINE_TAGS:
            self._blocks += 1
            block = self._blocks
        elif tag == "a":
            link = element.get("href", link)
        begins = len(self.runs)
        self._take(element.text, look, block=block, link=link)
        for child in element:
            self.visit(child, look, block=block, link=link)
            self._take(child.tail, look, block=block, link=link)
        if look.ground is not around.ground:
            text = self.runs[begins].text if begins < len(self.runs) else ""
            self.grounds.append(Ground(tag=tag, look=look, text=text))

    def _take(self, text: str | None, look: Look, *, block: int, link: str | None) -> None:
        if text and not text.isspace():
            self.runs.append(Run(text=text, look=look, block=block, link=link))
