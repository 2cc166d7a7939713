"""Takes the pictures of the studio for the guides, from a copy of this workspace.

`python docs/artwork/photograph_studio.py`, on a machine with Chromium. It takes a minute.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from newsletter.checks.browser.confinement import started_browser

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
COLORS = 256  # a picture of a page needs no more
ALL_DRAWN = "Promise.all([...document.images].map((each) => each.decode()))"
# The name of each picture, the page, its size in pixels, and how many images it has when all of them are drawn.
PAGES = (
    ("setup", "-/setup/look", (1040, 760), 0),
    ("shelf", "-/shelf", (1240, 620), 5),
    ("apps", "2026-02/apps", (1280, 900), 24),
)
OTHERS = {
    "2026-01": ("January", "Beginning Again"),
    "2026-03": ("March", "What Kindness Costs"),
    "2026-04": ("April", "A Garden for Everyone"),
    "2026-05": ("May", "Listening, and Then Listening Again"),
}


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as name, _studio(_workspace(Path(name))) as url, started_browser(()) as started:
        for picture, page, size, images in PAGES:
            _photograph(started.browser, f"{url}{page}", size, images).save(PICTURES / f"{picture}.png", optimize=True)


def _workspace(folder: Path) -> Path:
    for part in ("issues", "templates", "brand"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "newsletter.toml", folder)
    for issue, (month, title) in OTHERS.items():
        shutil.copytree(folder / "issues/2026-02", folder / "issues" / issue)
        heading = folder / "issues" / issue / "issue.yaml"
        text = heading.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(subject|title):.*$", rf"\1: {title}", text)
        heading.write_text(re.sub(r"(?m)^date:.*$", f"date: {issue}-15", text), encoding="utf-8")
        letter = folder / "issues" / issue / "letter.md"
        letter.write_text(letter.read_text(encoding="utf-8").replace("February", month), encoding="utf-8")
    return folder


@contextmanager
def _studio(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "newsletter", "preview", "--no-open"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise SystemExit("the studio did not start")
            yield found[0]
        finally:
            process.terminate()


def _photograph(browser: Browser, url: str, size: tuple[int, int], images: int) -> Image.Image:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(180_000)
    page.goto(url)
    if images:
        page.locator("img").nth(images - 1).wait_for(state="attached")
    page.evaluate(ALL_DRAWN)
    return Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLORS)


if __name__ == "__main__":
    main()
