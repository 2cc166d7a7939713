"""Draw an email as an app shows it, in Chromium: in light mode, and in dark mode where its rules are known."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from textwrap import wrap

from lxml.html import tostring
from playwright.sync_api import CDPSession, Error, Page

from newsletter.checks.browser.chromium import Window, opened_browser
from newsletter.checks.browser.confinement import first_line
from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.email_app import AppFrame, Dark, EmailApp, Fit, ShownPart
from newsletter.checks.clients.simulation.simulate import SHEET_RATIO, AppDrawing, Shade, Sitter
from newsletter.errors import CannotRunError
from newsletter.model.rendered import Picture

_WIDEST = 1400  # pixels; no app lays out an email wider
_TALLEST = 16_000  # pixels; Chromium draws no taller picture in one piece
_QUALITY = 82
_COLUMNS = 80
_OUTLOOK_PAGE = "#292929"  # Outlook.com's dark page: with it, its formula gives the colors measured in October 2025
_CHANGES = {
    Dark.OUTLOOK_COM: f"newsletterDark.outlookCom('{_OUTLOOK_PAGE}')",
    Dark.APPLE: "newsletterDark.everyColor(newsletterDark.appleColor)",
    Dark.WORD: "newsletterDark.everyColor(newsletterDark.wordColor)",
    Dark.GMAIL_IOS: "newsletterDark.everyColor(newsletterDark.invertedColor)",
    Dark.THUNDERBIRD: "newsletterDark.thunderbird()",
}
_NEEDED_WIDTH = "document.documentElement.scrollWidth"
# Samsung's AutoFit takes the largest width that any element has, asks for or is given in its style.
_AUTO_FIT_WIDTH = """Math.max(...[...document.body.querySelectorAll("*")].flatMap((each) => [
  each.getAttribute("width"), getComputedStyle(each).width, each.style.width,
].map((width) => /%$/.test(width || "") ? 0 : parseFloat(width) || 0)), 0)"""


def drawn(sitters: Iterable[Sitter], pictures: Sequence[Picture]) -> Iterator[AppDrawing]:
    """Yield a picture of each sitter, in order, all in one browser.

    Raise CannotRunError if there is no browser or it fails.
    """
    try:
        with opened_browser(pictures) as window, window.showing("<p></p>") as page:
            session = page.context.new_cdp_session(page)
            for sitter in sitters:
                yield _drawing(window, page, session, sitter)
    except Error as err:
        raise CannotRunError(
            f"Chromium failed while it drew an email ({first_line(err)}); reload to try again"
        ) from err


@cache
def dark_script() -> str:
    """Return the script with the dark modes, as an expression that defines them on the page."""
    script = (files(__package__) / "dark.js").read_text(encoding="utf-8")
    return f"(() => {{ {script}\nwindow.newsletterDark = newsletterDark; }})()"


def _drawing(window: Window, page: Page, session: CDPSession, sitter: Sitter) -> AppDrawing:
    app, dark = sitter.simulated.app, sitter.simulated.dark
    is_dark = sitter.shade is not Shade.LIGHT
    page.emulate_media(color_scheme="dark" if sitter.shade is Shade.DARK else "light")
    is_darkened = is_dark and dark is Dark.CHROMIUM
    session.send("Emulation.setAutoDarkModeOverride", {"enabled": True} if is_darkened else {})
    _resize(page, app.width)
    window.replace(page, _page_of(sitter))
    width = _layout_width(page, app)
    if width != app.width:
        _resize(page, width)
    if is_dark and dark in _CHANGES:
        page.evaluate(dark_script())
        page.evaluate(_CHANGES[dark])
    if sitter.is_whole:
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(max(int(height), 1), _TALLEST)})
    # Chromium's own command is faster, but on a busy machine it fails if no frame is ready. Playwright waits for one.
    content = page.screenshot(type="jpeg", quality=_QUALITY)
    return AppDrawing(app=app.key, shade=sitter.shade, is_whole=sitter.is_whole, content=content, layout_width=width)


def _resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": int(width * SHEET_RATIO)})


def _layout_width(page: Page, app: EmailApp) -> int:
    """Return the width at which an app lays out the email that a page shows."""
    if app.fit is Fit.REFLOW:
        return app.width
    needed = page.evaluate(_AUTO_FIT_WIDTH if app.fit is Fit.AUTO_FIT else _NEEDED_WIDTH)
    return int(min(max(app.width, round(needed)), _WIDEST))


def _page_of(sitter: Sitter) -> str:
    """Return the page that an app shows: the email, on the app's own background and in its own fonts."""
    app = sitter.simulated.app
    if app.form is ShownPart.TEXT:
        return _text_page(sitter.text, app)
    is_dark = sitter.shade is not Shade.LIGHT
    mail = AppMail(sitter.simulated.dark_html if is_dark else sitter.simulated.html)
    head = mail.root.find("head")
    if head is None:
        head = mail.root.makeelement("head", {})
        mail.root.insert(0, head)
    style = mail.root.makeelement("style", {"id": "newsletter-frame"})
    style.text = _frame_css(app.frame, is_recolored=is_dark and sitter.simulated.dark in _CHANGES)
    head.insert(0, style)
    return str(tostring(mail.root, encoding="unicode", doctype="<!DOCTYPE html>"))


def _frame_css(frame: AppFrame, *, is_recolored: bool) -> str:
    ground, text = (frame.dark_ground, frame.dark_text) if is_recolored else (frame.ground, "")
    color = f"color: {text}" if text else ""
    link = (is_recolored and frame.dark_link) or frame.link
    return (
        f"html {{ background: {ground}; {color} }} body {{ margin: {frame.margin}; font: {frame.font} }} "
        f"a:any-link {{ color: {link} }} ::-webkit-scrollbar {{ display: none }}"
    )


def _text_page(text: str, app: EmailApp) -> str:
    if app.narrow_width:
        style = "background: #000; color: #fff; font: 15px/1.3 Helvetica, Arial, sans-serif; white-space: pre-wrap"
        style += "; overflow-wrap: anywhere"
        shown = text
    else:
        style = "background: #1e1e1e; color: #d8d8d8; font: 14px/1.35 monospace; white-space: pre"
        shown = "\n".join(_folded(text.splitlines()))
    return f"<!DOCTYPE html><body style='margin: 0'><pre style='margin: 0; padding: 8px; {style}'>{escape(shown)}</pre>"


def _folded(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines of at most eighty columns. The rest of a longer line follows after a `+`, as in mutt."""
    for line in lines:
        first, *others = wrap(line, _COLUMNS - 1, drop_whitespace=False, break_long_words=True) or [""]
        yield first
        yield from (f"+{other}" for other in others)
