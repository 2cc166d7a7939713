"""A real browser for the tests that look at a page or at an email."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright


@contextmanager
def running_browser(profile: Path) -> Iterator[Browser]:
    """Chromium, whose profile stays in a folder of the test's own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no Chromium on this machine; install it with `apt-get install chromium`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    quiet = ["background-networking", "component-update", "sync", "gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", *(f"--disable-{name}" for name in quiet)],
            env={**os.environ, "HOME": str(profile)},
        )
        yield browser
        browser.close()
