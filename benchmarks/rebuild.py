"""A rebuild after an edit, as in the preview: the letter changed, and everything else is remembered."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.timing import ROOT, show, show_ratio
from newsletter.__main__ import prepare_process
from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import compose_issue

EDITS = 40
TARGET_SECONDS = 0.010
CHECKED_TARGET_SECONDS = 0.025


def main() -> None:
    """Print the median rebuild of the email, without and with all checks, compared with the first build."""
    prepare_process()  # as the program does
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("issues", "templates", "brand"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "newsletter.toml", folder)
        issue, letter = folder / "issues/2026-02", folder / "issues/2026-02/letter.md"
        config, text = load_config(folder), letter.read_text(encoding="utf-8")
        theme = Theme(folder)

        def rebuild() -> None:
            render_issue(load_issue(config, issue, theme.section_types), config, theme)

        first = _seconds(rebuild)
        mail, checked = [], []
        for number in range(EDITS):
            letter.write_text(f"{text}\nEdit number {number}.\n", encoding="utf-8")
            mail.append(_seconds(rebuild))
            letter.write_text(f"{text}\nEdit number {number}, checked.\n", encoding="utf-8")
            checked.append(_seconds(lambda: compose_issue(config, issue, theme=theme).findings))
    ratio, checked_ratio = median(mail) / TARGET_SECONDS, median(checked) / CHECKED_TARGET_SECONDS
    show("first build in a process", f"{first * 1000:.1f} ms")
    show("rebuild of the email after an edit of the letter", f"{median(mail) * 1000:.1f} ms")
    show("the same with every check", f"{median(checked) * 1000:.1f} ms")
    show_ratio("rebuild of the email ÷ 10 ms", ratio, "≤ 1", is_met=ratio <= 1)
    show_ratio("rebuild with every check ÷ 25 ms", checked_ratio, "≤ 1", is_met=checked_ratio <= 1)
    show_ratio("rebuild ÷ first build", median(mail) / first, "≤ 0.1", is_met=median(mail) <= first / 10)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
