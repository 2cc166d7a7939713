"""A rebuild after an edit, as the preview does it: one letter changed, everything else remembered."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.timing import ROOT, show, show_ratio
from newsletter.config import load_config
from newsletter.render.theme import Theme
from newsletter.workflows.compose import compose_issue

EDITS = 30
TARGET_SECONDS = 0.010


def main() -> None:
    """Prints the median rebuild, against the first build in the same process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("issues", "templates", "brand"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "newsletter.toml", folder)
        issue, letter = folder / "issues/2026-02", folder / "issues/2026-02/letter.md"
        config, text = load_config(folder), letter.read_text(encoding="utf-8")
        theme = Theme(folder)
        first = _seconds(lambda: compose_issue(config, issue, theme=theme))
        rebuilds = []
        for number in range(EDITS):
            letter.write_text(f"{text}\nEdit number {number}.\n", encoding="utf-8")
            rebuilds.append(_seconds(lambda: compose_issue(config, issue, theme=theme)))
    rebuild = median(rebuilds)
    show("first build in a process", f"{first * 1000:.1f} ms")
    show("rebuild after an edit of the letter", f"{rebuild * 1000:.1f} ms")
    show_ratio("rebuild ÷ 10 ms", rebuild / TARGET_SECONDS, "≤ 1", is_met=rebuild <= TARGET_SECONDS)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
