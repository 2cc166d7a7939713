"""Each question takes what it can use, says what is wrong with the rest, and a step is done when the files say so."""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checks.reading.contrast import READABLE, color_of, contrast
from newsletter.config import CONFIG_FILE, load_config
from newsletter.errors import FaultError, InputError, MistakesError
from newsletter.store.approvals import remember_test
from newsletter.store.subscribers import find_subscriber
from newsletter.workflows.compose.new import init_workspace
from newsletter.workflows.setup.asking import NO_ANSWER, NearMissError, SetupQuestion, answer
from newsletter.workflows.setup.carrier import MAIL_SERVICES, MailService, service_of
from newsletter.workflows.setup.settings_file import save_settings
from newsletter.workflows.setup.situation import look_at
from newsletter.workflows.setup.steps import STEPS, StepMark, first_unfinished
from tests.store.empty_file import open_test_database

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANSWERS = {
    "name": "Harbour Letters",
    "organization": "Harbour House",
    "sender": "news@harbour.example.org",
    "sender_name": "",
    "reply_to": "",
    "website": "",
    "pages": "",
    "reason": "",
    "language": "",
    "timezone": "Europe/Dublin",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A new workspace."""
    init_workspace(tmp_path / "news", date(2026, 11, 30))
    return tmp_path / "news"


def say(root: Path, name: str, text: str, environ: Mapping[str, str] | None = None) -> str:
    """Answer one question."""
    (question,) = [each for step in STEPS for each in step.questions if each.name == name]
    return answer(question, look_at(root, environ or {}), text)


def mark_of(root: Path, name: str, environ: Mapping[str, str] | None = None) -> tuple[StepMark, str]:
    """Return the state of a step."""
    (step,) = [each for each in STEPS if each.name == name]
    state = step.state(look_at(root, environ or {}))
    return state.mark, state.says


def test_in_a_new_workspace_nothing_is_done_and_the_first_step_comes_first(root: Path) -> None:
    situation = look_at(root, {})

    assert {step.name for step in STEPS if step.state(situation).mark is StepMark.DONE} == set()
    assert first_unfinished(situation) == STEPS[0]
    assert not (root / "newsletter.db").exists()


def test_the_sender_follows_from_few_answers(root: Path) -> None:
    for name, text in ANSWERS.items():
        say(root, name, text)

    identity = load_config(root).settings.newsletter
    assert identity.from_ == "Harbour House <news@harbour.example.org>"
    assert identity.reply_to == "news@harbour.example.org"
    assert identity.website == "https://www.harbour.example.org"
    assert identity.reason == "You receive Harbour Letters because you signed up for it at harbour.example.org."
    assert (identity.language, identity.timezone) == ("en", "Europe/Dublin")
    assert load_config(root).settings.service.url == "https://news.harbour.example.org"
    assert mark_of(root, "sender") == (StepMark.DONE, "Harbour House <news@harbour.example.org>")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("name", "", "this question needs an answer"),
        ("name", "Our Newsletter", "comes with every new workspace"),
        ("organization", "Our Organization", "comes with every new workspace"),
        ("sender", "not an address", "'not an address' is not an email address"),
        ("sender", "a@b", "is not an email address"),
        ("sender", "news@our-organization.example", "comes with every new workspace"),
        ("reply_to", "me at home", "is not an email address"),
        ("website", "ftp://example.org", "not a complete link"),
        ("website", "https://www.our-organization.example", "comes with every new workspace"),
        ("language", "English", "'English' is not a language"),
        ("timezone", "dublin", "write Europe/Dublin"),
        ("address", "Our Organization, 1 Example Street, 12345 Example Town", "comes with every new workspace"),
        ("address", "12 Quay Street,\nGalway, Ireland", "on one line"),
        ("address", "Riverside 12", "not a whole postal address; write the street"),
        ("address", "Galway, Ireland", "not a whole postal address"),
        ("logo", "nowhere.png", "there is no file nowhere.png"),
        ("logo", CONFIG_FILE, "is not an image that can be used"),
        ("logo", "issues", "is not an image that can be used"),
        ("accent", "red", "'red' is not a color"),
        ("accent", "#12345", "is not a color"),
        ("service", "carrier pigeon", "is not a service or a mail server"),
        ("service", "smtp.our-organization.example", "comes with every new workspace"),
        ("service", "smtp.example.org:99999", "is not a port"),
        ("people", "nowhere.csv", "is neither a file nor an email address"),
        ("people", "ana@our-organization.example", "comes with every new workspace"),
        ("to", "me", "is not a name with an address"),
        ("to", "Ana Lima <ana@our-organization.example>", "comes with every new workspace"),
        ("pages", "https://example.org/?a=b", "more than the address of a page"),
    ],
)
def test_wrong_answers_are_refused_and_change_nothing(root: Path, name: str, text: str, told: str) -> None:
    before = (root / CONFIG_FILE).read_bytes()

    with pytest.raises((FaultError, InputError, MistakesError), match=told):
        say(root, name, text)
    assert (root / CONFIG_FILE).read_bytes() == before


def picture(color: str = "#9C3353") -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 30), color).save(file, "PNG")
    return file.getvalue()


def test_a_logo_from_elsewhere_is_copied_into_the_workspace(root: Path, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(picture())

    say(root, "logo", str(logo))

    assert load_config(root).settings.brand.logo == "brand/logo.png"
    assert (root / "brand" / "logo.png").read_bytes() == logo.read_bytes()
    say(root, "logo", NO_ANSWER)
    assert load_config(root).settings.brand.logo is None


def shape(size: tuple[int, int], color: str, background: str | None = None) -> bytes:
    """A bar of one color across the middle, on a background that may be transparent."""
    image = Image.new("RGBA", size, (0, 0, 0, 0) if background is None else background)
    image.paste(color, (0, size[1] // 4, size[0], size[1] // 2))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(("size", "width"), [((400, 400), 72), ((800, 100), 240), ((300, 100), 120), ((100, 400), 72)])
def test_a_wide_logo_gets_the_width_in_which_it_can_be_read(root: Path, size: tuple[int, int], width: int) -> None:
    (root / "logo.png").write_bytes(shape(size, "#9C3353"))

    say(root, "logo", "logo.png")

    assert load_config(root).settings.brand.logo_width == width


def test_a_width_that_someone_chose_stays(root: Path) -> None:
    (root / "logo.png").write_bytes(shape((800, 100), "#9C3353"))
    save_settings(root, {("brand", "logo_width"): 90})

    say(root, "logo", "logo.png")

    assert load_config(root).settings.brand.logo_width == 90


@pytest.mark.parametrize(
    ("color", "background", "is_told"),
    [("#101010", None, True), ("#1A1A2E", None, True), ("#101010", "#FFFFFF", False), ("#9C3353", None, False)],
)
def test_it_says_if_dark_mode_hides_a_logo(root: Path, color: str, background: str | None, is_told: bool) -> None:
    (root / "logo.png").write_bytes(shape((200, 200), color, background))

    assert ("In dark mode, this logo vanishes" in say(root, "logo", "logo.png")) is is_told


def test_a_logo_for_dark_backgrounds_must_be_seen_there(root: Path) -> None:
    for name, color in (("logo.png", "#101010"), ("light.png", "#F0F0F0")):
        (root / name).write_bytes(shape((200, 200), color))
    say(root, "logo", "logo.png")

    with pytest.raises(FaultError, match=r"logo\.png vanishes on a dark background too"):
        say(root, "logo_dark", "logo.png")
    say(root, "logo_dark", "light.png")

    assert load_config(root).settings.brand.logo_dark == "light.png"


def test_a_logo_never_replaces_another_file(root: Path, tmp_path: Path) -> None:
    (root / "brand").mkdir()
    (root / "brand" / "logo.png").write_bytes(picture("#000000"))
    (tmp_path / "logo.png").write_bytes(picture())

    with pytest.raises(FaultError, match=r"there is another logo\.png in brand/"):
        say(root, "logo", str(tmp_path / "logo.png"))


@pytest.mark.parametrize("content", [b"", b"not an image", picture()[:60]])
def test_a_broken_logo_is_refused(root: Path, content: bytes) -> None:
    (root / "logo.png").write_bytes(content)

    with pytest.raises(FaultError, match=r"the image logo\.png"):
        say(root, "logo", "logo.png")


def test_a_logo_that_is_a_pipe_is_refused_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "logo.png")

    with pytest.raises(FaultError, match=r"the image logo\.png is a pipe or a device"):
        say(root, "logo", "logo.png")


def test_a_faint_color_is_refused_with_the_nearest_that_can_be_read(root: Path) -> None:
    with pytest.raises(NearMissError, match=r"contrast of only 1\.84:1 with panels, and text needs 4\.5:1") as caught:
        say(root, "accent", "#ff9900")
    say(root, "accent", caught.value.nearest)

    brand = load_config(root).settings.brand
    assert brand.light.accent == caught.value.nearest
    for palette in (brand.light, brand.dark):
        for other in (palette.inside, palette.outside, palette.wash, palette.on_accent):
            assert contrast(color_of(palette.accent), color_of(other)) >= READABLE


def test_the_dark_shade_follows_the_color_until_someone_chooses_one(root: Path) -> None:
    say(root, "accent", "#1b5e20")
    first = load_config(root).settings.brand.dark.accent
    say(root, "accent", "0d47a1")
    second = load_config(root).settings.brand.dark.accent
    save_settings(root, {("brand", "dark", "accent"): "#FFFFFF"})
    say(root, "accent", "#1b5e20")

    assert first != second
    assert load_config(root).settings.brand.dark.accent == "#FFFFFF"


@pytest.mark.parametrize("service", MAIL_SERVICES, ids=lambda service: service.name)
def test_each_known_service_gives_valid_settings_and_is_recognized(root: Path, service: MailService) -> None:
    say(root, "service", service.name)

    smtp = load_config(root).settings.provider.smtp
    assert smtp is not None
    assert service_of(smtp) == service
    say(root, "service", "outbox")
    say(root, "service", service.name)
    assert load_config(root).settings.provider.smtp == smtp


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"service": "smtp.harbour.example.org"}, ("smtp.harbour.example.org", 587, "starttls")),
        ({"service": "smtp.harbour.example.org:465"}, ("smtp.harbour.example.org", 465, "tls")),
        ({"service": "smtp.harbour.example.org", "port": "465"}, ("smtp.harbour.example.org", 465, "tls")),
        ({"service": "local"}, ("localhost", 25, "none")),
        ({"service": "127.0.0.1", "port": "2525"}, ("127.0.0.1", 2525, "none")),
        ({"service": "Gmail"}, ("smtp.gmail.com", 587, "starttls")),
        (
            {"service": "ses", "host": "email-smtp.us-east-1.amazonaws.com"},
            ("email-smtp.us-east-1.amazonaws.com", 587, "starttls"),
        ),
    ],
)
def test_a_mail_server_is_set_by_its_service_or_its_host(
    root: Path, answers: dict[str, str], expected: tuple[str, int, str]
) -> None:
    for name, text in answers.items():
        say(root, name, text)

    smtp = load_config(root).settings.provider.smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.security) == expected


def test_a_missing_secret_is_named_and_never_written(root: Path) -> None:
    say(root, "service", "sendgrid")

    assert mark_of(root, "provider") == (StepMark.TO_DO, "SENDGRID_API_KEY is not set in the environment")
    told = " ".join(next(step for step in STEPS if step.name == "provider").guide(look_at(root, {})))
    assert "`read -rs SENDGRID_API_KEY && export SENDGRID_API_KEY`" in told
    assert "Mail Send" in told
    assert "https://app.sendgrid.com/settings/api_keys" in told
    assert mark_of(root, "provider", {"SENDGRID_API_KEY": "SG.secret"}) == (
        StepMark.DONE,
        "SendGrid; the test email will show whether it works",
    )
    assert "SG.secret" not in (root / CONFIG_FILE).read_text("utf-8")


SENDGRID_KEY = "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("service", SENDGRID_KEY),
        ("username", SENDGRID_KEY),
        ("username", f"apikey {SENDGRID_KEY}"),
        ("username", " correct horse "),
        ("organization", "correct horse"),
    ],
)
def test_a_secret_in_place_of_an_answer_is_refused_and_saved_nowhere(root: Path, name: str, text: str) -> None:
    say(root, "service", "smtp.harbour.example.org")
    before = (root / CONFIG_FILE).read_bytes()

    with pytest.raises(FaultError, match="never saved") as caught:
        say(root, name, text, {"NEWSLETTER_SMTP_PASSWORD": "correct horse"})
    assert text.strip() not in str(caught.value)
    assert (root / CONFIG_FILE).read_bytes() == before


def test_one_s_own_address_or_a_file_is_the_list(root: Path) -> None:
    assert mark_of(root, "list") == (StepMark.TO_DO, "no one is on the list yet")
    assert say(root, "people", "me@harbour.example.org") == "me@harbour.example.org is on the list."
    assert mark_of(root, "list") == (StepMark.DONE, "1 person")
    (root / "list.csv").write_text("email,consented_at,consent_source\nbo@example.net,2025-01-01,form\nbad,,\n")
    assert "1 person added, 0 updated, 1 row rejected" in say(root, "people", "list.csv")
    with open_test_database(root / "newsletter.db") as database:
        found = find_subscriber(database, "me@harbour.example.org")
    assert found is not None
    assert found.record.consent_source == "added themselves during setup"


def test_the_sample_list_is_not_a_list_of_one_s_own(root: Path) -> None:
    say(root, "people", "recipients.example.csv")

    mark, says = mark_of(root, "list")
    assert mark is StepMark.TO_DO
    assert says.startswith("3 people from the sample list")
    assert look_at(root, {}).people == 0


def test_a_test_counts_once_a_provider_took_it(root: Path) -> None:
    say(root, "to", "Me <me@harbour.example.org>, you@harbour.example.org")
    with open_test_database(root / "newsletter.db") as database:
        remember_test(database, "2026-11", "hash", copies=1, now=NOW)

    assert mark_of(root, "test") == (StepMark.TO_DO, "not sent yet")
    say(root, "service", "local")
    assert mark_of(root, "test") == (StepMark.DONE, "last sent on 2026-11-30 12:00 GMT")
    assert load_config(root).settings.reviewers["reviewers"] == (
        *("Me <me@harbour.example.org>", "you@harbour.example.org"),
    )


def test_names_of_questions_and_steps_are_unique_in_their_place() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)
    for step in STEPS:
        names = [question.name for question in step.questions]
        assert len(set(names)) == len(names)
    questions: list[SetupQuestion] = [question for step in STEPS for question in step.questions]
    assert all(question.asks[0].isupper() and not question.asks.endswith((":", "?")) for question in questions)
