"""The shelf, the differences and the outbox as a visitor of the studio gets them, with hostile content in each."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.store.approvals import remember_test
from newsletter.store.ledger.broadcasts import finish_if_done
from newsletter.web.studio.application import studio_app
from newsletter.workflows.compose import covers
from newsletter.workflows.send.approve import approve_content, draft_approval
from tests.store.builders import NOW, add_people, freeze, send_all
from tests.store.empty_file import open_test_database
from tests.web.studio.conftest import Visitor

OWN = "http://127.0.0.1:8025"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser: what is drawn is tested in a browser's own tests."""

    def fail(*_: object) -> None:
        raise CannotRunError("no browser was found; install Chromium")

    monkeypatch.setattr(covers, "_drawn", fail)


def settled(visitor: Visitor) -> httpx.Response:
    """The shelf, when everything about the issues is known."""
    while json.loads(visitor.get("/-/shelf/covers").text)["is_drawing"]:
        time.sleep(0.02)
    return visitor.get("/-/shelf")


def states(visitor: Visitor) -> dict[str, str]:
    """The state of each issue under its cover."""
    html = settled(visitor).text
    return dict(re.findall(r'data-issue="([^"]+)".*?<p class="stage">([^<]*)</p>', html, re.DOTALL))


def test_the_shelf_shows_the_issues_by_year_with_covers_of_words(visitor: Visitor) -> None:
    page = settled(visitor)
    assert page.status_code == 200
    assert re.findall(r"<h2 id=[^>]*>([^<]*)<", page.text) == ["2026"]
    assert page.text.index("A small letter") < page.text.index("An older letter")
    assert "February 2026" in page.text
    assert "<img" not in page.text
    assert "Covers are shown without pictures: no browser was found; install Chromium." in page.text


def test_nothing_is_composed_while_the_shelf_waits(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covers.Covers, "_want", lambda *_: None)
    monkeypatch.setattr("newsletter.workflows.compose.compose.load_issue", lambda *_: pytest.fail("composed"))
    page = visitor.get("/-/shelf")
    assert page.status_code == 200
    assert page.text.count("Being read") == 0  # without a list, nothing was tested or approved
    assert page.text.count("Draft") == 2


def test_the_state_follows_the_issue_from_draft_to_sent(visitor: Visitor, config: Config) -> None:
    assert states(visitor)["2026-02"] == "Draft"
    folder = config.root / "issues/2026-02"
    with open_test_database(config.database, workspace=config.root) as database:
        add_people(database, 3)
        draft = draft_approval(config, database, folder, now=NOW)
        remember_test(database, "2026-02", draft.content_hash, copies=1, now=NOW)
        assert states(visitor) == {"2026-02": "Tested", "2026-01": "Draft"}
        approve_content(database, draft, by="Ana Lima", now=NOW)
        assert states(visitor)["2026-02"] == "Approved"
        (folder / "letter.md").write_text("Another letter.\n")
        assert states(visitor)["2026-02"] == "Draft"
        broadcast = freeze(database)
        assert states(visitor)["2026-02"] == "Sending"
        send_all(database, broadcast)
        finish_if_done(database, broadcast.id, now=NOW)
        assert states(visitor)["2026-02"] == "Sent"
        assert "3 people" in settled(visitor).text


def test_hostile_titles_and_broken_files_stay_words_on_the_shelf(config: Config, workspace: Path) -> None:
    issue = workspace / "issues/2026-02/issue.yaml"
    issue.write_text(issue.read_text().replace("title: A small letter", f'title: "{SCRIPT}"'))
    (workspace / "issues/<b>odd").mkdir()
    (workspace / "issues/<b>odd/issue.yaml").write_text("date: [\n")
    page = settled(Visitor(studio_app(config, workspace / "issues/2026-02")))
    assert SCRIPT not in page.text
    assert "<b>odd" not in page.text
    assert "Without a date" in page.text


@pytest.mark.parametrize(
    "name", ["../../newsletter.toml", "%2e%2e%2findex", "a" * 64, "index.json", "..%2F..%2Fnewsletter.toml"]
)
def test_a_cover_is_found_only_by_the_hash_of_its_content(visitor: Visitor, name: str) -> None:
    settled(visitor)
    assert visitor.get(f"/-/shelf/covers/{name}.jpg").status_code == 404


# The differences.


def test_the_last_issue_is_compared_if_nothing_was_approved(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/difference")
    assert "An older letter (2026-01)" in page.text
    assert re.search(r"<del>.*An older letter, of January.</del>|An older letter, of January", page.text)
    first = visitor.get("/2026-01/difference")
    assert "There is no earlier issue." in first.text


def test_what_changed_since_the_approval_is_told_and_marked(visitor: Visitor, config: Config) -> None:
    with open_test_database(config.database, workspace=config.root) as database:
        draft = draft_approval(config, database, config.root / "issues/2026-02", now=NOW)
        approve_content(database, draft, by="Ana Lima", now=NOW)
    assert "Nothing changed." in visitor.get("/2026-02/difference").text
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("small letter", "quiet letter"))
    visitor = Visitor(studio_app(config, letter.parent))
    page = visitor.get("/2026-02/difference").text
    assert "Approved by Ana Lima on 2026-02-19 00:00 PST" in page
    assert re.search(r"<del><span[^>]*>removed: </span>small</del>", page)
    assert re.search(r"<ins><span[^>]*>added: </span>quiet</ins>", page)
    before, after = (visitor.get(f"/2026-02/difference/{side}.html") for side in ("before", "after"))
    assert "small letter" in before.text
    assert "quiet letter" in after.text
    assert after.text.partition("</head>")[2].count('data-change="changed"') == 1
    assert "data-place" not in after.text
    assert "data-change=" not in visitor.get("/2026-02/difference/after.html?marks=off").text.partition("</head>")[2]
    for mail in (before, after):
        assert "default-src 'none'" in mail.headers["content-security-policy"]
        assert "script-src" not in mail.headers["content-security-policy"]


def test_the_images_of_both_emails_are_shown(visitor: Visitor) -> None:
    mail = visitor.get("/2026-02/difference/after.html").text
    (address,) = set(re.findall(r'src="(/2026-02/difference/pictures/field-[^"]+)"', mail))
    picture = visitor.get(address.replace("&amp;", "&"))
    assert picture.headers["content-type"] == "image/png"
    assert visitor.get("/2026-02/difference/pictures/..%2F..%2Fissue.yaml").status_code == 404


def test_an_approval_whose_content_was_not_kept_is_said_to_be_so(visitor: Visitor, config: Config) -> None:
    with open_test_database(config.database, workspace=config.root) as database:
        draft = draft_approval(config, database, config.root / "issues/2026-02", now=NOW)
        approve_content(database, draft, by="Ana Lima", now=NOW)
    (config.root / "build/.approved" / draft.content_hash).unlink()
    page = visitor.get("/2026-02/difference").text
    assert "This content was not kept on this computer." in page
    assert visitor.get("/2026-02/difference/before.html").status_code == 404


def test_two_issues_stand_side_by_side(visitor: Visitor) -> None:
    answer = visitor.get("/-/compare?left=2026-01&right=2026-02")
    assert answer.status_code == 303
    page = visitor.get(answer.headers["location"])
    assert page.text.count("<iframe") == 2
    assert "An older letter (2026-01)" in page.text


@pytest.mark.parametrize("query", ["", "left=2026-01", "left=../etc&right=2026-02", f"left={SCRIPT}&right=//evil"])
def test_unknown_issues_lead_back_to_the_shelf(visitor: Visitor, query: str) -> None:
    assert visitor.get(f"/-/compare?{query}").headers["location"] == "/-/shelf"


@pytest.mark.parametrize("query", ["against=evil", "against=other&other=../..", f"for={SCRIPT}", "marks=%00"])
def test_odd_choices_show_the_usual_page(visitor: Visitor, query: str) -> None:
    page = visitor.get(f"/2026-02/difference?{query}")
    assert page.status_code == 200
    assert SCRIPT not in page.text


def test_hostile_words_stay_words_among_the_differences(config: Config, workspace: Path) -> None:
    letter = workspace / "issues/2026-02/letter.md"
    letter.write_text(f"Words with `{SCRIPT}` in them, and [a link](https://www.example.org/?q=%22%3E%3Cscript%3E).\n")
    page = Visitor(studio_app(config, letter.parent)).get("/2026-02/difference?against=last")
    assert "&lt;script&gt;alert(1)" in page.text
    assert SCRIPT not in page.text


# The outbox.

MAIL = (
    "From: News <news@example.org>\r\nTo: Ana <ana@example.org>\r\nSubject: {subject}\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    "--x\r\nContent-Type: text/html\r\n\r\n{html}\r\n"
    '--x\r\nContent-Type: {type}\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n123\r\n--x--\r\n'
)


@pytest.fixture
def save(config: Config) -> Callable[..., None]:
    def saved(file: str = "ana@example.org-1.eml", folder: str = "b7-x", **parts: str) -> None:
        usual = {"subject": "A letter", "text": "Words.", "html": "<p>Words</p>", "type": "text/csv", "name": "a.csv"}
        path = config.root / "outbox" / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MAIL.format(**usual | parts))

    return saved


def mails(page: httpx.Response) -> list[str]:
    return re.findall(r'<a href="(/-/outbox/[0-9a-f]{32}[^"]*)"', page.text)


def search(visitor: Visitor, words: str) -> httpx.Response:
    token = re.search(r'name="token" value="([^"]+)"', visitor.get("/-/outbox").text)
    assert token is not None
    answer = visitor.post("/-/outbox/search", {"token": token[1], "words": words})
    assert answer.status_code == 303
    location = answer.headers["location"]
    while "files are read so far" in visitor.get(location).text:
        time.sleep(0.02)
    return visitor.get(location)


def test_an_empty_outbox_says_when_it_fills(visitor: Visitor) -> None:
    page = visitor.get("/-/outbox").text
    assert "The outbox is empty" in page
    assert "Test emails and broadcasts will appear here." in page


def test_an_email_is_listed_and_shown(visitor: Visitor, save: Callable[..., None]) -> None:
    save()
    (address,) = mails(visitor.get("/-/outbox"))
    page = visitor.get(address)
    for words in ("A letter", "ana@example.org", "Broadcast 7", "a.csv", "text/csv", "Words."):
        assert words in page.text
    frame = visitor.get(f"{address}/mail.html")
    assert "<p>Words</p>" in frame.text
    policy = frame.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert policy.endswith("sandbox")
    assert 'sandbox=""' in page.text


def test_no_address_of_a_person_gets_into_a_url(visitor: Visitor, save: Callable[..., None]) -> None:
    save()
    page = search(visitor, "ana@example.org")
    assert len(mails(page)) == 1
    addresses = [unquote(each) for each in re.findall(r'(?:href|src|action)="([^"]*)"', page.text)]
    assert not [each for each in (*addresses, str(page.url)) if "@" in each or "ana" in each]


def test_a_search_finds_words_and_forgets_unknown_keys(visitor: Visitor, save: Callable[..., None]) -> None:
    save()
    save("leo@example.org-2.eml", text="Of the river.")
    assert len(mails(search(visitor, "river"))) == 1
    assert len(mails(search(visitor, "mountain"))) == 0
    assert len(mails(visitor.get("/-/outbox?search=unknown"))) == 2
    assert visitor.get("/-/outbox?page=99999999999999999999").status_code == 200
    assert visitor.get("/-/outbox?page=-1").status_code == 200


def test_a_search_from_elsewhere_is_refused(visitor: Visitor) -> None:
    assert visitor.post("/-/outbox/search", {"token": "forged", "words": "x"}).status_code == 403


def test_hostile_subjects_names_and_headers_stay_words(visitor: Visitor, save: Callable[..., None]) -> None:
    save(
        f'{SCRIPT.replace("/", "")}".eml',
        folder="<img src=x onerror=alert(1)>",
        subject=SCRIPT,
        name=SCRIPT.replace("/", "-"),
        type="text/<b>",
        text=f"</pre>{SCRIPT}",
    )
    (address,) = mails(visitor.get("/-/outbox"))
    for page in (visitor.get("/-/outbox"), visitor.get(address)):
        assert SCRIPT not in page.text
        assert "<img" not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]


def test_remote_images_are_said_not_to_be_loaded(visitor: Visitor, save: Callable[..., None]) -> None:
    save(html='<img src="https://tracker.example.com/1.gif">')
    (address,) = mails(visitor.get("/-/outbox"))
    assert "Images from the internet are not loaded here." in visitor.get(address).text


@pytest.mark.parametrize("key", ["..", "%2e%2e%2fnewsletter.toml", "0" * 32, "ana@example.org-1.eml"])
def test_other_files_cannot_be_reached(visitor: Visitor, save: Callable[..., None], key: str) -> None:
    save()
    assert visitor.get(f"/-/outbox/{key}/mail.html").status_code == 404


def test_times_are_utc_and_told_as_such(visitor: Visitor, save: Callable[..., None]) -> None:
    save()
    assert f"{datetime.now(UTC):%Y-%m-%d}" in visitor.get("/-/outbox").text
