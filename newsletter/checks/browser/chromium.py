"""A browser on this machine that shows one email after another, without access to anything else.

Every request is answered from memory or refused, no host name is looked up, and scripts in the email do not run. The
browser's profile and home folder are temporary and deleted afterwards.
"""

import logging
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from playwright.sync_api import Browser, Error, Page, Route, ViewportSize, sync_playwright

from newsletter.errors import CannotRunError
from newsletter.model.rendered import Picture, with_local_pictures
from newsletter.system.environment import bare_surroundings
from newsletter.system.parallel import removing_files

TIMEOUT_SECONDS = 60  # for each call to the browser; an email takes one or two seconds
_HEIGHT = 800
_PAGE = "http://mail.invalid/"  # a host name that can never exist (RFC 6761, section 6.4)
_PICTURES = f"{_PAGE}pictures/"
# This forbids scripts in the email. The scripts that we run through Playwright need `unsafe-eval`.
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-eval'"
_QUIET = ("--host-resolver-rules=MAP * ~NOTFOUND", "--disable-gpu", "--disable-sync", "--no-proxy-server")
_HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")  # where a browser stores files, besides TMPDIR
# The longest path that TMPDIR may have. Chromium creates a socket in it, and the system limits the socket's path to 103
# characters.
_LONGEST_TEMPORARY_PATH = 58
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_MAC = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_WINDOWS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
_WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


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

    def __init__(self, browser: Browser, pictures: Sequence[Picture], scripts: Sequence[str]) -> None:
        self._browser = browser
        self._scripts = scripts
        self._own = pictures
        self._pictures = {f"{_PICTURES}{picture.name}": picture for picture in pictures}

    @contextmanager
    def showing(self, html: str) -> Iterator[Page]:
        """Yield a page that shows the HTML with the issue's own images. Images from other sites stay empty."""
        page = self._browser.new_page(service_workers="block")
        try:
            page.set_default_timeout(TIMEOUT_SECONDS * 1000)
            shown = with_local_pictures(html, self._own, _PICTURES)
            page.route("**/*", lambda route: self._answer(route, shown))
            page.goto(_PAGE)
            for script in self._scripts:
                page.evaluate(script)
            yield page
        finally:
            page.close()

    def _answer(self, route: Route, html: str) -> None:
        address = route.request.url
        if address == _PAGE:
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY}
            route.fulfill(body=html, headers=headers)
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
    with (
        removing_files(),
        TemporaryDirectory(prefix="newsletter-browser-", ignore_cleanup_errors=True) as home,
        sync_playwright() as play,
    ):
        program = find_browser(Path(play.chromium.executable_path))
        folders = (*_HOMES, "TMPDIR") if len(home) <= _LONGEST_TEMPORARY_PATH else _HOMES
        surroundings: dict[str, str | float | bool] = {**bare_surroundings(os.environ), **dict.fromkeys(folders, home)}
        try:
            browser = play.chromium.launch(
                executable_path=program, args=_QUIET, env=surroundings, timeout=TIMEOUT_SECONDS * 1000
            )
        except Error as err:
            reason = first_line(err)
            raise CannotRunError(f"{program} does not start ({reason}); start it yourself to see why") from err
        try:
            yield Window(browser, pictures, scripts)
        finally:
            browser.close()


def first_line(err: Exception) -> str:
    """Return the first line of a browser error, without the details below it."""
    return (str(err).strip().splitlines() or [type(err).__name__])[0]


def find_browser(bundled: Path) -> Path:
    """Return the path of a Chromium browser: one installed on this machine, or else Playwright's own at `bundled`.

    Raise CannotRunError if there is none.
    """
    found = (path for name in _COMMANDS if (path := shutil.which(name)))
    usual = (path for path in (*_usual_places(), bundled) if path.is_file())
    program = next(found, None) or next(usual, None)
    if program is None:
        remedy = "install Chromium or Chrome, or run `playwright install chromium`"
        raise CannotRunError(f"no browser was found; {remedy}")
    return Path(program)


def _usual_places() -> Iterator[Path]:
    if platform.system() == "Darwin":
        yield from (folder / name for folder in (Path("/Applications"), Path.home() / "Applications") for name in _MAC)
    if platform.system() == "Windows":
        folders = (os.environ[name] for name in _WINDOWS_FOLDERS if name in os.environ)
        yield from (Path(folder) / name for folder in folders for name in _WINDOWS)
