"""The pages of setup: what they save, refuse and show."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Event
from time import sleep

import pytest
from msgspec.structs import replace

from newsletter.config import CONFIG_FILE, load_config
from newsletter.web.studio import setup
from newsletter.web.studio.application import studio_app
from newsletter.workflows.compose.new import init_workspace
from newsletter.workflows.setup.situation import Situation
from newsletter.workflows.setup.steps import STEPS, Act
from tests.web.studio.conftest import Visitor


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A new workspace."""
    init_workspace(tmp_path / "news", date(2026, 11, 30))
    return tmp_path / "news"


@pytest.fixture
def guest(root: Path) -> Visitor:
    """A visitor of its studio."""
    return Visitor(studio_app(load_config(root), root / "issues/2026-11"))


def token(guest: Visitor, place: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', guest.get(place).text)
    assert found is not None
    return found[1]


def test_answers_are_saved_and_lead_to_the_next_step(guest: Visitor, root: Path) -> None:
    place = "/-/setup/address"

    done = guest.post(place, {"token": token(guest, place), "address": "12 Quay Street, Galway"})

    assert (done.status_code, done.headers["location"]) == (303, "/-/setup/look")
    assert load_config(root).settings.newsletter.address == "12 Quay Street, Galway"


def test_good_answers_are_saved_although_others_are_wrong(guest: Visitor, root: Path) -> None:
    place = "/-/setup/sender"

    done = guest.post(place, {"token": token(guest, place), "name": "Harbour", "sender": "<script>alert(1)</script>"})

    assert done.status_code == 422
    assert "<script>alert" not in done.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in done.text
    assert load_config(root).settings.newsletter.name == "Harbour"
    assert load_config(root).settings.newsletter.from_email == "news@our-organization.example"


def test_suggestions_for_empty_fields_wait_until_the_others_are_right(guest: Visitor, root: Path) -> None:
    place, fields = "/-/setup/sender", {"name": "Harbour", "organization": "", "sender": "news"}
    guest.post(place, {"token": token(guest, place), **fields})
    assert load_config(root).settings.newsletter.organization == "Our Organization"

    guest.post(place, {"token": token(guest, place), **fields, "sender": "news@harbour.example.org"})

    assert load_config(root).settings.newsletter.organization == "Harbour"


def test_languages_are_chosen_from_a_list_and_another_can_be_typed(guest: Visitor, root: Path) -> None:
    place = "/-/setup/sender"
    page = guest.get(place).text
    assert '<option value="en" selected>English (en)</option>' in page
    assert '<option value="ja">日本語 (ja)</option>' in page

    for fields, language in (
        ({"language": "ja", "language:other": "da"}, "ja"),
        ({"language": "other", "language:other": "da"}, "da"),
    ):
        guest.post(place, {"token": token(guest, place), **fields})
        assert load_config(root).settings.newsletter.language == language
    assert 'name="language:other" value="da"' in guest.get(place).text

    wrong = guest.post(place, {"token": token(guest, place), "language": "other", "language:other": "Danish"})
    assert wrong.status_code == 422
    assert 'name="language:other" value="Danish"' in wrong.text
    assert load_config(root).settings.newsletter.language == "da"


def test_time_zones_are_suggested_and_the_computers_is_one_press_away(
    guest: Visitor, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/Halifax")
    place = "/-/setup/sender"
    page = guest.get(place).text
    assert 'list="timezone-options"' in page
    assert '<option value="Asia/Tokyo">Japan – Tokyo</option>' in page
    assert '<button name="timezone" value="America/Halifax" class="near">' in page

    guest.post(place, {"token": token(guest, place), "timezone": "America/Halifax"})
    assert load_config(root).settings.newsletter.timezone == "America/Halifax"
    assert "as this computer does" not in guest.get(place).text


def test_fields_that_setup_does_not_ask_for_change_nothing(guest: Visitor, root: Path) -> None:
    place, before = "/-/setup/look", (root / CONFIG_FILE).read_bytes()

    done = guest.post(place, {"token": token(guest, place), "name": "x", "provider.use": "smtp", "logo": ""})

    assert done.status_code == 303
    assert (root / CONFIG_FILE).read_bytes() == before


def test_a_form_without_the_token_changes_nothing(guest: Visitor, root: Path) -> None:
    before = (root / CONFIG_FILE).read_bytes()

    assert guest.post("/-/setup/address", {"token": "x", "address": "elsewhere"}).status_code == 403
    assert guest.post("/-/setup/test/act", {}).status_code == 403
    assert (root / CONFIG_FILE).read_bytes() == before


def test_a_test_email_without_a_provider_is_refused_in_words(guest: Visitor) -> None:
    done = guest.post("/-/setup/test/act", {"token": token(guest, "/-/setup/test")})

    assert done.status_code == 422
    assert "There is no address for test emails yet; write yours first." in done.text


def test_a_double_click_sends_one_test_email(guest: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    place, (step,) = "/-/setup/test", [each for each in STEPS if each.name == "test"]
    form, sent, is_seen = {"token": token(guest, place)}, list[str](), Event()

    def send(_situation: Situation) -> str:
        sent.append("an email")
        assert is_seen.wait(60)
        return "It was sent."

    monkeypatch.setattr(setup, "STEPS", (replace(step, act=Act(label="Send", run=send)),))
    with ThreadPoolExecutor(1) as other:
        first = other.submit(guest.post, f"{place}/act", form)
        while not sent:
            sleep(0.01)
        second = guest.post(f"{place}/act", form)
        is_seen.set()
    assert (first.result().status_code, second.status_code) == (303, 409)
    assert "This is being done already" in second.text
    assert sent == ["an email"]


@pytest.mark.parametrize("place", ["/-/setup/nothing", "/-/setup/%2e%2e", "/-/setup/sender/act/more"])
def test_what_is_no_step_is_not_found(guest: Visitor, place: str) -> None:
    assert guest.get(place).status_code == 404


def test_there_is_nothing_to_do_in_a_step_of_questions(guest: Visitor) -> None:
    assert guest.post("/-/setup/sender/act", {"token": token(guest, "/-/setup/sender")}).status_code == 404


@pytest.mark.parametrize("place", ["/-/setup", "/-/setup/sender"])
def test_mistakes_in_the_settings_come_first(guest: Visitor, root: Path, place: str) -> None:
    settings = root / CONFIG_FILE
    settings.write_text(settings.read_text("utf-8").replace("name =", "nam =", 1), encoding="utf-8")

    shown = guest.get(place)

    assert shown.status_code == 409
    assert re.search(r"newsletter\.toml:\d+", shown.text)


def test_a_read_only_file_is_told_beside_the_question(guest: Visitor, root: Path) -> None:
    (root / CONFIG_FILE).chmod(0o444)
    place = "/-/setup/address"

    done = guest.post(place, {"token": token(guest, place), "address": "12 Quay Street, Galway"})

    assert done.status_code == 422
    assert "newsletter.toml is read-only" in done.text
