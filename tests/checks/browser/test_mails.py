"""The promise of the theme: axe finds no problem in any email it makes, and each fits the smallest phone."""

from pathlib import Path

import pytest

from newsletter.checks.base import CheckContext, read_context
from newsletter.checks.browser.chromium import opened_browser
from newsletter.checks.browser.examine import AXE_VIEWS, examine
from newsletter.checks.browser.inspection import inspecting_scripts, serious_violations
from newsletter.config import load_config
from newsletter.workflows.compose.compose import compose_issue, subject_of
from tests.checks.browser.test_examine import CIRCUMSTANCES
from tests.kitchen_sink import ISSUES, WORKSPACE
from tests.render.conftest import REPOSITORY

EVERY_MAIL = pytest.mark.parametrize(
    ("root", "name"), [(REPOSITORY, "2026-02"), *((WORKSPACE, name) for name in ISSUES)]
)


def context_of(root: Path, name: str) -> CheckContext:
    config = load_config(root)
    composed = compose_issue(config, root / "issues" / name)
    return read_context(subject_of(config, composed.issue, composed.rendered))


@EVERY_MAIL
def test_axe_finds_nothing_by_day_or_night_and_nothing_scrolls_sideways(root: Path, name: str) -> None:
    found = examine(context_of(root, name), CIRCUMSTANCES)

    assert [(rule, str(fault.place), fault.what) for rule, fault in found.problems] == []
    assert found.not_run == ()


@EVERY_MAIL
def test_axe_finds_nothing_where_pictures_are_not_loaded(root: Path, name: str) -> None:
    fullest = context_of(root, name).documents[0]
    with opened_browser((), scripts=inspecting_scripts()) as window, window.showing(fullest.html) as page:
        assert page.evaluate("[...document.images].every(image => image.naturalWidth === 0)")
        assert [found for view in AXE_VIEWS for found in serious_violations(page, view)] == []
