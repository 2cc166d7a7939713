"""Draw the beginning of emails, as covers of their issues."""

from collections.abc import Iterator, Mapping, Sequence

from playwright.sync_api import Error

from newsletter.checks.browser.chromium import PreferredScheme, Viewport, look, opened_browser
from newsletter.checks.browser.confinement import first_line
from newsletter.errors import CannotRunError
from newsletter.model.rendered import Picture

COVER_WIDTH, COVER_HEIGHT = 640, 800  # pixels
_QUALITY = 80


def drawn_covers(mails: Mapping[str, str], pictures: Sequence[Picture]) -> Iterator[tuple[str, bytes]]:
    """Yield the beginning of each email as a JPEG, with its key, all from one browser.

    Raise CannotRunError if there is no browser or it fails.
    """
    try:
        with opened_browser(pictures) as window:
            for key, html in mails.items():
                with window.showing(html) as page:
                    look(page, Viewport(width=COVER_WIDTH, scheme=PreferredScheme.LIGHT))
                    page.set_viewport_size({"width": COVER_WIDTH, "height": COVER_HEIGHT})
                    content = page.screenshot(type="jpeg", quality=_QUALITY)
                yield key, content
    except Error as err:
        raise CannotRunError(f"Chromium failed while it drew a cover ({first_line(err)}); try again") from err
