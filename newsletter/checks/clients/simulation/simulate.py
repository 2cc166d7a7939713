"""Simulate an email in an app: from HTML to the HTML that the app shows, and what is lost on the way."""

from enum import StrEnum

from msgspec import Struct

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.email_app import Dark, EmailApp, ShownPart
from newsletter.checks.clients.simulation.losses import AppLoss
from newsletter.checks.clients.simulation.other_apps import fastmail_in_the_dark, has_dark_query, opts_in_to_dark
from newsletter.checks.clients.simulation.shared_rules import drop_active
from newsletter.checks.clients.simulation.table_layer import sieve_of, sift
from newsletter.checks.clients.table import Table

SHEET_RATIO = 1.5  # the height of a picture on the contact sheet, relative to its width


class Shade(StrEnum):
    """A state of the reader's device and app."""

    LIGHT = "light"
    DARK = "dark"  # both are dark
    APP_DARK = "app-dark"  # only the app is: the email's own query for dark mode does not apply


class Simulated(Struct, frozen=True, kw_only=True):
    """An email as one app shows it."""

    app: EmailApp
    html: str
    dark: Dark  # what the app does to the colors of this email
    dark_html: str = ""  # the email in dark mode, before the app changes its colors; empty if there is no dark picture
    losses: tuple[AppLoss, ...]


class Sitter(Struct, frozen=True, kw_only=True):
    """What to draw: an email in an app, in one shade, whole or only its beginning."""

    simulated: Simulated
    shade: Shade
    is_whole: bool = False
    text: str = ""  # the plain text, for apps that show it


class AppDrawing(Struct, frozen=True, kw_only=True):
    """A picture of an email in an app."""

    app: str
    shade: Shade
    is_whole: bool
    content: bytes  # a JPEG
    layout_width: int  # the width in CSS pixels at which the app lays the email out


def shades_of(simulated: Simulated) -> tuple[Shade, ...]:
    """Return the shades in which an email in an app can be drawn."""
    if not simulated.dark_html:
        return (Shade.LIGHT,)
    if simulated.dark is Dark.OUTLOOK_COM:
        return (Shade.LIGHT, Shade.DARK, Shade.APP_DARK)
    return (Shade.LIGHT, Shade.DARK)


def simulate(app: EmailApp, html: str, table: Table) -> Simulated:
    """Return what an app makes of an email.

    `html` is an email with its merge fields filled in. An app that shows the plain text only keeps the HTML as it is.
    """
    if app.form is ShownPart.TEXT:
        return Simulated(app=app, html="", dark=app.dark, losses=())
    mail = _sanitized(app, html, table)
    shown, dark = mail.html, _dark_of(app, mail)
    dark_html = "" if dark in {Dark.UNKNOWN, Dark.STAYS} else shown
    if app.key == "fastmail" and dark_html:
        fastmail_in_the_dark(mail)
        dark_html = mail.html
    return Simulated(app=app, html=shown, dark=dark, dark_html=dark_html, losses=mail.tally.losses)


def _sanitized(app: EmailApp, html: str, table: Table) -> AppMail:
    reading = AppMail("<p></p>")
    mail = AppMail(app.read(html, reading.tally))
    mail.tally = reading.tally
    drop_active(mail, keeps_links=app.is_native)
    for step in app.before:
        step(mail)
    if app.clients:
        sift(mail, sieve_of(table, app.clients[0]).without(app.handled))
    for step in app.after:
        step(mail)
    return mail


def _dark_of(app: EmailApp, mail: AppMail) -> Dark:
    """Return what an app does to the colors of an email, which may depend on the email."""
    if app.dark is Dark.AUTHOR:
        return Dark.AUTHOR if has_dark_query(mail) else Dark.UNKNOWN
    if app.dark is Dark.APPLE:
        if opts_in_to_dark(mail):
            return Dark.AUTHOR if has_dark_query(mail) else Dark.STAYS
        return Dark.STAYS if mail.elements("img", "table") else Dark.APPLE
    return app.dark
