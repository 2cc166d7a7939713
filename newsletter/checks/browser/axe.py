"""What axe-core finds in a page: https://github.com/dequelabs/axe-core."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

from newsletter.checks.browser.elements import Element
from newsletter.errors import CannotRunError

_HARMFUL = ("serious", "critical")  # what axe calls moderate or minor is left to the rules of the catalogue
_CONTRAST = "color-contrast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two colors that are too near to each other, as `#rrggbb`, with the contrast that is there and that is needed."""

    ink: str
    ground: str
    ratio: float
    needed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One element that breaks one of axe's rules."""

    rule: str  # axe's name for it, such as `color-contrast`
    address: str  # of the page that explains the rule
    element: Element
    contrast: Contrast | None  # where the rule is about contrast


@cache
def axe_core() -> str:
    """The script that is axe."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def serious_violations(page: Page) -> tuple[Violation, ...]:
    """Everything in a page that axe calls serious or critical.

    Raises CannotRunError where axe itself fails.
    """
    page.evaluate("newsletter.startAxe()")
    report = page.wait_for_function("newsletter.report").json_value()
    if report["failure"]:
        raise CannotRunError(f"axe fails ({report['failure']}); see whether a newer axe-playwright-python helps")
    harmful = (each for each in report["violations"] if each["impact"] in _HARMFUL)
    return tuple(_violation(each, node) for each in harmful for node in each["nodes"])


def _violation(each: Mapping[str, Any], node: Mapping[str, Any]) -> Violation:
    return Violation(
        rule=each["rule"],
        address=each["address"],
        element=Element(**node["element"]),
        contrast=_contrast(node["contrast"]) if each["rule"] == _CONTRAST and node["contrast"] else None,
    )


def _contrast(data: Mapping[str, Any]) -> Contrast:
    return Contrast(
        ink=data["fgColor"],
        ground=data["bgColor"],
        ratio=data["contrastRatio"],
        needed=float(data["expectedContrastRatio"].partition(":")[0]),
    )
