"""VML, the drawing language of classic Outlook, as HTML and CSS that a browser can draw.

Only the shapes that emails use: rectangles with a color or an image behind text, and buttons with round corners.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.css import read_declarations

_SHAPES = frozenset({"v:rect", "v:roundrect", "v:oval"})
_LENGTH = re.compile(r"(-?[\d.]+)(px|pt|in|cm|mm|em|%)?")
_NO = frozenset({"f", "false", "0"})
_SIZES = frozenset({"width", "height"})
_USUAL_INSET = "0.1in, 0.05in, 0.1in, 0.05in"
_USUAL_ARC = 0.2  # of the shorter side, if `arcsize` is missing


def draw_shapes(mail: AppMail) -> None:
    """Replace the VML of an email with HTML that looks alike."""
    for element in mail.elements():
        tag = str(element.tag)
        if tag in _SHAPES:
            _draw_shape(element)
        elif tag == "v:background":
            _paint(mail.body, "; ".join(_fill_of(element)))
            element.drop_tag()
    for element in mail.elements():
        tag = str(element.tag)
        if tag == "v:textbox":
            inset = element.get("inset", _USUAL_INSET)
            element.tag = "div"
            element.attrib.clear()
            element.set("style", f"padding: {' '.join(_lengths(inset))}")
        elif tag == "v:fill" or tag.startswith(("w:", "o:")):
            element.drop_tree() if tag == "v:fill" else element.drop_tag()


def _draw_shape(element: HtmlElement) -> None:
    declared = {each.name: each.value for each in read_declarations(element.get("style", ""))}
    style = [f"{name}: {_pixels(value)}" for name, value in declared.items() if name in _SIZES]
    if declared.get("mso-width-percent") == "1000":
        style.append("width: 100%")
    style += _fill_of(element)
    if element.get("stroke", element.get("stroked", "t")).lower() not in _NO:
        style.append(f"border: {element.get('strokeweight', '1px')} solid {element.get('strokecolor', '#000000')}")
    if (radius := _radius(element, declared)) is not None:
        style.append(f"border-radius: {radius}")
    if "v-text-anchor" in declared:
        style.append("display: flex; align-items: center; justify-content: center")
    href = element.get("href")
    element.tag = "a" if href else "div"
    element.attrib.clear()
    element.set("style", "; ".join(("box-sizing: border-box", *style, *(["text-decoration: none"] if href else []))))
    if href:
        element.set("href", href)


def _fill_of(element: HtmlElement) -> Iterator[str]:
    """Yield the CSS of what fills a shape: its color, and the image of the `v:fill` in it."""
    fill = element.find("{*}fill") if element.find("v:fill") is None else element.find("v:fill")
    color = element.get("fillcolor") or (fill.get("color") if fill is not None else None)
    if element.get("fill", element.get("filled", "t")).lower() in _NO:
        return
    if color:
        yield f"background-color: {color}"
    address = fill.get("src") if fill is not None else None
    if fill is not None and address:
        is_tile = fill.get("type") == "tile"
        yield f"background-image: url('{address}')"
        yield "background-repeat: repeat" if is_tile else "background-size: cover; background-position: center"


def _radius(element: HtmlElement, declared: dict[str, str]) -> str | None:
    if element.tag == "v:oval":
        return "50%"
    if element.tag != "v:roundrect":
        return None
    sides = [float(found[1]) for name in _SIZES if (found := _LENGTH.match(declared.get(name, "")))]
    arc = _LENGTH.match(element.get("arcsize", ""))
    share = _USUAL_ARC if arc is None else float(arc[1]) / (100 if arc[2] == "%" else 1)
    return f"{share * min(sides):g}px" if sides else None


def _lengths(inset: str) -> Iterator[str]:
    """Yield the four paddings of a text box in the order of CSS. VML says left, top, right, bottom."""
    left, top, right, bottom = (_pixels(part.strip() or "0") for part in (inset.split(",") + ["0"] * 4)[:4])
    yield from (top, right, bottom, left)


def _pixels(value: str) -> str:
    return f"{value}px" if re.fullmatch(r"-?[\d.]+", value) else value


def _paint(element: HtmlElement, style: str) -> None:
    element.set("style", "; ".join(filter(None, (element.get("style"), style))))
