"""The archive: 600 pages, published, published again with one change, and indexed.

Half of the pages are issues in four languages, as long as the one of February. The others are their events.

Each figure is processor time. The floors are what cannot be saved: rendering the same pages alone, and pagefind alone.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.timing import ROOT, Stopwatch, run_job, show, show_ratio
from newsletter.__main__ import prepare_process
from newsletter.config import CONFIG_FILE, Config, load_config
from newsletter.content.loader import issue_names, load_issue
from newsletter.model.site_files import SiteFile
from newsletter.render.page import render_page
from newsletter.site.search import can_search, search_files
from newsletter.workflows.compose.compose import open_theme
from newsletter.workflows.publish import publish

PAGES = int(os.environ.get("BENCHMARK_PAGES", "600"))
LANGUAGES = 4
ISSUES = PAGES // LANGUAGES // 2  # each has a page and an event, in each language
NOW = datetime(2026, 2, 1, tzinfo=UTC)  # no page is a future one
FIRST_DAY = date(2010, 1, 7)
EVENT = "self-forgiveness"
OTHER_EVENTS = ("healthcare-communities.*", "live-online-msc.*", "shame-intensive.*")
ARCHIVE = '\n[archive]\nurl = "https://letters.example.org"\nto = "site"\nvisibility = "public"\n'


def main() -> None:
    """Print the ratios to the targets and to the floors."""
    if not can_search():
        show("skipped", 'the search needs pagefind; run: pip install "newsletter-press[search]"')
        return
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # bytecode is kept, as for an installed program
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_workspace(folder)
        rendered = run_job("benchmarks.publishing", "render", folder)["seconds"]
        first = run_job("benchmarks.publishing", "publish", folder)
        letter = folder / "issues" / _issue_name(ISSUES // 2) / "letter.md"
        letter.write_text(f"{letter.read_text(encoding='utf-8')}\nOne more sentence.\n", encoding="utf-8")
        changed = run_job("benchmarks.publishing", "publish", folder)
        indexed = _pagefind_seconds(folder / "site")
    show(f"rendering {ISSUES * LANGUAGES} pages of issues alone", f"{rendered:.2f} s")
    show(f"publishing {first['pages']:.0f} pages", f"{first['seconds']:.2f} s, {first['mib']:.0f} MiB")
    show("publishing one change", f"{changed['seconds']:.2f} s, {changed['written']:.0f} files written")
    show("the search index, the first time and after the change", f"{first['search']:.2f} s, {changed['search']:.2f} s")
    show("pagefind alone", f"{indexed:.2f} s")
    _show("publishing ÷ 10 s", first["seconds"] / 10, 1)
    _show("publishing one change ÷ 1 s", changed["seconds"], 1)
    _show("search index ÷ 3 s", max(first["search"], changed["search"]) / 3, 1)
    _show("publishing ÷ rendering alone", first["seconds"] / rendered, 3)
    _show("search index ÷ pagefind alone", first["search"] / indexed, 2)


def _show(name: str, ratio: float, most: float) -> None:
    show_ratio(name, ratio, f"≤ {most:g}", is_met=ratio <= most)


def _issue_name(number: int) -> str:
    return f"{FIRST_DAY + timedelta(weeks=number)}"


def _write_workspace(folder: Path) -> None:
    """Write copies of the February issue, one a week, each with its own title, letter and event."""
    for part in ("templates", "brand"):
        shutil.copytree(ROOT / part, folder / part)
    text = (ROOT / CONFIG_FILE).read_text(encoding="utf-8")
    (folder / CONFIG_FILE).write_text(f"{text}{ARCHIVE}", encoding="utf-8")
    february = ROOT / "issues/2026-02"
    for number in range(ISSUES):
        issue = folder / "issues" / _issue_name(number)
        shutil.copytree(february, issue, ignore=shutil.ignore_patterns("retreats", "community", *OTHER_EVENTS))
        _edit(issue / "events/index.md", (r"items: \[.*\]", f"items: [{EVENT}]"))
        day = _issue_name(number)
        _edit(
            issue / "issue.yaml",
            (r"  - (retreats|community)\n", ""),
            ("date: .*", f"date: {day}"),
            ("title: ", f"title: {number}. "),
        )
        for letter in issue.glob("letter*.md"):
            letter.write_text(f"{letter.read_text(encoding='utf-8')}\n№ {number}\n", encoding="utf-8")


def _edit(path: Path, *replacements: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in replacements:
        text = re.sub(old, new, text)
    path.write_text(text, encoding="utf-8")


def _render(config: Config) -> dict[str, float]:
    theme = open_theme(config)
    began = time.process_time()
    for name in issue_names(config):
        issue = load_issue(config, config.root / "issues" / name, theme.section_types)
        for each in issue.in_every_form:
            render_page(each, config, theme, original=issue.language, is_listed=True, links="https://news.example.org")
    return {"seconds": time.process_time() - began}


def _publish(config: Config) -> dict[str, float]:
    """Return the processor time of publishing, and apart from it that of the search index with pagefind's process."""
    search = Stopwatch()

    def indexed(*arguments: Any) -> tuple[SiteFile, ...]:
        with search:
            return search_files(*arguments)

    began = time.process_time()
    with patch.object(publish, "search_files", indexed):
        edition = publish.make_edition(config, None, now=NOW)
    done = publish.publish_edition(config, edition, publish.destination_of(config), lambda _done, _total: None)
    return {
        "seconds": time.process_time() - began - search.work_seconds,
        "search": search.work_seconds + _seconds_of_children(),
        "pages": sum(file.path.endswith(".html") for file in edition.files),
        "written": len(done.written),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _pagefind_seconds(site: Path) -> float:
    before = _seconds_of_children()
    subprocess.run([sys.executable, "-m", "pagefind", "--site", str(site), "--quiet"], check=True, capture_output=True)
    return _seconds_of_children() - before


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    prepare_process()  # as the program does
    job, where = sys.argv[1:]
    print(json.dumps({"render": _render, "publish": _publish}[job](load_config(Path(where)))))
