"""The email is shown as a subscriber gets it, who is found by what was typed, or as a reader who is made up.

Addresses stay in the studio: URLs contain keys that say nothing.
"""

import logging
import re
from html import unescape
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.web.studio.application import studio_app
from newsletter.web.studio.whom import MOST_MATCHES, Lookups
from tests.store.builders import add, row
from tests.store.empty_file import open_test_database
from tests.web.studio.conftest import Visitor

MAIL = "/2026-02/mail.html"


@pytest.fixture
def knowing(config: Config, issue_folder: Path, database: None) -> Visitor:
    """A visitor of a studio with subscribers."""
    return Visitor(studio_app(config, issue_folder))


def find(visitor: Visitor, text: str, query: str = "") -> str:
    """The page that lists the subscribers whom a search finds."""
    found = re.search(r'name="token" value="([^"]+)"', visitor.get("/2026-02/").text)
    assert found is not None
    answer = visitor.post(f"/2026-02/readers{query}", {"token": found[1], "who": text})
    assert answer.status_code == 200
    return answer.text


def choose(visitor: Visitor, text: str, query: str = "") -> str:
    """The query of the page that shows the only subscriber whom a search finds."""
    (address,) = re.findall(r'<li><a href="\./([^"]*)">', find(visitor, text, query))
    return unescape(address)


def test_the_page_and_the_frames_show_the_subscribers_own_mail(knowing: Visitor) -> None:
    query = choose(knowing, "maria@example.org", "?scheme=dark&see.only+teachers=hidden")
    page = knowing.get(f"/2026-02/{query}").text
    assert query.startswith("?scheme=dark&reader=")
    for text in ("as <strong>Maria Silva, maria@example.org, Spanish, Tokyo, teachers<", "A letter for Maria"):
        assert text in page
    assert "Will not receive" not in page
    assert "<select" not in page  # the list decides what a subscriber gets
    assert "Dear Maria," in knowing.get(f"{MAIL}{query}").text
    assert "Words for teachers alone." in knowing.get(f"{MAIL}{query}").text


def test_why_an_issue_would_not_go_to_somebody_is_said_beside_the_mail(knowing: Visitor) -> None:
    query = choose(knowing, "leo")
    page = knowing.get(f"/2026-02/{query}").text
    assert "Will not receive this issue: unsubscribed on 2026-02-19" in page
    assert "A letter for Leo" in page
    assert "Words for teachers alone." not in knowing.get(f"{MAIL}{query}").text


@pytest.mark.parametrize("typed", ["Maria", "SILVA", "ria sil", "maria@", "Maria@Example.org", " maria@example.org "])
def test_a_subscriber_is_found_by_a_part_of_the_name_or_address(knowing: Visitor, typed: str) -> None:
    assert "reader=" in choose(knowing, typed)


@pytest.mark.parametrize("typed", ["nobody", "<script>alert(1)</script>", "\U0001f600", "%", "_", "!", "'; --"])
def test_a_search_that_finds_no_one_says_so(knowing: Visitor, typed: str) -> None:
    page = find(knowing, typed)
    assert "No subscriber has this name or address." in page
    assert "<script>" not in page


@pytest.mark.parametrize("typed", ["", "  ", "\0"])
def test_an_empty_search_asks_for_words(knowing: Visitor, typed: str) -> None:
    assert "Type part of a name or an address." in find(knowing, typed)


def test_a_search_that_is_no_search_is_refused(knowing: Visitor) -> None:
    token = re.findall(r'name="token" value="([^"]+)"', knowing.get("/2026-02/").text)[0]
    assert knowing.post("/2026-02/readers", {"token": token, "who": "x" * 9000}).status_code == 413
    assert knowing.post("/2026-02/readers", {"token": "forged", "who": "maria"}).status_code == 403


def test_only_the_first_of_many_are_listed_and_the_exact_address_comes_first(config: Config, knowing: Visitor) -> None:
    with open_test_database(config.database) as database:
        add(database, *(row(f"maria{number}@example.org") for number in range(20)), row("ria@example.org"))
    page = find(knowing, "ria@example.org")
    assert page.index("ria@example.org</a>") < page.index("maria@example.org")
    page = find(knowing, "maria")
    assert page.count("<li>") == MOST_MATCHES
    assert "There are more matches." in page


def test_the_address_is_in_no_log_and_in_no_url(knowing: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        query = choose(knowing, "maria@example.org")
        page = knowing.get(f"/2026-02/{query}").text
    assert "maria" not in query + caplog.text
    assert not re.search(r'(?:href|src|action|data-address)="[^"]*maria', page)
    assert "maria" not in page[: page.index("</title>")].lower()


def test_a_key_that_no_search_has_made_shows_the_usual_page(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/?reader=maria@example.org").text
    assert "A letter for <mark" in page
    assert "as <strong>an unknown reader" in page


def test_without_a_list_the_page_says_how_to_get_one(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/").text
    assert "newsletter subscribers import FILE" in page
    assert 'name="who"' not in page


def test_a_list_that_cannot_be_read_is_said(config: Config, knowing: Visitor) -> None:
    query = choose(knowing, "maria")
    Path(config.database).write_bytes(b"not a database" * 100)
    assert "The list cannot be read" in find(knowing, "maria")
    assert "The list cannot be read" in knowing.get(f"/2026-02/{query}").text


def test_someone_who_was_deleted_meanwhile_is_said_to_be_gone(config: Config, knowing: Visitor) -> None:
    query = choose(knowing, "maria")
    Path(config.database).unlink()
    open_test_database(config.database).close()
    page = knowing.get(f"/2026-02/{query}").text
    assert "This subscriber is no longer on the list." in page
    assert "as <strong>an unknown reader" in page


def test_old_choices_are_forgotten_and_the_same_person_keeps_a_key() -> None:
    lookups = Lookups()
    keys = [lookups.remember(f"person{number}@example.org") for number in range(120)]
    assert len(set(keys)) == 120
    assert [lookups.remember(f"person{number}@example.org") for number in range(70, 120)] == keys[70:]
    assert lookups.remember("person0@example.org") not in keys


def test_a_reader_who_is_made_up_differs_as_the_issue_does(workspace: Path, issue_folder: Path) -> None:
    settings, issue = workspace / "newsletter.toml", issue_folder / "issue.yaml"
    settings.write_text(settings.read_text() + '\n[tracking]\nmode = "consented"\n')
    issue.write_text(issue.read_text() + "  - tips\n")
    (issue_folder / "tips.md").write_text("---\ntitle: Find us\nshow: own\n---\n")
    visitor = Visitor(studio_app(load_config(workspace), issue_folder))

    page = visitor.get("/2026-02/").text
    assert re.findall(r'<select form="controls" id="[^"]*" name="([^"]*)">', page) == [
        *("language", "timezone", "see.only teachers", "see.mailbox", "see.tracking")
    ]
    for label in ("Segment teachers", "Mailbox", "Consent to tracking", ">Gmail<", "did not agree"):
        assert label in page
    chosen = "?see.mailbox=gmail&see.only+teachers=hidden&see.tracking=off&language=es&timezone=Asia/Tokyo"
    assert "as <strong>an unknown reader, Spanish, Tokyo, Gmail<" in visitor.get(f"/2026-02/{chosen}").text
    mail = visitor.get(f"{MAIL}{chosen}").text
    assert "Gmail on a phone" in mail
    assert "Words for teachers alone." not in mail
    assert "/t/" in visitor.get(MAIL).text
    assert "/t/" not in mail


def test_doubtful_values_are_marked_in_the_frame_and_nowhere_else(visitor: Visitor, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text() + "\nYour town: {{ city }}. [Write](https://www.example.org/?c={{ city }})\n")
    page, mail = visitor.get("/2026-02/").text, visitor.get(MAIL).text
    assert 'Dear <span data-doubt="default" data-field="first_name">Friends</span>,' in mail
    assert 'Your town: <span data-doubt="missing" data-field="city"></span>.' in mail
    assert 'href="https://www.example.org/?c="' in mail
    assert 'A letter for <mark data-doubt="default">everybody</mark>' in page
    assert 'Your town: <mark data-doubt="missing">city is missing</mark>.' in page
    assert "data-doubt=" not in visitor.get(f"{MAIL}?reader=sample").text.partition("<body")[2]
    assert "<mark" not in visitor.get("/2026-02/?notes=off").text
    assert b"data-place" not in visitor.get("/2026-02/message.eml").content


def test_what_only_some_readers_see_is_labeled_once(visitor: Visitor) -> None:
    mail = visitor.get(MAIL).text
    assert mail.count('data-first="Only for teachers"') == 1
    assert mail.count('data-only="Only for teachers"') == 2
    assert "data-only=" not in visitor.get(f"{MAIL}?see.only+teachers=hidden").text.partition("<body")[2]
    assert "data-only=" not in visitor.get(f"{MAIL}?notes=off").text.partition("<body")[2]
    assert "only teachers" in visitor.get("/2026-02/").text
