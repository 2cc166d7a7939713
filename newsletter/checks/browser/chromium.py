"""A browser on this machine that shows one email after another, without access to anything else.

Every request is answered from memory or refused, no host name is looked up, and scripts in the email do not run.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum

from msgspec import Struct
from playwright.sync_api import Page, Route, ViewportSize

from newsletter.checks.browser.confinement import TIMEOUT_SECONDS, StartedBrowser, started_browser
from newsletter.model.rendered import Picture, with_local_pictures

_HEIGHT = 800
_PAGE = "http://mail.invalid/"  # a host name that can never exist (RFC 6761, section 6.4)
_PICTURES = f"{_PAGE}pictures/"
# This forbids scripts in the email. The scripts that we run through Playwright need `unsafe-eval`.
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-eval'"
_QUIET = ("--host-resolver-rules=MAP * ~NOTFOUND", "--disable-gpu", "--disable-sync", "--no-proxy-server")


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Return False for asyncio's complaint after Ctrl-C, which stops the browser and Playwright's process together."""
    return record.exc_info is None or "reading from the driver" not in str(record.exc_info[1])


logging.getLogger("asyncio").addFilter(_is_worth_telling)


class PreferredScheme(StrEnum):
    """The color scheme that a reader has set on their device."""

    LIGHT = "light"
    DARK = "dark"


class Viewport(Struct, frozen=True, kw_only=True):
    """How an email is shown: the width of the window in pixels, and the color scheme."""

    width: int
    scheme: PreferredScheme


class Window:
    """A browser that shows the emails of one issue, one at a time."""

    def __init__(self, started: StartedBrowser, pictures: Sequence[Picture], scripts: Sequence[str]) -> None:
        self.exposure = started.exposure
        self._browser = started.browser
        self._scripts = scripts
        self._own = pictures
        self._shown = ""  # the email on the page; only one is shown at a time
        self._pictures = {f"{_PICTURES}{picture.name}": picture for picture in pictures}

    @contextmanager
    def showing(self, html: str) -> Iterator[Page]:
        """Yield a page that shows the HTML with the issue's own images. Images from other sites stay empty."""
        page = self._browser.new_page(service_workers="block")
        try:
            page.set_default_timeout(TIMEOUT_SECONDS * 1000)
            page.route("**/*", self._answer)
            self.replace(page, html)
            yield page
        finally:
            page.close()

    def replace(self, page: Page, html: str) -> None:
        """Show another email on a page. This takes a fifth of the time that a new page takes."""
        self._shown = with_local_pictures(html, self._own, _PICTURES)
        page.goto(_PAGE)
        for script in self._scripts:
            page.evaluate(script)

    def _answer(self, route: Route) -> None:
        address = route.request.url
        if address == _PAGE:
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY}
            route.fulfill(body=self._shown, headers=headers)
        elif (picture := self._pictures.get(address)) is not None:
            route.fulfill(body=picture.content, content_type=picture.content_type)
        else:
            route.abort()


def look(page: Page, view: Viewport) -> None:
    """Set the window width and color scheme of a page."""
    page.set_viewport_size(ViewportSize(width=view.width, height=_HEIGHT))
    page.emulate_media(color_scheme="dark" if view.scheme is PreferredScheme.DARK else "light")


@contextmanager
def opened_browser(pictures: Sequence[Picture], *, scripts: Sequence[str] = ()) -> Iterator[Window]:
    """Yield a browser without a visible window, and close it when the block ends. Each page runs the `scripts`.

    Raise CannotRunError if no browser is found or it does not start.
    """
    with started_browser(_QUIET) as started:
        yield Window(started, pictures, scripts)
