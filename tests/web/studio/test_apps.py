"""The contact sheet of the email apps: what is on it, what each app loses, and what happens without a browser."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest

from newsletter.checks.clients.simulation.losses import Basis, PublishedRule
from newsletter.checks.clients.simulation.simulate import AppDrawing, Shade, Sitter
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.web.studio.apps import told_rule
from newsletter.workflows.compose import apps
from newsletter.workflows.compose.sample import SampleMail
from tests.web.studio.conftest import Visitor


def test_the_apps_that_most_readers_use_come_first_each_with_its_losses(visitor: Visitor, workspace: Path) -> None:
    settings = workspace / "newsletter.toml"
    settings.write_text(settings.read_text() + '\n[checks.clients]\n"outlook.windows" = 60\ngmail = 30\n')
    visitor.get("/2026-02/").raise_for_status()
    page = visitor.get("/2026-02/apps")
    assert page.status_code == 200
    names = re.findall(r'<span class="name">([^<]*)</span>', page.text)
    assert len(names) == 24
    assert "Drawn here from published rules, not by the apps themselves." in page.text
    assert re.search(r"\d+ losses", page.text)


def test_an_app_is_shown_enlarged_with_the_source_and_age_of_each_rule(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/apps/outlook-windows/light").text
    assert "Outlook for Windows, classic" in page
    assert 'src="light.jpg?whole' in page
    assert '<a href="https://www.caniemail.com/features/' in page
    assert "reported by testers" in page
    assert 'rel="next"' in page


@pytest.mark.parametrize(
    "path",
    [
        "/2026-03/apps",
        "/2026-02/apps/mutt/light",
        "/2026-02/apps/gmail-web/purple",
        "/2026-02/apps/gmail-web/dark",  # it stays light, so there is no such picture
        "/2026-02/apps/yahoo-web/dark.jpg",
        "/2026-02/apps/..%2f..%2fnewsletter.toml/light.jpg",
    ],
)
def test_what_does_not_exist_is_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_an_issue_that_cannot_be_built_says_so(visitor: Visitor, issue_folder: Path) -> None:
    (issue_folder / "issue.yaml").write_text("subject: [\n")
    answer = visitor.get("/2026-02/apps")
    assert answer.status_code == 404
    assert "Fix its errors first" in answer.text


def test_without_a_browser_the_losses_are_listed_and_the_page_says_why(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "_CONFINEMENT", "newsletter.no_such_module")
    monkeypatch.setattr(apps, "_DRAWING", "newsletter.no_such_module")
    page = visitor.get("/2026-02/apps").text
    assert "There are no pictures, only what each app loses" in page
    assert "pip install" in page
    assert "<img" not in page
    assert re.search(r"\d+ losses", page)
    assert visitor.get("/2026-02/apps/gmail-web/light.jpg").status_code == 503
    assert "There is no picture" in visitor.get("/2026-02/apps/gmail-web/light").text


def test_a_browser_that_fails_ends_the_waiting_for_all_pictures(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CannotRunError("Chromium does not start; start it yourself to see why")

    monkeypatch.setattr(apps, "_drawn", fail)
    for app in ("gmail-web", "apple-mail-ios"):
        answer = visitor.get(f"/2026-02/apps/{app}/light.jpg")
        assert answer.status_code == 503
        assert "Chromium does not start" in answer.text
    assert "Chromium does not start" in visitor.get("/2026-02/apps").text
    assert "Chromium does not start" not in visitor.get("/2026-02/apps").text  # the next time it is tried again
    assert visitor.get("/2026-02/apps/gmail-web/light.jpg").status_code == 503


def test_a_new_email_ends_the_drawing_of_the_old_one(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, asked = Event(), Event()

    def draw(sitters: Iterable[Sitter], _: object) -> Iterator[AppDrawing]:
        for sitter in sitters:
            yield AppDrawing(
                app=sitter.simulated.app.key, shade=sitter.shade, is_whole=False, content=b"", layout_width=700
            )
            begun.set()
            asked.wait(20)

    monkeypatch.setattr(apps, "_drawn", draw)
    sheet = apps.open_sheet(config, SampleMail(subject="", preheader="", html="<p>A</p>", text="A"), ())
    first, second = sheet.views[:2]
    assert sheet.picture(first, Shade.LIGHT).app == first.app.key
    begun.wait(20)
    sheet.stop()
    with pytest.raises(CannotRunError, match="the email has changed"):
        sheet.picture(second, Shade.LIGHT)
    asked.set()


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (PublishedRule("a", "2022-12-28"), "December 2022, reported by testers"),
        (PublishedRule("a", "2019-02-28"), "February 2019, reported by testers; not tested since 2021"),
        (PublishedRule("a", "2020"), "2020, reported by testers; not tested since 2021"),
        (PublishedRule("a", "2006-08", Basis.DOCUMENTED), "August 2006, documented by the app’s maker"),
        (PublishedRule("a", "", Basis.GUESSED), "date not stated, a guess that fits what was seen"),
    ],
)
def test_a_rule_tells_its_age_and_how_far_it_can_be_trusted(rule: PublishedRule, told: str) -> None:
    assert told_rule(rule) == told
