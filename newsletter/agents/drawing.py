"""Draws an email as a picture, in the browser that the checks use: confined, without scripts and without a network."""

from playwright.sync_api import Error

from newsletter.agents.outgoing import DrawnPicture, ToolAnswer
from newsletter.checks.browser.chromium import PreferredScheme, Viewport, look, opened_browser
from newsletter.errors import CannotRunError
from newsletter.model.rendered import RenderedIssue

_MOST_HEIGHT = 6_000  # pixels
_QUALITY = 80  # of the JPEG


def draw_email(html: str, rendered: RenderedIssue, *, width: int, is_dark: bool) -> ToolAnswer:
    """Return a picture of an email's HTML. A long email is cut at the bottom, and the text of the answer says so.

    Raise CannotRunError if there is no browser, or if it fails.
    """
    scheme = PreferredScheme.DARK if is_dark else PreferredScheme.LIGHT
    try:
        with opened_browser(rendered.pictures) as window, window.showing(html) as page:
            look(page, Viewport(width=width, scheme=scheme))
            height = int(page.evaluate("document.documentElement.scrollHeight"))
            shown = max(1, min(height, _MOST_HEIGHT))
            drawn = page.screenshot(
                type="jpeg",
                quality=_QUALITY,
                full_page=True,
                clip={"x": 0, "y": 0, "width": width, "height": shown},
            )
    except (Error, OSError) as err:
        raise CannotRunError("the browser failed; try again") from err
    cut = f"; the first {shown:,} are shown" if shown < height else ""
    text = f"The email is {width} pixels wide and {height:,} high{cut}."
    return ToolAnswer(text=text, pictures=(DrawnPicture(content=drawn, content_type="image/jpeg"),))
