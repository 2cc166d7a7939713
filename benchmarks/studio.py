"""The studio: from a save to the updated page in Chromium, and its memory after a thousand edits."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.timing import ROOT, show, show_ratio
from newsletter.checks.browser.confinement import started_browser

EDITS_SEEN, EDITS = 40, 1000
TARGET_SECONDS, TARGET_MIB = 0.050, 120
_TIMES = """() => {
    window.times = [];
    window.checked = [];
    let revision = document.body.dataset.revision;
    new MutationObserver(() => {
        if (document.body.dataset.revision === revision) return;
        revision = document.body.dataset.revision;
        window.checked.push(performance.timeOrigin + performance.now());
    }).observe(document.body, { attributeFilter: ['data-revision'] });
    document.addEventListener('email', () => window.times.push(performance.timeOrigin + performance.now()));
}"""

_NEXT = """number => new Promise((found) => {
    const { times, checked } = window;
    const look = () => (checked.length > number ? found([times[number], checked[number]]) : setTimeout(look, 20));
    look();
})"""


def main() -> None:
    """Print the median time from a save to the updated page, and the memory of the studio's process."""
    with tempfile.TemporaryDirectory() as name, _studio(_workspace(Path(name))) as (process, url):
        letter = Path(name) / "issues/2026-02/letter.md"
        seconds, checked = zip(*_seconds_to_page(url, letter), strict=True)
        begun = _resident_mib(process.pid)
        _edit(url, letter)
        grown = _resident_mib(process.pid)
    show("load of this machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    usual, worst = median(seconds), sorted(seconds)[len(seconds) * 9 // 10]
    show(
        "from a save to the updated email on the page",
        f"{usual * 1000:.0f} ms median, {worst * 1000:.0f} ms for 9 of 10",
    )
    show("until the problems beside it are updated too", f"{median(checked) * 1000:.0f} ms median")
    show_ratio("save to page ÷ 50 ms", usual / TARGET_SECONDS, "≤ 1", is_met=usual <= TARGET_SECONDS)
    show(f"resident memory after {EDITS_SEEN} and after {EDITS:,} edits", f"{begun:.0f} MiB, {grown:.0f} MiB")
    show_ratio(f"memory ÷ {TARGET_MIB} MiB", grown / TARGET_MIB, "≤ 1", is_met=grown <= TARGET_MIB)


def _workspace(folder: Path) -> Path:
    for part in ("issues", "templates", "brand"):
        shutil.copytree(ROOT / part, folder / part)
    settings = (ROOT / "newsletter.toml").read_text(encoding="utf-8")
    (folder / "newsletter.toml").write_text(f'{settings}\n[checks]\nwithout = ["network"]\n', encoding="utf-8")
    return folder


@contextmanager
def _studio(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the studio on a free port, and yield its process and the address of the issue."""
    command = [sys.executable, "-m", "newsletter", "preview", "2026-02", "--no-open"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise SystemExit("the studio did not start")
            yield process, f"{found[0]}2026-02/"
        finally:
            process.terminate()


def _seconds_to_page(url: str, letter: Path) -> list[tuple[float, float]]:
    """Return the seconds from each save until both frames show it, and until the rest of the page does."""
    text, seconds = letter.read_text(encoding="utf-8"), list[tuple[float, float]]()
    with started_browser(()) as started:
        page = started.browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        for frame in ("desktop", "phone"):
            page.frame_locator(f"#{frame}").locator("[data-place]").first.wait_for(state="attached")
        page.wait_for_timeout(2000)
        page.evaluate(_TIMES)
        for number in range(EDITS_SEEN):
            began = time.time()
            letter.write_text(f"{text}\nEdit number {number}.\n", encoding="utf-8")
            shown, checked = (moment / 1000 - began for moment in page.evaluate(_NEXT, number))
            seconds.append((shown, checked))
            page.wait_for_timeout(100)
        count = page.frame_locator("#phone").get_by_text(f"Edit number {EDITS_SEEN - 1}.").count()
        if count != 1 or page.evaluate("window.times.length") != EDITS_SEEN:
            raise SystemExit("the page did not show each edit once")
    return seconds


def _edit(url: str, letter: Path) -> None:
    """Save the letter a thousand times, and request the page and the email each time, as a browser does."""
    text = letter.read_text(encoding="utf-8")
    with urllib.request.urlopen(f"{url}events") as stream:
        _next_revision(stream)
        for number in range(EDITS):
            letter.write_text(f"{text}\nEdit number {number}, unseen.\n", encoding="utf-8")
            _next_revision(stream)
            for address in (url, f"{url}mail.html"):
                with urllib.request.urlopen(address) as answer:
                    answer.read()


def _next_revision(lines: Iterator[bytes]) -> None:
    next(line for line in lines if line.startswith(b"data: "))


def _resident_mib(process: int) -> float:
    """Return the memory of a process that is not swapped out (proc(5))."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0
