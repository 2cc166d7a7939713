"""Turns drawings (SVG) into PNG. A drawing may come from anywhere, so it is checked and drawn in its own process."""

import os
import re
import subprocess
import sys
from math import inf
from pathlib import Path

from lxml import etree
from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.render.imaging.decode import natural_size
from newsletter.system.environment import bare_surroundings

_PROCESS = Path(__file__).with_name("drawing_process.py")
_TIMEOUT_SECONDS = 20
_MOST_BYTES = 5_000_000
_MOST_PIXELS = 8_000_000  # the maximum for a drawing, which may be seven times as high as an email is wide
_SVG = "{http://www.w3.org/2000/svg}"
_LENGTH = re.compile(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(px|pt|pc|mm|cm|in)?\s*")
_SEPARATOR = re.compile(r"[\s,]+")
_PIXELS_OF = {None: 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_EMBEDDED = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_EXPORT = "export it as PNG"


class Drawing(Struct, frozen=True, kw_only=True):
    """A drawing that is safe to draw: its markup, its width divided by its height, and its stated width."""

    markup: bytes
    aspect: float
    width: float | None  # in CSS pixels


def read_drawing(content: bytes) -> Drawing:
    """Read an SVG file.

    Raise FaultError if it is broken, states no size, refers to anything outside itself, or contains text, which would
    look different on every machine.
    """
    if len(content) > _MOST_BYTES:
        raise FaultError(f"is larger than {_MOST_BYTES // 1_000_000} MB", f"simplify it, or {_EXPORT}")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as err:
        raise FaultError(f"is damaged or not an SVG ({str(err).partition(', line ')[0]})", "export it again") from err
    if root.tag != f"{_SVG}svg":
        raise FaultError("is not an SVG", "export it again")
    _require_self_contained(root)
    width, aspect = _size(root)
    # The drawing is serialized again, so that exactly what was checked is drawn.
    return Drawing(markup=etree.tostring(root), width=width, aspect=aspect)


def draw(drawing: Drawing, width: int) -> bytes:
    """Return the drawing as a PNG of this width in pixels.

    Raise FaultError if it has extreme proportions, cannot be drawn, or takes too much time or memory to draw.
    """
    height = width / drawing.aspect
    if width * height > _MOST_PIXELS or height < 0.5:
        raise FaultError(f"is {drawing.aspect:.4g} times as wide as it is high", "crop it")
    try:
        # `-P` keeps the current folder off the module path, so that no file there shadows one of Python's modules.
        command = [sys.executable, "-P", str(_PROCESS), str(width)]
        drawn = subprocess.run(  # noqa: S603 - our own program, which reads the drawing from standard input
            command,
            input=drawing.markup,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            env=bare_surroundings(os.environ),
            check=True,
        )
        natural_size(drawn.stdout, ".png")
    except subprocess.TimeoutExpired as err:
        raise FaultError("takes too long to draw", f"simplify it, or {_EXPORT}") from err
    except (subprocess.CalledProcessError, OSError, SyntaxError) as err:
        raise FaultError("cannot be drawn", f"simplify it, or {_EXPORT}") from err
    return drawn.stdout


def _require_self_contained(root: etree._Element) -> None:
    document_type = root.getroottree().docinfo.internalDTD
    if document_type is not None and any(True for _ in document_type.iterentities()):
        raise FaultError("declares entities", "export it as plain SVG")
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = element.tag.removeprefix(_SVG)
        if name == "text" and "".join(element.itertext()).strip():
            raise FaultError("contains text, which looks different on every machine", "convert the text to paths")
        if name == "foreignObject" and element.getparent() is not None and not _is_choice(element):
            raise FaultError("contains HTML, which cannot be drawn", _EXPORT)
        for key, value in element.attrib.items():
            if str(key).rpartition("}")[2] == "href" and name != "a":
                _require_inside(str(value).strip())


def _is_choice(element: etree._Element) -> bool:
    """Return whether a `switch` offers an alternative to the element."""
    above = element.getparent()
    return above is not None and above.tag == f"{_SVG}switch" and len(above) > 1


def _require_inside(address: str) -> None:
    if not address or address.startswith("#") or _EMBEDDED.match(address):
        return
    shown = address if len(address) <= 60 else f"{address[:59]}…"
    raise FaultError(f"refers to something outside the file, {shown}", f"embed it, or {_EXPORT}")


def _size(root: etree._Element) -> tuple[float | None, float]:
    """Return the stated width in CSS pixels, and the width divided by the height."""
    width, height = _length(root.get("width")), _length(root.get("height"))
    _, _, box_width, box_height = (_length(part) for part in (*_SEPARATOR.split(root.get("viewBox", "")), *"????")[:4])
    if width and height:
        aspect = width / height
    elif box_width and box_height:
        aspect = box_width / box_height
    else:
        raise FaultError("states no size", 'add width and height, or viewBox="0 0 WIDTH HEIGHT", to its <svg>')
    return width, aspect


def _length(stated: str | None) -> float | None:
    """Return a length in CSS pixels, or None if it is relative or not a positive number."""
    match = _LENGTH.fullmatch(stated or "")
    try:
        length = float(match[1]) * _PIXELS_OF[match[2]] if match else 0.0
    except ValueError:
        return None
    return length if 0 < length < inf else None
