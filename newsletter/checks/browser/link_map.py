"""Draw a whole email, and measure where its links are."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct
from playwright.sync_api import Error

from newsletter.checks.browser.chromium import PreferredScheme, Viewport, look, opened_browser
from newsletter.checks.browser.confinement import first_line
from newsletter.errors import CannotRunError
from newsletter.model.rendered import Picture

_WIDTH = 640  # pixels
_QUALITY = 70
_TALLEST = 12_000  # pixels; a longer email is cut
_BOXES = """attribute => [...document.querySelectorAll(`a[${attribute}]:not([aria-hidden])`)].flatMap(link => {
  const inner = link.querySelector("img") ?? link;
  const {x, y, width, height} = inner.getBoundingClientRect();
  return width && height ? [[Number(link.getAttribute(attribute)), x + scrollX, y + scrollY, width, height]] : [];
})"""


class LinkBox(NamedTuple):
    """A link in the picture, in pixels from its left upper corner."""

    number: int
    x: float
    y: float
    width: float
    height: float


class DrawnLinks(Struct, frozen=True, kw_only=True):
    """The picture of an email as a JPEG, and its links."""

    picture: bytes
    width: int
    height: int
    boxes: tuple[LinkBox, ...]


def drawn_links(html: str, pictures: Sequence[Picture], *, attribute: str) -> DrawnLinks:
    """Return the picture of an email and the places of the links that have a number in an attribute.

    Raise CannotRunError if there is no browser or it fails.
    """
    try:
        with opened_browser(pictures) as window, window.showing(html) as page:
            look(page, Viewport(width=_WIDTH, scheme=PreferredScheme.LIGHT))
            height = min(_TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
            page.set_viewport_size({"width": _WIDTH, "height": height})
            boxes = tuple(LinkBox(*each) for each in page.evaluate(_BOXES, attribute))
            picture = page.screenshot(type="jpeg", quality=_QUALITY)
    except Error as err:
        raise CannotRunError(f"Chromium failed while it drew the email ({first_line(err)}); try again") from err
    return DrawnLinks(
        picture=picture,
        width=_WIDTH,
        height=height,
        boxes=tuple(box for box in boxes if box.y + box.height <= height),
    )
