"""The results of axe-core (https://github.com/dequelabs/axe-core) and of our own `inspect.js` for one page."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct
from playwright.sync_api import Page

from newsletter.checks.browser.chromium import Viewport, look
from newsletter.errors import CannotRunError

_HARMFUL = ("serious", "critical")  # Our own rules cover what axe calls moderate or minor.
_CONTRAST = "color-contrast"
_SHOWN_LETTERS = 50


class Element(Struct, frozen=True, kw_only=True):
    """The features by which an element can be found in the user's files, as `inspect.js` returns them."""

    tag: str
    text: str  # its text, or that of a table's first cell; at most 400 characters
    link: str | None  # the address of its link, or of the first link in it if it has no text
    picture: str | None  # the image's address, or that of the first image in it if it has no text
    heading: str  # the text of the last heading above it

    def __str__(self) -> str:
        if self.tag in {"html", "body", "head", "meta"}:
            return "the email"
        if self.text:
            text = self.text if len(self.text) <= _SHOWN_LETTERS else f"{self.text[:_SHOWN_LETTERS].rstrip()}…"
            return f"the table with “{text}”" if self.tag == "table" else f"“{text}”"
        if self.picture:
            return f"the image {self.picture.rpartition('/')[2]}"
        return f"the link to {self.link}" if self.link else f"an element <{self.tag}>"


class Contrast(Struct, frozen=True, kw_only=True):
    """Two colors, as `#rrggbb`, with too little contrast, and the actual and required ratios."""

    ink: str
    ground: str
    ratio: float
    needed: float


class Violation(Struct, frozen=True, kw_only=True):
    """An element that breaks one of axe's rules, and how the email was shown."""

    view: Viewport
    rule: str  # axe's name of the rule, for example `color-contrast`
    address: str  # of axe's page about the rule
    element: Element
    contrast: Contrast | None  # only if the rule is about contrast


class Overflow(Struct, frozen=True, kw_only=True):
    """A page that is wider than its window, and the elements that cause it, if they are known."""

    view: Viewport
    width: int
    causes: tuple[Element, ...]


@cache
def inspecting_scripts() -> tuple[str, ...]:
    """Return the scripts that a page must run before it is inspected: axe and our own."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    return axe, (files(__package__) / "inspect.js").read_text(encoding="utf-8")


def serious_violations(page: Page, view: Viewport) -> Iterator[Violation]:
    """Yield everything on a page that axe calls serious or critical.

    Raise CannotRunError if axe itself fails.
    """
    look(page, view)
    page.evaluate("newsletter.startAxe()")
    report = page.wait_for_function("newsletter.report").json_value()
    if report["failure"]:
        raise CannotRunError(f"axe failed ({report['failure']}); try a newer version of axe-playwright-python")
    for each in report["violations"]:
        for node in each["nodes"] if each["impact"] in _HARMFUL else ():
            yield Violation(
                view=view,
                rule=each["rule"],
                address=each["address"],
                element=Element(**node["element"]),
                contrast=_contrast(node["contrast"]) if each["rule"] == _CONTRAST and node["contrast"] else None,
            )


def overflows(page: Page, view: Viewport) -> Iterator[Overflow]:
    """Yield the overflow of a page, or nothing if the page fits its window."""
    look(page, view)
    measured = page.evaluate("newsletter.tooWide()")
    if measured is not None:
        causes = tuple(Element(**each) for each in measured["causes"])
        yield Overflow(view=view, width=measured["width"], causes=causes)


def _contrast(data: Mapping[str, Any]) -> Contrast:
    return Contrast(
        ink=data["fgColor"],
        ground=data["bgColor"],
        ratio=data["contrastRatio"],
        needed=float(data["expectedContrastRatio"].partition(":")[0]),
    )
