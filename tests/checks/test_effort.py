"""Twice the text of an author is at most about twice the work for all checks together."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import compose_issue
from tests.effort import growth_of_processor_time
from tests.workspaces import ISSUE, write_workspace

EVENT = """\
---
title: A course
starts: 2026-03-06 08:00
ends: 2026-03-06 11:00
---
{text}
"""


@pytest.mark.parametrize(
    "unit",
    [
        "March 6, 2026. ",
        "On Friday, March 6, we meet at 8:00 AM PT. ",
        "February 30 ",
        "12:30 ",
        "8:00 (Berlin) ",
        "in January ",
        "2月3日 ",
        "{{ first_name }} ",
        "https://example.org/a ",
        "ana.lima-",
        "......",
        "](a",
        "TODO ",
    ],
)
def test_checking_an_issue_is_linear(tmp_path: Path, unit: str) -> None:
    root = write_workspace(tmp_path, {"issues/2026-02/issue.yaml": f"{ISSUE}  - events\n"})
    folder = root / "issues" / "2026-02"
    (folder / "events").mkdir()
    (folder / "events" / "index.md").write_text("---\ntitle: Courses\nitems: [course]\n---\n", encoding="utf-8")
    config, theme = load_config(root), Theme(root)

    def work(text: str) -> None:
        words = text.replace("](a", r"\](a")  # the bracket is meant as it is
        (folder / "letter.md").write_text(f"Hello.\n\n{words}\n", encoding="utf-8")
        (folder / "events" / "course.md").write_text(EVENT.format(text=words), encoding="utf-8")
        assert compose_issue(config, folder, theme=theme).findings is not None

    work("Words. ")  # what every issue needs is loaded
    assert growth_of_processor_time(work, unit, 2_000 // len(unit)) < 16
