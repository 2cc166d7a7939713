"""An email in the readers' email apps: what it loses in each, and how it looks there, drawn while the page waits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import NamedTuple

from msgspec import Struct

from newsletter.checks.clients.readers import Readers
from newsletter.checks.clients.simulation.email_app import EmailApp
from newsletter.checks.clients.simulation.programs import VIEWS
from newsletter.checks.clients.simulation.simulate import AppDrawing, Shade, Simulated, Sitter, shades_of, simulate
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.model.rendered import Picture
from newsletter.workflows.compose.clients import known_readers
from newsletter.workflows.compose.sample import SampleMail

# Imported on first use, because their package may be missing.
_DRAWING = "newsletter.checks.clients.simulation.drawing"
_CONFINEMENT = "newsletter.checks.browser.confinement"
_NOT_INSTALLED = 'Chromium\'s driver is not installed; run `pip install "newsletter-press[browser]"`'
_MOST_WHOLE = 4  # whole pictures are large, so only the last ones are kept


class AppView(Struct, frozen=True, kw_only=True):
    """An email in one app, and how many of the readers use it."""

    simulated: Simulated
    share: float  # of the readers, in percent; 0 if it is not known

    @property
    def app(self) -> EmailApp:
        """The app."""
        return self.simulated.app

    @property
    def shades(self) -> tuple[Shade, ...]:
        """The shades in which it can be drawn."""
        return shades_of(self.simulated)


class _PictureKey(NamedTuple):
    app: str
    shade: Shade
    is_whole: bool = False


class AppSheet:
    """One email in all the apps, the one that most readers use first. Any thread may call any method.

    The pictures are drawn by a thread of their own, which starts when the first one is asked for.
    """

    def __init__(
        self, views: Sequence[AppView], mail: SampleMail, pictures: Sequence[Picture], *, table_date: str
    ) -> None:
        self.views = tuple(views)
        self.table_date = table_date  # of caniemail's table, as `2026-05-13`
        self._mail, self._pictures = mail, tuple(pictures)
        self._drawn: dict[_PictureKey, AppDrawing] = {}
        self._failure: CannotRunError | None = None
        self._is_done = self._is_outdated = False
        self._thread: Thread | None = None
        self._changed = Condition()
        self._drawing_whole = Lock()

    def view(self, key: str) -> AppView | None:
        """Return the email in one app, or None if the app is unknown."""
        return next((view for view in self.views if view.app.key == key), None)

    def picture(self, view: AppView, shade: Shade) -> AppDrawing:
        """Return the beginning of the email in an app, when it is drawn.

        Raise CannotRunError if there is no browser or it fails.
        """
        wanted = _PictureKey(view.app.key, shade)
        with self._changed:
            if self._thread is None:
                # The end of the program does not wait for pictures. Without its driver, the browser ends by itself.
                self._thread = Thread(target=self._draw_all, name="email apps", daemon=True)
                self._thread.start()
            self._changed.wait_for(lambda: wanted in self._drawn or self._is_done or self._is_outdated)
            if wanted not in self._drawn:
                raise self._failure or CannotRunError(
                    "this picture was not drawn, because the email has changed; reload"
                )
            return self._drawn[wanted]

    def stop(self) -> None:
        """End the drawing, because the email has changed. Threads that wait for a picture get CannotRunError."""
        with self._changed:
            self._is_outdated = True
            self._changed.notify_all()

    def end(self) -> None:
        """Stop the drawing, and wait until the browser is closed. A program that ends before that may crash."""
        self.stop()
        with self._changed:
            thread = self._thread
        if thread is not None:
            thread.join()

    def why_not_drawn(self) -> str:
        """Return why there can be no pictures, and what to do, or an empty string if there can be.

        A failure is reported once. Then the next picture that is asked for is tried again.
        """
        try:
            import_module(_CONFINEMENT).find_browser(Path("none"))
        except ImportError:
            return _NOT_INSTALLED
        except CannotRunError:  # Playwright may have a browser of its own, which only a start can tell
            with suppress(CannotRunError):
                self.picture(self.views[0], Shade.LIGHT)
        with self._changed:
            failure, self._failure = self._failure, None
            if failure is not None:
                self._thread, self._is_done = None, False
            return str(failure or "")

    def whole_picture(self, view: AppView, shade: Shade) -> AppDrawing:
        """Return the whole email in an app.

        Raise CannotRunError if there is no browser or it fails.
        """
        wanted = _PictureKey(view.app.key, shade, is_whole=True)
        with self._drawing_whole:
            if wanted not in self._drawn:
                (drawing,) = _drawn([self._sitter(view, shade, is_whole=True)], self._pictures)
                whole = [each for each in self._drawn if each.is_whole]
                for old in whole[: 1 - _MOST_WHOLE]:
                    del self._drawn[old]
                self._drawn[wanted] = drawing
            return self._drawn[wanted]

    def _draw_all(self) -> None:
        """Draw everything in light mode, and then in dark mode, so that a contact sheet fills in order."""
        every = [(view, shade) for shade in Shade for view in self.views if shade in view.shades]
        failure: CannotRunError | None = None
        try:
            sitters = (self._sitter(view, shade) for view, shade in every if not self._is_outdated)
            for drawing in _drawn(sitters, self._pictures):
                with self._changed:
                    self._drawn[_PictureKey(drawing.app, drawing.shade)] = drawing
                    self._changed.notify_all()
        except CannotRunError as err:
            failure = err
        finally:
            with self._changed:
                self._failure, self._is_done = failure, True
                self._changed.notify_all()

    def _sitter(self, view: AppView, shade: Shade, *, is_whole: bool = False) -> Sitter:
        return Sitter(simulated=view.simulated, shade=shade, is_whole=is_whole, text=self._mail.text)


def open_sheet(config: Config, mail: SampleMail, pictures: Sequence[Picture]) -> AppSheet:
    """Simulate an email in every app. Nothing is drawn yet.

    Raise MistakesError if the settings name an email app that is not known.
    """
    readers = known_readers(config)
    views = [AppView(simulated=simulate(app, mail.html, readers.table), share=_share(readers, app)) for app in VIEWS]
    ordered = sorted(views, key=lambda view: -view.share)
    return AppSheet(ordered, mail, pictures, table_date=readers.table.date)


def _share(readers: Readers, app: EmailApp) -> float:
    return sum(readers.shares.get(client, 0) for client in app.shares or app.clients)


def _drawn(sitters: Iterable[Sitter], pictures: Sequence[Picture]) -> Iterator[AppDrawing]:
    try:
        draw: Callable[[Iterable[Sitter], Sequence[Picture]], Iterator[AppDrawing]] = import_module(_DRAWING).drawn
    except ImportError as err:
        raise CannotRunError(_NOT_INSTALLED) from err
    return draw(sitters, pictures)
