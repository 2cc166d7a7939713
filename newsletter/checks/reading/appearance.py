"""How each piece of text looks in light and dark mode, according to attributes, styles and style rules.

Only the properties that the checks use are computed, for a wide screen. Comments for classic Outlook are ignored.

Names: "day" is light mode, "night" is dark mode, and `ground` means a background.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lxml import etree
from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.reading.contrast import BLACK, WHITE, SrgbColor, over
from newsletter.checks.reading.styles import Declarations, Declared, Way, color_in, declared_in

INLINE_TAGS = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "q", "s", "small"}
    | {"span", "strong", "sub", "sup", "time", "u", "wbr"}
)
UNSEEN_TAGS = frozenset({"head", "script", "style", "template", "noscript"})
_USUAL_SIZE = 16.0
_USUAL_LINE_HEIGHT = 1.2  # what browsers use for `normal`
_SCALES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83, "sub": 0.83, "sup": 0.83}
_NAMED_SIZES = {"x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0, "xx-large": 32.0}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_ALIGNABLE = frozenset({"td", "th", "tr", "p", "div", *_HEADINGS})
_LENGTH = re.compile(r"(?P<number>\d*\.?\d+)(?P<unit>px|pt|em|rem|%|)")
_FONT = re.compile(r"(?:^|\s)(?P<size>\d*\.?\d+(?:px|pt|em|rem|%))(?:\s*/\s*(?P<line>[\d.]+\w*%?))?(?:\s|$)")
_PICTURE = re.compile(r"url\(|gradient\(")
_PICTURED = ("background", "background-image")
_DIRECTIONS = frozenset({"ltr", "rtl"})
_NO_BORDER = re.compile(r"(?:^|\s)(?:none|0(?:px)?)(?:\s|$)")


class Look(Struct, frozen=True, kw_only=True, eq=False):
    """How text looks in one place.

    Instances are compared by identity, which makes them fast keys of the cache of `_look_within`.
    """

    size: float = _USUAL_SIZE  # pixels
    line_height: float = _USUAL_LINE_HEIGHT  # relative to the font size; in pixels if `has_fixed_lines`
    has_fixed_lines: bool = False
    align: str = "start"
    direction: str = "ltr"
    is_heading: bool = False
    is_raised: bool = False  # whether it is superscript or subscript, which is small by design
    is_underlined: bool = False
    is_hidden: bool = False
    is_over_picture: bool = False
    color: SrgbColor = BLACK
    ground: SrgbColor = WHITE
    night_color: SrgbColor | None = None  # None if the email app decides
    night_ground: SrgbColor | None = None
    keeps_color_at_night: bool = False  # whether dark mode keeps the light mode's color
    keeps_color_in_outlook: bool = False  # whether it stays the same when Outlook.com changes colors
    keeps_ground_at_night: bool = False
    keeps_ground_in_outlook: bool = False

    @property
    def leading(self) -> float:
        """The line height relative to the font size."""
        return self.line_height / self.size if self.has_fixed_lines and self.size else self.line_height


_PLAIN = Look()  # one instance for all builds, because the cache of `_look_within` compares looks by identity


class Run(Struct, frozen=True, kw_only=True):
    """A piece of visible text with the same look throughout."""

    text: str
    look: Look
    block: int  # the number of the paragraph, cell or heading that contains it
    link: str | None  # the address of the link that contains it


class Ground(Struct, frozen=True, kw_only=True):
    """A background color, and the text on it."""

    tag: str
    look: Look
    text: str  # the first text on it


class Appearance(Struct, frozen=True, kw_only=True):
    """All visible text of an email, and all its backgrounds."""

    runs: tuple[Run, ...]
    grounds: tuple[Ground, ...]


def read_appearance(root: etree._Element, ways: Mapping[etree._Element, Way]) -> Appearance:
    """Return how the text in the html element looks. `ways` has the way to each element."""
    reader = _AppearanceReader(ways, declared_in(root, ways))
    reader.visit(root, _PLAIN, block=0, link=None)
    return Appearance(runs=tuple(reader.runs), grounds=tuple(reader.grounds))


class _AppearanceReader:
    """A walk through the tree that computes the look inside each element from the look around it."""

    def __init__(self, ways: Mapping[etree._Element, Way], declared: Mapping[etree._Element, Declared]) -> None:
        self._ways, self._declared = ways, declared
        self._blocks = 0
        self.runs: list[Run] = []
        self.grounds: list[Ground] = []

    def visit(self, element: etree._Element, around: Look, *, block: int, link: str | None) -> None:
        """Read an element and everything in it."""
        way = self._ways.get(element)  # comments have none
        if way is None or (tag := way.tag) in UNSEEN_TAGS:
            return
        look = _look_within(around, way, self._declared[element])
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


@lru_cache(maxsize=16_384)
def _look_within(around: Look, way: Way, declared: Declared) -> Look:
    """Return the look inside an element, or `around` itself if the element changes nothing.

    Results are cached, because hardly any look changes from one build to the next.
    """
    tag, attributes, day = way.tag, dict(way.attributes), declared.day
    said = _measures(around, tag, day) | _layout(tag, attributes, day) | _colors(around, attributes, declared)
    # A background that is declared again in the same color is still a separate background.
    changed = {name: value for name, value in said.items() if name == "ground" or getattr(around, name) != value}
    return replace(around, **changed) if changed else around


def _measures(around: Look, tag: str, day: Declarations) -> dict[str, Any]:
    size, line = around.size * _SCALES.get(tag, 1.0), None
    for name, declaration in day.items():
        if name == "font-size":
            size = _size(declaration.value, around.size)
        elif name == "line-height":
            line = declaration.value
        elif name == "font" and (font := _FONT.search(declaration.value)):
            size, line = _size(font["size"], around.size), font["line"] or "normal"
    told: dict[str, Any] = {"size": size} if line is None else {"size": size, **_lines(line, size)}
    if tag in _HEADINGS:
        told["is_heading"] = True
    elif tag in {"sub", "sup"}:
        told["is_raised"] = True
    return told


def _lines(written: str, size: float) -> dict[str, Any]:
    if not (length := _LENGTH.fullmatch(written)):
        return {"line_height": _USUAL_LINE_HEIGHT, "has_fixed_lines": False}
    if not length["unit"]:
        return {"line_height": float(length["number"]), "has_fixed_lines": False}
    return {"line_height": _size(written, size), "has_fixed_lines": True}


def _size(written: str, around: float) -> float:
    """Return a length in pixels, or `around` if it cannot be read."""
    length = _LENGTH.fullmatch(written)
    if length is None:
        return _NAMED_SIZES.get(written, around)
    number = float(length["number"])
    of_unit = {"px": 1.0, "": 1.0, "pt": 4 / 3, "rem": _USUAL_SIZE, "em": around, "%": around / 100}
    return number * of_unit[length["unit"]]


def _layout(tag: str, attributes: Mapping[str, str], day: Declarations) -> dict[str, Any]:
    told: dict[str, Any] = {}
    align = "center" if tag == "center" else attributes.get("align", "").lower() if tag in _ALIGNABLE else ""
    if align := _value(day, "text-align") or align:
        told["align"] = align
    direction = _value(day, "direction") or attributes.get("dir", "").lower()
    if direction in _DIRECTIONS:
        told["direction"] = direction
    if _is_underlined(tag, attributes, day):
        told["is_underlined"] = True
    if "hidden" in attributes or _value(day, "display") == "none" or _value(day, "visibility") == "hidden":
        told["is_hidden"] = True
    return told


def _is_underlined(tag: str, attributes: Mapping[str, str], day: Declarations) -> bool:
    border = _value(day, "border-bottom")
    if border and not _NO_BORDER.search(border):
        return tag == "a"
    told = _value(day, "text-decoration-line") or _value(day, "text-decoration")
    if told:
        return "underline" in told
    return tag in {"u", "ins"} or (tag == "a" and "href" in attributes)


def _colors(around: Look, attributes: Mapping[str, str], declared: Declared) -> dict[str, Any]:
    told = _grounds(around, attributes, declared)
    ground, night_ground = told.get("ground", around.ground), told.get("night_ground", around.night_ground)
    color = _seen(_value(declared.day, "color") or attributes.get("color", ""), ground)
    night = _seen(_value(declared.night, "color"), night_ground or ground)
    if color is not None:
        told |= {"color": color, "night_color": color, "keeps_color_at_night": True}
    if night is not None:
        told |= {"night_color": night, "keeps_color_at_night": False}
    if color is not None or "color" in declared.outlook:
        told["keeps_color_in_outlook"] = "color" not in declared.outlook
    return told


def _grounds(around: Look, attributes: Mapping[str, str], declared: Declared) -> dict[str, Any]:
    told: dict[str, Any] = {}
    ground = _seen(_ground(declared.day) or attributes.get("bgcolor", ""), around.ground)
    night = _seen(_ground(declared.night), around.night_ground or around.ground)
    if ground is not None:
        told |= {"ground": ground, "night_ground": ground, "keeps_ground_at_night": True, "is_over_picture": False}
        told["keeps_ground_in_outlook"] = not _ground(declared.outlook)
    if night is not None:
        told |= {"night_ground": night, "keeps_ground_at_night": False}
    if "background" in attributes or any(_PICTURE.search(_value(declared.day, name)) for name in _PICTURED):
        told["is_over_picture"] = True
    return told


def _ground(declarations: Declarations) -> str:
    """Return the declared background color. If there are several, the last one is the strongest."""
    said = ""
    for name, declaration in declarations.items():
        if name == "background-color" or (name == "background" and color_in(declaration.value)):
            said = declaration.value
    return said


def _seen(written: str, ground: SrgbColor) -> SrgbColor | None:
    """Return a color as it appears on its background, or None if there is no color or it is fully transparent."""
    named = color_in(written) if written else None
    if named is None or named.alpha == 0:
        return None
    return over(SrgbColor(named.red, named.green, named.blue), named.alpha, ground)


def _value(declarations: Declarations, name: str) -> str:
    declaration = declarations.get(name)
    return "" if declaration is None else declaration.value
