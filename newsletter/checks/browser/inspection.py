"""What axe-core and our own measuring find in a page: https://github.com/dequelabs/axe-core, and `inspect.js`."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct
from playwright.sync_api import Page

from newsletter.checks.browser.chromium import Viewport, look
from newsletter.errors import CannotRunError

_HARMFUL = ("serious", "critical")  # what axe calls moderate or minor is left to our own rules
_CONTRAST = "color-contrast"
_SHOWN_LETTERS = 50


class Element(Struct, frozen=True, kw_only=True):
    """What of an element can be found again in the files; `inspect.js` makes it."""

    tag: str
    text: str  # its words, or those of a table's first cell; at most 400 letters
    link: str | None  # the address that it leads to; without words, that the first link in it leads to
    picture: str | None  # the address of the picture that it is; without words, of the first one in it
    heading: str  # the words of the last heading above it

    def __str__(self) -> str:
        if self.tag in {"html", "body", "head", "meta"}:
            return "the mail"
        if self.text:
            text = self.text if len(self.text) <= _SHOWN_LETTERS else f"{self.text[:_SHOWN_LETTERS].rstrip()}…"
            return f"the table with “{text}”" if self.tag == "table" else f"“{text}”"
        if self.picture:
            return f"the picture {self.picture.rpartition('/')[2]}"
        return f"the link to {self.link}" if self.link else f"an element <{self.tag}>"


class Contrast(Struct, frozen=True, kw_only=True):
    """Two colors that are too near to each other, as `#rrggbb`, with the contrast that is there and that is needed."""

    ink: str
    ground: str
    ratio: float
    needed: float


class Violation(Struct, frozen=True, kw_only=True):
    """One element that breaks one of axe's rules, and how the mail was looked at."""

    view: Viewport
    rule: str  # axe's name for it, such as `color-contrast`
    address: str  # of the page that explains the rule
    element: Element
    contrast: Contrast | None  # where the rule is about contrast


class Overflow(Struct, frozen=True, kw_only=True):
    """A page that is wider than its window, and what reaches beyond; nothing where that cannot be named."""

    view: Viewport
    width: int
    causes: tuple[Element, ...]


@cache
def inspecting_scripts() -> tuple[str, ...]:
    """Return the scripts that a page must run before it is asked: axe, and ours."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    return axe, (files(__package__) / "inspect.js").read_text(encoding="utf-8")


def serious_violations(page: Page, view: Viewport) -> Iterator[Violation]:
    """Yield everything in a page that axe calls serious or critical.

    Raise CannotRunError where axe itself fails.
    """
    look(page, view)
    page.evaluate("newsletter.startAxe()")
    report = page.wait_for_function("newsletter.report").json_value()
    if report["failure"]:
        raise CannotRunError(f"axe fails ({report['failure']}); see whether a newer axe-playwright-python helps")
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
    """Yield what is too wide; nothing where the page fits."""
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
