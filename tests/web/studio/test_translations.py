"""Translations beside their originals: what the page shows, what a form writes, and what it refuses."""

import html
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from newsletter.config import Config, load_config
from newsletter.web.studio.application import studio_app
from tests.web.axe import violations
from tests.web.studio.conftest import ServedStudio
from tests.workflows.translations.returning import export, take, translate, translated_workspace
from tests.workspaces import write_workspace

ORIGIN = "http://127.0.0.1:8025"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


class Translator:
    """A browser on the page with the translations into Spanish."""

    def __init__(self, config: Config) -> None:
        self.folder = config.root / "issues/2026-02"
        self.client = TestClient(studio_app(config, self.folder), base_url=ORIGIN, follow_redirects=True)

    def page(self, **query: str) -> str:
        """The page."""
        answer = self.client.get("/2026-02/translations", params={"language": "es", **query})
        assert answer.status_code == 200, answer.text
        return answer.text

    def save(self, file: str, unit: str, *texts: str, expect: int = 200, was: str | None = None) -> str:
        """Save a unit as the page would."""
        page = self.page()
        token = re.search(r'name="token" value="([^"]+)"', page)
        hidden = rf'name="file" value="{re.escape(file)}">\s+<input[^>]+>\s+<input[^>]+name="was" value="(\w*)"'
        known = re.search(hidden, page)
        assert token is not None
        assert known is not None
        sentences = {f"sentence-{number}": text for number, text in enumerate(texts)}
        fields = {"token": token[1], "language": "es", "file": file, "unit": unit, **sentences}
        fields["was"] = known[1] if was is None else was
        answer = self.client.post("/2026-02/translations", data=fields, headers=OURS)
        assert answer.status_code == expect, answer.text
        return html.unescape(answer.text)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A workspace whose issue is translated, except for one sentence that changed since."""
    found = translated_workspace(tmp_path)
    take(found, translate(export(found)))
    letter = found.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("We meet", "We will meet"))
    return found


@pytest.fixture
def translator(config: Config) -> Translator:
    """A browser in that workspace."""
    return Translator(config)


def test_the_page_shows_each_sentence_beside_its_translation(translator: Translator) -> None:
    page = html.unescape(translator.page())

    assert "With warm wishes," in page
    assert "htiW mraw sehsiw," in page
    assert '<span class="needs">1 stale</span>' in page
    assert page.count(">Stale<") == 1


def test_only_what_is_open_can_be_shown(translator: Translator) -> None:
    page = translator.page(show="open")

    assert page.count("<article") == 1
    assert "We will meet" in page


def test_a_saved_translation_is_up_to_date_and_can_be_undone(translator: Translator) -> None:
    letter = translator.folder / "letter.es.md"
    before = letter.read_text()

    page = translator.save(
        "letter.md",
        "text-1",
        "Nos vemos el 25–27 de febrero de 2026, a las 8:00 am.",
        '¡[Reserva *ya*](https://www.example.org/place "Places")!',
        "Vendrán Dr. Germer y C. Neff.",
    )

    assert "<span>0 stale</span>" in page
    assert "Nos vemos el 25–27 de febrero de 2026, a las 8:00 am.\n¡[Reserva *ya*]" in letter.read_text()
    changed = [line for line in letter.read_text().split("\n") if line not in before.split("\n")]
    assert len(changed) == 4  # the three sentences, and the list of what they were made from


@pytest.mark.parametrize(
    "text",
    [
        "¡Reserva ya!",
        "¡[Reserva *ya*](https://evil.example.com)! [otra](https://evil.example.com)",
        '¡[Reserva *ya*](https://www.example.org/place "Places")! {{ email }}',
        '¡[Reserva *ya*](https://www.example.org/place "Places")! <https://evil.example.com>',
        '¡[Reserva *ya*](https://www.example.org/place "Places")! www.evil.example.com',
    ],
)
def test_a_translation_that_alters_what_is_protected_is_refused_and_kept_in_its_field(
    translator: Translator, text: str
) -> None:
    before = (translator.folder / "letter.es.md").read_bytes()

    page = translator.save("letter.md", "text-1", "25–27 de febrero de 2026, 8:00 am", text, "Vale.", expect=422)

    assert 'role="alert"' in page
    assert text in page
    assert (translator.folder / "letter.es.md").read_bytes() == before


def test_a_file_that_changed_meanwhile_is_not_overwritten(translator: Translator) -> None:
    before = (translator.folder / "letter.es.md").read_bytes()

    page = translator.save("letter.md", "closing", "Con cariño,", was="0" * 64, expect=409)

    assert "Con cariño," in page
    assert (translator.folder / "letter.es.md").read_bytes() == before


def test_the_first_translation_of_a_file_creates_it(tmp_path: Path) -> None:
    translator = Translator(translated_workspace(tmp_path))

    translator.save("letter.md", "closing", "Con cariño,")
    translator.save("issue.yaml", "title", "Tres días de primavera")

    assert "closing: Con cariño,\n" in (translator.folder / "letter.es.md").read_text()
    assert "title.es: Tres días de primavera\n" in (translator.folder / "issue.yaml").read_text()


def test_unknown_languages_files_and_issues_are_not_found(translator: Translator) -> None:
    for path in ("/2026-02/translations?language=fr", "/2025-01/translations"):
        assert translator.client.get(path).status_code == 404
    token = re.search(r'name="token" value="([^"]+)"', translator.page())
    assert token is not None
    fields = {"token": token[1], "language": "es", "file": "../../newsletter.toml", "unit": "title", "sentence-0": "x"}
    assert translator.client.post("/2026-02/translations", data=fields, headers=OURS).status_code == 404


def test_a_newsletter_in_one_language_says_how_to_offer_others(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))
    client = TestClient(studio_app(config, config.root / "issues/2026-02"), base_url=ORIGIN)

    assert "No other languages yet" in client.get("/2026-02/translations").text


@pytest.fixture
def issue_folder(config: Config) -> Path:
    """The issue that the studio is opened with."""
    return config.root / "issues/2026-02"


def test_a_stale_sentence_is_corrected_by_keyboard_on_a_page_for_everyone(
    browser: Browser, served: ServedStudio, issue_folder: Path
) -> None:
    page = browser.new_page()
    page.goto(f"{served.url}2026-02/translations?language=es&show=open")
    edit = page.locator("summary")
    for _ in range(20):
        page.keyboard.press("Tab")
        if edit.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("Nos vemos el 25–27 de febrero de 2026, a las 8:00 am.")
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save as current")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Nothing is missing or stale")).to_be_visible()
    assert "Nos vemos" in (issue_folder / "letter.es.md").read_text()
    page.close()
