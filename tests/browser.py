"""A real browser for the tests that look at a page or at an email."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from newsletter.checks.browser.confinement import started_browser
from newsletter.errors import CannotRunError


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium, started as the program starts it: in its sandbox, with a profile that is deleted afterwards."""
    quiet = ("background-networking", "component-update", "sync", "gpu")
    try:
        starting = started_browser([f"--disable-{name}" for name in quiet])
        started = starting.__enter__()
    except CannotRunError as err:
        if os.environ.get("CI") == "true":
            pytest.fail(str(err))
        pytest.skip(str(err))
    try:
        yield started.browser
    finally:
        starting.__exit__(None, None, None)
