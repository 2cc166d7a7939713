"""What every test in a browser needs: the browser."""

import os
from pathlib import Path

import pytest

from newsletter.checks.browser.confinement import find_browser
from newsletter.errors import CannotRunError


@pytest.fixture(autouse=True, scope="session")
def chromium() -> Path:
    """The browser of this machine; without one the tests are left out, but not where all of them have to run."""
    try:
        return find_browser(Path("none"))
    except CannotRunError as err:
        if os.environ.get("CI") == "true":
            pytest.fail(str(err))
        pytest.skip(str(err))
