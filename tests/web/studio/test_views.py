"""What is chosen lives in the address; what a device prefers is decided on the server.

A subscriber is looked up by an address that stays in the studio, under a key that says nothing.
"""

import logging
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.store.opening import open_database
from newsletter.store.suppressions import add_suppression
from newsletter.web.studio.application import studio_app
from newsletter.web.studio.views import (
    DeviceScheme,
    Lookups,
    Pictures,
    Show,
    StudioView,
    SubscriberLookup,
    html_for_frame,
    view_from,
)
from newsletter.workflows.compose.compose import Composed, compose_issue
from newsletter.workflows.compose.reader import ReaderMail
from tests.store.builders import NOW, add, row
from tests.web.studio.conftest import Visitor, mail_for

MAIL_PAGE = "/2026-02/mail.html"
VIEWS = st.builds(
    StudioView,
    show=st.sampled_from(Show),
    scheme=st.sampled_from(DeviceScheme),
    pictures=st.sampled_from(Pictures),
    reader=st.text(),
    variant=st.text(),
)
MAIL = """\
<!doctype html><html><head><meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) { p { color: white } }
@media screen and (prefers-color-scheme:light) and (max-width:480px) { p { color: black } }</style></head><body></body>
"""


@given(VIEWS)
def test_a_view_survives_its_address(view: StudioView) -> None:
    assert view_from(dict(parse_qsl(view.query, keep_blank_values=True))) == view


@given(st.dictionaries(st.sampled_from(["show", "scheme", "pictures", "reader", "variant"]), st.text()))
def test_any_address_is_some_view(query: dict[str, str]) -> None:
    view_from(query)


def test_the_usual_view_needs_no_query() -> None:
    assert StudioView().query == ""


def test_dark_answers_the_mails_own_question_with_yes() -> None:
    html = html_for_frame(MAIL, DeviceScheme.DARK)
    assert "@media (min-width:0) { p { color: white } }" in html
    assert "@media screen and (max-width:0) and (max-width:480px)" in html
    assert html.count('content="dark"') == 2
    assert "color-scheme:dark; supported-color-schemes: light dark;" in html


def test_light_answers_it_with_no() -> None:
    html = html_for_frame(MAIL, DeviceScheme.LIGHT)
    assert "@media (max-width:0) { p { color: white } }" in html
    assert "prefers-color-scheme" not in html


def test_links_open_in_tabs_of_their_own() -> None:
    assert '<head><base target="_blank">' in html_for_frame(MAIL, DeviceScheme.LIGHT)


@pytest.fixture
def knowing(config: Config, issue_folder: Path) -> Visitor:
    """A visitor of a studio that knows subscribers."""
    return Visitor(studio_app(config, issue_folder, mail_for=mail_for))


def look_up(visitor: Visitor, email: str, query: str = "") -> str:
    """The query of the page to which a lookup leads."""
    found = re.search(r'name="token" value="([^"]+)"', visitor.get("/2026-02/").text)
    assert found is not None
    answer = visitor.post(f"/2026-02/reader{query}", {"token": found[1], "email": email})
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("./?")
    return location[2:]


@pytest.mark.usefixtures("database")
def test_the_page_and_the_frames_show_the_subscribers_own_mail(knowing: Visitor) -> None:
    query = look_up(knowing, " maria@example.org ", "?scheme=dark&variant=-")
    page = knowing.get(f"/2026-02/{query}").text
    assert query.startswith("?scheme=dark&reader=")
    for text in ("Maria Silva", "maria@example.org", "Spanish", "Tokyo", "A letter for Maria", ">Subscriber<"):
        assert text in page
    assert "Will not receive" not in page
    assert 'id="variant"' not in page  # the subscriber decides it
    assert "Dear Maria," in knowing.get(f"{MAIL_PAGE}{query}").text


@pytest.mark.usefixtures("database")
def test_why_an_issue_would_not_go_to_somebody_is_said_beside_the_mail(knowing: Visitor) -> None:
    page = knowing.get(f"/2026-02/{look_up(knowing, 'leo@example.org')}").text
    assert "Will not receive this issue: unsubscribed on February 3" in page
    assert "A letter for Leo" in page


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("email", ["nobody@example.org", "", "<script>alert(1)</script>", "\ud83d\ude00@example.org"])
def test_an_address_that_nobody_has_is_said_beside_the_field(knowing: Visitor, email: str) -> None:
    page = knowing.get(f"/2026-02/{look_up(knowing, email.encode('utf-16', 'surrogatepass').decode('utf-16'))}").text
    assert "No subscriber has this address." in page
    assert 'aria-describedby="lookup-problem"' in page
    assert "A letter for everybody" in page
    assert "<script>alert" not in page


@pytest.mark.usefixtures("database")
def test_the_address_is_in_no_log_and_in_no_url(knowing: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        query = look_up(knowing, "maria@example.org")
        page = knowing.get(f"/2026-02/{query}").text
    assert "maria" not in query + caplog.text
    assert not re.search(r'(?:href|src|action|data-address)="[^"]*maria', page)
    assert "maria" not in page[: page.index("</title>")].lower()


@pytest.mark.usefixtures("database")
def test_each_lookup_has_a_key_of_its_own(knowing: Visitor) -> None:
    assert look_up(knowing, "maria@example.org") != look_up(knowing, "maria@example.org")


def test_a_key_that_no_lookup_has_made_shows_the_usual_page(visitor: Visitor, knowing: Visitor) -> None:
    for studio in (visitor, knowing):
        page = studio.get("/2026-02/?reader=maria@example.org").text
        assert "A letter for everybody" in page
        assert "No subscriber" not in page


def test_without_a_list_the_page_says_how_to_get_one(knowing: Visitor) -> None:
    page = knowing.get("/2026-02/").text
    assert "newsletter subscribers import FILE" in page
    assert 'name="email"' not in page


@pytest.mark.usefixtures("database")
def test_a_list_that_cannot_be_read_is_said(config: Config, issue_folder: Path) -> None:
    def locked(_config: Config, _composed: Composed, _email: str, _now: datetime) -> ReaderMail | None:
        raise StoreError("it is locked")

    lookups, composed = Lookups(locked), compose_issue(config, issue_folder)
    key = lookups.remember("maria@example.org")
    assert lookups.find(key, config, composed) == SubscriberLookup(
        email="maria@example.org", problem="The list cannot be read: it is locked"
    )
    assert lookups.find(key, config, None) == SubscriberLookup(
        email="maria@example.org", problem="There is no email yet. Fix the errors in the issue first."
    )


@pytest.mark.usefixtures("database")
def test_old_lookups_are_forgotten(config: Config, issue_folder: Path) -> None:
    lookups, composed = Lookups(mail_for), compose_issue(config, issue_folder)
    keys = [lookups.remember(f"person{number}@example.org") for number in range(120)]
    remembered = [key for key in keys if lookups.find(key, config, composed) is not None]
    assert remembered == keys[-50:]


def test_a_real_subscriber_is_shown_the_variant_and_words_of_a_broadcast(config: Config, issue_folder: Path) -> None:
    with open_database(config.database) as database:
        add(database, row("maria@example.org", first_name="Maria", last_name="Silva", language="es", tags=("teacher",)))
        add_suppression(database, "maria@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    visitor = Visitor(studio_app(config, issue_folder))

    query = look_up(visitor, "Maria@Example.org")
    page, mail = visitor.get(f"/2026-02/{query}").text, visitor.get(f"{MAIL_PAGE}{query}").text

    assert "Maria Silva" in page
    assert "Will not receive this issue: unsubscribed on 2026-02-19" in page
    assert "Dear Maria," in mail
