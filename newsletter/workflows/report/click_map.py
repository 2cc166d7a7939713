"""Draw the email as it was sent, with the share of people who clicked at each link."""

from collections.abc import Mapping
from importlib import import_module

from msgspec import Struct

from newsletter.errors import CannotRunError
from newsletter.language.rates import say_rate
from newsletter.workflows.report.issue import IssueReport
from newsletter.workflows.report.sent_links import NUMBER_ATTRIBUTE

# Imported on first use, because its package may be missing.
_DRAWING = "newsletter.checks.browser.link_map"
_NOT_INSTALLED = 'Chromium\'s driver is not installed; run `pip install "newsletter-press[browser]"`'


class ClickSpot(Struct, frozen=True, kw_only=True):
    """A link in the picture, in pixels, and what is written on it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    strength: float  # compared with the most clicked link, from 0 to 1


class ClickMap(Struct, frozen=True, kw_only=True):
    """The picture of the email as a JPEG, with its links."""

    picture: bytes
    width: int
    height: int
    spots: tuple[ClickSpot, ...]
    caption: str


def draw_click_map(report: IssueReport) -> ClickMap | None:
    """Return the map, or None if links were not tracked. Raise CannotRunError if there is no browser, or it fails."""
    if report.email is None or not report.targets or not any(link.clicks for link in report.links):
        return None
    try:
        drawing = import_module(_DRAWING)
    except ImportError as err:
        raise CannotRunError(_NOT_INSTALLED) from err
    drawn = drawing.drawn_links(report.email.html, report.pictures, attribute=NUMBER_ATTRIBUTE)
    shares = _shares(report)
    most = max(shares.values(), default=0.0) or 1.0
    spots = tuple(
        ClickSpot(
            x=box.x,
            y=box.y,
            width=box.width,
            height=box.height,
            label=say_rate(shares[report.targets[box.number]]),
            strength=shares[report.targets[box.number]] / most,
        )
        for box in drawn.boxes
        if shares.get(report.targets.get(box.number, ""), 0.0) > 0
    )
    what = "people who let us know" if report.total.known else "all clicks"
    caption = f"The share of {what} at each link. An address that occurs several times has the same share everywhere."
    return ClickMap(picture=drawn.picture, width=drawn.width, height=drawn.height, spots=spots, caption=caption)


def _shares(report: IssueReport) -> Mapping[str, float]:
    if report.total.known:
        return {link.url: min(link.people, report.total.known) / report.total.known for link in report.links}
    clicks = sum(link.clicks for link in report.links)
    return {link.url: link.clicks / clicks for link in report.links}
