"""Takes the README's picture of the February issue: on a desk, on a phone, on a phone at night.

`newsletter build 2026-02 && python docs/artwork/photograph.py`, on a machine with Chromium.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser

from newsletter.checks.browser.confinement import started_browser

ROOT = Path(__file__).resolve().parents[2]
MAIL = ROOT / "build" / "2026-02" / "email.html"
PICTURE = ROOT / "docs" / "images" / "february-2026.png"
SITE = "http://mail.invalid/"
SIZE = (1600, 1080)
DESK = (236, 224, 214)
# Of each window: its size in CSS pixels, what it is scrolled to, its colors, its place in the picture.
WINDOWS = (
    ((664, 960), None, "light", (72, 72)),
    ((360, 780), "text=Featured Events and Courses", "light", (784, 72)),
    ((360, 780), "img[alt^=Play]", "dark", (1184, 228)),
)
# Palatino comes second after Georgia in the default stack; this is how free systems call theirs.
FONT = '@font-face { font-family: "Palatino Linotype"; src: local("TeXGyrePagella-Regular"); }'


def photograph(browser: Browser, size: tuple[int, int], target: str | None, scheme: str) -> Image.Image:
    """The part of the mail that a window of this size shows, at twice its size."""
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=2,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    # The files are handed to the browser, because it may run as a user who cannot read them.
    page.route(f"{SITE}*", lambda route: route.fulfill(path=MAIL.with_name(route.request.url.removeprefix(SITE))))
    page.goto(f"{SITE}{MAIL.name}")
    page.add_style_tag(content=FONT)
    if target:
        page.locator(target).first.evaluate("it => window.scrollTo(0, it.getBoundingClientRect().top - 40)")
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def lay_down(desk: Image.Image, window: Image.Image, place: tuple[int, int]) -> None:
    """Puts a window on the desk, with round corners and a soft shadow."""
    mask = Image.new("L", window.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, window.width - 1, window.height - 1), radius=36, fill=255)
    shadow = Image.new("L", desk.size)
    shadow.paste(mask.point(lambda value: value * 38 // 100), (place[0], place[1] + 24))
    desk.paste((74, 48, 44), (0, 0, *desk.size), shadow.filter(ImageFilter.GaussianBlur(40)))
    desk.paste(window, place, mask)


def main() -> None:
    """Writes the picture, small enough for a page that loads at once."""
    desk = Image.new("RGB", (SIZE[0] * 2, SIZE[1] * 2), DESK)
    with started_browser(()) as started:
        for size, target, scheme, (x, y) in WINDOWS:
            lay_down(desk, photograph(started.browser, size, target, scheme), (x * 2, y * 2))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    small = desk.resize(SIZE, Image.Resampling.LANCZOS)
    colors = small.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=8)
    small.quantize(palette=colors, dither=Image.Dither.FLOYDSTEINBERG).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
