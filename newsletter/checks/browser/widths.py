"""Whether a page fits its window, and what in it does not."""

from dataclasses import dataclass

from playwright.sync_api import Page

from newsletter.checks.browser.elements import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class TooWide:
    """The width of a page that is wider than its window, and what reaches beyond; nothing where none can be named."""

    width: int
    causes: tuple[Element, ...]


def what_is_too_wide(page: Page) -> TooWide | None:
    """None where the page fits."""
    measured = page.evaluate("newsletter.tooWide()")
    if measured is None:
        return None
    return TooWide(width=measured["width"], causes=tuple(Element(**each) for each in measured["causes"]))
