"""The studio loads what a page needs when that page is first opened."""

import re
import subprocess
import sys

import pytest
from babel import localedata

from newsletter.web.studio.application import _LATE_GROUPS
from tests.web.studio.conftest import Visitor

LARGE = ("bs4", "feedparser", "icalendar", "recurring_ical_events", "tomlkit")


def test_the_start_loads_no_library_that_only_a_seldom_page_needs() -> None:
    program = (
        "import sys; from newsletter.cli.compose import preview; "
        f"print([name for name in {LARGE!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "path"),
    [
        ("setup", "/-/setup"),
        ("setup", "/-/setup/sender"),
        ("publishing", "/-/archive/account"),
        ("feeds", "/2026-02/feeds"),
        ("rehearsals", "/2026-02/sending/rehearsals/key/forecast"),
        ("report", "/2026-02/report"),
        ("apps", "/2026-02/apps/gmail/light"),
    ],
)
def test_each_late_group_has_the_paths_of_its_own_pages(visitor: Visitor, module: str, path: str) -> None:
    scope = {"type": "http", "path": path, "method": "GET"}
    found = [route for route in visitor.app.routes if route.matches(scope)[0].name == "FULL"]
    assert found[0]._module == module
    assert module in _LATE_GROUPS
    assert found[0]._pages.routes


def test_a_path_that_only_begins_alike_is_not_a_late_page(visitor: Visitor) -> None:
    scope = {"type": "http", "path": "/2026-02/reports", "method": "GET"}
    assert not [route for route in visitor.app.routes if route.matches(scope)[0].name == "FULL"]


def test_the_page_of_an_issue_loads_the_names_of_no_language_but_its_own(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(localedata, "_cache", {})  # each language that is loaded takes about 1 MB
    page = visitor.get("/2026-02/").text
    assert set(localedata._cache) <= {"en", "root"}
    names = re.findall(
        r'<option value="\w+">(\w+)</option>', page[page.index(">Language<") : page.index(">Time zone<")]
    )
    assert {"Arabic", "Spanish"} < set(names)
    assert names == sorted(names)
