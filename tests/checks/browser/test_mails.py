"""The promise of the theme: axe finds no problem in any email it makes, and each fits the smallest phone."""

from pathlib import Path

import pytest

from newsletter.checks.base import read_context
from newsletter.checks.browser.examine import examine
from newsletter.config import load_config
from newsletter.workflows.compose.compose import compose_issue, subject_of
from tests.checks.browser.test_examine import CIRCUMSTANCES
from tests.kitchen_sink import ISSUES, WORKSPACE
from tests.render.conftest import REPOSITORY


@pytest.mark.parametrize(("root", "name"), [(REPOSITORY, "2026-02"), *((WORKSPACE, name) for name in ISSUES)])
def test_axe_finds_nothing_by_day_or_night_and_nothing_scrolls_sideways(root: Path, name: str) -> None:
    config = load_config(root)
    composed = compose_issue(config, root / "issues" / name)
    context = read_context(subject_of(config, composed.issue, composed.rendered))

    found = examine(context, CIRCUMSTANCES)

    assert [(rule, str(fault.place), fault.what) for rule, fault in found.problems] == []
    assert found.not_run == ()
