"""Start Chromium in such a way that content which takes it over reaches as little as possible.

Chromium runs in its own sandbox, and never as root if that can be helped. Neither it nor Playwright's driver sees our
secrets. Its profile and its home folder are temporary and deleted afterwards.
"""

import os
import platform
import pwd
import shutil
import stat
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from msgspec import Struct
from playwright.sync_api import Browser, Error, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as BrowserTimeoutError

from newsletter.errors import CannotRunError
from newsletter.system.environment import bare_surroundings
from newsletter.system.parallel import removing_files

TIMEOUT_SECONDS = 60  # for each call to the browser; an email takes one or two seconds
_HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR")  # where a browser stores files
# The longest path that TMPDIR may have. Chromium creates a socket in it, and the system limits the socket's path to 103
# characters.
_LONGEST_TEMPORARY_PATH = 58
_SYSTEM_TEMPORARY_FOLDER = Path("/tmp")  # noqa: S108 - a folder with a random name is created in it
_NODE = "PLAYWRIGHT_NODEJS_PATH"  # names the program that Playwright starts its driver with
_HERE = Path(__file__).parent
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_MAC = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_starting = Lock()
# If Ctrl-C ends the driver just before it is to start the browser, Playwright drops the request, and Python warns.
warnings.filterwarnings("ignore", r"coroutine 'BrowserType\.\w+' was never awaited", RuntimeWarning)


class StartedBrowser(Struct, frozen=True, kw_only=True):
    """A running browser, and what its content could reach if it broke out; empty if it is fully confined."""

    browser: Browser
    exposure: str


class _Way(Struct, frozen=True, kw_only=True):
    """A way to start the browser: in its sandbox or not, and as another user or as the one who runs this program."""

    is_sandboxed: bool
    user: pwd.struct_passwd | None = None

    @property
    def exposure(self) -> str:
        """What is missing, and how to get it."""
        if self.is_sandboxed:
            return ""
        as_root = "as root and " if self.user is None and os.geteuid() == 0 else ""
        what = f"Chromium ran {as_root}without its sandbox, because this system does not allow one"
        return f"{what}; allow it (docs/security.md, The browser)"


@contextmanager
def started_browser(arguments: Sequence[str]) -> Iterator[StartedBrowser]:
    """Yield a browser without a visible window, and close it when the block ends.

    Raise CannotRunError if no browser is found or it does not start.
    """
    ways = tuple(_ways())
    with (
        removing_files(),
        TemporaryDirectory(prefix="newsletter-browser-", dir=_base(ways[0].user), ignore_cleanup_errors=True) as home,
    ):
        play = _started_driver(home)
        try:
            started = _started(play, ways, home, arguments)
            try:
                yield started
            finally:
                started.browser.close()
        finally:
            play.stop()


def _ways() -> Iterator[_Way]:
    """Yield the ways to start the browser, the safest first. Chromium refuses to run as root in its sandbox."""
    user = _unprivileged_user() if os.geteuid() == 0 else None
    yield _Way(is_sandboxed=True, user=user)
    if user is not None:
        yield _Way(is_sandboxed=False, user=user)
    yield _Way(is_sandboxed=False)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user to become: `nobody`, or the one with the highest number.

    Return None if this program cannot become another user.
    """
    if shutil.which("setpriv") is None:
        return None
    others = [user for user in pwd.getpwall() if user.pw_uid]
    named = (user for user in others if user.pw_name == "nobody")
    return next(named, None) or max(others, key=lambda user: user.pw_uid, default=None)


def _base(user: pwd.struct_passwd | None) -> Path:
    """Return the folder for the browser's files: the usual one, unless its path is too long or closed to the user."""
    usual = Path(tempfile.gettempdir())
    length = len(str(usual / "newsletter-browser-12345678"))
    is_open = user is None or all(folder.stat().st_mode & stat.S_IXOTH for folder in (usual, *usual.parents))
    fits = length <= _LONGEST_TEMPORARY_PATH and is_open
    return usual if fits or not _SYSTEM_TEMPORARY_FOLDER.is_dir() else _SYSTEM_TEMPORARY_FOLDER


def _started_driver(home: str) -> Playwright:
    """Start Playwright's driver. It gets its environment from `driver.sh`, because it inherits ours, with all secrets.

    Playwright reads the variables while it starts. They are then set to what means the same as before. They are never
    deleted, because another thread may be copying the environment.
    """
    node = os.environ.get(_NODE) or str(files("playwright") / "driver" / "node")
    with _starting:
        os.environ |= {_NODE: str(_HERE / "driver.sh"), "NEWSLETTER_NODE": node, "NEWSLETTER_DRIVER_HOME": home}
        try:
            return sync_playwright().start()
        except Exception as err:  # Playwright has no class of its own for a driver that ends at once
            remedy = f"unset {_NODE} if you have set it, or install the `playwright` package again"
            raise CannotRunError(f"Playwright does not start ({first_line(err)}); {remedy}") from err
        finally:
            os.environ[_NODE] = node


def _started(play: Playwright, ways: Sequence[_Way], home: str, arguments: Sequence[str]) -> StartedBrowser:
    """Start the browser in the first way that works."""
    program = find_browser(Path(play.chromium.executable_path))
    for way in ways:
        try:
            if way.user is not None:
                os.chown(home, way.user.pw_uid, way.user.pw_gid)
            browser = play.chromium.launch(
                executable_path=program if way.user is None else _HERE / "unprivileged.sh",
                args=arguments,
                chromium_sandbox=way.is_sandboxed,
                env=_surroundings(way, home, program),
                timeout=TIMEOUT_SECONDS * 1000,
            )
        except BrowserTimeoutError as err:
            raise _does_not_start(program, err) from err
        except (Error, OSError) as err:  # OSError: in a container without other users
            reason = err
            continue
        return StartedBrowser(browser=browser, exposure=way.exposure)
    raise _does_not_start(program, reason) from reason


def _surroundings(way: _Way, home: str, program: Path) -> dict[str, str | float | bool]:
    who: Mapping[str, str] = {}
    if way.user is not None:
        who = {"NEWSLETTER_BROWSER": str(program), "NEWSLETTER_BROWSER_USER": f"{way.user.pw_uid}:{way.user.pw_gid}"}
    return {**bare_surroundings(os.environ), **dict.fromkeys(_HOMES, home), **who}


def _does_not_start(program: Path, err: Exception) -> CannotRunError:
    return CannotRunError(f"{program} does not start ({first_line(err)}); start it yourself to see why")


def first_line(err: Exception) -> str:
    """Return the first line of a browser error, without the details below it."""
    return (str(err).strip().splitlines() or [type(err).__name__])[0]


def find_browser(bundled: Path) -> Path:
    """Return the path of a Chromium browser: one installed on this machine, or else Playwright's own at `bundled`.

    Raise CannotRunError if there is none.
    """
    found = (path for name in _COMMANDS if (path := shutil.which(name)))
    usual = (path for path in (*_mac_places(), bundled) if path.is_file())
    program = next(found, None) or next(usual, None)
    if program is None:
        remedy = "install Chromium or Chrome, or run `playwright install chromium`"
        raise CannotRunError(f"no browser was found; {remedy}")
    return Path(program)


def _mac_places() -> Iterator[Path]:
    if platform.system() == "Darwin":
        yield from (folder / name for folder in (Path("/Applications"), Path.home() / "Applications") for name in _MAC)
